//! The application: takes a command, loads state, asks, appends events, keeps read models. Knows no HTTP.
//!
//! Each room shows up as a folder of one shape: `commands.rs` changes something, `read_model.rs` answers.

pub mod error;
mod folder;
pub mod identity;

pub use error::{Error, Kind};
pub use folder::{DataFolder, write_whole};

/// Random bytes of the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal("no_random_bytes", &error))?;
    Ok(bytes)
}
