//! The log's private key in a file of its own, outside everything that is published, and the history of keys.
//!
//! A key is made on first use. When it is changed, old and new key both sign the change; whoever trusts one key of a
//! log can follow these changes to the newest ([`KeyHistory::accepted`]).

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use zeroize::Zeroizing;

use super::error::{LogError, at_most};
use super::files::{Durably, Files, folder_of, make_folder_durably, parent_of, sync_system_folder};
use super::note::{
    KEY_NAME_BYTES_MAX, KeyKind, NOTE_BYTES_MAX, Note, SigningKey, VerifierKey, parse_decimal,
};

/// Most changes of a log's key.
pub const KEY_CHANGES_MAX: usize = 1_000;
/// Folder of the records of changes, in the log's folder.
const KEYS: &str = "keys";
/// First line of a record.
const HEADER: &str = "tidewaiter key rotation v1";
const PRIVATE_TEXT_BYTES_MAX: u64 = 1_000;

/// The file of a log's private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
    origin: String,
}

impl KeyFile {
    /// Names the key file of a log. Neither it nor anything it is a link to may lie in the log's folder.
    ///
    /// # Errors
    /// [`LogError::KeyInServedFolder`]; folders that cannot be made or looked at.
    pub fn new(path: &Path, origin: &str, log_folder: &Path) -> Result<Self, LogError> {
        let served = real_path(log_folder)?;
        // Both where the name stands and where it leads: each could be served.
        let mut places = vec![real_path(parent_of(path))?];
        if path.symlink_metadata().is_ok() {
            places.push(real_path(path)?);
        }
        if places.iter().any(|place| place.starts_with(&served)) {
            return Err(LogError::KeyInServedFolder {
                key: path.display().to_string(),
                folder: log_folder.display().to_string(),
            });
        }
        let folder = parent_of(path);
        make_folder_durably(folder).map_err(|error| io_error(folder, &error))?;
        Ok(Self { path: path.to_owned(), origin: origin.to_owned() })
    }

    /// Reads the key, or makes one where there is no file yet. A change of keys that a crash interrupted is finished,
    /// or taken back if it was not published.
    ///
    /// # Errors
    /// [`LogError::KeyExposed`]; a key of another name; what the system says.
    pub fn open_or_make(&self, log: &dyn Files) -> Result<SigningKey, LogError> {
        self.finish_change(log)?;
        match self.read(&self.path)? {
            Some(key) => Ok(key),
            None => {
                let key = SigningKey::generate(&self.origin, KeyKind::Note)?;
                self.write(&self.path, &key)?;
                Ok(key)
            }
        }
    }

    /// Changes the key and publishes the record of the change, signed by both keys; `size` is the number of entries
    /// that the old key signed last. The log must be opened again with the new key, with the old one among those
    /// that are trusted. The caller appends the event.
    ///
    /// # Errors
    /// What the system says; the change is then complete or did not happen, which the next opening decides.
    pub fn change(&self, log: &Durably, size: u64) -> Result<(SigningKey, KeyChange), LogError> {
        let old = self.open_or_make(log.files())?;
        let new = SigningKey::generate(&self.origin, KeyKind::Note)?;
        let change = KeyChange { old: old.verifier().clone(), new: new.verifier().clone(), size };
        let note = change.sign(&old, &new)?;
        let history = KeyHistory::read(log.files())?;
        at_most("changes of a log's key", history.changes.len().saturating_add(1), KEY_CHANGES_MAX)?;
        self.write(&self.next_path(), &new)?;
        log.put_one(&KeyChange::path(history.changes.len()), note.to_string().into_bytes())?;
        self.finish_change(log.files())?;
        Ok((new, change))
    }

    fn finish_change(&self, log: &dyn Files) -> Result<(), LogError> {
        let next_path = self.next_path();
        let Some(next) = self.read(&next_path)? else { return Ok(()) };
        let history = KeyHistory::read(log)?;
        let published = history.changes.last().is_some_and(|change| change.new == *next.verifier());
        if published {
            // Who published the record may have died before that was durable; the old key must not go first.
            let record = KeyChange::path(history.changes.len().saturating_sub(1));
            for folder in [folder_of(&record), ""] {
                log.sync_folder(folder).map_err(|error| LogError::io(folder, &error))?;
            }
        }
        let done = if published { fs::rename(&next_path, &self.path) } else { fs::remove_file(&next_path) };
        done.and_then(|()| self.sync_folder()).map_err(|error| io_error(&self.path, &error))
    }

    fn next_path(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".next");
        path.into()
    }

    fn read(&self, path: &Path) -> Result<Option<SigningKey>, LogError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(path, &error)),
        };
        check_private(path, &file)?;
        let mut text = Zeroizing::new(String::new());
        file.take(PRIVATE_TEXT_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|error| io_error(path, &error))?;
        let key = SigningKey::parse(text.trim_end_matches('\n'))?;
        if key.verifier().name() != self.origin || key.verifier().kind() != KeyKind::Note {
            let found = key.verifier().name().to_owned();
            return Err(LogError::OtherLog { found, expected: self.origin.clone() });
        }
        Ok(Some(key))
    }

    /// Whole or not at all, and never readable by others, not even for a moment.
    fn write(&self, path: &Path, key: &SigningKey) -> Result<(), LogError> {
        let mut beside = path.to_owned().into_os_string();
        beside.push(".part");
        let beside = PathBuf::from(beside);
        let failed = |error: io::Error| io_error(path, &error);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside).map_err(failed)?;
        file.write_all(key.to_private_text().as_bytes()).map_err(failed)?;
        file.write_all(b"\n").map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&beside, path).and_then(|()| self.sync_folder()).map_err(failed)
    }

    fn sync_folder(&self) -> io::Result<()> {
        sync_system_folder(parent_of(&self.path))
    }
}

