//! Everything that is built in, or used to build, has a licence that this project may ship under.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::metadata::Metadata;
use crate::spdx;
use crate::workspace::Workspace;

/// Licences that ask for no more than a notice.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Named exceptions: package, what its metadata states, why it is fine.
const EXCEPTIONS: &[(&str, Option<&str>, &str)] = &[
    ("forust-ml", None, "its LICENSE file is Apache-2.0"),
    ("axe-core", Some("MPL-2.0"), "used by tests only, unchanged, never shipped"),
];

/// The stage of the test command.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let lock = workspace.path("ui/package-lock.json");
    let text = std::fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
    let packages: Vec<_> = of_cargo(&workspace.metadata).chain(of_npm(&text)?).collect();
    let wrong = refused(&packages);
    if !wrong.is_empty() {
        bail!("{}\nallowed: {}", wrong.join("\n"), ALLOWED.join(", "));
    }
    println!("{} packages have licences that are allowed", packages.len());
    Ok(())
}

/// A package of others.
#[derive(Debug, PartialEq, Eq)]
struct Licensed {
    name: String,
    version: String,
    licence: Option<String>,
}

fn of_cargo(metadata: &Metadata) -> impl Iterator<Item = Licensed> {
    metadata.packages.iter().filter(|package| package.source.is_some()).map(|package| Licensed {
        name: package.name.clone(),
        version: package.version.clone(),
        licence: package.license.clone(),
    })
}

#[derive(Deserialize)]
struct NpmLock {
    packages: BTreeMap<String, NpmPackage>,
}

#[derive(Deserialize)]
struct NpmPackage {
    version: Option<String>,
    license: Option<String>,
}

/// The packages of a `package-lock.json`; the empty path is our own.
fn of_npm(lock: &str) -> Result<Vec<Licensed>> {
    let lock: NpmLock =
        serde_json::from_str(lock).context("ui/package-lock.json is not of lock file version 2 or 3")?;
    Ok(lock
        .packages
        .into_iter()
        .filter(|(path, _)| !path.is_empty())
        .map(|(path, package)| Licensed {
            name: path.rsplit_once("node_modules/").map_or(path.clone(), |(_, name)| name.to_owned()),
            version: package.version.unwrap_or_default(),
            licence: package.license,
        })
        .collect())
}

fn refused(packages: &[Licensed]) -> Vec<String> {
    let excepted = |package: &Licensed| {
        EXCEPTIONS
            .iter()
            .any(|(name, licence, _)| package.name == *name && package.licence.as_deref() == *licence)
    };
    packages
        .iter()
        .filter(|package| !excepted(package))
        .filter_map(|package| match &package.licence {
            None => Some(format!("{} {} states no licence", package.name, package.version)),
            Some(licence) if spdx::can_be_met(licence, |one| ALLOWED.contains(&one)) => None,
            Some(licence) => Some(format!("{} {} is licensed {licence}", package.name, package.version)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licensed(name: &str, licence: Option<&str>) -> Licensed {
        Licensed { name: name.to_owned(), version: "1.0.0".to_owned(), licence: licence.map(str::to_owned) }
    }

    #[test]
    fn a_licence_that_is_missing_or_asks_too_much_is_refused_by_name() {
        let check = |name: &str, licence: Option<&str>, expected: &[&str]| {
            assert_eq!(refused(&[licensed(name, licence)]), expected, "{name} {licence:?}");
        };
        check("good", Some("MIT OR GPL-3.0-only"), &[]);
        check("bad", Some("AGPL-3.0-only"), &["bad 1.0.0 is licensed AGPL-3.0-only"]);
        check("silent", None, &["silent 1.0.0 states no licence"]);
        check("forust-ml", None, &[]);
        check("forust-ml", Some("GPL-2.0-only"), &["forust-ml 1.0.0 is licensed GPL-2.0-only"]);
    }

    #[test]
    fn npm_packages_are_read_from_the_lock_file() {
        let lock = r#"{"packages": {"": {"version": "0.1.0"},
            "node_modules/a": {"version": "1.0.0", "license": "MIT"},
            "node_modules/a/node_modules/@b/c": {"version": "2.0.0"}}}"#;
        let read = of_npm(lock).unwrap();
        let shown: Vec<_> =
            read.iter().map(|package| (package.name.as_str(), package.licence.as_deref())).collect();
        assert_eq!(shown, [("a", Some("MIT")), ("@b/c", None)]);
    }
}
