//! The registry's folder: the record of what is installed and approved, and the files of each content.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use spine::{Finding, Pointer};

use crate::content::{Limits, MANIFEST_PATH, Pack, PackError, read_folder};
use crate::durable::{flush_files, flush_folders};
use crate::manifest::Manifest;
use crate::registry::Approval;

/// The record of what is installed and approved, in the registry's folder.
const STATE_FILE: &str = "registry.json";

/// Form of the record.
const STATE_FORMAT: u32 = 1;

/// One content as the record names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Installed {
    pub(crate) id: String,
    version: String,
    pub(crate) hash: String,
    pub(crate) sequence: u64,
}

impl Installed {
    pub(crate) fn of(pack: &Pack, sequence: u64) -> Self {
        Self {
            id: pack.manifest.id.clone(),
            version: pack.manifest.version.to_string(),
            hash: pack.hash.clone(),
            sequence,
        }
    }
}

/// The record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    format: u32,
    #[serde(default)]
    pub(crate) installed: Vec<Installed>,
    /// Built-in packs of this binary and of earlier ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) built_in: Vec<Installed>,
    /// By content hash.
    #[serde(default)]
    pub(crate) approvals: BTreeMap<String, Approval>,
}

impl Default for State {
    fn default() -> Self {
        Self { format: STATE_FORMAT, installed: Vec::new(), built_in: Vec::new(), approvals: BTreeMap::new() }
    }
}

impl State {
    /// Writes the record, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), PackError> {
        let place = folder.join(STATE_FILE);
        let beside = folder.join(".registry.json.new");
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| PackError::State { path: place.clone(), reason: error.to_string() })?;
        let write = || {
            let mut file = fs::File::create(&beside)?;
            std::io::Write::write_all(&mut file, &text)?;
            file.sync_all()?;
            fs::rename(&beside, &place)?;
            flush_folders(&[folder.to_owned()])
        };
        write().map_err(PackError::io("write", &place))
    }
}

/// Reads the record of a folder; one that has none yet has nothing installed.
pub(crate) fn read_state(folder: &Path) -> Result<State, PackError> {
    let path = &folder.join(STATE_FILE);
    if !path.exists() {
        return Ok(State::default());
    }
    let bytes = fs::read(path).map_err(PackError::io("read", path))?;
    let unreadable = |reason: String| PackError::State { path: path.to_owned(), reason };
    let state: State = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if state.format > STATE_FORMAT {
        return Err(unreadable(format!(
            "it has form {}, this version of the program knows forms up to {STATE_FORMAT}; use the newer program",
            state.format
        )));
    }
    let well_formed = |installed: &Installed| {
        crate::manifest::is_id(&installed.id)
            && installed.hash.len() == 64
            && installed.hash.bytes().all(|b| b.is_ascii_hexdigit())
    };
    match state.installed.iter().find(|installed| !well_formed(installed)) {
        Some(bad) => {
            Err(unreadable(format!("it names a pack \"{}\" with the hash \"{}\"", bad.id, bad.hash)))
        }
        None => Ok(state),
    }
}

/// Writes a pack's files beside their final place and renames the folder. All of it is durable then: that a pack is
/// here is remembered for good.
pub(crate) fn write_files(folder: &Path, pack: &Pack) -> Result<(), PackError> {
    let own = folder.join(&pack.manifest.id);
    let place = own.join(&pack.hash);
    let incoming = folder.join(format!(".incoming-{}", pack.hash));
    for leftover in [&incoming, &place] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(PackError::io("remove the leftover", leftover))?;
        }
    }
    let (mut files, mut folders) = (Vec::new(), BTreeSet::from([incoming.clone()]));
    for (path, bytes) in &pack.files {
        let file = incoming.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(PackError::io("create the folder", parent))?;
        }
        fs::write(&file, bytes).map_err(PackError::io("write", &file))?;
        let above = file.ancestors().skip(1).take_while(|above| above.starts_with(&incoming));
        folders.extend(above.map(Path::to_path_buf));
        files.push(file);
    }
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    flush_files(&files).and_then(|()| flush_folders(&folders)).map_err(PackError::io("write", &incoming))?;
    fs::create_dir_all(&own).map_err(PackError::io("create the folder", &own))?;
    fs::rename(&incoming, &place)
        .and_then(|()| flush_folders(&[own, folder.to_owned()]))
        .map_err(PackError::io("move into place", &place))
}

/// What is found in the place of a folder that is not there.
const NO_FOLDER: &str = "no such folder";

/// What is known of a pack without its content.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) manifest: Manifest,
    pub(crate) hash: String,
    /// Number of its files.
    pub(crate) files: usize,
}

/// What an installed pack says about itself; its other files are looked at when they are needed.
pub(crate) fn kept(folder: &Path, installed: &Installed) -> Result<Result<Kept, Vec<Finding>>, PackError> {
    let place = folder.join(&installed.id).join(&installed.hash);
    if !place.is_dir() {
        return Ok(Err(vec![altered(&place, NO_FOLDER, &installed.hash)]));
    }
    let files = Cell::new(0_usize);
    let wanted = |path: &str| {
        files.set(files.get().saturating_add(1));
        path == MANIFEST_PATH
    };
    let (manifest, findings) = read_folder(&place, Limits::default(), &wanted)?;
    if !findings.is_empty() {
        return Ok(Err(findings));
    }
    let kept =
        |pack: Pack| Kept { manifest: pack.manifest, hash: installed.hash.clone(), files: files.get() };
    Ok(Pack::from_files(manifest).map(kept))
}

/// Reads the content of a pack.
///
/// # Errors
/// [`PackError::Content`]: it is not what was installed any more; or the file system's.
pub(crate) fn content(folder: &Path, id: &str, hash: &str) -> Result<Pack, PackError> {
    let place = folder.join(id).join(hash);
    if !place.is_dir() {
        return Err(PackError::Content(vec![altered(&place, NO_FOLDER, hash)]));
    }
    match Pack::read(&place)? {
        Ok(pack) if pack.hash == hash => Ok(pack),
        Ok(other) => Err(PackError::Content(vec![altered(&place, &other.hash, hash)])),
        Err(findings) => Err(PackError::Content(findings)),
    }
}

fn altered(place: &Path, found: &str, hash: &str) -> Finding {
    Finding::error("installed_pack_altered")
        .at(Pointer(place.display().to_string()))
        .found(found)
        .expected(format!("content with the hash {hash}"))
        .fix("Restore the folder from a backup, or install the pack again from its source.")
}
