//! What can go wrong with the log: which place, which value, and what to do now.

use std::io;

use thiserror::Error;

use crate::error::JournalError;

/// Most characters of a foreign value that an error repeats.
const FOUND_CHARS_MAX: usize = 80;

/// Why the log refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogError {
    /// A text, key, note or file in another form than its standard gives.
    #[error(
        "{place}: found \"{found}\", expected {expected}. Correct it, or get it again from where it came."
    )]
    Malformed {
        /// Which part of which text or file.
        place: String,
        /// The value, cut.
        found: String,
        /// The form it must have.
        expected: &'static str,
    },
    /// More than is taken.
    #[error("{what}: found {found}, at most {max} are taken. Send less.")]
    TooLarge {
        /// What is too large, with its unit.
        what: &'static str,
        /// How large it is.
        found: u64,
        /// How large it may be.
        max: u64,
    },
    /// A note has no signature of a key that is trusted here, or a wrong one.
    #[error(
        "{place}: {reason}. Trust nothing in it; compare the verifier keys with those its issuer publishes elsewhere. Of a log of your own, stop the server and run `tidewaiter log rebuild`."
    )]
    Unsigned {
        /// Which note.
        place: String,
        /// What is wrong with its signatures.
        reason: String,
    },
    /// A proof does not prove what it should.
    #[error(
        "{what} does not hold: {reason}. Ask for the proof again; if it fails again, the log or the data was changed."
    )]
    NotProven {
        /// Which proof.
        what: &'static str,
        /// Where it fails.
        reason: String,
    },
    /// A file of the log is not what the checkpoint commits to.
    #[error(
        "{place} of the log is damaged: {reason}. Stop the server and run `tidewaiter log rebuild`: it makes the file anew from the journal, if that agrees with every checkpoint still known, and keeps the damaged one aside."
    )]
    Damaged {
        /// Path in the log's folder, with the index of an entry where one is known.
        place: String,
        /// What does not fit.
        reason: String,
    },
    /// What the log remembers to have signed last is not what it wrote there.
    #[error(
        "{place} of the log's memory is damaged: {reason}. Stop the server and run `tidewaiter log rebuild`: it makes the file anew from the newest checkpoint still known, if the journal agrees with it, and keeps the damaged one aside."
    )]
    MemoryDamaged {
        /// Name of the file in the log's memory.
        place: String,
        /// What does not fit.
        reason: String,
    },
    /// A record of a change of keys is damaged.
    #[error(
        "{place} of the log is damaged: {reason}. Its signatures cannot be made again: bring a backup into an empty folder with `tidewaiter restore --from BACKUP --to NEW`, and copy NEW/log/{place} over it."
    )]
    KeyRecordDamaged {
        /// Path in the log's folder.
        place: String,
        /// What does not fit.
        reason: String,
    },
    /// There is no checkpoint with which a log could be made anew.
    #[error(
        "no checkpoint of this log is left to compare the journal with: the published and the remembered one are missing or damaged. Nothing was changed. Name one that others kept with --checkpoint, such as a witness's; or bring a backup into an empty folder with `tidewaiter restore --from BACKUP --to NEW` and name NEW/log/checkpoint."
    )]
    NothingKnown,
    /// The journal ends before the log does.
    #[error(
        "the journal ends at position {head}, but the log's last checkpoint has {size} entries: the journal lost events or is an older copy. Restore the newest backup of the journal; nothing was signed."
    )]
    JournalBehind {
        /// Last position of the journal.
        head: u64,
        /// Entries of the last checkpoint.
        size: u64,
    },
    /// The journal says something else than what was logged.
    #[error(
        "the event at position {position} is not the one that was logged as entry {index}: one of journal and log was changed. Run the log's verification to see which, and restore that one from its backup; nothing was signed."
    )]
    JournalDiffers {
        /// Position in the journal.
        position: u64,
        /// Index of the entry in the log.
        index: u64,
    },
    /// What was to be signed contradicts what was signed before.
    #[error(
        "a checkpoint of {new_size} entries would contradict the one of {old_size} entries signed before: {reason}. Nothing was signed. Run the log's verification, and restore journal and log from their backups."
    )]
    WouldFork {
        /// Entries of the checkpoint signed last.
        old_size: u64,
        /// Entries of the one refused.
        new_size: u64,
        /// Where they part.
        reason: String,
    },
    /// The log folder belongs to another log.
    #[error(
        "the folder holds the log \"{found}\", not \"{expected}\". Name the right folder, or an empty one."
    )]
    OtherLog {
        /// Origin of the checkpoint that is there.
        found: String,
        /// Origin of the log that was to be written.
        expected: String,
    },
    /// The private key stands where it would be served or copied with the log.
    #[error(
        "the key {key} lies inside the log's folder {folder}, whose files are published. Move the key elsewhere and name its new place."
    )]
    KeyInServedFolder {
        /// The key file.
        key: String,
        /// The log's folder.
        folder: String,
    },
    /// Others than its owner may read the private key.
    #[error(
        "others may read the key {path} (its mode is {mode}). Run `chmod 600 {path}`; if others had access, change the key."
    )]
    KeyExposed {
        /// The key file.
        path: String,
        /// Its mode, octal.
        mode: String,
    },
    /// The entry is not in the log yet.
    #[error(
        "position {position} is not in the log yet: the last checkpoint has {logged} entries. Wait for it, or check the position."
    )]
    NotLogged {
        /// The position asked for.
        position: u64,
        /// Entries of the last checkpoint.
        logged: u64,
    },
    /// A policy is not satisfied.
    #[error(
        "the quorum \"{quorum}\" is not met: valid cosignatures came from {witnesses}. Ask more witnesses, or wait for them."
    )]
    NoQuorum {
        /// The quorum's name.
        quorum: String,
        /// Names of the witnesses that cosigned, or `nobody`.
        witnesses: String,
    },
    /// No space is left.
    #[error(
        "no space is left for {path}: everything published before is safe. Free some space on that disk."
    )]
    StorageFull {
        /// The file.
        path: String,
    },
    /// A file operation failed.
    #[error("{path}: {reason}. Check the path, its owner and the disk, then try again.")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Nothing is signed for now.
    #[error("the log signs nothing for now: {reason}")]
    Held {
        /// Why, with what to do.
        reason: String,
    },
    /// The log grows no more until it is opened again.
    #[error("the log is written no more ({reason}). Mend that, then restart the program.")]
    Stopped {
        /// Why it stopped.
        reason: String,
    },
}

