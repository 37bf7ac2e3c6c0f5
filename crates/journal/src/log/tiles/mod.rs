//! The log's folder in the layout of C2SP `tlog-tiles`: hashes of the tree in tiles of 256, entries in bundles of 256,
//! and the checkpoint. Any static file server can publish it, and any verifier of that standard can check it.
//!
//! Entry *i* is the canonical envelope of the event at position *i* + 1.

mod bundle;
mod carry;
mod edge;
mod path;
mod published;
mod reader;
mod tile;

pub use bundle::{BUNDLE_BYTES_MAX, ENTRY_BYTES_MAX, append_entry, split_bundle};
pub use carry::{TilesCarried, carry_tiles, frontier_of, remove_other_partials};
pub(crate) use edge::Edge;
pub use path::{TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath};
pub use published::Published;
pub use reader::{CHECKPOINT, LogReader, StoredTree, WITNESSED_CHECKPOINT};
pub(crate) use reader::{Overlay, tile_width};
