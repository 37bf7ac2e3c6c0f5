//! Which packs there are and which version is in use.

use std::sync::{Arc, PoisonError, RwLockReadGuard};

use packs::{PackEntry, Registry};
use serde::Serialize;
use spine::{LocalizedText, Sensitivity};

use crate::Customhouse;
use crate::error::{Error, Kind};
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

/// A pack with what it says about itself.
#[derive(Debug, Clone, Serialize)]
pub struct PackDetail {
    /// The figures.
    #[serde(flatten)]
    pub summary: PackSummary,
    /// What it is for.
    pub description: LocalizedText,
    /// Licence of its content.
    pub licence: String,
    /// Made from or for simulated records.
    pub simulated: bool,
    /// Packs that it needs, with the lowest version that will do.
    pub depends: Vec<(String, String)>,
    /// Its files with their sizes in bytes. Their texts stay inside: single tags may be more secret than their pack.
    pub contents: Vec<(String, u64)>,
    /// Other versions there are.
    pub versions: Vec<PackSummary>,
}

impl From<&PackEntry> for PackSummary {
    fn from(entry: &PackEntry) -> Self {
        let manifest = entry.manifest();
        Self {
            id: manifest.id.clone(),
            version: manifest.version.to_string(),
            kind: manifest.kind.name(),
            title: manifest.title.clone(),
            owner: manifest.owner.clone(),
            legal_basis: manifest.legal_basis.clone(),
            sensitivity: manifest.sensitivity,
            hash: entry.hash().to_owned(),
            origin: entry.origin,
            approval: entry.approval.name(),
            current: entry.current,
            files: entry.files(),
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
            .filter(|entry| entry.manifest().sensitivity <= clearance)
            .map(PackSummary::from)
            .collect()
    }

    /// The version in use of a pack that the reader may see.
    pub fn find_pack(&self, reader: &Reader, id: &str) -> Result<PackDetail, Error> {
        let versions: Vec<PackSummary> =
            self.list_packs(reader).into_iter().filter(|pack| pack.id == id).collect();
        let registry = self.registry();
        let entry = registry.get(id).filter(|entry| versions.iter().any(|seen| seen.hash == entry.hash()));
        let Some(entry) = entry else {
            return Err(Error::new(
                Kind::NotFound,
                "pack_unknown",
                format!("there is no pack \"{id}\""),
                "Look at the list of packs.",
            ));
        };
        let manifest = entry.manifest();
        let content = registry.content(entry)?;
        let bytes = |content: &Vec<u8>| u64::try_from(content.len()).unwrap_or(u64::MAX);
        Ok(PackDetail {
            summary: entry.into(),
            description: manifest.description.clone(),
            licence: manifest.licence.clone(),
            simulated: manifest.simulated,
            depends: manifest
                .depends
                .iter()
                .map(|other| (other.id.clone(), other.version.to_string()))
                .collect(),
            contents: content.files.iter().map(|(path, content)| (path.clone(), bytes(content))).collect(),
            versions,
        })
    }

    /// A copy of the registry as it stands now, for long work.
    pub(crate) fn registry_now(&self) -> Arc<Registry> {
        Arc::new(self.registry().clone())
    }
}
