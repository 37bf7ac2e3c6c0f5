//! What is told of the log and of proofs.

use serde::Serialize;

/// How the log stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogStanding {
    /// Its name.
    pub origin: String,
    /// Events in the published checkpoint.
    pub size: u64,
    /// Root of the tree over them, base64; empty before the first.
    pub root: String,
    /// Events that are recorded and not in it yet.
    pub behind: u64,
    /// Sizes of checkpoints are multiples of this, filled up with events that say nothing; 1: nothing is filled up.
    pub pad_to: u64,
    /// Keys that sign it, the newest last, in the text form of signed notes.
    pub keys: Vec<String>,
    /// Why it does not grow at present, if it does not.
    pub trouble: Option<String>,
    /// Events in the latest checkpoint that enough witnesses cosigned.
    pub witnessed_size: Option<u64>,
    /// The key with which this node cosigns other logs, if it does.
    pub witness_key: Option<String>,
    /// Pieces of evidence that a log which this node witnesses showed two histories.
    pub split_views: usize,
}

/// What a trader takes home a proof of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnProof {
    /// That the declaration came in, with what it said.
    Receipt,
    /// That the goods were released.
    Release,
}

impl OwnProof {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Receipt, Self::Release];

    /// The stable name used in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Release => "release",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }

    /// The kind of event that proves it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Receipt => crate::declarations::event::LODGED,
            Self::Release => "goods.released",
        }
    }
}

/// Whether what a proof says still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofStanding {
    /// Nothing that was recorded later takes it back.
    Stands,
    /// The declaration was cancelled, or the goods were detained, later.
    TakenBack,
    /// It is no event of which proofs are given out, or there is none.
    Unknown,
}

/// What a proof file proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProofVerdict {
    /// Name of the log.
    pub origin: String,
    /// Names of the known keys that signed the checkpoint.
    pub signed_by: Vec<String>,
    /// Index of the event in the log.
    pub index: u64,
    /// Hash of its entry, hexadecimal.
    pub leaf: String,
    /// Events in the log when it was made.
    pub size: u64,
    /// Kind of the event.
    pub kind: String,
    /// Its stream.
    pub stream: String,
    /// When it happened, as recorded.
    pub occurred_at: String,
    /// Does the file hold what the event says, and is that what was committed to?
    pub payload: Option<serde_json::Value>,
}

/// What came of verifying a data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifiedFolder {
    /// Name of the log.
    pub origin: String,
    /// Events in the checkpoint.
    pub size: u64,
    /// Root of the tree, base64.
    pub root: String,
    /// Names of the known keys that signed it.
    pub signed_by: Vec<String>,
    /// Was the journal compared too? Not where a restored one could not be opened.
    pub journal_compared: bool,
    /// Was it compared with a checkpoint that witnesses cosigned?
    pub witnessed_compared: bool,
    /// Payloads whose commitment was checked.
    pub payloads_checked: u64,
    /// Payloads that were erased.
    pub payloads_erased: u64,
    /// Events that are recorded and not logged yet.
    pub not_logged: u64,
    /// What does not hold: place and reason.
    pub findings: Vec<(String, String)>,
    /// How many there are, also beyond those listed.
    pub findings_total: u64,
}

/// What came of verifying one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifiedEvent {
    /// Name of the log.
    pub origin: String,
    /// Its position in the journal: one more than its index in the log.
    pub position: u64,
    /// Its kind.
    pub kind: String,
    /// Its stream.
    pub stream: String,
    /// When it happened, by the recording node's clock.
    pub occurred_at: String,
    /// Hash of its entry, 64 hexadecimal digits.
    pub leaf: String,
    /// Events in the published checkpoint.
    pub size: u64,
    /// Root of the tree over them, base64.
    pub root: String,
    /// Names of the known keys that signed it.
    pub signed_by: Vec<String>,
    /// Events in the checkpoint that witnesses cosigned, where that holds this one.
    pub witnessed_size: Option<u64>,
    /// Was its payload erased? Otherwise it was checked.
    pub payload_erased: bool,
    /// What does not hold: place and reason.
    pub findings: Vec<(String, String)>,
}

impl VerifiedEvent {
    /// Does everything hold?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

impl VerifiedFolder {
    /// Does everything hold?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings_total == 0
    }
}
