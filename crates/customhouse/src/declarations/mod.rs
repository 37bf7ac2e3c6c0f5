//! Declarations: from the bytes that come in to the release of the goods.
//!
//! Commands of [`crate::Customhouse`]; each change is one or more events of the stream `declaration/MRN`:
//!
//! | call | permission |
//! |---|---|
//! | `lodge(&reader, LodgeRequest) -> Receipt` | lodge; answers when lane and all before it are durable |
//! | `lodge_then(&reader, LodgeRequest, reply)`; refuses at once with `Kind::Busy` when too many wait | lodge |
//! | `receive_message(&reader, bytes) -> Received`: amendment, cancellation, presentation, arrival, departure | lodge |
//! | `act(&reader, mrn, version, &CaseAction) -> u64` (position); a version that moved on is `Kind::Conflict` | examine, lead, or lodge, by action |
//! | `keep_document(&reader, bytes, media_type) -> BlobReference` | examine or lodge |
//! | `run_timers() -> usize`: what is due by the house's clock | none: the house itself |
//! | `check_declaration(&reader, bytes, form) -> Vec<Finding>`: nothing is recorded | lodge |
//! | `save_draft(&reader, id or "", fields) -> Draft`, `discard_draft(&reader, id)` | lodge |
//! | `save_view(&reader, name, query)`, `forget_view(&reader, name)` | view declarations |
//!
//! Queries:
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `find_declarations(&reader, &DeclarationsQuery) -> DeclarationsPage` | a page, latest first | view declarations |
//! | `export_declarations(&reader, &DeclarationsQuery, &mut dyn Write) -> u64` | all of it as CSV | view declarations |
//! | `case(&reader, mrn) -> CaseFile` | one, with everything the reader may see | view declarations |
//! | `case_document(&reader, mrn, sha256) -> CaseDocument` | a photo or document of it | view declarations |
//! | `original(&reader, mrn) -> (String, Vec<u8>)` | media type and the bytes as they came | view declarations, or its own |
//! | `own_declarations(&reader, q, page) -> (Vec<OwnRow>, u64)` | a trader's own | view own |
//! | `own_declaration(&reader, mrn) -> OwnDeclaration` | one of the trader's own | view own |
//! | `queue(&reader, &QueueQuery) -> QueuePage` | work that waits | examine |
//! | `drafts(&reader) -> Vec<Draft>`, `draft(&reader, id) -> Draft` | | lodge |
//! | `views(&reader) -> Vec<SavedView>` | | view declarations |
//! | `offices() -> Vec<String>` | offices seen so far | none |
//!
//! Nothing above the reader's clearance is in any answer, and a trader gets `declaration_unknown` for what is not
//! theirs, exactly as for what does not exist.

mod amendment;
pub(crate) mod assess;
mod clerk;
mod commands;
mod content;
mod desk;
pub(crate) mod event;
#[cfg(test)]
mod life_tests;
mod lodging;
pub(crate) mod messages;
mod model;
mod number;
mod papers;
pub(crate) mod past;
mod personal;
mod read_model;
mod reception;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod trader;
mod trial;
mod turn;
mod wanted;
mod words;

pub(crate) use commands::fold;
pub(crate) use desk::{Desk, Parts, WAITING_MAX};
pub(crate) use number::entry_number;
pub(crate) use personal::Personal;
pub(crate) use read_model::{csv_cell, row as declaration_row};
pub(crate) use timeline::visible_values;

pub use commands::{DOCUMENT_BYTES_MAX, LODGE_BYTES_MAX};
pub use desk::Reply;

pub use model::{
    CaseDocument, CaseFile, Channel, ControlOnCase, DecisionShown, DeclarationRow, DeclarationsPage,
    DeclarationsQuery, Draft, Erased, HitRate, LodgeRequest, MessageAnswer, OpinionOnCase, Original,
    OwnDeclaration, OwnRow, Progress, QueuePage, QueueQuery, QueueTask, Receipt, Received, SavedView,
    TagOnCase, TimelineStep,
};

pub use wanted::{CaseAction, SentDocument};

pub use ::clearance::{
    Action, ControlKind, ControlResult, ItemFinding, LookFor, ResultCode, State, TRANSITIONS, Transition,
    When,
};
pub use ::selection::{Arm, Made};
pub use formats::declaration::Form;
pub use spine::declaration::Declaration;
pub use spine::noun::Lane;
