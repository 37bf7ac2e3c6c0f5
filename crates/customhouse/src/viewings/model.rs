//! What a look is, as it is recorded and as it is shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Somebody looked at a record.
pub(crate) const VIEWED: &str = "record.viewed";
/// Streams of looks begin like this; one a day.
pub(crate) const STREAM_PREFIX: &str = "viewing/";
/// Characters of what an export was narrowed by.
pub(crate) const FILTER_CHARACTERS_MAX: usize = 1_000;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewedWhat {
    /// A declaration with everything the reader may see of it.
    Case,
    /// Its bytes as they came.
    Original,
    /// A photo or document of it.
    Document,
    /// The file of an entity.
    Entity,
    /// A list of declarations as a file.
    Export,
}

impl ViewedWhat {
    /// All of them, in the order in which pages list them.
    pub const ALL: [Self; 5] = [Self::Case, Self::Original, Self::Document, Self::Entity, Self::Export];

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Original => "original",
            Self::Document => "document",
            Self::Entity => "entity",
            Self::Export => "export",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == name)
    }
}

/// Why somebody looked, where the house knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The control or audit of this declaration is in the reader's hands.
    OwnControl,
}

impl Purpose {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnControl => "own_control",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (name == Self::OwnControl.name()).then_some(Self::OwnControl)
    }
}

/// `record.viewed`, version 1. Who looked is the event's actor. The payload may name a party and can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Look {
    /// What was looked at.
    pub(crate) what: ViewedWhat,
    /// Declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mrn: Option<String>,
    /// Entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entity: Option<String>,
    /// What the export was narrowed by, as a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<String>,
    /// Declarations in the export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
    /// Role in which the reader looked.
    pub(crate) role: String,
    /// Office at which the reader works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) office: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<Purpose>,
}

/// Which looks. Empty fields narrow nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewingsQuery {
    /// Sign-in name or pseudonymous id of who looked.
    pub who: String,
    /// Stable name of what was looked at.
    pub what: String,
    /// MRN or id of an entity.
    pub record: String,
    /// First day, such as `2026-03-31`.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Page, from 1.
    pub page: usize,
}

/// One look, as auditors see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewingRow {
    /// Position of its event.
    pub position: u64,
    /// When.
    pub at: Timestamp,
    /// Pseudonymous id of who looked.
    pub reader: String,
    /// Name of that account, where it is one here.
    pub reader_name: String,
    /// Role.
    pub role: String,
    /// Office.
    pub office: Option<String>,
    /// What was looked at.
    pub what: ViewedWhat,
    /// Declaration.
    pub mrn: Option<String>,
    /// Entity.
    pub entity: Option<String>,
    /// What an export was narrowed by.
    pub filter: Option<String>,
    /// Declarations in an export.
    pub rows: Option<u64>,
    /// Why, where it is known.
    pub purpose: Option<Purpose>,
}

/// A page of looks, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewingsPage {
    /// Looks.
    pub rows: Vec<ViewingRow>,
    /// How many there are; counting stops at 10,000.
    pub total: u64,
}

/// One look at a trader's own declaration, as the trader sees it: nobody's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnViewing {
    /// When.
    pub at: Timestamp,
    /// Number of the person within this declaration, from 1 in the order of their first look.
    pub person: u64,
    /// Role.
    pub role: String,
    /// Office.
    pub office: Option<String>,
    /// What was looked at.
    pub what: ViewedWhat,
}
