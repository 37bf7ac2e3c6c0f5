//! Folders of packs for tests.

use std::fs;
use std::path::Path;

use packs::Pack;
use spine::Finding;
use tempfile::TempDir;

/// A `pack.toml` with the fields that every pack needs.
pub(crate) fn manifest(id: &str, version: &str, kind: &str) -> String {
    format!(
        "id = \"{id}\"\nversion = \"{version}\"\nkind = \"{kind}\"\n\
         title = {{ en = \"Test\", zh = \"测试\" }}\nowner = \"Test\"\nlegal_basis = \"None: a test\"\n\
         sensitivity = \"official\"\nlicence = \"Apache-2.0 OR MIT\"\n"
    )
}

/// A list file with one list of countries.
pub(crate) fn countries(name: &str, values: &[&str]) -> String {
    format!(
        "[[list]]\nid = \"{name}\"\ntitle = {{ en = \"Test\", zh = \"测试\" }}\nsource = \"A test.\"\n\
         of = \"country\"\nvalues = {values:?}\n"
    )
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

/// Writes one file, with its folders.
pub(crate) fn write(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// Reads a folder that must be a pack.
pub(crate) fn pack(folder: &Path) -> Pack {
    Pack::read(folder).unwrap().unwrap()
}

/// Codes of findings, in order.
pub(crate) fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}
