//! What changed in rules, lists, plans and the API: public, to be subscribed to.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `changes(limit) -> Vec<Change>` | the latest first; of what is not public nothing but that a policy changed | none |
//! | `note_api(&str) -> bool` | records `api.changed` if the API's document is another one than last time | none: the house itself |

mod commands;
mod read_model;
#[cfg(test)]
mod tests;

pub use read_model::{Change, ChangeKind};
