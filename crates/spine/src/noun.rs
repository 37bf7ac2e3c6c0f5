//! The remaining nouns: what rooms say to one another about a consignment.

use serde::{Deserialize, Serialize};

use crate::finding::Pointer;
use crate::sensitivity::Sensitivity;
use crate::text::LocalizedText;

/// What a tag may be attached to, and what records speak about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// One goods item of a declaration (WCO: GovernmentAgencyGoodsItem).
    Item,
    /// A declaration (WCO: Declaration).
    Declaration,
    /// A trading party.
    Enterprise,
    /// Origin, departure and commodity chapter together.
    Route,
}

/// What someone's business with goods is called in a declaration (WCO party roles).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A company or sole trader.
    Enterprise,
    /// A natural person.
    Person,
    /// A road vehicle.
    Vehicle,
    /// A ship.
    Vessel,
    /// A freight container.
    Container,
    /// A commodity.
    Commodity,
    /// A way from origin to destination.
    Route,
}

/// Somebody or something that records speak about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Its id in the administration's own records.
    pub id: String,
}

/// A tag on a subject, as found by one version of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Id of the tag's definition.
    pub tag: String,
    /// Content hash of the pack the definition stands in.
    pub pack_hash: String,
    /// What it is on.
    pub subject: SubjectKind,
    /// Who may see it.
    pub sensitivity: Sensitivity,
}

/// What a machine thinks. An opinion never changes a consignment; only a decision does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// Which reader, model or rule pack, with its content hash.
    pub source: String,
    /// In one sentence.
    pub summary: LocalizedText,
    /// What it rests on.
    pub evidence: Vec<Pointer>,
}

/// The lane of a declaration: how much is looked at before its goods are released. Ordered from least to most delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Released at once.
    Green,
    /// Released at once, and audited afterwards.
    Blue,
    /// Documents are examined before release.
    Yellow,
    /// Goods are examined before release.
    Red,
    /// An officer looks at it before anything else happens.
    Hold,
}

impl Lane {
    /// All lanes, least delay first.
    pub const ALL: [Self; 5] = [Self::Green, Self::Blue, Self::Yellow, Self::Red, Self::Hold];

    /// The stable name used in events, plans and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Red => "red",
            Self::Hold => "hold",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.name() == name)
    }

    /// Is something examined before the goods are released?
    #[must_use]
    pub fn is_inspection(self) -> bool {
        matches!(self, Self::Yellow | Self::Red | Self::Hold)
    }
}

/// Proof of something seen: a photograph, a reading, a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub blob: String,
    /// Media type of its bytes.
    pub media_type: String,
    /// What it shows.
    pub description: String,
}
