//! What a house keeps of the rules and schemas that its packs hold: compiled once, and anew only when a pack changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use formats::declaration::{Form, Understood, read};
use packs::{PackKind, Registry};
use spine::Sensitivity;

use super::{CheckedBy, Checker, Lodged};
use crate::Customhouse;

/// What is said where no installed schema was applied.
pub const SCHEMA_NOT_APPLIED: &str = "schema_not_applied";

/// A checker for each clearance, with the content hashes of the packs that it was made of.
#[derive(Debug, Default)]
pub(crate) struct Checkers {
    kept: Mutex<BTreeMap<Sensitivity, Kept>>,
}

#[derive(Debug)]
struct Kept {
    packs: Vec<String>,
    checker: Arc<Checker>,
}

impl Checkers {
    /// The checker for the packs in use. Packs that cannot be used are left out: a mistake in one must not keep a
    /// house from taking declarations, and whoever looks at the pack is told.
    pub(crate) fn of(&self, registry: &Registry, clearance: Sensitivity) -> Arc<Checker> {
        let used = || {
            registry.current().filter(|pack| {
                matches!(pack.manifest.kind, PackKind::Rules | PackKind::Lists | PackKind::Schemas)
            })
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = kept.get(&clearance)
            && own.packs.iter().eq(used().map(|pack| &pack.hash))
        {
            return Arc::clone(&own.checker);
        }
        let (checker, refused) = Checker::usable(registry, clearance, packs::NamedLists::new());
        for error in refused {
            tracing::error!(code = error.code, "rules are left out: {error}");
        }
        let checker = Arc::new(checker);
        let packs = used().map(|pack| pack.hash.clone()).collect();
        kept.insert(clearance, Kept { packs, checker: Arc::clone(&checker) });
        checker
    }
}

/// The schema of a receipt: the pack and its version, or that none was applied.
pub(crate) fn schema_named(schema: Option<&CheckedBy>) -> String {
    schema.map_or_else(|| SCHEMA_NOT_APPLIED.to_owned(), |by| format!("{} {}", by.pack, by.version))
}

impl Customhouse {
    /// The checker of this house for somebody who may know so much.
    pub(crate) fn checker(&self, clearance: Sensitivity) -> Arc<Checker> {
        self.checkers.of(&self.registry(), clearance)
    }

    /// A declaration that is lodged, with all that the public says of it: its structure, the installed schema and the
    /// public rules. Rules that a trader may not know are silent here; their time is selection.
    pub(crate) fn understand(&self, bytes: &[u8], form: Form) -> Lodged {
        let checker = self.checker(Sensitivity::Public);
        checker.understand(bytes, form).unwrap_or_else(|error| {
            // A schema that cannot be used is the house's mistake, not the trader's.
            tracing::error!(code = error.code, "an installed schema is not applied: {error}");
            let understood: Understood = read(bytes, form);
            Lodged { understood, schema: None }
        })
    }
}
