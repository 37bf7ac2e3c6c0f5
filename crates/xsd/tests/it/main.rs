//! Schemas compiled and messages judged: by construct, by mistake, and against a slow matcher.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod constructs;
mod laws;
mod messages;
mod schemas;
mod support;
mod values;
