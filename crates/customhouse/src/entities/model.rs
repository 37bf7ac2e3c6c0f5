//! What is told about those who trade.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spine::LocalizedText;

use ::tags::entities::Evidence;

use super::event::EntityDecision;
use crate::declarations::{DeclarationRow, HitRate};

/// Inspected declarations from which on a share of them says enough to order entities by.
pub const RATED_INSPECTED_MIN: u64 = 10;

/// Which entities.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EntitiesQuery {
    /// Beginning of an id, or part of a name in the register.
    pub q: String,
    /// `importer`, `exporter`, `declarant`, `carrier`, or empty.
    pub role: String,
    /// `declarations`, `value`, `inspected`, `irregular`, `rate`, `last`, with `-` before it downwards; default
    /// `-declarations`. By `rate`, those of which fewer than [`RATED_INSPECTED_MIN`] were inspected come last.
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
    /// Name, as the register has it; in a list only.
    pub name: Option<String>,
    /// How many are one with it, itself among them.
    pub members: u64,
    /// Role.
    pub role: String,
    /// Declarations; in a list its own, without those of others that are one with it.
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
    /// What it trades most by chapter and origin, compared with who trades the same, the farthest apart first; empty
    /// where the reader may not see values and masses.
    pub trade: Vec<TradeComparison>,
    /// Latest declarations.
    pub latest: Vec<DeclarationRow>,
    /// What the register says of it.
    pub register: Option<RegisterEntry>,
    /// Everybody who is one with it, itself among them, in order; empty where it is alone.
    pub group: Vec<RegisterEntry>,
    /// Decisions by which the group stands.
    pub merges: Vec<EntityDecision>,
    /// Does it take two people to undo any of them?
    pub takes_two: bool,
    /// Who shares address, telephone number or owner with it.
    pub shared: Vec<Shared>,
    /// Names on lists that are like its own.
    pub hits: Vec<ListHit>,
    /// Candidates that nobody decided on.
    pub candidates: u64,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// What the register says of a party.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RegisterEntry {
    /// Id in the administration's records.
    pub id: String,
    /// `enterprise`, `person`, `vehicle`; empty: it is in no register.
    pub kind: String,
    /// Role, as the register has it.
    pub role: String,
    /// Name.
    pub name: String,
    /// Address.
    pub address: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Id of the person it belongs to.
    pub owner: Option<String>,
    /// Day on which it was entered.
    pub entered_on: Option<String>,
    /// Day on which it was closed.
    pub closed_on: Option<String>,
    /// Is it an authorised economic operator?
    pub trusted: bool,
    /// Is it simulated?
    pub simulated: bool,
    /// Declarations in all its roles.
    pub declarations: u64,
}

/// What parties share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedBy {
    /// The owner.
    Owner,
    /// The telephone number.
    Phone,
    /// The address.
    Address,
}

impl SharedBy {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Phone => "phone",
            Self::Address => "address",
        }
    }
}

/// Who shares one thing with an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// What.
    pub by: SharedBy,
    /// As the entity has it.
    pub value: String,
    /// The others, those that are closed first; 12 at most.
    pub parties: Vec<RegisterEntry>,
    /// How many there are.
    pub total: u64,
}

/// A name on a list like an entity's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListHit {
    /// The list.
    pub list: String,
    /// Number of the entry on it.
    pub entry: String,
    /// The entity's name that was compared.
    pub own: String,
    /// The name on the list.
    pub listed: String,
    /// How alike they are, 0 to 1000.
    pub score: u32,
}

/// A file of a register or list that was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisterFileReceived {
    /// The list; none: the register of traders.
    pub list: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Lines that were understood.
    pub lines: u64,
    /// Lines left out.
    pub left_out: u64,
    /// Is anything of it simulated?
    pub simulated: bool,
    /// Pseudonymous id of who sent it.
    pub by: String,
}

/// Which pairs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MatchesQuery {
    /// Id of one of them, or part of its name.
    pub q: String,
    /// Kind of evidence that must be there: `owner`, `phone`, `address`, `name`, `identifier`, `succession`; or empty.
    pub kind: String,
    /// Only pairs of which one is closed, or both are.
    #[serde(deserialize_with = "ticked")]
    pub closed: bool,
    /// A state of decisions, to see those; empty: candidates that nobody decided on.
    pub state: String,
    /// Page, from 1.
    pub page: usize,
}

/// What forms send for a box that is ticked.
fn ticked<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(matches!(text.as_str(), "true" | "1" | "on" | "yes"))
}

/// A page of pairs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MatchesPage {
    /// Pairs.
    pub rows: Vec<MatchRow>,
    /// How many there are.
    pub total: u64,
    /// Parties in the register; 0: none was received.
    pub parties: u64,
    /// Decisions that wait for another person.
    pub waiting: u64,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// Two that may be one, or on whom somebody decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchRow {
    /// One.
    pub left: RegisterEntry,
    /// The other.
    pub right: RegisterEntry,
    /// What the evidence says together, 0 to 1000.
    pub score: u32,
    /// What speaks for it, the heaviest first.
    pub evidence: Vec<Evidence>,
    /// What was decided.
    pub decision: Option<EntityDecision>,
    /// Does merging them, or taking them apart, need two people?
    pub takes_two: bool,
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

/// What an entity trades of one chapter from one origin in its main role, compared with others who do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TradeComparison {
    /// Chapter of the Harmonized System.
    pub chapter: String,
    /// Country of origin.
    pub origin: String,
    /// Currency of its values.
    pub currency: String,
    /// Its items whose value and net mass are known.
    pub items: u64,
    /// Their value together.
    pub value: String,
    /// Their net mass together, in kilograms.
    pub mass: String,
    /// Others who trade the same, in the same role and currency; [`TRADE_PEERS_MAX`] of most items at most.
    pub peers: u64,
    /// How it compares; empty with fewer than [`TRADE_PEERS_MIN`] others: unknown.
    pub measures: Vec<TradeMeasure>,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// Others that a comparison of trade needs.
pub const TRADE_PEERS_MIN: u64 = 5;
/// Others that are looked at in a comparison of trade.
pub const TRADE_PEERS_MAX: usize = 5_000;

/// One number of an entity's trade beside those of the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TradeMeasure {
    /// Stable name: `price_per_kg`, `items`, `value`.
    pub measure: String,
    /// Its own.
    pub own: f64,
    /// Arithmetic mean of the others.
    pub mean: f64,
    /// Standard deviation (of a sample) of the others.
    pub deviation: f64,
    /// Median of the others.
    pub median: f64,
    /// Median absolute deviation of the others from their median.
    pub median_deviation: f64,
    /// How many standard deviations its own is above the mean, below it with a minus; none where they are all alike.
    pub from_mean: Option<f64>,
    /// The same in median absolute deviations from the median.
    pub from_median: Option<f64>,
}
