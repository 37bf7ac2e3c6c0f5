//! The list of declarations: found, ordered, exported, and kept as views.

mod ask;
mod export;
mod list;
mod views;

pub(crate) use export::{csv, export};
pub(crate) use list::{amount, clock, in_few_columns, list, outcome_chip, state_chip};
pub(crate) use views::{forget, save};
