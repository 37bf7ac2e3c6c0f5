//! The pool: batches, the contracts they came in under, rows, quarantine, and where each row came from.

mod batch;
mod list;
mod rows;
mod upload;

pub(crate) use batch::{contract, detail};
pub(crate) use list::{BatchesQuery, list, matching};
pub(crate) use rows::{export, lineage, quarantine, rows};
pub(crate) use upload::{
    UPLOAD_BODY_BYTES_MAX, admit, broken, discard, form, receive, review, small, take_in,
};