impl LogError {
    /// Stable snake_case code: translation key and problem type.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "log_malformed",
            Self::TooLarge { .. } => "log_too_large",
            Self::Unsigned { .. } => "log_unsigned",
            Self::NotProven { .. } => "log_not_proven",
            Self::Damaged { .. } => "log_damaged",
            Self::MemoryDamaged { .. } => "log_memory_damaged",
            Self::KeyRecordDamaged { .. } => "log_key_record_damaged",
            Self::NothingKnown => "log_nothing_known",
            Self::JournalBehind { .. } => "log_journal_behind",
            Self::JournalDiffers { .. } => "log_journal_differs",
            Self::WouldFork { .. } => "log_would_fork",
            Self::OtherLog { .. } => "log_of_another",
            Self::KeyInServedFolder { .. } => "log_key_in_served_folder",
            Self::KeyExposed { .. } => "log_key_exposed",
            Self::NotLogged { .. } => "log_position_not_logged",
            Self::NoQuorum { .. } => "log_no_quorum",
            Self::StorageFull { .. } => "disk_full",
            Self::Io { .. } => "log_io",
            Self::Journal(error) => error.code(),
            Self::Held { .. } => "log_held",
            Self::Stopped { .. } => "log_stopped",
        }
    }

    /// May the same succeed later, without anybody mending the log or the journal?
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::StorageFull { .. } | Self::Io { .. } => true,
            Self::Journal(error) => matches!(
                error,
                JournalError::StorageFull { .. }
                    | JournalError::Busy { .. }
                    | JournalError::Unavailable { .. }
            ),
            _ => false,
        }
    }

    /// A value cut to what a message can carry.
    pub(crate) fn malformed(place: impl Into<String>, found: &str, expected: &'static str) -> Self {
        Self::Malformed {
            place: place.into(),
            found: found.chars().take(FOUND_CHARS_MAX).collect(),
            expected,
        }
    }

    /// What is wrong, without the remedy: where another error says what to do.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Malformed { place, found, expected } => {
                format!("{place}: found \"{found}\", expected {expected}")
            }
            Self::Unsigned { place, reason } => format!("{place}: {reason}"),
            other => other.to_string(),
        }
    }

    /// The same with the file in which the note stands that is not signed.
    pub(crate) fn of_file(self, file: &str) -> Self {
        match self {
            Self::Unsigned { place, reason } => Self::Unsigned { place: format!("{file}: {place}"), reason },
            other => other,
        }
    }

    pub(crate) fn unsigned(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Unsigned { place: place.into(), reason: reason.into() }
    }

    pub(crate) fn not_proven(what: &'static str, reason: impl Into<String>) -> Self {
        Self::NotProven { what, reason: reason.into() }
    }

    pub(crate) fn damaged(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged { place: place.into(), reason: reason.into() }
    }

    pub(crate) fn io(path: impl Into<String>, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::StorageFull { path: path.into() }
            }
            _ => Self::Io { path: path.into(), reason: error.to_string() },
        }
    }
}

/// Refuses more than `max` of something.
pub(crate) fn at_most(what: &'static str, found: usize, max: usize) -> Result<(), LogError> {
    if found <= max {
        return Ok(());
    }
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Err(LogError::TooLarge { what, found: number(found), max: number(max) })
}
