//! Questions of the live matrix: who carries which tags, together with what, since when, and the difference between two
//! days. For those who may view tags and declarations; a tag above their clearance does not exist, in no count either.

mod chosen;
mod condition;
mod model;
mod read_model;
#[cfg(test)]
pub(super) mod tests;
mod together;

pub(crate) use condition::{Condition, Seen};
pub use model::{
    SelectedEntity, TagCount, TagDifference, TagGraph, TagNamed, TagPair, TagQuery, TagSelection, TagTogether,
};
