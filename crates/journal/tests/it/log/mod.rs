//! The log: its tree, its files, and what it does when the disk, the journal or somebody lies.

mod aics;
mod crash;
mod faults;
mod files;
mod foreign;
#[cfg(target_os = "linux")]
mod key_change;
mod keys;
mod note;
mod rebuild;
mod sample;
mod simulation;
mod strangers;
mod support;
mod tamper;
mod tiles;
mod tree;
mod turns;
mod witness;
mod writer;
