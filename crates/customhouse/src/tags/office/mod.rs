//! Tags of the office's own: written in the browser, tried on history as they are typed, in force once two people say so.
//!
//! | call of [`crate::Customhouse`] | answer |
//! |---|---|
//! | `preview_tag(&reader, &TagDraft) -> TagPreview` | what the condition would have marked, and what became of it |
//! | `propose_tag(&reader, OwnTag) -> TagProposal`, `propose_tag_removal(&reader, id)` | `tag.proposed` |
//! | `approve_tag(&reader, proposal) -> TagProposal` | `tag.approved`, by another person; then in force |
//! | `decline_tag(&reader, proposal, reason)` | `tag.declined` |
//! | `own_tags(&reader) -> OwnTags` | those in force, and what was proposed |
//!
//! What is in force is a pack of the registry, `office-tags`, made anew from the journal: a version for each approval.

mod commands;
mod model;
mod read_model;
#[cfg(test)]
pub(super) mod tests;

pub(crate) use model::PACK;
pub use model::{OwnTag, OwnTags, ProposalState, TagDraft, TagPreview, TagProposal};
