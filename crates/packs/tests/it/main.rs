//! The registry as an administration uses it: folders in, packs and findings out.

mod built_in;
mod external;
mod registry;
mod support;
