//! PostgreSQL for the journal's tests: found, or installed where that is allowed. The tests start servers of their own
//! from Debian's programs; the server that the package starts is not used.

use std::path::Path;

use anyhow::{Result, bail};

use crate::system;

/// The package whose programs the tests run.
const INSTALL: [&str; 4] = ["install", "--yes", "--no-install-recommends", "postgresql"];
/// Debian's place of each version's programs, and the first version that is good enough.
const VERSIONS: &str = "/usr/lib/postgresql";
const VERSION_MIN: u32 = 15;
/// With it, tests that need PostgreSQL fail without it; otherwise they say that they are skipped.
pub(crate) const REQUIRED: &str = "TIDEWAITER_REQUIRE_POSTGRES";

/// Whether the tests can have servers: installs the programs where they are missing and that is allowed.
pub(crate) fn is_there() -> Result<bool> {
    if !system::there_or_installed("tests on PostgreSQL", &INSTALL, || installed(Path::new(VERSIONS)))? {
        return Ok(false);
    }
    if !installed(Path::new(VERSIONS)) {
        bail!("postgresql was installed, but {VERSIONS} has no version from {VERSION_MIN} on");
    }
    Ok(true)
}

fn installed(versions: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(versions) else { return false };
    entries.flatten().any(|entry| {
        let version = entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0);
        version >= VERSION_MIN && entry.path().join("bin/initdb").is_file()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_from_15_on_is_good_enough() {
        let check = |made: &[&str], expected: bool| {
            let folder =
                std::env::temp_dir().join(format!("xtask-postgres-{}-{}", std::process::id(), made.len()));
            for version in made {
                std::fs::create_dir_all(folder.join(version).join("bin")).unwrap();
                std::fs::write(folder.join(version).join("bin/initdb"), "").unwrap();
            }
            assert_eq!(installed(&folder), expected, "{made:?}");
            std::fs::remove_dir_all(&folder).unwrap_or_default();
        };
        check(&[], false);
        check(&["14"], false);
        check(&["14", "15"], true);
        check(&["14", "common", "17"], true);
    }
}
