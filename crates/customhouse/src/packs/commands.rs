//! Installing, approving and withdrawing packs: each an event.

use std::path::Path;
use std::sync::PoisonError;

use packs::{Approval, InstallReport, Pack};
use serde_json::json;

use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::tags::OFFICE_TAGS;
use crate::{Customhouse, Fact};

impl Customhouse {
    /// Installs a pack, or files as others publish them. A refusal is told in the report's findings.
    pub fn install_pack(&self, reader: &Reader, folder: &Path) -> Result<InstallReport, Error> {
        reader.require(Permission::ManagePacks)?;
        let _alone = self.folder.lock_site()?;
        self.read_packs_of_others()?;
        if Pack::read(folder)?.is_ok_and(|pack| pack.manifest.id == OFFICE_TAGS) {
            return Err(Error::new(
                Kind::Refused,
                "pack_reserved",
                format!("the pack {OFFICE_TAGS} is made of the tags that this house's people approved"),
                "Rename the pack in pack.toml.",
            ));
        }
        let report = self.registry.write().unwrap_or_else(PoisonError::into_inner).install(folder)?;
        if let Some((id, version, hash)) = report.installed.as_ref().filter(|_| !report.already_installed) {
            let payload = json!({ "id": id, "version": version, "hash": hash });
            self.record(reader, Fact::new(&format!("pack/{id}"), "pack.installed", payload))?;
        }
        Ok(report)
    }

    /// Approves a pack's content; the second different person makes it approved.
    pub fn approve_pack(&self, reader: &Reader, hash: &str) -> Result<Approval, Error> {
        reader.require(Permission::ManagePacks)?;
        let _alone = self.folder.lock_site()?;
        self.read_packs_of_others()?;
        let approval =
            self.registry.write().unwrap_or_else(PoisonError::into_inner).approve(hash, &reader.id)?;
        self.record(reader, Fact::new(&format!("pack/{hash}"), "pack.approved", json!({ "hash": hash })))?;
        Ok(approval)
    }

    /// Reads the registry again where other processes may have changed it.
    pub(crate) fn read_packs_of_others(&self) -> Result<(), Error> {
        if self.parts.shared {
            let registry = packs::Registry::open(&self.folder.of_site("packs"))?;
            *self.registry.write().unwrap_or_else(PoisonError::into_inner) = registry;
        }
        Ok(())
    }
}
