//! Erasure: what is recorded of a party, or of one declaration, is destroyed, and the journal still verifies.
//!
//! Two different people are needed. The first orders it and says on what ground; the second names the subject again,
//! without seeing it written anywhere, and thereby has it carried out. Neither event holds the subject in clear: it is
//! known by an HMAC under a key of the data folder (`erasure.key`).
//!
//! | call | event, stream `erasure/ID` | permission |
//! |---|---|---|
//! | `order_erasure(&reader, &ErasureRequest) -> Erasure` | `erasure.ordered` | erase |
//! | `approve_erasure(&reader, id, &Subject, &dyn Progress) -> Erasure`, `start_erasure(&reader, id, Subject) -> Job` | `erasure.approved`, `erasure.done` | erase |
//! | `withdraw_erasure(&reader, id) -> Erasure` | `erasure.withdrawn` | erase |
//! | `erasures(&reader) -> Vec<Erasure>` | | erase, or view the journal |
//! | `reapply_erasures() -> u64` (events erased again) | `erasure.done` | none: the house itself, on opening |
//!
//! What is destroyed: payload and salt of every event that holds the subject's data ([`PERSONAL_KINDS`]) and the blobs
//! that no other event names; drafts and saved views; accounts of the party are closed and lose their names; rows of
//! the pool lose what names people, in new files that a new `batch.admitted` puts in the place of the old ones; read
//! models are built anew and the desk reads the past again.
//!
//! `erasures.json` beside the journal says for every erasure which events it destroyed, by their ids. It names nobody.
//! A backup carries it forward, and what an older backup brings back is destroyed again when the house is opened.

/// Files of the data folder that a restore keeps as they are, whatever older ones the backup holds.
pub const CARRIED_FORWARD: [&str; 2] = ["erasures.json", "erasure.key"];

mod carry_out;
mod commands;
pub(crate) mod model;
mod read_model;
mod record;
mod scan;
mod subject;
#[cfg(test)]
pub(crate) mod tests;

pub use model::{
    Erasure, ErasureCounts, ErasureRequest, ErasureState, PERSONAL_KINDS, PersonalKind, Subject,
};
pub(crate) use record::{ErasedSoFar, erased_so_far};
