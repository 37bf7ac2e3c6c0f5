//! The audit against known values, planted worlds, worlds without patterns, and records that others made.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests fail by panicking, and their numbers are small"
)]

mod documents;
mod estimates;
mod null_worlds;
mod planted;
mod published;
mod statistics;
mod weights;
mod world;
