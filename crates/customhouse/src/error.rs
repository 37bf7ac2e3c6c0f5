//! The one error type of the application: a stable code, what happened, and what to do now.
//!
//! `code` is snake_case and stable: translation key, problem type of the API (RFC 9457) and anchor in the docs.
//! Bad *content* is not an error but a [`spine::Finding`] in a successful answer.

use std::fmt;
use std::io;
use std::path::Path;

/// What kind of failure, as callers tell them apart: HTTP status and exit code follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request makes no sense as it stands.
    Invalid,
    /// What was asked for is not there.
    NotFound,
    /// The caller may not do this.
    Forbidden,
    /// Somebody else was faster, or it is already so.
    Conflict,
    /// Understood, and refused for what it contains.
    Refused,
    /// Too many at once; try again after a while.
    Busy,
    /// The caller cancelled it.
    Cancelled,
    /// The data folder cannot be used by this process.
    FolderUnusable,
    /// Disk, memory or a bug: not the caller's fault.
    Internal,
}

/// A failure with its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure.
    pub kind: Kind,
    /// Stable snake_case code.
    pub code: String,
    /// What happened, where, with which value.
    pub detail: String,
    /// What to do now.
    pub how_to_fix: String,
    /// Findings that explain a refusal in full, if there are any.
    pub findings: Vec<spine::Finding>,
}

impl Error {
    /// An error of a kind.
    #[must_use]
    pub fn new(kind: Kind, code: &str, detail: impl Into<String>, how_to_fix: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.to_owned(),
            detail: detail.into(),
            how_to_fix: how_to_fix.into(),
            findings: Vec::new(),
        }
    }

    /// The same with the findings that explain it.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<spine::Finding>) -> Self {
        self.findings = findings;
        self
    }

    /// Something that should not have happened; the detail is for the log and the person who mends it.
    #[must_use]
    pub fn internal(code: &str, cause: &dyn fmt::Display) -> Self {
        Self::new(
            Kind::Internal,
            code,
            cause.to_string(),
            "Try again; if it happens again, report this code.",
        )
    }

    /// An event that was written by a newer version, or is none that this one knows.
    pub(crate) fn unreadable_event(event: &journal::RecordedEvent, reason: &dyn std::fmt::Display) -> Self {
        Self::new(
            Kind::FolderUnusable,
            "event_unreadable",
            format!(
                "the event at position {} ({}) cannot be read: {reason}",
                event.position, event.envelope.kind
            ),
            "Run the newer version of tidewaiter that wrote it. Nothing was changed.",
        )
    }

    /// A failed file operation, with the place and, for the usual causes, what helps.
    #[must_use]
    pub fn io(code: &str, path: &Path, cause: &io::Error) -> Self {
        let (kind, code, how_to_fix) = match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
                Kind::Internal,
                "disk_full",
                "Free some space on that disk and try again. What was accepted before is safe.",
            ),
            io::ErrorKind::NotFound => (Kind::NotFound, code, "Check the spelling of the path."),
            io::ErrorKind::PermissionDenied => {
                (Kind::Refused, code, "Check who owns the path and who may read and write it.")
            }
            _ => (Kind::Internal, code, "Check the path and the disk, then try again."),
        };
        Self::new(kind, code, format!("{}: {cause}", path.display()), how_to_fix)
    }

    /// The work was cancelled; nothing half-done is left.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(
            Kind::Cancelled,
            "cancelled",
            "the work was cancelled; nothing was changed",
            "Start it again.",
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}. {} [{}]", self.detail, self.how_to_fix, self.code)
    }
}

impl std::error::Error for Error {}

impl From<journal::JournalError> for Error {
    fn from(error: journal::JournalError) -> Self {
        use journal::JournalError as J;
        let (kind, code) = match &error {
            J::Conflict { .. } => (Kind::Conflict, "conflict"),
            J::IdempotencyKeyReused { .. } => (Kind::Conflict, "idempotency_key_reused"),
            J::Claimed { .. } => (Kind::Conflict, "claimed"),
            J::TooLarge { .. } => (Kind::Invalid, "too_large"),
            J::Malformed { .. } => (Kind::Invalid, "malformed"),
            J::NoSuchPosition { .. } => (Kind::NotFound, "no_such_position"),
            J::StorageFull { .. } => (Kind::Internal, "disk_full"),
            J::Busy { .. } => (Kind::Busy, "journal_locked"),
            J::Unavailable { .. } => (Kind::Busy, "journal_unavailable"),
            J::LeaseLost { .. } => (Kind::Busy, "lease_lost"),
            J::NotTheSame { .. } => (Kind::Refused, "journals_differ"),
            J::InUse { .. } => (Kind::FolderUnusable, "journal_in_use"),
            J::NewerFormat { .. } => (Kind::FolderUnusable, "journal_newer"),
            J::NotAJournal { .. } => (Kind::FolderUnusable, "not_a_journal"),
            J::Corrupt { .. } => (Kind::FolderUnusable, "journal_damaged"),
            _ => (Kind::Internal, "journal_failed"),
        };
        // A journal's message ends with its remedy.
        Self::new(kind, code, error.to_string(), "")
    }
}

impl From<packs::PackError> for Error {
    fn from(error: packs::PackError) -> Self {
        Self::new(Kind::Refused, "pack_refused", error.to_string(), "")
    }
}
