//! The registry of knowledge: rules, tags, plans, models, parameters, lists, texts and schemas as *packs*.
//!
//! A pack is a folder with a `pack.toml` and content files. Its identity is its content: the SHA-256 over the
//! sorted list of (path, SHA-256 of the file), the same on every machine. What the repository ships is compiled in
//! ([`Registry::built_in`]); what an administration installs lies in its data folder ([`Registry::open`]). Approval
//! is a fact about a content hash and stands outside the content. `packs/README.md` is the format for authors.

mod check;
mod content;
mod diff;
mod durable;
mod external;
mod folder;
mod lists;
mod manifest;
mod registry;

pub use check::{check, check_pack, load};
pub use content::{Limits, Pack, PackError};
pub use diff::{Change, DefinitionChange, FieldChange, FileChange, PackDiff, diff};
pub use lists::{ListDefinition, NamedLists};
pub use manifest::{Dependency, ExternalForm, Manifest, PackKind, Version};
pub use registry::{Approval, InstallReport, Offer, Origin, PackEntry, Registry};
