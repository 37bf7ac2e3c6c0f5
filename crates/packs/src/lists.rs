//! Named code lists: what rules and tags mean by `value in name`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use spine::{Finding, LocalizedText, Pointer};

use crate::content::{Pack, text_of};
use crate::external;
use crate::manifest::{PackKind, line_at, toml_finding};

/// Values by the list's name.
pub type NamedLists = BTreeMap<String, BTreeSet<String>>;

/// One list as an author writes it: `[[list]]` in any `.toml` file of a pack of kind `lists`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListDefinition {
    /// Name used in rules and tags: small letters, digits and underscores.
    pub id: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Where its values come from, in words: convention, annex, study.
    pub source: String,
    /// What kind of values: `hs_chapter`, `hs_heading`, `hs_subheading`, `country`, `code`, `word`.
    pub of: String,
    /// The values.
    pub values: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListFile {
    #[serde(default)]
    list: Vec<ListDefinition>,
}

impl Pack {
    /// The lists an author wrote into this pack, with what is wrong with them. Empty for other kinds.
    #[must_use]
    pub fn list_definitions(&self) -> (Vec<ListDefinition>, Vec<Finding>) {
        let (mut definitions, mut findings) = (Vec::new(), Vec::new());
        if self.manifest.kind != PackKind::Lists || self.manifest.external.is_some() {
            return (definitions, findings);
        }
        let mut seen = BTreeSet::new();
        for (path, bytes) in self.files_with_extension("toml") {
            let text = match text_of(path, bytes) {
                Ok(text) => text,
                Err(finding) => {
                    findings.push(finding);
                    continue;
                }
            };
            match toml::from_str::<ListFile>(text) {
                Ok(file) => {
                    for list in file.list {
                        findings.extend(list_findings(path, text, &list, &mut seen));
                        definitions.push(list);
                    }
                }
                Err(error) => findings.push(toml_finding(path, text, &error)),
            }
        }
        (definitions, findings)
    }

    /// The named lists this pack offers; of packs made from what others publish too.
    #[must_use]
    pub fn lists(&self) -> NamedLists {
        self.lists_of(None)
    }

    /// The same, with those that depend on the day that is asked about, such as the authorisations in force.
    pub(crate) fn lists_of(&self, day: Option<Date>) -> NamedLists {
        if let Some(form) = self.manifest.external {
            return external::lists(form, &self.files, day);
        }
        let (definitions, _) = self.list_definitions();
        definitions.into_iter().map(|list| (list.id, list.values)).collect()
    }
}

impl Pack {
    /// The English texts that an administration publishes for the codes of a list, such as `error_codes`, by code.
    #[must_use]
    pub fn code_texts(&self, list: &str) -> BTreeMap<String, String> {
        let external = self.manifest.external;
        external.map_or_else(BTreeMap::new, |form| external::code_texts(form, &self.files, list))
    }
}

fn list_findings(path: &str, text: &str, list: &ListDefinition, seen: &mut BTreeSet<String>) -> Vec<Finding> {
    let line = text.find(&format!("\"{}\"", list.id)).map_or(1, |at| line_at(text, at));
    let place = Pointer(format!("{path}:{line}/{}", list.id));
    let mut findings = Vec::new();
    let id_well_formed = !list.id.is_empty()
        && list.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !id_well_formed {
        findings.push(
            Finding::error("list_id_malformed")
                .at(place.clone())
                .found(&list.id)
                .expected("small letters, digits and underscores")
                .fix("Rename the list, and its name in the rules and tags that use it."),
        );
    }
    if !seen.insert(list.id.clone()) {
        findings.push(
            Finding::error("list_twice")
                .at(place.clone())
                .found(&list.id)
                .expected("each list once in a pack")
                .fix("Rename or merge the second list."),
        );
    }
    if list.values.is_empty() {
        findings.push(
            Finding::error("list_empty")
                .at(place.clone())
                .expected("at least one value")
                .fix("Add the values, or remove the list."),
        );
    }
    let digits = match list.of.as_str() {
        "hs_chapter" => Some(2),
        "hs_heading" => Some(4),
        "hs_subheading" => Some(6),
        _ => None,
    };
    for value in &list.values {
        let well_formed = match (digits, list.of.as_str()) {
            (Some(digits), _) => value.len() == digits && spine::identifier::HsCode::new(value).is_ok(),
            (None, "country") => {
                spine::identifier::CountryCode::new(value).is_ok_and(|code| code.as_str() == value)
            }
            _ => !value.trim().is_empty(),
        };
        if !well_formed {
            findings.push(
                Finding::error("list_value_malformed")
                    .at(place.clone())
                    .found(value)
                    .expected(format!("a value of the kind \"{}\"", list.of))
                    .fix("Correct or remove the value."),
            );
        }
    }
    findings
}
