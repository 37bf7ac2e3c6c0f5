//! A pack's content: its files, its hash, and how it is read from a folder without trusting the folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use spine::{Finding, Pointer};
use thiserror::Error;

use crate::manifest::Manifest;

/// The file that makes a folder a pack.
pub(crate) const MANIFEST_PATH: &str = "pack.toml";

/// First line of the hashed list; another canonical form would get another one.
const HASH_DOMAIN: &str = "tidewaiter pack content 1\n";

/// Bounds of what is read from a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most files.
    pub files_max: usize,
    /// Largest single file.
    pub file_bytes_max: u64,
    /// Largest sum of all files.
    pub total_bytes_max: u64,
    /// Deepest nesting of folders.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files_max: 2_000, file_bytes_max: 64 << 20, total_bytes_max: 256 << 20, depth_max: 8 }
    }
}

/// Why a folder could not be read or written.
#[derive(Debug, Error)]
pub enum PackError {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No such pack.
    #[error("there is no pack {id} in the registry; it knows {known}")]
    UnknownPack {
        /// The id or hash asked for.
        id: String,
        /// Ids it knows.
        known: String,
    },
    /// The registry's own record cannot be read.
    #[error("the registry's record {path} cannot be read ({reason}); restore it from a backup, or remove the folder and install its packs again", path = path.display())]
    State {
        /// The record.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What is kept of a pack is not what was installed.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Content(Vec<Finding>),
    /// An approval that does not count.
    #[error("{0}")]
    Approval(String),
}

impl PackError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// A pack: what it says about itself, its files, and the hash of them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// `pack.toml`, read.
    pub manifest: Manifest,
    /// Every file by its path with `/`, `pack.toml` among them.
    pub files: BTreeMap<String, Vec<u8>>,
    /// SHA-256 of the content, 64 small hexadecimal digits.
    pub hash: String,
}

impl Pack {
    /// A pack of files in memory; findings where there is no readable `pack.toml`.
    pub fn from_files(files: BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<Finding>> {
        let Some(bytes) = files.get(MANIFEST_PATH) else {
            return Err(vec![
                Finding::error("pack_manifest_missing")
                    .at(Pointer(MANIFEST_PATH.to_owned()))
                    .expected("a file pack.toml in the pack's folder")
                    .fix("Write pack.toml as packs/README.md describes it."),
            ]);
        };
        let manifest = Manifest::parse(text_of(MANIFEST_PATH, bytes).map_err(|finding| vec![finding])?)?;
        let hash = content_hash(&files);
        Ok(Self { manifest, files, hash })
    }

    /// Reads a folder with a `pack.toml`. `Err` is the file system's; findings are the folder's.
    pub fn read(folder: &Path) -> Result<Result<Self, Vec<Finding>>, PackError> {
        let (files, findings) = read_folder(folder, Limits::default(), &|_| true)?;
        if findings.iter().any(|finding| finding.severity == spine::Severity::Error) {
            return Ok(Err(findings));
        }
        Ok(Self::from_files(files))
    }

    /// A file's text.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.files.get(path)?).ok()
    }

    /// The content files whose path ends with `.extension`, in order, without `pack.toml`.
    pub fn files_with_extension<'a>(
        &'a self,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [u8])> + 'a {
        self.files
            .iter()
            .filter(move |(path, _)| {
                path.rsplit_once('.').is_some_and(|(_, own)| own == extension) && *path != MANIFEST_PATH
            })
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// The hash's first twelve digits, for people.
    #[must_use]
    pub fn short_hash(&self) -> &str {
        self.hash.get(..12).unwrap_or(&self.hash)
    }
}

/// SHA-256 over the domain line and, sorted by path, one line `SHA-256 of the file, two blanks, path` each.
pub(crate) fn content_hash(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut all = Sha256::new();
    all.update(HASH_DOMAIN);
    for (path, bytes) in files {
        all.update(hex::encode(Sha256::digest(bytes)));
        all.update("  ");
        all.update(path);
        all.update("\n");
    }
    hex::encode(all.finalize())
}

/// A file's bytes as text, or a finding that says where they stop being UTF-8.
pub(crate) fn text_of<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, Finding> {
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count().saturating_add(1);
        Finding::error("not_utf8")
            .at(Pointer(format!("{path}:{line}")))
            .expected("text in UTF-8")
            .fix("Save the file as UTF-8.")
    })
}

/// Files by path, and what was wrong with the folder.
pub(crate) type FolderContent = (BTreeMap<String, Vec<u8>>, Vec<Finding>);

/// Reads all files of a folder that `wanted` accepts by path, within bounds. Hidden files are not part of a pack and
/// are left out; a symbolic link, a special file, a name that other systems cannot hold, or too much of anything is
/// an error finding, and reading stops.
pub(crate) fn read_folder(
    folder: &Path,
    limits: Limits,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<FolderContent, PackError> {
    let mut walk = Walk { limits, wanted, files: BTreeMap::new(), findings: Vec::new(), bytes: 0 };
    walk.folder(folder, "", 0)?;
    Ok((walk.files, walk.findings))
}

struct Walk<'a> {
    limits: Limits,
    wanted: &'a dyn Fn(&str) -> bool,
    files: BTreeMap<String, Vec<u8>>,
    findings: Vec<Finding>,
    bytes: u64,
}

