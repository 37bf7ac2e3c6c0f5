//! What an erasure is, as it is ordered, recorded and shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Somebody ordered it.
pub(super) const ORDERED: &str = "erasure.ordered";
/// Another approved it: what is to be destroyed is settled.
pub(super) const APPROVED: &str = "erasure.approved";
/// It was carried out, or carried out again.
pub(crate) const DONE: &str = "erasure.done";
/// It was taken back before it was approved.
pub(super) const WITHDRAWN: &str = "erasure.withdrawn";
/// Longest basis and reason.
pub(super) const TEXT_CHARACTERS_MAX: usize = 500;

/// Kinds of events that hold personal data, and what of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonalKind {
    /// The kind, or its beginning.
    pub kind: &'static str,
    /// What in it is personal.
    pub why: &'static str,
}

const fn personal(kind: &'static str, why: &'static str) -> PersonalKind {
    PersonalKind { kind, why }
}

/// What is erased of a subject's events. All else holds codes, hashes and figures only: policies, thresholds, packs,
/// contracts, `selection.made` (tags, points, lane, office) and the erasures themselves.
pub const PERSONAL_KINDS: &[PersonalKind] = &[
    personal("declaration.", "parties, goods and original bytes; reasons in somebody's own words"),
    personal("tags.applied", "values that made tags true, parties among them"),
    personal("control.", "notes, photos and reasons of officers"),
    personal("audit.closed", "notes and photos of officers"),
    personal("audit.opened", "what officers were told to look for"),
    personal("documents.", "documents and what was said with them"),
    personal("question.", "questions and answers in somebody's own words"),
    personal("decision.contested", "the trader's own words"),
    personal("contest.answered", "the officer's own words"),
    personal("goods.", "reasons in an officer's own words"),
    personal("release.scheduled", "reasons in an officer's own words"),
    personal("deadline.passed", "belongs to the life of one declaration"),
    personal("record.viewed", "names the entity that was looked at, or what a list was narrowed by"),
    personal("entry_summary.", "who lodges, acts, sends, receives and carries; original bytes"),
    personal("register.", "names, addresses, telephone numbers and owners of all parties of the file"),
    personal("entities.", "parties, what they share, and reasons in an officer's own words"),
    personal("warning.acknowledged", "notes of officers"),
    personal("watch.", "titles and reasons in an officer's own words"),
    personal("batch.admitted", "examples of values in findings"),
    personal("batch.refused", "examples of values in findings"),
    personal("audit.completed", "the report names importers"),
    personal("account.opened", "sign-in name and party"),
    personal("account.assigned", "party"),
    personal("client.opened", "name and party"),
    personal("webhook.opened", "party and host"),
];

/// Whose data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A party by the id under which it declares and is declared.
    Party(String),
    /// One declaration by its MRN.
    Declaration(String),
}

impl Subject {
    /// Stable name of its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Party(_) => "party",
            Self::Declaration(_) => "declaration",
        }
    }

    /// A subject of a kind by its stable name.
    #[must_use]
    pub fn of_kind(kind: &str, id: &str) -> Option<Self> {
        let id = id.trim().to_owned();
        match kind {
            "party" => Some(Self::Party(id)),
            "declaration" => Some(Self::Declaration(id)),
            _ => None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Party(id) | Self::Declaration(id) => id,
        }
    }
}

/// What somebody orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRequest {
    /// Whose data.
    pub subject: Subject,
    /// Law on which it rests; shown wherever something is missing. Names nobody.
    pub basis: String,
    /// Why. Names nobody.
    pub reason: String,
}

/// How an erasure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureState {
    /// It waits for another person.
    Ordered,
    /// It is being carried out.
    Approved,
    /// It is done.
    Done,
    /// It was taken back.
    Withdrawn,
}

impl ErasureState {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Approved => "approved",
            Self::Done => "done",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// How much was destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ErasureCounts {
    /// Events whose payload and salt were destroyed.
    pub events: u64,
    /// Blobs.
    pub blobs: u64,
    /// Drafts of declarations.
    pub drafts: u64,
    /// Saved views.
    pub views: u64,
    /// Accounts and clients that were closed and lost their names.
    pub accounts: u64,
    /// Rows of the pool that lost what names people, quarantined ones among them.
    pub pool_rows: u64,
    /// Files of the pool that gave way to others.
    pub pool_files: u64,
}

/// An erasure as it is shown. It names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erasure {
    /// Id.
    pub id: String,
    /// `party` or `declaration`.
    pub subject_kind: String,
    /// HMAC-SHA256 of the subject.
    pub subject: String,
    /// Law.
    pub basis: String,
    /// Why.
    pub reason: String,
    /// How it stands.
    pub state: ErasureState,
    /// Pseudonymous id of who ordered it.
    pub ordered_by: String,
    /// When.
    pub ordered_at: Timestamp,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When it was done, the last time.
    pub done_at: Option<Timestamp>,
    /// How much was destroyed, all times together.
    pub counts: ErasureCounts,
    /// Ranges of journal positions whose payloads were destroyed.
    pub positions: Vec<(u64, u64)>,
}

/// `erasure.ordered`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ordered {
    pub(super) subject_kind: String,
    /// HMAC-SHA256 of the subject under the folder's key.
    pub(super) subject: String,
    pub(super) basis: String,
    pub(super) reason: String,
}

/// `erasure.approved`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Approved {
    /// Events to be destroyed, as ranges of positions.
    pub(super) positions: Vec<(u64, u64)>,
    /// Are there more than the event carries? Then `erasures.json` has all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) positions_left_out: bool,
}

/// `erasure.done`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) subject: String,
    pub(super) basis: String,
    pub(super) counts: ErasureCounts,
    /// Events destroyed, as ranges of positions.
    pub(super) positions: Vec<(u64, u64)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) positions_left_out: bool,
    /// Was it done again because a backup had brought something back?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) again: bool,
}

/// Ranges that an event carries at most.
const RANGES_MAX: usize = 20_000;

/// Positions as ranges, as far as an event carries them, and whether that is not all.
pub(super) fn ranges(positions: impl IntoIterator<Item = u64>) -> (Vec<(u64, u64)>, bool) {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for position in positions {
        match ranges.last_mut() {
            Some((_, last)) if last.saturating_add(1) == position => *last = position,
            _ => ranges.push((position, position)),
        }
    }
    let left_out = ranges.len() > RANGES_MAX;
    ranges.truncate(RANGES_MAX);
    (ranges, left_out)
}

/// Is that a kind of event that holds personal data?
pub(super) fn is_personal(kind: &str) -> bool {
    PERSONAL_KINDS.iter().any(|own| match own.kind.strip_suffix('.') {
        Some(_) => kind.starts_with(own.kind),
        None => kind == own.kind,
    })
}
