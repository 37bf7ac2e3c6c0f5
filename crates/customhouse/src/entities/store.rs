//! The register as it is asked: one SQLite file made from the files that were received, with candidates and hits on
//! lists. It is marked with what it was made from; delete it, and the next question has it made again. Lists of entities
//! and the search have nothing made: they ask it as it stands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::tags::entities::{
    EntitiesError, Lexicon, Limits, ListEntry, Party, ScreeningList, candidates, digits_of_phone,
    folded_identifier,
};
use journal::Journal;
use rusqlite::{Connection, OpenFlags, Transaction, params};
use sha2::{Digest, Sha256};
use spine::Progress;

use super::register::{FILE_BYTES_MAX, Line, read};
use crate::error::{Error, Kind};

/// Version of the tables: part of the file's name.
const VERSION: u32 = 2;
/// Files of this room in the folder, of whatever version, begin like this.
const PREFIX: &str = "entities-";
/// How often the listener is asked whether to stop.
const PARTIES_A_STEP: usize = 256;

const TABLES: &str = "
    CREATE TABLE reflected (mark TEXT NOT NULL) STRICT;
    CREATE TABLE party (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL,
        address TEXT, phone TEXT, owner TEXT, entered_on TEXT, closed_on TEXT,
        trusted INTEGER NOT NULL, simulated INTEGER NOT NULL,
        address_key TEXT, phone_key TEXT, owner_key TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX party_address ON party (address_key) WHERE address_key IS NOT NULL;
    CREATE INDEX party_phone ON party (phone_key) WHERE phone_key IS NOT NULL;
    CREATE INDEX party_owner ON party (owner_key) WHERE owner_key IS NOT NULL;
    CREATE TABLE candidate (
        one TEXT NOT NULL, other TEXT NOT NULL, score INTEGER NOT NULL,
        kinds TEXT NOT NULL, closed INTEGER NOT NULL, evidence TEXT NOT NULL, PRIMARY KEY (one, other)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX candidate_other ON candidate (other);
    CREATE INDEX candidate_score ON candidate (score DESC, one, other);
    CREATE TABLE listed (
        id TEXT NOT NULL, list TEXT NOT NULL, entry TEXT NOT NULL, own TEXT NOT NULL, listed TEXT NOT NULL,
        score INTEGER NOT NULL, PRIMARY KEY (id, list, entry)
    ) STRICT, WITHOUT ROWID;
";

/// A file that was received.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) position: u64,
    pub(super) list: Option<String>,
    pub(super) blob: String,
    pub(super) columns: BTreeMap<String, String>,
}

/// What a file is marked with that was made from these: SHA-256 over the position and the bytes of each. The last
/// position alone would not tell that one before it was erased while this process was closed.
pub(super) fn mark_of(files: &[Received]) -> String {
    let said = files.iter().map(|file| format!("{} {}\n", file.position, file.blob));
    hex::encode(said.fold(Sha256::new(), |digest, own| digest.chain_update(own)).finalize())
}

struct Opened {
    connection: Connection,
    mark: String,
}

/// The file, and who asks it.
pub(crate) struct EntityStore {
    path: PathBuf,
    opened: Mutex<Option<Opened>>,
    making: Mutex<()>,
}

fn failed(error: &rusqlite::Error) -> Error {
    Error::internal("entities_file_failed", error)
}

pub(super) fn entities_failed(error: &EntitiesError) -> Error {
    match error {
        EntitiesError::Cancelled => Error::cancelled(),
        EntitiesError::LegalForms { .. } => Error::internal(error.code(), error),
    }
}

impl EntityStore {
    /// The store of a folder of read models.
    pub(crate) fn of(folder: &Path) -> Self {
        let store = Self {
            path: folder.join(format!("{PREFIX}{VERSION}.sqlite")),
            opened: Mutex::default(),
            making: Mutex::default(),
        };
        // An erasure tries it again, and says if it cannot.
        if let Err(error) = store.remove_files(|name| store.is_own(name)) {
            tracing::warn!(code = error.code, "what was left behind of the register stays: {error}");
        }
        store
    }

    fn is_own(&self, name: &str) -> bool {
        self.path.file_name().is_some_and(|own| own.to_string_lossy() == name)
    }

    /// Removes the files of this room, those of other versions and what was left of an attempt among them.
    fn remove_files(&self, stays: impl Fn(&str) -> bool) -> Result<(), Error> {
        let Some(folder) = self.path.parent() else { return Ok(()) };
        let unremovable = |error: std::io::Error| Error::io("entities_file_failed", folder, &error);
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unremovable(error)),
        };
        for entry in entries {
            let entry = entry.map_err(unremovable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(PREFIX) && !stays(&name) {
                std::fs::remove_file(entry.path()).map_err(unremovable)?;
            }
        }
        Ok(())
    }

    fn opened(&self) -> MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves nothing of it; the next question has it made again.
    pub(crate) fn forget(&self) -> Result<(), Error> {
        let _alone = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        *self.opened() = None;
        self.remove_files(|_| false)
    }

    /// Asks it.
    pub(super) fn read<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        match self.opened().as_ref() {
            Some(opened) => question(&opened.connection).map_err(|error| failed(&error)),
            None => Err(Error::internal("entities_file_failed", &"it is not made yet")),
        }
    }

    /// Asks it as it stands, and makes nothing: nothing is answered where none is open and none stands that was made
    /// from these files.
    pub(super) fn read_standing<T>(
        &self,
        files: &[Received],
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        if self.opened().is_none() {
            self.open_standing(files);
        }
        match self.opened().as_ref() {
            Some(opened) => question(&opened.connection).map(Some).map_err(|error| failed(&error)),
            None => Ok(None),
        }
    }

    /// Opens the file that stands, if it was made from these files.
    fn open_standing(&self, files: &[Received]) {
        // Who makes it opens it too, and an erasure is about to remove it: neither is waited for.
        let Ok(_alone) = self.making.try_lock() else { return };
        let wanted = mark_of(files);
        let standing = open(&self.path).filter(|connection| mark(connection).as_ref() == Some(&wanted));
        if let Some(connection) = standing {
            *self.opened() = Some(Opened { connection, mark: wanted });
        }
    }

    /// Makes it reflect these files, unless it does.
    pub(super) fn reflect(
        &self,
        journal: &dyn Journal,
        files: &[Received],
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let wanted = mark_of(files);
        let current = |store: &Self| store.opened().as_ref().is_some_and(|opened| opened.mark == wanted);
        if current(self) {
            return Ok(());
        }
        // While one makes it, others are answered from what stands.
        let _alone = match self.making.try_lock() {
            Ok(alone) => alone,
            Err(_) if self.opened().is_some() => return Ok(()),
            Err(_) => self.making.lock().unwrap_or_else(PoisonError::into_inner),
        };
        if current(self) {
            return Ok(());
        }
        let connection = if files.is_empty() {
            // What stands there was made from files that are gone.
            self.remove_files(|_| false)?;
            let connection = Connection::open_in_memory().map_err(|error| failed(&error))?;
            connection.execute_batch(TABLES).map_err(|error| failed(&error))?;
            connection
        } else {
            match open(&self.path).filter(|connection| mark(connection).as_ref() == Some(&wanted)) {
                Some(connection) => connection,
                None => self.make(journal, files, &wanted, progress)?,
            }
        };
        *self.opened() = Some(Opened { connection, mark: wanted });
        Ok(())
    }

    /// Made beside the one that stands, and put in its place when it is whole.
    fn make(
        &self,
        journal: &dyn Journal,
        files: &[Received],
        wanted: &str,
        progress: &dyn Progress,
    ) -> Result<Connection, Error> {
        let part = self.path.with_extension("part");
        let unwritable = |error: std::io::Error| Error::io("entities_file_failed", &part, &error);
        remove(&part).map_err(unwritable)?;
        let contents = contents(journal, files, progress)?;
        let made = write(&part, &contents, wanted, progress)
            .and_then(|()| std::fs::rename(&part, &self.path).map_err(unwritable));
        if let Err(error) = made {
            // It names people, and nobody would look after it; what made it fail is told first.
            if let Err(left) = remove(&part) {
                tracing::warn!("{} is left behind: {left}", part.display());
            }
            return Err(error);
        }
        open(&self.path).ok_or_else(|| Error::internal("entities_file_failed", &self.path.display()))
    }
}

