//! Who trades: a list, one file each, and who may be one with whom.

mod file;
mod list;
mod matches;
mod portrait;
mod register;
mod trade;
mod who;

pub(crate) use file::show;
pub(crate) use list::{group_chip, list, place_of};
pub(crate) use matches::{act, apart, decide_on, list as matches, merge};
pub(crate) use register::{REGISTER_BODY_BYTES_MAX, receive};
