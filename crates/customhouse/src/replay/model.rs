//! What comes of deriving a decision again.

use jiff::Timestamp;
use selection::Made;
use serde::Serialize;
use spine::Sensitivity;

use super::NAMED_MAX;

/// One decision: the tags found, and the lane chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decided {
    /// Tags carried, by id.
    pub tags: Vec<String>,
    /// Tags that could not be decided because something is missing.
    pub unknown: u64,
    /// Content hashes of the packs that tags were made from.
    pub packs: Vec<String>,
    /// Entries that windows had seen before.
    pub epoch: u64,
    /// The choice of the lane; `None`: there was no plan.
    pub made: Option<Made>,
}

/// A value that differs between what was recorded and what was derived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where: `tags/…` or `selection/…`.
    pub at: String,
    /// As it was recorded.
    pub recorded: String,
    /// As it was derived.
    pub derived: String,
}

/// What kind of thing is otherwise now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The tag was not there then.
    TagNew,
    /// The tag is no longer there.
    TagGone,
    /// The tag is defined otherwise.
    TagChanged,
    /// The tag is defined as it was; a named list or something it reads is not.
    ListChanged,
    /// A tag has other points.
    Points,
    /// A tag is a hard rule now, or no longer.
    HardRule,
    /// Every declaration begins with other points.
    BasePoints,
    /// Trust takes other points off.
    TrustedPoints,
    /// Chance, shares or tags for the examination are otherwise.
    Shares,
    /// There is a plan now, or none any more.
    Plan,
}

impl ChangeKind {
    /// The stable name used in texts and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TagNew => "tag_new",
            Self::TagGone => "tag_gone",
            Self::TagChanged => "tag_changed",
            Self::ListChanged => "list_changed",
            Self::Points => "points",
            Self::HardRule => "hard_rule",
            Self::BasePoints => "base_points",
            Self::TrustedPoints => "trusted_points",
            Self::Shares => "shares",
            Self::Plan => "plan",
        }
    }
}

/// Something that is otherwise under today's packs and plan, with what follows for this declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What kind.
    pub kind: ChangeKind,
    /// The tag it is about, if it is about one.
    pub tag: Option<String>,
    /// Then.
    pub then: String,
    /// Now.
    pub now: String,
}

/// A decision, then, again and now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Derivation {
    /// The declaration.
    pub mrn: String,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// As it was recorded.
    pub then: Decided,
    /// As it was derived from the journal; `None`: something it needs is missing.
    pub again: Option<Decided>,
    /// Is what was derived what was recorded, in every field?
    pub same: bool,
    /// Where it is not.
    pub differences: Vec<Difference>,
    /// What it would need and what is not here: `pack HASH`, `plan HASH`, `declaration`.
    pub missing: Vec<String>,
    /// Declarations, and decisions on who is one, before it whose content was erased: windows are derived without them.
    pub erased_before: u64,
    /// As it would be decided today: with the packs and the plan in use now, the past, the threshold and the draws of
    /// then. `None`: not asked for.
    pub now: Option<Decided>,
    /// Why now is otherwise than then.
    pub changes: Vec<Change>,
    /// Tags and reasons that the reader may not see, left out above.
    pub hidden: usize,
    /// Is it made up?
    pub simulated: bool,
    /// As far as this it may be seen.
    #[serde(skip)]
    pub(crate) clearance: Sensitivity,
}

/// How many decisions are derived again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSpec {
    /// At most so many, from 1 to 1,000,000.
    pub decisions: usize,
    /// Seed of the draw.
    pub seed: u64,
}

/// What came of deriving many decisions again.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct SampleReport {
    /// Seed of the draw.
    pub seed: u64,
    /// Decisions drawn.
    pub decisions: usize,
    /// Derived exactly as they were recorded.
    pub same: usize,
    /// Derived otherwise.
    pub different: usize,
    /// Not derived, because something is missing.
    pub missing: usize,
    /// Sets of packs that they were made with.
    pub pack_sets: usize,
    /// Declarations whose content was erased, on the way.
    pub erased_before: u64,
    /// Some of those that were not the same.
    pub examples: Vec<Derivation>,
    /// Is any of it made up?
    pub simulated: bool,
}

impl SampleReport {
    /// Counts one derivation.
    pub(super) fn count(&mut self, derivation: &Derivation) {
        let place = match (&derivation.again, derivation.same) {
            (_, true) => &mut self.same,
            (Some(_), false) => &mut self.different,
            (None, false) => &mut self.missing,
        };
        *place = place.saturating_add(1);
        self.erased_before = self.erased_before.max(derivation.erased_before);
        self.simulated |= derivation.simulated;
        if !derivation.same && self.examples.len() < NAMED_MAX {
            self.examples.push(derivation.clone());
        }
    }
}
