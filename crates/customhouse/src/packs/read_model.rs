//! Which packs there are and which version is in use.

use std::sync::{Arc, PoisonError, RwLockReadGuard};

use packs::{PackEntry, Registry};
use serde::Serialize;
use spine::{LocalizedText, Sensitivity};

use crate::Customhouse;
use crate::identity::Reader;

/// A pack as lists show it.
#[derive(Debug, Clone, Serialize)]
pub struct PackSummary {
    /// Id.
    pub id: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: &'static str,
    /// Title.
    pub title: LocalizedText,
    /// Who answers for it.
    pub owner: String,
    /// Law it rests on.
    pub legal_basis: String,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// SHA-256 of its content.
    pub hash: String,
    /// Compiled in, or installed.
    pub origin: packs::Origin,
    /// State of its approval.
    pub approval: &'static str,
    /// Is it the version in use?
    pub current: bool,
    /// Number of its files.
    pub files: usize,
}

impl From<&PackEntry> for PackSummary {
    fn from(entry: &PackEntry) -> Self {
        let manifest = &entry.pack.manifest;
        Self {
            id: manifest.id.clone(),
            version: manifest.version.to_string(),
            kind: manifest.kind.name(),
            title: manifest.title.clone(),
            owner: manifest.owner.clone(),
            legal_basis: manifest.legal_basis.clone(),
            sensitivity: manifest.sensitivity,
            hash: entry.pack.hash.clone(),
            origin: entry.origin,
            approval: entry.approval.name(),
            current: entry.current,
            files: entry.pack.files.len(),
        }
    }
}

impl Customhouse {
    pub(crate) fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// All packs the reader may see.
    #[must_use]
    pub fn list_packs(&self, reader: &Reader) -> Vec<PackSummary> {
        let clearance = reader.clearance();
        self.registry()
            .list()
            .iter()
            .filter(|entry| entry.pack.manifest.sensitivity <= clearance)
            .map(PackSummary::from)
            .collect()
    }

    /// A copy of the registry as it stands now, for long work.
    pub(crate) fn registry_now(&self) -> Arc<Registry> {
        Arc::new(self.registry().clone())
    }
}
