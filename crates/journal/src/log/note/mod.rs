//! Signed notes (C2SP `signed-note`), the keys that sign them, and checkpoints, the notes in which a log says how long
//! it is and what its root is (C2SP `tlog-checkpoint`, `tlog-cosignature`).
//!
//! Everything read here is bounded and comes from strangers: an error names the place, the value and the form it
//! should have.

mod checkpoint;
mod key;
mod signed;

pub(crate) use checkpoint::parse_decimal;
pub use checkpoint::{CHECKPOINT_EXTENSIONS_MAX, Checkpoint, SignedCheckpoint};
pub use key::{KEY_NAME_BYTES_MAX, KeyKind, SigningKey, VerifierKey};
pub(crate) use signed::check_key_name;
pub use signed::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, Note, NoteSignature, Signatory};
