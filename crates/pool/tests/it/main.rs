//! The pool's promises: nothing is lost in Parquet, nothing is half there, bad input is a finding.

mod catalogue;
mod entries;
mod folder;
mod foreign_parquet;
mod quarantine;
mod support;
