//! What a house keeps of the rules and schemas that its packs hold: compiled once, and anew only when a pack changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use formats::declaration::{Form, Understood, read};
use jiff::civil::Date;
use packs::{PackKind, Registry};
use spine::Sensitivity;

use super::schemas::Schemas;
use super::{CheckedBy, Checker, Lodged};
use crate::Customhouse;
use crate::civil_time::civil;

/// What is said where no installed schema was applied.
pub const SCHEMA_NOT_APPLIED: &str = "schema_not_applied";

/// A checker for each clearance, with the day and the content hashes of the packs that it was made of.
#[derive(Debug, Default)]
pub(crate) struct Checkers {
    kept: Mutex<BTreeMap<Sensitivity, Kept>>,
}

#[derive(Debug)]
struct Kept {
    day: Date,
    packs: Vec<String>,
    checker: Arc<Checker>,
}

impl Checkers {
    /// The checker for the packs in use and declarations of a day. Packs that cannot be used are left out: a mistake in one must not keep a
    /// house from taking declarations, and whoever looks at the pack is told.
    pub(crate) fn of(&self, registry: &Registry, clearance: Sensitivity, day: Date) -> Arc<Checker> {
        let used = || {
            registry.current().filter(|pack| {
                matches!(pack.manifest.kind, PackKind::Rules | PackKind::Lists | PackKind::Schemas)
            })
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let same = kept.get(&clearance).filter(|own| own.packs.iter().eq(used().map(|pack| &pack.hash)));
        if let Some(own) = same.filter(|own| own.day == day) {
            return Arc::clone(&own.checker);
        }
        // Schemas do not change from day to day, and compiling them takes long.
        let schemas = same.map(|own| Arc::clone(&own.checker.schemas));
        let schemas = schemas.unwrap_or_else(|| Arc::new(Schemas::of(registry)));
        let (checker, refused) = Checker::usable(registry, clearance, registry.lists_on(day), schemas);
        for error in refused {
            tracing::error!(code = error.code, "rules are left out: {error}");
        }
        let checker = Arc::new(checker);
        let packs = used().map(|pack| pack.hash.clone()).collect();
        kept.insert(clearance, Kept { day, packs, checker: Arc::clone(&checker) });
        checker
    }
}

/// The schema of a receipt: the pack and its version, or that none was applied.
pub(crate) fn schema_named(schema: Option<&CheckedBy>) -> String {
    schema.map_or_else(|| SCHEMA_NOT_APPLIED.to_owned(), |by| format!("{} {}", by.pack, by.version))
}

impl Customhouse {
    /// The checker of this house for somebody who may know so much, for declarations of today.
    pub(crate) fn checker(&self, clearance: Sensitivity) -> Arc<Checker> {
        self.checkers.of(&self.registry(), clearance, civil(self.now()).date())
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
