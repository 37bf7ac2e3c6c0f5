//! What can go wrong with a journal: what happened, where, with which value, and what to do now.

use std::path::PathBuf;

use thiserror::Error;

/// Why a journal refused or failed.
///
/// Unless it says otherwise ([`JournalError::OutcomeUnknown`]), a failed append left nothing behind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JournalError {
    /// Somebody appended to a stream after the caller read it.
    #[error(
        "stream \"{stream}\" stands at version {actual}, but this append rests on version {expected}. Read the stream again and decide anew."
    )]
    Conflict {
        /// The stream.
        stream: String,
        /// The version the caller had read; 0 means that the stream must not exist.
        expected: u64,
        /// The version it has.
        actual: u64,
    },
    /// The idempotency key was used before, for other events.
    #[error(
        "the idempotency key \"{key}\" was already used for other events, at position {position}. Send the same events again, or use a new key."
    )]
    IdempotencyKeyReused {
        /// The key.
        key: String,
        /// Position of the first event it was used for.
        position: u64,
    },
    /// An earlier append has claimed this name.
    #[error(
        "\"{claim}\" was already claimed by the append at position {position}: nothing of this was recorded. Look at what stands there, or use another name."
    )]
    Claimed {
        /// The name.
        claim: String,
        /// Position of the first event of the append that claimed it.
        position: u64,
    },
    /// More than the journal takes.
    #[error("{what}: found {found}, at most {max} are taken. Split it into smaller parts.")]
    TooLarge {
        /// What is too large, with its unit.
        what: &'static str,
        /// How large it is.
        found: u64,
        /// How large it may be.
        max: u64,
    },
    /// A name, key or value in another form than the journal takes.
    #[error("{what}: found \"{found}\", expected {expected}. Correct it and append again.")]
    Malformed {
        /// What is malformed.
        what: &'static str,
        /// The value, cut.
        found: String,
        /// The form it must have.
        expected: &'static str,
    },
    /// No event has this position.
    #[error(
        "there is no event at position {position}: the journal ends at position {head}. Check the position."
    )]
    NoSuchPosition {
        /// The position asked for.
        position: u64,
        /// The last position there is.
        head: u64,
    },
    /// The disk, or the ceiling set for the file, is full.
    #[error(
        "no space is left for {}: nothing of this was recorded, and everything recorded before is safe. Free some space on that disk, then try again.",
        path.display()
    )]
    StorageFull {
        /// The file that cannot grow.
        path: PathBuf,
    },
    /// Another program holds the database file locked.
    #[error(
        "another program keeps {} locked: nothing of this was recorded. Close that program (a database browser, a backup), then try again.",
        path.display()
    )]
    Busy {
        /// The locked file.
        path: PathBuf,
    },
    /// Another process has this journal open.
    #[error(
        "another process uses the journal {}. Stop that process, or open another journal.",
        path.display()
    )]
    InUse {
        /// The journal's file.
        path: PathBuf,
    },
    /// It was opened for reading only.
    #[error("the journal {} was opened for reading only: nothing was recorded. Open it for writing.", path.display())]
    ReadOnly {
        /// The journal's file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "the journal {} has format {found}, but this program reads up to format {max}. Run the newer version of the program that wrote it. Nothing was changed.",
        path.display()
    )]
    NewerFormat {
        /// The journal's file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format known here.
        max: i64,
    },
    /// The file is something else.
    #[error(
        "{} is not a journal: {reason}. Name the file that a journal was made in, or one that does not exist yet. Nothing was changed.",
        path.display()
    )]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// What is stored is not what was recorded.
    #[error("{place} is damaged: {reason}. Stop using this copy and restore the journal from its backup.")]
    Corrupt {
        /// Which event, blob or file.
        place: String,
        /// What does not fit.
        reason: String,
    },
    /// The storage failed while the events were being made durable.
    #[error(
        "the storage failed while recording ({reason}): whether these events are in the journal shows after it is opened again. Check the disk, restart, and send the same events with the same idempotency key."
    )]
    OutcomeUnknown {
        /// What the storage said.
        reason: String,
    },
    /// The journal records nothing any more until it is opened again.
    #[error("the journal records nothing any more ({reason}). Check the disk, then restart the program.")]
    Stopped {
        /// Why it stopped.
        reason: String,
    },
    /// The database cannot be reached, or refuses to work at all.
    #[error(
        "the database {} cannot be used now ({reason}): nothing of this was recorded. Check that it runs and may be reached, then try again.",
        database.display()
    )]
    Unavailable {
        /// The database, without its password.
        database: PathBuf,
        /// What it said, or what the connection said.
        reason: String,
    },
    /// Another process has taken over the lease that this write rests on.
    #[error(
        "the lease \"{lease}\" is held by {holder} in epoch {epoch}, no longer by this process: nothing of this was recorded. Leave that work to the holder."
    )]
    LeaseLost {
        /// Name of the lease.
        lease: String,
        /// Who holds it; "nobody" once it has ended.
        holder: String,
        /// The epoch in which it does.
        epoch: u64,
    },
    /// The journal that is copied to holds something else than the one that is copied from.
    #[error(
        "the two journals are not the same at position {position}: {reason}. Copy into an empty journal, or go on with the one that the first part was copied into."
    )]
    NotTheSame {
        /// The first position at which they differ.
        position: u64,
        /// How they differ.
        reason: String,
    },
    /// No blob has this hash.
    #[error("there is no blob with SHA-256 {sha256}. Check the hash.")]
    NoSuchBlob {
        /// The hash asked for.
        sha256: String,
    },
    /// The reader that a blob's content came from failed.
    #[error("the content of a blob could not be read: {reason}. Nothing was kept of it; send it again.")]
    ContentUnreadable {
        /// What the reader said.
        reason: String,
    },
    /// A file operation failed.
    #[error("{}: {reason}. Check the path, its owner and the disk, then try again.", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl JournalError {
    /// Stable snake_case code: translation key and problem type.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "journal_conflict",
            Self::IdempotencyKeyReused { .. } => "idempotency_key_reused",
            Self::Claimed { .. } => "journal_claimed",
            Self::TooLarge { .. } => "journal_too_large",
            Self::Malformed { .. } => "journal_malformed",
            Self::NoSuchPosition { .. } => "journal_no_such_position",
            Self::StorageFull { .. } => "disk_full",
            Self::Busy { .. } => "journal_busy",
            Self::InUse { .. } => "journal_in_use",
            Self::ReadOnly { .. } => "journal_read_only",
            Self::NewerFormat { .. } => "journal_newer",
            Self::NotAJournal { .. } => "not_a_journal",
            Self::Corrupt { .. } => "journal_damaged",
            Self::OutcomeUnknown { .. } => "journal_outcome_unknown",
            Self::Stopped { .. } => "journal_stopped",
            Self::Unavailable { .. } => "journal_unavailable",
            Self::LeaseLost { .. } => "journal_lease_lost",
            Self::NotTheSame { .. } => "journal_not_the_same",
            Self::NoSuchBlob { .. } => "no_such_blob",
            Self::ContentUnreadable { .. } => "blob_content_unreadable",
            Self::Io { .. } => "journal_io",
        }
    }

    /// A value cut to what a message can carry.
    pub(crate) fn malformed(what: &'static str, found: &str, expected: &'static str) -> Self {
        Self::Malformed { what, found: found.chars().take(80).collect(), expected }
    }

    pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::StorageFull { path: path.to_owned() }
            }
            _ => Self::Io { path: path.to_owned(), reason: error.to_string() },
        }
    }
}
