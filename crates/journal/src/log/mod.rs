//! The transparency log: a journal whose past nobody can rewrite unseen, not even who runs it.
//!
//! Every event is a leaf of a Merkle tree ([`tree`]); tree and entries stand as static files in the layout that
//! foreign verifiers read ([`tiles`]); a signed checkpoint ([`note`]) says soon after every append how long the log
//! is and what its root is ([`writer`]). Others remember these checkpoints ([`witness`]), so that a log cannot show
//! two histories. Anybody can check one event offline ([`proof`]) or the whole ([`verify`]); what is damaged is made
//! anew from the journal ([`rebuild`]).
//!
//! Leaves hold salted commitments, never payloads: a payload can be erased while the log stays verifiable.
//!
//! Standards, all from c2sp.org: `tlog-tiles`, `tlog-checkpoint`, `signed-note`, `tlog-cosignature`, `tlog-witness`,
//! `tlog-policy`, `tlog-proof`; the tree is that of RFC 6962.

mod error;
pub mod files;
pub mod keys;
pub mod note;
pub mod proof;
pub mod rebuild;
pub mod simulation;
pub mod tiles;
pub mod tree;
pub mod verify;
pub mod witness;
pub mod writer;

pub use error::LogError;
pub use files::{DiskFiles, Files};
pub use keys::{KeyChange, KeyFile, KeyHistory};
pub use note::{Checkpoint, KeyKind, Note, SignedCheckpoint, SigningKey, VerifierKey};
pub use proof::LogProof;
pub use tiles::LogReader;
pub use verify::{Against, LogFinding, LogReport, published, verify_checkpoint, verify_log};
pub use witness::{Policy, Witness};
pub use writer::{Integrator, JournalEntries, LogIdentity, LogSettings, LogWriter};
