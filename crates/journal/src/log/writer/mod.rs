//! Writing the log: what is appended to a journal becomes entries, tiles and, soon after, a signed checkpoint.
//!
//! [`Integrator`] is one step after the other, without thread or clock: a simulation can drive it. [`LogWriter`] runs
//! it on a thread of its own that follows a journal, alone or, by a lease of the journal, in turns with other processes.

mod follow;
mod integrate;
mod padding;
mod shared;

pub use follow::{LogSettings, LogWriter};
pub use integrate::{Entries, Integrator, JournalEntries, LogIdentity, SIGNED};
pub use padding::{PAD_TO_MAX, PADDING, PADDING_STREAM};