/// Removes a file that may be there.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write(part: &Path, contents: &Contents, wanted: &str, progress: &dyn Progress) -> Result<(), Error> {
    let mut connection = Connection::open(part).map_err(|error| failed(&error))?;
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .map_err(|error| failed(&error))?;
    let transaction = connection.transaction().map_err(|error| failed(&error))?;
    fill(&transaction, contents, wanted, progress)?;
    transaction.commit().map_err(|error| failed(&error))
}

fn open(path: &Path) -> Option<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()
}

fn mark(connection: &Connection) -> Option<String> {
    connection.query_row("SELECT mark FROM reflected", [], |row| row.get(0)).ok()
}

/// What all files say together.
struct Contents {
    lexicon: Lexicon,
    /// By id: a later line takes the place of an earlier one, and nobody falls out who is not named again.
    parties: BTreeMap<String, Line>,
    /// By name of the list: the last file counts as a whole.
    lists: BTreeMap<String, Vec<ListEntry>>,
}

fn contents(journal: &dyn Journal, files: &[Received], progress: &dyn Progress) -> Result<Contents, Error> {
    let lexicon = Lexicon::built_in().map_err(|error| entities_failed(&error))?;
    let mut contents = Contents { lexicon, parties: BTreeMap::new(), lists: BTreeMap::new() };
    let total = u64::try_from(files.len()).unwrap_or(u64::MAX);
    for (done, file) in (0_u64..).zip(files) {
        progress.report("reading_registers", done, total);
        let bytes = journal.get_blob(&file.blob)?.read_whole(FILE_BYTES_MAX)?;
        let lines = read(&bytes, &file.columns)?.lines;
        match &file.list {
            None => contents.parties.extend(lines.into_iter().map(|line| (line.party.id.clone(), line))),
            Some(list) => {
                let entries = lines.into_iter().map(|line| ListEntry {
                    id: line.party.id,
                    kind: line.party.kind,
                    name: line.party.name,
                    aliases: line.party.aliases,
                });
                contents.lists.insert(list.clone(), entries.collect());
            }
        }
    }
    Ok(contents)
}

