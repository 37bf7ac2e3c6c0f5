//! The public rules for suites: with the code lists that lie beside the cases, and with a register of holders of
//! authorisations where the cases themselves are all that is known of it.

use std::collections::{BTreeMap, BTreeSet};

use formats::{XmlBounds, read_xml};
use packs::{NamedLists, Registry};
use spine::Sensitivity;

use super::material::Material;
use crate::error::{Error, Kind};
use crate::precheck::{CheckedFile, Checker};

/// Folder of published code lists, from beside the folder of messages.
pub(super) const CODE_LISTS: &str = "reference/cds-codelists";
/// List of those who hold an authorisation.
const HOLDERS: &str = "authorisation_holders";

/// The published code lists beside the cases, and a line that says whether they are there.
pub(super) fn code_lists(material: &Material) -> Result<(NamedLists, String), Error> {
    let folder = material.beside(CODE_LISTS);
    if !folder.is_dir() {
        let said =
            format!("without code lists (no {}): what only they decide is not asked", folder.display());
        return Ok((NamedLists::new(), said));
    }
    let (pack, findings) =
        packs::load(&folder).map_err(|error| Error::internal("pack_unreadable", &error))?;
    match pack {
        Some(pack) => Ok((pack.lists(), format!("with code lists {}", pack.manifest.version))),
        None => Err(Error::new(
            Kind::Refused,
            "conformance_code_lists_unreadable",
            format!("{} is no folder of code lists", folder.display()),
            "Take the folder as it was published, or remove it.",
        )
        .with_findings(findings)),
    }
}

/// The rules that a trader may know.
pub(super) struct PublicRules {
    checker: Checker,
}

impl PublicRules {
    pub(super) fn with(lists: NamedLists) -> Result<Self, Error> {
        let registry = Registry::built_in();
        let mut all = registry.lists();
        all.extend(lists);
        let checker = Checker::with_lists(&registry, Sensitivity::Public, all)?;
        Ok(Self { checker })
    }

    pub(super) fn check(&self, bytes: &[u8]) -> Result<CheckedFile, Error> {
        self.checker.check(bytes)
    }
}

/// The rules for scenarios of which no register of authorisations was published: a holder is known who holds an
/// authorisation in *another* scenario. What a scenario itself states never makes it right.
pub(super) struct RulesOfOthers {
    lists: NamedLists,
    /// In which scenarios somebody holds an authorisation.
    holders: Holders,
    /// Rules with all holders, for scenarios whose holders are all known from others.
    all: PublicRules,
}

impl RulesOfOthers {
    /// Holders by the declarations of a folder of scenarios: a folder each.
    pub(super) fn of(material: &Material, scenarios: &str) -> Result<(Self, String), Error> {
        let (lists, said) = code_lists(material)?;
        let holders = holders(material, scenarios)?;
        let all = Self::with_holders(&lists, holders.keys().cloned().collect())?;
        Ok((Self { lists, holders, all }, said))
    }

    fn with_holders(lists: &NamedLists, holders: BTreeSet<String>) -> Result<PublicRules, Error> {
        let mut lists = lists.clone();
        lists.insert(HOLDERS.to_owned(), holders);
        PublicRules::with(lists)
    }

    /// Looks at a declaration of a scenario.
    pub(super) fn check(&self, scenario: &str, bytes: &[u8]) -> Result<CheckedFile, Error> {
        match known_from_others(&self.holders, scenario) {
            None => self.all.check(bytes),
            Some(known) => Self::with_holders(&self.lists, known)?.check(bytes),
        }
    }
}

/// Holders of authorisations, and in which scenarios each is one.
pub(super) type Holders = BTreeMap<String, BTreeSet<String>>;

/// Holders by the declarations of a folder of scenarios: a folder each.
pub(super) fn holders(material: &Material, scenarios: &str) -> Result<Holders, Error> {
    let mut holders = Holders::new();
    for path in material.files_below(scenarios, ".xml")? {
        let bytes = material.read(&path)?;
        // What cannot be read tells nothing of authorisations.
        let Ok(document) = read_xml(&bytes, XmlBounds::default()) else { continue };
        let Some(base) = formats::declaration::path_in(&document) else { continue };
        let steps: Vec<&str> = base.iter().copied().chain(["AuthorisationHolder", "ID"]).collect();
        let scenario = scenario_of(scenarios, &path);
        for holder in document.tree.at_path(&steps) {
            let Some(node) = document.tree.node(holder) else { continue };
            holders.entry(node.text.to_string()).or_default().insert(scenario.to_owned());
        }
    }
    Ok(holders)
}

/// The holders that are known from other scenarios than this one. `None`: that is all of them.
pub(super) fn known_from_others(holders: &Holders, scenario: &str) -> Option<BTreeSet<String>> {
    let only_here = |places: &BTreeSet<String>| places.len() == 1 && places.contains(scenario);
    let known = || holders.iter().filter(|(_, places)| !only_here(places));
    holders.values().any(only_here).then(|| known().map(|(holder, _)| holder.clone()).collect())
}

/// The folder of a scenario in a path below the folder of all.
fn scenario_of<'p>(scenarios: &str, path: &'p str) -> &'p str {
    let below = path.strip_prefix(scenarios).unwrap_or(path).trim_start_matches('/');
    below.split('/').next().unwrap_or(below)
}
