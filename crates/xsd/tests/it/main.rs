//! Schemas compiled and messages judged: by construct, by mistake, and against a slow matcher.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod constructs;
mod laws;
mod messages;
mod schemas;
mod support;
mod values;
