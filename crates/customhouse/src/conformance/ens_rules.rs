//! `ens-rules`: entry summary declarations and their amendments, against the rules of the pack `ens-entry-summary`, in
//! our own words. What their schema refuses is not asked of any rule.

use std::collections::{BTreeMap, BTreeSet};

use ::rules::RulePack;
use formats::{XmlBounds, read_xml};
use packs::Registry;
use serde::Deserialize;
use spine::Severity;

use super::ens_schema::judge_each;
use super::material::Material;
use super::verdict::VALID;
use super::{Expectation, Expectations, Got, Judged};
use crate::error::Error;
use crate::rules::usable_rules;

const PACK: &str = "ens-entry-summary";
/// Folder of the cases, and the schema of their messages.
const MESSAGES: [(&str, &str); 2] =
    [("ens-ics/ie315-rules", "CC315A-v11-2-New.xsd"), ("ens-ics/ie313-rules", "CC313A-v11-2-New.xsd")];
/// What is said of a message that its schema refuses.
const LEFT_TO_SCHEMA: &str = "refused by the schema";

/// One error that was recorded of a message. One without a code is the schema's.
#[derive(Debug, Deserialize)]
struct Recorded {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    location: String,
}

pub(super) fn judge(material: &Material) -> Result<Judged, Error> {
    let registry = Registry::built_in();
    let pack = registry.get(PACK).ok_or_else(|| Error::internal("pack_unknown", &PACK))?;
    let rules = usable_rules(&registry, &*registry.content(pack)?)?;
    judge_each(material, &MESSAGES, &|by_schema, bytes| {
        if by_schema.got == VALID {
            Got { got: by_rules(&rules, bytes), because: None }
        } else {
            Got { got: LEFT_TO_SCHEMA.to_owned(), ..by_schema }
        }
    })
}

pub(super) fn expect(material: &Material) -> Result<Expectations, Error> {
    let mut expectations = Expectations::new();
    for (folder, _) in MESSAGES {
        let recorded = format!("{folder}/expected.json");
        for (name, errors) in material.json::<BTreeMap<String, Vec<Recorded>>>(&recorded)? {
            let errors: Option<BTreeSet<_>> =
                errors.into_iter().map(|error| Some((error.code?, error.location))).collect();
            let expected = errors.map_or_else(|| LEFT_TO_SCHEMA.to_owned(), |errors| said(&errors));
            expectations.insert(format!("{folder}/{name}"), Expectation::Verdict(expected));
        }
    }
    Ok(expectations)
}

fn by_rules(rules: &[RulePack], bytes: &[u8]) -> String {
    match read_xml(bytes, XmlBounds::default()) {
        Ok(document) => {
            let found = rules.iter().flat_map(|rules| rules.check(&document.tree));
            let errors = found.filter(|found| found.severity == Severity::Error);
            said(&errors.map(|found| (found.code, found.location)).collect())
        }
        Err(finding) => finding.to_string(),
    }
}

/// Codes with their places, in one line; `valid` where there is none.
fn said(errors: &BTreeSet<(String, String)>) -> String {
    if errors.is_empty() {
        return VALID.to_owned();
    }
    let errors: Vec<String> = errors.iter().map(|(code, place)| format!("{code} {place}")).collect();
    errors.join("; ")
}
