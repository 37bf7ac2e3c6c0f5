//! Who may use whom: the rooms of the house, checked against `cargo metadata` and against what the sources name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::metadata::{Metadata, Package};
use crate::workspace::Workspace;

/// One room and the rooms it may use; in its tests it may use `in_tests` too.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    in_tests: &'static [&'static str],
}

const fn room(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use, in_tests: &[] }
}

/// The house, from the ground floor up. A room that is not here is not allowed.
const ROOMS: &[Room] = &[
    room("spine", &[]),
    // What reads XML stands below both who make trees of it and who judge it: one reading serves both.
    room("markup", &["spine"]),
    room("formats", &["spine", "markup"]),
    room("xsd", &["spine", "markup"]),
    // What a message costs on its way through schema and rules is measured beside them.
    Room { name: "rules", may_use: &["spine"], in_tests: &["formats", "packs", "xsd"] },
    room("packs", &["spine"]),
    Room { name: "journal", may_use: &["spine"], in_tests: &["outage"] },
    // For tests only: no room may use it otherwise.
    room("outage", &["journal"]),
    room("pool", &["spine", "formats"]),
    room("tags", &["spine", "rules", "packs"]),
    room("learning", &["spine"]),
    room("clearance", &["spine", "rules"]),
    room("selection", &["spine", "rules"]),
    Room { name: "country", may_use: &["spine"], in_tests: &["rules", "packs", "tags", "learning"] },
    room(
        "customhouse",
        &[
            "spine",
            "formats",
            "xsd",
            "rules",
            "packs",
            "journal",
            "pool",
            "tags",
            "learning",
            "clearance",
            "selection",
        ],
    ),
    room("web", &["spine", "customhouse"]),
    // What a loss of power leaves of a house is judged by its log's own tree.
    Room {
        name: "tidewaiter",
        may_use: &["spine", "customhouse", "country", "web"],
        in_tests: &["journal", "outage"],
    },
    room("xtask", &[]),
];

/// Crates of others that stand for a kind of knowledge which only these rooms have.
const CONFINED: &[(&str, &[&str])] = &[
    ("axum", &["web"]),
    ("tower-http", &["web"]),
    ("maud", &["web"]),
    // The journal's connections to PostgreSQL run on small runtimes of their own; its trait blocks.
    ("tokio", &["journal", "web", "tidewaiter"]),
    ("tokio-postgres", &["journal"]),
    ("tokio-rustls", &["web"]),
    ("clap", &["tidewaiter"]),
    ("rusqlite", &["journal", "pool", "customhouse"]),
    ("parquet", &["pool"]),
    ("arrow", &["pool"]),
    ("argon2", &["customhouse"]),
];

/// Rooms whose answers depend on their arguments alone.
const PURE: &[&str] =
    &["spine", "markup", "rules", "formats", "xsd", "tags", "learning", "clearance", "selection"];

/// What a pure room never names outside its tests, and what it would be.
const IMPURE: &[(&str, &str)] = &[
    ("std::fs", "files"),
    ("File::", "files"),
    ("std::net", "the network"),
    ("std::env::", "the environment"),
    ("std::process", "other processes"),
    ("std::thread", "threads of its own"),
    ("SystemTime", "the clock"),
    ("Instant::", "the clock"),
    ("Timestamp::now", "the clock"),
    ("Zoned::now", "the clock"),
    ("getrandom", "the system's randomness"),
    ("RandomState", "the system's randomness"),
];

/// The stage of the test command.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut wrong = forbidden_uses(&workspace.metadata);
    for package in workspace.metadata.members().filter(|package| PURE.contains(&package.name.as_str())) {
        wrong.extend(impurities(package)?);
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    println!(
        "{} rooms use only what the table in xtask/src/rooms.rs allows; {} are pure",
        ROOMS.len(),
        PURE.len()
    );
    Ok(())
}

