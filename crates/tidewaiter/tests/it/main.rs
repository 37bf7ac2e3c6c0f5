//! The binary as people use it: commands with their answers, exit codes, messages and files.

mod audit;
mod bad_input;
mod data_folder;
mod offline;
mod reference;
mod server;
mod support;
