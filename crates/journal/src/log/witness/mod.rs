//! Witnessing: this node cosigns the checkpoints of other logs, and asks others to cosign its own (C2SP
//! `tlog-witness`, `tlog-cosignature`). A log that shows one history to some and another to others then has to find
//! a witness for each.
//!
//! There is no HTTP here: a caller carries the bytes of a request to [`Witness::add_checkpoint`] and its answer back.

mod evidence;
mod policy;
mod request;
mod state;

pub use evidence::SplitView;
pub use policy::{Policy, Verdict};
pub use request::{AddCheckpoint, Carried, REQUEST_BYTES_MAX, Response, WitnessAnswer, ask_witness};
pub use state::{EVIDENCE_MAX, Witness, WitnessedLog};
