//! Controls: what is examined, what for, and what came of it.

use serde::{Deserialize, Serialize};
use spine::noun::{Evidence, Lane};
use spine::quantity::Money;
use spine::{LocalizedText, Sensitivity};

use crate::state::State;

/// What is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// Documents, before release: the yellow lane.
    Documents,
    /// Goods, before release: the red lane.
    Physical,
    /// Whatever an officer finds necessary, before release: the hold lane.
    Query,
    /// Books and records, after release: the blue lane.
    Audit,
}

impl ControlKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Documents, Self::Physical, Self::Query, Self::Audit];

    /// The stable name used in events, read models and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Physical => "physical",
            Self::Query => "query",
            Self::Audit => "audit",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The control that a lane asks for; green asks for none.
    #[must_use]
    pub fn of_lane(lane: Lane) -> Option<Self> {
        match lane {
            Lane::Green => None,
            Lane::Blue => Some(Self::Audit),
            Lane::Yellow => Some(Self::Documents),
            Lane::Red => Some(Self::Physical),
            Lane::Hold => Some(Self::Query),
        }
    }

    /// Where a declaration stands while this control is open.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Self::Documents => State::AwaitingDocuments,
            Self::Physical => State::UnderControl,
            Self::Query => State::Held,
            Self::Audit => State::Released,
        }
    }
}

/// What an officer is to look for, from one tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookFor {
    /// Id of the tag.
    pub tag: String,
    /// What officers call it.
    pub title: LocalizedText,
    /// What to look at.
    pub hint: LocalizedText,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Goods items that carry it, from 1.
    pub items: Vec<u32>,
}

/// What came of a control, in one code (after the European Union's code list CL047, control results).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultCode {
    /// Examined, and as declared (A1).
    Conform,
    /// Not examined after all, and considered as declared (A2).
    ConsideredConform,
    /// Examined; a discrepancy too small to matter (A4).
    MinorDiscrepancy,
    /// Examined, and not as declared (B1).
    Irregular,
}

impl ResultCode {
    /// All codes.
    pub const ALL: [Self; 4] =
        [Self::Conform, Self::ConsideredConform, Self::MinorDiscrepancy, Self::Irregular];

    /// The stable name used in events and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conform => "conform",
            Self::ConsideredConform => "considered_conform",
            Self::MinorDiscrepancy => "minor_discrepancy",
            Self::Irregular => "irregular",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// The published code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Conform => "A1",
            Self::ConsideredConform => "A2",
            Self::MinorDiscrepancy => "A4",
            Self::Irregular => "B1",
        }
    }

    /// Was something found that an officer must decide on?
    #[must_use]
    pub fn irregular(self) -> bool {
        self == Self::Irregular
    }
}

/// One thing that is not as declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemFinding {
    /// Goods item, from 1; 0 is the declaration as a whole.
    pub item: u32,
    /// What was declared wrongly, such as `commodity_code`.
    pub field: String,
    /// As declared.
    pub declared: String,
    /// As found.
    pub found: String,
    /// Stable code of what it amounts to: `undervaluation`, `misclassification`, `false_origin`, `short_quantity`,
    /// `concealment`, `other`.
    pub kind: String,
}

/// What came of a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlResult {
    /// In one code.
    pub code: ResultCode,
    /// What is not as declared.
    pub findings: Vec<ItemFinding>,
    /// Revenue recovered because of it.
    pub recovered_revenue: Option<Money>,
    /// In the officer's words.
    pub note: String,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// Was anything looked at? What was not inspected is unknown, never "nothing found".
    pub inspected: bool,
}
