//! Who trades: a list, and one file each.

mod file;
mod list;
mod portrait;

pub(crate) use file::show;
pub(crate) use list::{list, place_of};
