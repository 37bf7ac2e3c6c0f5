//! The order of steps in which a file comes to stand under its name whole, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Files, folder_of};
use crate::log::error::LogError;

/// Where files are written before they get their names. Whatever is left here by a crash is of no use to anyone.
const PENDING: &str = "pending";
/// Folders remembered as durable; beyond that they are flushed once more.
const FOLDERS_REMEMBERED_MAX: usize = 10_000;

/// Puts files in place durably: written beside, flushed, renamed, their folders flushed. One writer at a time.
#[derive(Debug)]
pub struct Durably {
    files: Arc<dyn Files>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Folders that this process knows to be durable. That a folder exists is not enough: who made it may have died
    /// before flushing its parent.
    folders: BTreeSet<String>,
    written: u64,
}

impl Durably {
    /// Takes over the folder and sweeps away what a crash left.
    ///
    /// # Errors
    /// What the files say.
    pub fn new(files: Arc<dyn Files>) -> Result<Self, LogError> {
        let durably = Self { files, state: Mutex::default() };
        let failed = |error: &io::Error| LogError::io(PENDING, error);
        durably.files.make_folder(PENDING).map_err(|error| failed(&error))?;
        for name in durably.files.list(PENDING).map_err(|error| failed(&error))? {
            durably.remove(&format!("{PENDING}/{name}"))?;
        }
        Ok(durably)
    }

    /// The files themselves, for reading.
    #[must_use]
    pub fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    /// Makes durable that a file stands under its name. Who put it there may have been killed before it flushed the
    /// folder: then everybody sees the file, and a loss of power takes it back.
    ///
    /// # Errors
    /// What the files say.
    pub fn settle(&self, path: &str) -> Result<(), LogError> {
        let mut folder = folder_of(path);
        loop {
            self.files.sync_folder(folder).map_err(|error| LogError::io(folder, &error))?;
            if folder.is_empty() {
                return Ok(());
            }
            folder = folder_of(folder);
        }
    }

    /// Puts all of these contents in place under their paths. When it returns they are durable; after an error each of them has
    /// its old content or its new one.
    ///
    /// # Errors
    /// What the files say.
    pub fn put(&self, contents: &BTreeMap<String, Vec<u8>>) -> Result<(), LogError> {
        let mut state = self.lock();
        let mut folders = BTreeSet::new();
        let mut pending = Vec::with_capacity(contents.len());
        for (path, bytes) in contents {
            let beside = format!("{PENDING}/{}", state.written);
            state.written = state.written.wrapping_add(1);
            self.files.write(&beside, bytes).map_err(|error| LogError::io(path, &error))?;
            pending.push(beside);
        }
        self.files.sync_all(&pending).map_err(|error| LogError::io(PENDING, &error))?;
        for (path, beside) in contents.keys().zip(&pending) {
            self.make_folders(&state, folder_of(path), &mut folders)?;
            folders.insert(folder_of(path).to_owned());
            self.files.rename(beside, path).map_err(|error| LogError::io(path, &error))?;
        }
        let flushed: Vec<String> = folders.iter().cloned().collect();
        self.files.sync_folders(&flushed).map_err(|error| LogError::io(flushed.join(", "), &error))?;
        if state.folders.len() > FOLDERS_REMEMBERED_MAX {
            state.folders.clear();
        }
        state.folders.extend(folders);
        Ok(())
    }

    /// [`Durably::put`] for one file.
    ///
    /// # Errors
    /// What the files say.
    pub fn put_one(&self, path: &str, bytes: Vec<u8>) -> Result<(), LogError> {
        self.put(&BTreeMap::from([(path.to_owned(), bytes)]))
    }

    /// Removes a file or an empty folder if it is there; whether that outlives a crash is left open.
    ///
    /// # Errors
    /// What the files say.
    pub fn remove(&self, path: &str) -> Result<(), LogError> {
        self.lock().folders.remove(path);
        match self.files.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LogError::io(path, &error)),
            _ => Ok(()),
        }
    }

    /// Makes a folder and those it stands in; collects the parents to be flushed.
    fn make_folders(
        &self,
        state: &State,
        folder: &str,
        to_flush: &mut BTreeSet<String>,
    ) -> Result<(), LogError> {
        if folder.is_empty() || state.folders.contains(folder) {
            return Ok(());
        }
        let parent = folder_of(folder);
        self.make_folders(state, parent, to_flush)?;
        if to_flush.contains(folder) {
            return Ok(());
        }
        self.files.make_folder(folder).map_err(|error| LogError::io(folder, &error))?;
        to_flush.insert(parent.to_owned());
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
