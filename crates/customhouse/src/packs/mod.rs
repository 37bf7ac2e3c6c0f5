//! Packs as the application uses them.

mod commands;
mod read_model;

pub use read_model::{PackDetail, PackSummary};

pub use ::packs::{
    Approval, InstallReport, Manifest, Origin, Pack, PackDiff, PackEntry, PackKind, Registry, diff,
};
