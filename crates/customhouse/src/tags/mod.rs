//! Tags as the application uses them: the catalogue, and why a tag is on a row. Nothing here changes anything.
//!
//! Without a data folder, for whoever holds a registry of packs:
//!
//! | call | answer |
//! |---|---|
//! | `tag_set(&Registry) -> (TagSet, Vec<Finding>)` | the tags in use, compiled, and what is wrong with them |
//! | `catalogue(&Registry, clearance) -> TagCatalogue` | families and tags |
//! | `find_tag(&Registry, clearance, id) -> TagDetail` | one tag with its cases |
//! | `why_in_file(&Registry, &WhyRequest, &dyn Progress) -> Vec<TagReason>` | why a tag is, or is not, on a declaration of a file |
//! | `usual_in_file(declarations, map, folder, &dyn Progress) -> UsualReport` | a pack of what is usual in a file |
//! | `match_file(&Registry, &MatchRequest, &dyn Progress) -> MatchReport` | very many conditions asked of very many entries |
//! | `backfill(&Registry, &BackfillRequest, &dyn Progress) -> BackfillReport` | very many conditions put on files of entries, in a folder that keeps who carries what and where it began |
//! | `select_in_history(folder, condition, ..) -> HistorySelection` | who carries some tags there |
//! | `explain_in_history(&Registry, folder, tag, entity) -> HistoryLineage` | why a tag is on an entity there |
//! | `aggregate_files(&Registry, &AggregateRequest, &dyn Progress) -> AggregateReport` | aggregates over windows of days of anybody's entries |
//!
//! Of [`crate::Customhouse`], for those who may view tags; none shows a tag or a field above the reader's clearance:
//!
//! | call | answer |
//! |---|---|
//! | `tag_catalogue(&reader) -> TagCatalogue`, `tag(&reader, id) -> TagDetail` | the same with installed packs |
//! | `tag_on_real_rows(&reader, id, limit) -> TagRows` | rows of the pool that carry the tag, latest first, with reasons |
//! | `tag_on_row(&reader, id, batch, row) -> TagReason` | why a tag is, or is not, on a row of the pool |
//! | `usual_in_pool(&reader, folder, &dyn Progress) -> UsualReport` | a pack of what is usual in the pool; for who manages packs |
//! | `tag_figures(&reader, &TagFiguresQuery, language) -> TagFiguresPage` | a page of the catalogue with volume and hit rates |
//! | `tag_sources(&reader)`, `tag_dependents(&reader, name)` | what tags rest on, and which rest on one of it |
//! | `count_by_tags`, `select_by_tags`, `export_by_tags(&reader, &TagQuery, ..)` | who carries some tags, live |
//! | `pool_history(&reader) -> PoolHistoryStatus`, `pause_pool_history`, `resume_pool_history` | how far tags have come over the pool |
//! | `tag_in_pool(&reader, id) -> Option<TagInPool>` | one tag on all records of the pool |
//! | `tags_together(&reader, &TagQuery) -> TagGraph` | tags that occur together |
//! | `tag_lineage(&reader, tag, entity) -> TagLineage` | why a tag is on an entity |
//!
//! Tags of the office's own: [`office`].
//!
//! Rows of the pool need the permission to view the pool as well, the last three that to view declarations.

mod aggregating;
mod dependents;
mod figures;
mod history;
mod lineage;
pub(crate) mod live;
mod matching;
mod model;
mod office;
mod query;
mod read_model;
mod reason;
mod rule_file;
#[cfg(test)]
mod tests;
mod usual;

pub use aggregating::{AggregateReport, AggregateRequest, aggregate_files};
pub use dependents::{DependentTag, SourceKind, TagDependents, TagSource, tag_dependents, tag_sources};
pub use figures::{TagFigures, TagFiguresPage, TagFiguresQuery, VOLUME_DAYS};
pub(crate) use history::PoolHistory;
pub use history::{
    BackfillReport, BackfillRequest, CarrierInPool, ENTITIES_LISTED_MAX, ExplainedEntry, HistoryLineage,
    HistorySelection, PoolHistoryStatus, TagInPool, backfill, explain_in_history, select_in_history,
};
pub use lineage::{LineageStep, TagLineage};
pub use matching::{MatchReport, MatchRequest, QuestionableRule, match_file};
pub(crate) use model::{Compiled, TagRoom};
pub use model::{FamilyOfTags, TagCase, TagCatalogue, TagDetail, TagRows, TagSummary, WhyRequest};
pub(crate) use office::PACK as OFFICE_TAGS;
#[cfg(test)]
pub(crate) use office::tests::{Case as HouseWithTags, tag as own_tag};
pub use office::{OwnTag, OwnTags, ProposalState, TagDraft, TagPreview, TagProposal};
#[cfg(test)]
pub(crate) use query::tests::{SEALED, with_sealed_tag};
pub(crate) use query::{Condition, Seen};
pub use query::{
    SelectedEntity, TagCount, TagDifference, TagGraph, TagNamed, TagPair, TagQuery, TagSelection, TagTogether,
};
pub(crate) use read_model::edited_tag_set;
pub use read_model::{catalogue, find_tag, tag_set, why_in_file};
pub use reason::{FieldOfRow, PlaceOfRow, ReasonOfAggregate, TagReason};
pub use usual::{UsualReport, usual_in_file};

pub use ::tags::{Aggregate, Expectation, Measure, TagDefinition, TagSet, TagSeverity};