/// Every use of one room by another that the table does not allow, and every room that is missing on either side.
fn forbidden_uses(metadata: &Metadata) -> Vec<String> {
    let members: BTreeSet<&str> = metadata.members().map(|package| package.name.as_str()).collect();
    let mut wrong = Vec::new();
    for room in ROOMS.iter().filter(|room| !members.contains(room.name)) {
        wrong.push(format!("{} is in the table of rooms but not in the workspace", room.name));
    }
    for package in metadata.members() {
        let Some(room) = ROOMS.iter().find(|room| room.name == package.name) else {
            wrong.push(format!(
                "{} is no room of the house: add it to the table in xtask/src/rooms.rs",
                package.name
            ));
            continue;
        };
        wrong.extend(package.dependencies.iter().filter_map(|dependency| {
            let used = dependency.name.as_str();
            let in_tests = dependency.kind.as_deref() == Some("dev");
            let allowed = if members.contains(used) {
                room.may_use.contains(&used) || (in_tests && room.in_tests.contains(&used))
            } else {
                CONFINED
                    .iter()
                    .all(|(confined, rooms)| *confined != used || in_tests || rooms.contains(&room.name))
            };
            (!allowed).then(|| {
                format!("{} may not use {used}{}", room.name, if in_tests { " in its tests" } else { "" })
            })
        }));
    }
    wrong
}

/// Every place outside its tests where a pure room names something impure.
fn impurities(package: &Package) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for file in sources(&package.folder().join("src"))? {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let place = file.strip_prefix(package.folder()).unwrap_or(&file).display();
        wrong.extend(impure_lines(&text).map(|(line, name, what)| {
            format!("{}: {place}:{line} names {name}: a pure room knows nothing of {what}", package.name)
        }));
    }
    Ok(wrong)
}

/// Line number, name, and what it stands for. Tests stand at the end of a file, in `mod tests`.
fn impure_lines(text: &str) -> impl Iterator<Item = (usize, &'static str, &'static str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| *line != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter_map(|(index, line)| {
            let (name, what) = IMPURE.iter().find(|(name, _)| line.contains(name))?;
            Some((index + 1, *name, *what))
        })
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of `spine` and `web` with these dependencies of `web`; all other rooms are left out.
    fn house(dependencies: &str) -> Metadata {
        serde_json::from_str(&format!(
            r#"{{"target_directory": "target", "packages": [
                {{"name": "spine", "version": "0.1.0", "license": null, "source": null, "manifest_path": "spine/Cargo.toml", "dependencies": []}},
                {{"name": "journal", "version": "0.1.0", "license": null, "source": null, "manifest_path": "journal/Cargo.toml", "dependencies": []}},
                {{"name": "web", "version": "0.1.0", "license": null, "source": null, "manifest_path": "web/Cargo.toml", "dependencies": {dependencies}}}
            ]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn rooms_use_only_what_the_table_allows() {
        let workspace = Workspace::find().unwrap();
        assert_eq!(forbidden_uses(&workspace.metadata), Vec::<String>::new());
    }

    #[test]
    fn pure_rooms_know_no_clock_file_network_or_thread() {
        let workspace = Workspace::find().unwrap();
        for package in workspace.metadata.members().filter(|package| PURE.contains(&package.name.as_str())) {
            assert_eq!(impurities(package).unwrap(), Vec::<String>::new());
        }
    }

    #[test]
    fn a_forbidden_use_is_named() {
        let check = |dependencies: &str, expected: &[&str]| {
            let found: Vec<String> = forbidden_uses(&house(dependencies))
                .into_iter()
                .filter(|line| line.starts_with("web "))
                .collect();
            assert_eq!(found, expected, "{dependencies}");
        };
        check("[]", &[]);
        check(r#"[{"name": "spine", "kind": null}, {"name": "axum", "kind": null}]"#, &[]);
        check(r#"[{"name": "journal", "kind": null}]"#, &["web may not use journal"]);
        check(r#"[{"name": "journal", "kind": "dev"}]"#, &["web may not use journal in its tests"]);
        check(r#"[{"name": "rusqlite", "kind": null}]"#, &["web may not use rusqlite"]);
        check(r#"[{"name": "rusqlite", "kind": "dev"}]"#, &[]);
    }

    #[test]
    fn an_impure_name_is_found_outside_tests_and_comments_only() {
        let text = "use std::fs;\n// std::net is not for us\nlet now = Timestamp::now();\n#[cfg(test)]\nuse std::env::var;\n";
        let found: Vec<_> = impure_lines(text).map(|(line, name, _)| (line, name)).collect();
        assert_eq!(found, [(1, "std::fs"), (3, "Timestamp::now")]);
    }
}
