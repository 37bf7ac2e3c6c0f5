//! The audit against known values, planted worlds, worlds without patterns, and records that others made.

mod documents;
mod estimates;
mod null_worlds;
mod planted;
mod published;
mod statistics;
mod world;
