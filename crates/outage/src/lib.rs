//! Losses of power, for the tests of other rooms.
//!
//! `kill -9` does not show what a loss of power leaves, for the system keeps what a dead process wrote. So programs run
//! under a [`Recorder`] that writes down what they do to their files and what they say; carried out on a
//! [`FaultyDisk`](journal::log::files::FaultyDisk), the [`Recording`] becomes the disk as it may stand when the power
//! fails at any point ([`Recording::losses`]): what was flushed, and of the rest whatever the seed says. The real code
//! opens each of these.
//!
//! Linux only. SQLite's `-shm` files are left out: they are indexes that are built anew.

mod recorder;
mod recording;

pub use recorder::Recorder;
pub use recording::{Loss, Losses, Recording};
