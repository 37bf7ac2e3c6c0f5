//! Real material that nobody here wrote: it lies beside the repository where it is present at all.

use std::path::PathBuf;

use crate::workspace::Workspace;

/// The environment variable that names the folder.
pub(crate) const VARIABLE: &str = "TIDEWAITER_CASES";

/// The folder that the suites read: the variable's, else `../shared/data` from the root.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    std::env::var_os(VARIABLE)
        .map_or_else(|| workspace.path("../shared/data"), |given| workspace.root.join(given))
}
