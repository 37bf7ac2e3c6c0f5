//! Who trades, and who is who: one file per entity, from history, from what is lodged here and from the register.
//!
//! | call | answer | permission | event |
//! |---|---|---|---|
//! | `find_entities(&reader, &EntitiesQuery) -> EntitiesPage` | a page | view declarations | |
//! | `entity(&reader, id) -> EntityFile` | one, with all that are one with it | view declarations | |
//! | `receive_register(&reader, bytes, list, &columns, &progress) -> RegisterOutcome` | lines, findings | admit records | `register.announced`, `register.received` |
//! | `start_register(&reader, path, list) -> Job` | the same in the background | admit records | the same |
//! | `register_files(&reader) -> Vec<RegisterFileReceived>` | files received | view declarations | |
//! | `resolve_entities(&reader, &progress) -> u64` | number of candidates | admit records | |
//! | `find_matches(&reader, &MatchesQuery) -> MatchesPage` | candidates, decisions | view declarations | |
//! | `merge_entities(&reader, entity, into, reason) -> EntityDecision` | | resolve entities | `entities.merged` or `entities.merge_proposed` |
//! | `split_entities(&reader, id, reason) -> EntityDecision` | | resolve entities | `entities.split` or `entities.split_proposed` |
//! | `keep_entities_apart(&reader, one, other, reason) -> EntityDecision` | | resolve entities | `entities.kept_apart` |
//! | `approve_entity_decision(&reader, id) -> EntityDecision` | by another person | resolve entities | `entities.merged`, `entities.split` |
//! | `withdraw_entity_decision(&reader, id) -> EntityDecision` | | resolve entities | `entities.withdrawn` |
//!
//! **Nothing is rewritten by a merge.** Figures of a group are added up when they are read, so a split brings back what
//! was, to the byte. Large entities take two people (`four-eyes.toml`). The register stands in a file of its own
//! ([`store`]), made from the files that were received; it can be deleted.

mod commands;
mod event;
pub(crate) mod index;
pub(crate) mod joins;
mod matches;
mod model;
mod read_model;
mod register;
pub(crate) mod store;
#[cfg(test)]
mod tests;
mod trade;
#[cfg(test)]
mod window_tests;

pub use ::tags::entities::{Evidence, EvidenceKind};
pub use commands::{RegisterOutcome, file_bytes};
pub(crate) use event::{DECISION_PREFIX, REGISTER_ANNOUNCED, REGISTER_RECEIVED};
pub use event::{DecisionState, EntityDecision};
pub use model::{
    EntitiesPage, EntitiesQuery, EntityFile, EntityRow, ListHit, MatchRow, MatchesPage, MatchesQuery,
    MonthOfEntity, PeerComparison, RATED_INSPECTED_MIN, RegisterEntry, RegisterFileReceived, Relation,
    Shared, SharedBy, TRADE_PEERS_MAX, TRADE_PEERS_MIN, TagOfEntity, TradeComparison, TradeMeasure,
};
