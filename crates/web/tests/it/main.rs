//! The pages and the API from outside: who may do what, what no byte may show, what every answer says to the browser.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking, and JSON is looked into by index"
)]

mod access;
mod cases;
mod entities;
mod entry_summaries;
mod flow;
mod hostile;
mod lodging;
mod machines;
mod privacy;
mod public;
mod sensitivity;
mod server;
mod support;
mod tags;
mod trader;
mod webhooks;
