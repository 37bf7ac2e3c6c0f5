//! Payloads of the events that this room writes itself. The moves of a case are [`clearance::Event`]s, the choice of
//! a lane is a [`selection::Made`].

use clearance::State;
use serde::{Deserialize, Serialize};
use spine::Finding;
use spine::declaration::Declaration;

use super::model::Channel;

/// A declaration came in.
pub(crate) const LODGED: &str = "declaration.lodged";
/// Tags were found on it.
pub(crate) const TAGS_APPLIED: &str = "tags.applied";
/// Its lane was chosen.
pub(crate) const SELECTION_MADE: &str = "selection.made";
/// A declaration was amended; before its acceptance, this is what is tagged.
pub(crate) const AMENDED: &str = "amendment.granted";
/// Customs corrected a declaration.
pub(crate) const CORRECTED: &str = "declaration.corrected";
/// The goods of a declaration that was lodged before them are here.
pub(crate) const PRESENTED: &str = "goods.presented";
/// What its trader asks of a declaration, and that it is denied.
pub(crate) const AMENDMENT_REQUESTED: &str = "amendment.requested";
pub(crate) const AMENDMENT_DENIED: &str = "amendment.denied";
pub(crate) const CANCEL_REQUESTED: &str = "declaration.cancel_requested";
pub(crate) const CANCEL_DENIED: &str = "declaration.cancel_denied";
/// A message about a declaration could not be followed.
pub(crate) const REQUEST_REFUSED: &str = "request.refused";
/// A movement that moves no declaration.
pub(crate) const MOVEMENT_NOTED: &str = "movement.noted";
/// An office's threshold moved.
pub(crate) const THRESHOLD_MOVED: &str = "threshold.moved";

/// Streams of declarations begin like this.
pub(crate) const STREAM_PREFIX: &str = "declaration/";

/// The stream of a declaration.
pub(crate) fn stream(mrn: &str) -> String {
    format!("{STREAM_PREFIX}{mrn}")
}

/// Who lodged a declaration whose content was erased, as its row has it: the account that its envelope names.
pub(crate) fn lodged_by(account: &str) -> String {
    format!("account:{account}")
}

/// The state to which an event leads by its kind alone: all that is known of one whose payload was erased.
pub(crate) fn state_of_kind(kind: &str) -> Option<State> {
    match kind {
        "declaration.accepted" => Some(State::Accepted),
        "declaration.registered" => Some(State::Received),
        "goods.presented" => Some(State::Presented),
        "declaration.rejected" => Some(State::Rejected),
        "payment.insufficient" => Some(State::PaymentPending),
        "goods.released" | "declaration.cleared" => Some(State::Cleared),
        "exit.confirmed" => Some(State::Exited),
        "goods.detained" => Some(State::Detained),
        "declaration.cancelled" => Some(State::Cancelled),
        _ => None,
    }
}

/// Where the bytes are that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// Short texts stand in the event itself: one flush for both.
    Text(String),
    /// Everything else is a blob: SHA-256.
    Blob(String),
}

/// `declaration.lodged`, version 1. The payload holds personal data and can be erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lodged {
    /// Movement reference number.
    pub(crate) mrn: String,
    /// Running number that the MRN was made from.
    pub(crate) number: u64,
    /// The trader's own reference.
    pub(crate) functional_reference_id: String,
    /// Party that lodged it: two of its declarations never have one reference.
    pub(crate) party: String,
    /// Which way it came.
    pub(crate) channel: Channel,
    /// Media type.
    pub(crate) media_type: String,
    /// SHA-256 of the bytes.
    pub(crate) sha256: String,
    /// How many.
    pub(crate) bytes: u64,
    /// The bytes.
    pub(crate) kept: Kept,
    /// Microseconds from the arrival of the bytes to the beginning of this event's recording.
    pub(crate) waited_us: u64,
    /// What was understood.
    pub(crate) declaration: Option<Declaration>,
    /// What was noticed.
    pub(crate) findings: Vec<Finding>,
    /// Was it made up?
    pub(crate) simulated: bool,
    /// The installed schema that it was held against, or that none was applied. Declarations of before this was kept
    /// have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<String>,
}

/// One tag of `tags.applied`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppliedTag {
    /// Tag.
    pub(crate) tag: String,
    /// Items that carry it.
    pub(crate) items: Vec<u32>,
    /// What made it true on the first of them: fields and aggregates with their values as they were read.
    pub(crate) values: Vec<(String, String)>,
}

/// `tags.applied`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagsApplied {
    /// Tags carried.
    pub(crate) tags: Vec<AppliedTag>,
    /// Tags that could not be decided because something is missing.
    pub(crate) unknown: u64,
    /// Content hashes of the packs that tags were made from.
    pub(crate) packs: Vec<String>,
    /// Entries that had been seen before: the epoch of the windows.
    pub(crate) epoch: u64,
    /// Position of the last decision on who is one that the windows knew; none: they counted by the id declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) groups: Option<u64>,
}
