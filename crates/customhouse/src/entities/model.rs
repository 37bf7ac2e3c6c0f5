//! What is told about those who trade.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spine::LocalizedText;

use crate::declarations::{DeclarationRow, HitRate};

/// Which entities.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EntitiesQuery {
    /// Beginning of an id.
    pub q: String,
    /// `importer`, `exporter`, `declarant`, `carrier`, or empty.
    pub role: String,
    /// `declarations`, `value`, `inspected`, `irregular`, `last`, with `-` before it downwards; default `-declarations`.
    pub sort: String,
    /// Page, from 1.
    pub page: usize,
}

/// A page of entities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntitiesPage {
    /// Rows.
    pub rows: Vec<EntityRow>,
    /// How many there are.
    pub total: u64,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// One entity in one role.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntityRow {
    /// Id in the administration's records.
    pub id: String,
    /// Role.
    pub role: String,
    /// Declarations.
    pub declarations: u64,
    /// Their value together, as a decimal; mixed currencies are not added: `None`.
    pub value: Option<String>,
    /// Currency.
    pub currency: Option<String>,
    /// First and last declaration.
    pub first_at: Timestamp,
    /// Last declaration.
    pub last_at: Timestamp,
    /// Inspected and irregular.
    pub hits: HitRate,
}

/// One file per entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntityFile {
    /// Id.
    pub id: String,
    /// In each of its roles.
    pub roles: Vec<EntityRow>,
    /// Declarations by month, oldest first: first day of the month, declarations, inspected, irregular.
    pub months: Vec<MonthOfEntity>,
    /// Tags on its declarations lodged here, most frequent first; none above the reader's clearance.
    pub tags: Vec<TagOfEntity>,
    /// Who it trades with.
    pub relations: Vec<Relation>,
    /// Compared with others of its main role.
    pub peers: Vec<PeerComparison>,
    /// Number of others it is compared with.
    pub peers_count: u64,
    /// Latest declarations.
    pub latest: Vec<DeclarationRow>,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// One month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonthOfEntity {
    /// `YYYY-MM`.
    pub month: String,
    /// Declarations.
    pub declarations: u64,
    /// Inspected.
    pub inspected: u64,
    /// Irregular.
    pub irregular: u64,
}

/// A tag on an entity's declarations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagOfEntity {
    /// Id.
    pub tag: String,
    /// Title.
    pub title: LocalizedText,
    /// Severity by name.
    pub severity: String,
    /// Declarations that carry it.
    pub declarations: u64,
    /// Since when.
    pub first_at: Timestamp,
    /// Until when.
    pub last_at: Timestamp,
}

/// Two entities on the same declarations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// Role of the other.
    pub role: String,
    /// The other.
    pub id: String,
    /// Declarations together.
    pub declarations: u64,
    /// Of these irregular, as far as inspected.
    pub irregular: u64,
}

/// One measure against the peers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeerComparison {
    /// Stable name: `declarations`, `value_per_declaration`, `inspected_share`, `hit_rate`, `partners`, `chapters`.
    pub measure: String,
    /// Its own value.
    pub own: f64,
    /// Quarter of the peers lie below.
    pub quarter: f64,
    /// Half of the peers lie below.
    pub median: f64,
    /// Three quarters lie below.
    pub three_quarters: f64,
    /// Share of the peers that lie below its own, 0 to 1.
    pub rank: f64,
}