impl Walk<'_> {
    fn refuse(&mut self, code: &str, path: &str, expected: String, fix: &str) {
        self.findings.push(Finding::error(code).at(Pointer(path.to_owned())).expected(expected).fix(fix));
    }

    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), PackError> {
        if depth > self.limits.depth_max {
            let expected = format!("at most {} folders within one another", self.limits.depth_max);
            self.refuse("pack_too_deep", prefix, expected, "Move the files up.");
            return Ok(());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(PackError::io("list", folder))? {
            entries.push(entry.map_err(PackError::io("list", folder))?.path());
        }
        // Directory order differs between machines; findings must not.
        entries.sort();
        for path in entries {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                let expected = "names in UTF-8".to_owned();
                self.refuse(
                    "pack_name_unreadable",
                    prefix,
                    expected,
                    "Rename the file whose name is not UTF-8.",
                );
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let inner = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            self.entry(&path, &inner, depth)?;
            if !self.findings.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, inner: &str, depth: usize) -> Result<(), PackError> {
        let metadata = fs::symlink_metadata(path).map_err(PackError::io("look at", path))?;
        if metadata.is_symlink() {
            let expected = "a file or folder of its own".to_owned();
            self.refuse(
                "pack_symbolic_link",
                inner,
                expected,
                "Replace the symbolic link by the file it points to.",
            );
        } else if metadata.is_dir() {
            self.folder(path, inner, depth.saturating_add(1))?;
        } else if !metadata.is_file() {
            let expected = "an ordinary file".to_owned();
            self.refuse("pack_special_file", inner, expected, "Remove the device, pipe or socket.");
        } else if !is_portable_path(inner) {
            let expected =
                "a name without control characters, backslash, colon, and of at most 200 characters"
                    .to_owned();
            self.refuse("pack_name_not_portable", inner, expected, "Rename the file.");
        } else if (self.wanted)(inner) {
            self.file(path, inner, metadata.len())?;
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, inner: &str, bytes: u64) -> Result<(), PackError> {
        let limits = self.limits;
        if self.files.len() >= limits.files_max {
            let expected = format!("at most {} files", limits.files_max);
            self.refuse("pack_too_many_files", inner, expected, "Split the pack.");
            return Ok(());
        }
        if bytes > limits.file_bytes_max || self.bytes.saturating_add(bytes) > limits.total_bytes_max {
            let expected = format!(
                "at most {} bytes a file and {} bytes in all",
                limits.file_bytes_max, limits.total_bytes_max
            );
            self.refuse(
                "pack_too_large",
                inner,
                expected,
                "Leave out what the pack does not need, or split it.",
            );
            return Ok(());
        }
        let file = fs::File::open(path).map_err(PackError::io("open", path))?;
        let mut content = Vec::new();
        // The file may have grown since it was looked at: never read beyond the bound.
        file.take(limits.file_bytes_max).read_to_end(&mut content).map_err(PackError::io("read", path))?;
        self.bytes = self.bytes.saturating_add(u64::try_from(content.len()).unwrap_or(u64::MAX));
        self.files.insert(inner.to_owned(), content);
        Ok(())
    }
}

/// Can every system hold this path, and does it stay inside its folder?
pub(crate) fn is_portable_path(path: &str) -> bool {
    path.len() <= 200
        && !path.chars().any(|c| c.is_control() || matches!(c, '\\' | ':'))
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn the_content_hash_is_the_published_formula() {
        // Worked out with sha256sum: the same on every machine and for ever.
        assert_eq!(
            content_hash(&files(&[("b/c.toml", "x = 1\n"), ("a.md", "hello\n")])),
            "09ab1ea10e6fe119bb8e618eee4fa3d6bf3e0d0fec4f81d2981d825902261797"
        );
        assert_ne!(content_hash(&files(&[("a", "bc")])), content_hash(&files(&[("ab", "c")])));
    }

    #[test]
    fn paths_that_leave_the_folder_are_not_portable() {
        for bad in ["../x", "a/../b", "/etc/passwd", "a//b", "c:\\x", "a\nb", ".hidden", "a/.git/x"] {
            assert!(!is_portable_path(bad), "{bad}");
        }
        assert!(is_portable_path("tags/valuation.toml"));
    }

    #[test]
    fn hidden_files_are_left_out_and_bounds_hold() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".DS_Store"), "x").unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/one.txt"), "12345").unwrap();
        fs::write(folder.path().join("two.txt"), "123").unwrap();
        let read = |limits| read_folder(folder.path(), limits, &|_| true).unwrap();
        let (files, findings) = read(Limits::default());
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a/one.txt", "two.txt"]);
        assert!(findings.is_empty());
        for (limits, code) in [
            (Limits { files_max: 1, ..Limits::default() }, "pack_too_many_files"),
            (Limits { file_bytes_max: 4, ..Limits::default() }, "pack_too_large"),
            (Limits { total_bytes_max: 7, ..Limits::default() }, "pack_too_large"),
            (Limits { depth_max: 0, ..Limits::default() }, "pack_too_deep"),
        ] {
            assert_eq!(read(limits).1[0].code, code);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("name.txt")).unwrap();
        let (files, findings) = read_folder(folder.path(), Limits::default(), &|_| true).unwrap();
        assert!(files.is_empty());
        assert_eq!(findings[0].code, "pack_symbolic_link");
    }
}