fn fill(
    transaction: &Transaction<'_>,
    contents: &Contents,
    wanted: &str,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let sql = |error: rusqlite::Error| failed(&error);
    transaction.execute_batch(TABLES).map_err(sql)?;
    for line in contents.parties.values() {
        write_party(transaction, &contents.lexicon, line).map_err(sql)?;
    }
    let parties: Vec<Party> = contents.parties.values().map(|line| line.party.clone()).collect();
    let found = candidates(&contents.lexicon, &parties, &Limits::default(), progress)
        .map_err(|error| entities_failed(&error))?;
    let closed = |id: &str| contents.parties.get(id).is_some_and(|line| line.party.closed_on.is_some());
    for own in &found.candidates {
        let kinds: Vec<&str> = own.evidence.iter().map(|own| own.kind.name()).collect();
        transaction
            .prepare_cached("INSERT INTO candidate (one, other, score, kinds, closed, evidence) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .and_then(|mut insert| {
                insert.execute(params![
                    own.left,
                    own.right,
                    own.score,
                    format!(" {} ", kinds.join(" ")),
                    closed(&own.left) || closed(&own.right),
                    serde_json::to_string(&own.evidence).unwrap_or_default(),
                ])
            })
            .map_err(sql)?;
    }
    for (name, entries) in &contents.lists {
        let list = ScreeningList::new(contents.lexicon.clone(), entries.clone());
        screen(transaction, name, &list, &parties, progress)?;
    }
    transaction.execute("INSERT INTO reflected (mark) VALUES (?1)", [wanted]).map_err(sql)?;
    Ok(())
}

fn write_party(transaction: &Transaction<'_>, lexicon: &Lexicon, line: &Line) -> rusqlite::Result<()> {
    let own = &line.party;
    let words = own.address.as_deref().map(|address| lexicon.address_words(address)).unwrap_or_default();
    transaction
        .prepare_cached(
            "INSERT INTO party VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            own.id,
            own.kind.name(),
            line.role,
            own.name,
            own.address,
            own.phone,
            own.owner,
            own.entered_on.map(|day| day.to_string()),
            own.closed_on.map(|day| day.to_string()),
            line.trusted,
            line.simulated,
            Some(words.join(" ")).filter(|_| words.len() >= 2),
            own.phone.as_deref().and_then(digits_of_phone),
            own.owner.as_deref().and_then(folded_identifier),
        ])
        .map(drop)
}

fn screen(
    transaction: &Transaction<'_>,
    name: &str,
    list: &ScreeningList,
    parties: &[Party],
    progress: &dyn Progress,
) -> Result<(), Error> {
    let total = u64::try_from(parties.len()).unwrap_or(u64::MAX);
    for (at, party) in parties.iter().enumerate() {
        if at.is_multiple_of(PARTIES_A_STEP) {
            progress.report("screening_parties", u64::try_from(at).unwrap_or(u64::MAX), total);
            if progress.cancelled() {
                return Err(Error::cancelled());
            }
        }
        for hit in list.screen(party) {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO listed (id, list, entry, own, listed, score) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                .and_then(|mut insert| {
                    insert.execute(params![party.id, name, hit.entry, hit.own, hit.listed, hit.score])
                })
                .map_err(|error| failed(&error))?;
        }
    }
    Ok(())
}

impl std::fmt::Debug for EntityStore {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("EntityStore").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What is told where a file is larger than is taken.
pub(super) fn too_large(bytes: u64) -> Error {
    Error::new(
        Kind::Invalid,
        "too_large",
        format!("{bytes} bytes; at most {FILE_BYTES_MAX} are taken"),
        "Split the file: a later one adds to an earlier one.",
    )
}