/// Where a path leads, links followed, whether it is there yet or not.
fn real_path(path: &Path) -> Result<PathBuf, LogError> {
    let absolute = std::path::absolute(path).map_err(|error| io_error(path, &error))?;
    for ancestor in absolute.ancestors() {
        let missing = absolute.strip_prefix(ancestor).unwrap_or_else(|_| Path::new(""));
        match fs::canonicalize(ancestor) {
            // What is not there has no links in it; only a way up could lead out of it.
            Ok(real) if missing.components().all(|part| matches!(part, Component::Normal(_))) => {
                return Ok(real.join(missing));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(_) => {
                let found = path.display().to_string();
                return Err(LogError::malformed(
                    "path of a key",
                    &found,
                    "a path without .. in what is missing",
                ));
            }
            Err(error) => return Err(io_error(path, &error)),
        }
    }
    Ok(absolute)
}

/// Refuses a key that others than its owner may read.
fn check_private(path: &Path, file: &File) -> Result<(), LogError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(|error| io_error(path, &error))?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(LogError::KeyExposed {
                path: path.display().to_string(),
                mode: format!("{mode:04o}"),
            });
        }
    }
    #[cfg(not(unix))]
    let _ = (path, file);
    Ok(())
}

fn io_error(path: &Path, error: &io::Error) -> LogError {
    LogError::io(path.display().to_string(), error)
}

/// One change of a log's key. Printed as a note that both keys signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// The key until then.
    pub old: VerifierKey,
    /// The key from then on.
    pub new: VerifierKey,
    /// Entries of the last checkpoint that the old key signed.
    pub size: u64,
}

impl KeyChange {
    /// The record with both signatures.
    ///
    /// # Errors
    /// Keys that are not the ones of the change.
    pub fn sign(&self, old: &SigningKey, new: &SigningKey) -> Result<Note, LogError> {
        let mut note = Note::new(self.to_string())?;
        note.sign(old, 0);
        note.sign(new, 0);
        Self::of_note(&note)?;
        Ok(note)
    }

    /// Where the record of a change stands in the log's folder; changes are numbered from 0.
    #[must_use]
    pub fn path(number: usize) -> String {
        format!("{KEYS}/{number:03}")
    }

    /// Reads a record and checks both signatures.
    ///
    /// # Errors
    /// [`LogError::Malformed`], [`LogError::Unsigned`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        Self::of_note(&Note::parse(bytes)?)
    }

    fn of_note(note: &Note) -> Result<Self, LogError> {
        let malformed = || LogError::malformed("record of a key's change", note.text(), "old, new and size");
        let lines: Vec<&str> = note.text().lines().collect();
        let [HEADER, old, new, size] = lines.as_slice() else { return Err(malformed()) };
        let key = |line: &str, word: &str| -> Result<VerifierKey, LogError> {
            VerifierKey::parse(line.strip_prefix(word).ok_or_else(malformed)?)
        };
        let (old, new) = (key(old, "old ")?, key(new, "new ")?);
        let size = size.strip_prefix("size ").and_then(parse_decimal).ok_or_else(malformed)?;
        let kinds_fit = old.kind() == KeyKind::Note && new.kind() == KeyKind::Note;
        if old.name() != new.name() || old.name().len() > KEY_NAME_BYTES_MAX || !kinds_fit {
            return Err(malformed());
        }
        for key in [&old, &new] {
            note.verify(std::slice::from_ref(key))?;
        }
        Ok(Self { old, new, size })
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{HEADER}\nold {}\nnew {}\nsize {}", self.old, self.new, self.size)
    }
}

/// All changes of a log's key, the first one first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyHistory {
    changes: Vec<KeyChange>,
}

impl KeyHistory {
    /// Reads the history in a log's folder; each record carries both signatures and follows the one before.
    ///
    /// # Errors
    /// [`LogError::KeyRecordDamaged`] names the record.
    pub fn read(log: &dyn Files) -> Result<Self, LogError> {
        let mut changes: Vec<KeyChange> = Vec::new();
        for number in 0..KEY_CHANGES_MAX {
            let path = KeyChange::path(number);
            let bytes = match log.read(&path, NOTE_BYTES_MAX) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(LogError::io(&path, &error)),
            };
            let damaged =
                |reason: &str| LogError::KeyRecordDamaged { place: path.clone(), reason: reason.to_owned() };
            let change = KeyChange::parse(&bytes).map_err(|error| damaged(&error.detail()))?;
            if changes.last().is_some_and(|last| last.new != change.old) {
                return Err(damaged("it does not change the key that was in use"));
            }
            changes.push(change);
        }
        Ok(Self { changes })
    }

    /// The changes.
    #[must_use]
    pub fn changes(&self) -> &[KeyChange] {
        &self.changes
    }

    /// The keys that somebody may accept who trusts these: themselves, and what each was changed to since. Keys from
    /// before a trusted one are not among them, for a key may have been changed because it was stolen.
    #[must_use]
    pub fn accepted(&self, trusted: &[VerifierKey]) -> Vec<VerifierKey> {
        let mut accepted = trusted.to_vec();
        for change in &self.changes {
            if accepted.contains(&change.old) && !accepted.contains(&change.new) {
                accepted.push(change.new.clone());
            }
        }
        accepted
    }

    /// Every key the log ever had: what its own writer trusts when it goes on after a change.
    #[must_use]
    pub fn all_keys(&self) -> Vec<VerifierKey> {
        let keys = self.changes.iter().flat_map(|change| [&change.old, &change.new]);
        let by_id: BTreeMap<u32, &VerifierKey> = keys.map(|key| (key.id(), key)).collect();
        by_id.into_values().cloned().collect()
    }
}
