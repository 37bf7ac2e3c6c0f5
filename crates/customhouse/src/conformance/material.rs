//! The folder of cases: its files, within bounds.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use xsd::{Files, Schema};

use crate::error::{Error, Kind};

/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Files of one folder, and folders within each other.
const FILES_MAX: usize = 100_000;
const DEPTH_MAX: usize = 16;

/// A folder laid out as `messages`.
#[derive(Debug)]
pub(super) struct Material {
    folder: PathBuf,
}

impl Material {
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let inner = folder.join("messages");
        let folder = if inner.is_dir() { inner } else { folder.to_path_buf() };
        if folder.is_dir() {
            return Ok(Self { folder });
        }
        Err(Error::new(
            Kind::NotFound,
            "conformance_cases_missing",
            format!("{} is not a folder", folder.display()),
            "Name the folder of the cases with --cases.",
        ))
    }

    /// A file below the folder. Paths come from files that others wrote: they stay below it.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        let outside = path.split(['/', '\\']).any(|step| step == "..") || Path::new(path).is_absolute();
        if outside {
            return Err(Error::new(
                Kind::Refused,
                "conformance_path_outside",
                format!("\"{path}\" leads out of the folder of cases"),
                "Correct the path in the file of expectations.",
            ));
        }
        let path = self.folder.join(path);
        let fail = |error: std::io::Error| Error::io("conformance_file_unreadable", &path, &error);
        if std::fs::metadata(&path).map_err(fail)?.len() > FILE_BYTES_MAX {
            return Err(too_much(&path, format!("more than {FILE_BYTES_MAX} bytes")));
        }
        std::fs::read(&path).map_err(fail)
    }

    pub(super) fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.read(path)?).map_err(|error| {
            Error::new(
                Kind::Refused,
                "conformance_expectations_unreadable",
                format!("{path}: {error}"),
                "Take the file as it was published.",
            )
        })
    }

    /// Names of the files of a folder that end so, in order.
    pub(super) fn names(&self, folder: &str, ending: &str) -> Result<Vec<String>, Error> {
        let place = self.folder.join(folder);
        let mut names = Vec::new();
        for path in entries(&place)? {
            if let Some(name) = path.file_name().and_then(|name| name.to_str())
                && name.ends_with(ending)
                && path.is_file()
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// A folder below the folder of cases.
    pub(super) fn folder(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// A place beside the folder of messages.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        self.folder.parent().unwrap_or(Path::new("..")).join(path)
    }

    /// Paths of the files below a folder that end so, in order.
    pub(super) fn files_below(&self, folder: &str, ending: &str) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        self.walk(folder, 0, &mut |path, is_folder| {
            if !is_folder && path.ends_with(ending) {
                found.push(path.to_owned());
            }
        })?;
        found.sort();
        Ok(found)
    }

    /// Paths of the folders below a folder that have a folder of this name in them, in order.
    pub(super) fn folders_with(&self, folder: &str, name: &str) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        self.walk(folder, 0, &mut |path, is_folder| {
            if is_folder
                && let Some((above, own)) = path.rsplit_once('/')
                && own == name
            {
                found.push(above.to_owned());
            }
        })?;
        found.sort();
        Ok(found)
    }

    /// Shows every file and folder below a folder, by its path and whether it is a folder.
    fn walk(&self, folder: &str, depth: usize, show: &mut dyn FnMut(&str, bool)) -> Result<(), Error> {
        let place = self.folder.join(folder);
        if depth > DEPTH_MAX {
            return Err(too_much(&place, "too many folders within each other"));
        }
        for path in entries(&place)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let below = format!("{folder}/{name}");
            show(&below, path.is_dir());
            if path.is_dir() {
                self.walk(&below, depth.saturating_add(1), show)?;
            }
        }
        Ok(())
    }

    /// Compiles a schema of a folder of schemas.
    pub(super) fn schema(&self, files: &Files, entry: &str) -> Result<Schema, Error> {
        Schema::compile(files, entry).map_err(|error| {
            Error::new(
                Kind::Refused,
                error.code,
                format!("{}:{}: {}", error.file, error.line, error.detail),
                error.remedy,
            )
        })
    }

    /// All schemas below a folder, by their paths in it.
    pub(super) fn schemas(&self, folder: &str) -> Result<Files, Error> {
        let mut files = Files::new();
        self.schemas_below(&self.folder.join(folder), "", 0, &mut files)?;
        Ok(files)
    }

    fn schemas_below(&self, folder: &Path, name: &str, depth: usize, into: &mut Files) -> Result<(), Error> {
        if depth > DEPTH_MAX || into.len() > FILES_MAX {
            return Err(too_much(folder, "too many folders within each other, or too many files"));
        }
        for path in entries(folder)? {
            let Some(own) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let own = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
            if path.is_dir() {
                self.schemas_below(&path, &own, depth.saturating_add(1), into)?;
            } else if own.ends_with(".xsd") {
                let below = path.strip_prefix(&self.folder).unwrap_or(&path).to_string_lossy().into_owned();
                into.insert(own, self.read(&below)?);
            }
        }
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let fail = |error: std::io::Error| Error::io("conformance_folder_unreadable", folder, &error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        paths.push(entry.map_err(fail)?.path());
        if paths.len() > FILES_MAX {
            return Err(too_much(folder, format!("more than {FILES_MAX} files")));
        }
    }
    Ok(paths)
}

fn too_much(path: &Path, what: impl AsRef<str>) -> Error {
    Error::new(
        Kind::Refused,
        "conformance_cases_too_large",
        format!("{}: {}", path.display(), what.as_ref()),
        "Split the cases into several folders.",
    )
}
