//! Tags as their authors and their users see them: packs in; marked rows, reasons and findings out.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod bad_packs;
mod buckets;
mod built_in;
mod constants;
mod docs;
mod entities;
mod history;
mod kin;
mod laws;
mod little_country;
mod matcher;
mod matrix;
mod online;
mod subjects;
mod support;
mod usual;
mod warning;
