//! The registry as an administration uses it: folders in, packs and findings out.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panicking and say what they skip by printing"
)]

mod built_in;
mod external;
mod registry;
mod support;
