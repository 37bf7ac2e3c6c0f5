//! Records and messages as they really come: read, refused with a reason, mended and sent again.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod bad_input;
mod declaration;
mod entry_summary;
mod foreign_headers;
mod guide;
mod laws;
mod mending;
mod message;
mod notification;
mod support;
mod wco;
mod xml;
mod xml_oracle;
