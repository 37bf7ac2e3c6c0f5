//! `ens-rules`: entry summary declarations and their amendments, against the rules of the pack `ens-entry-summary`, in
//! our own words. What their schema refuses is not asked of any rule.

use std::collections::{BTreeMap, BTreeSet};

use ::rules::RulePack;
use formats::{XmlBounds, read_xml};
use packs::Registry;
use serde::Deserialize;
use spine::Severity;
use xsd::Entry;

use super::material::Material;
use super::verdict::{VALID, valid_or_refused};
use super::{Expectation, Expectations, Got, Judged};
use crate::error::{Error, Kind};
use crate::rules::compile_pack;

const PACK: &str = "ens-entry-summary";
const SCHEMAS: &str = "ens-ics/xsd";
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
    let rules = rules()?;
    let files = material.schemas(SCHEMAS)?;
    let mut judged = Judged::default();
    for (folder, entry) in MESSAGES {
        let schema = material.schema(&files, entry)?;
        for name in material.names(folder, ".xml")? {
            let case = format!("{folder}/{name}");
            let bytes = material.read(&case)?;
            let by_schema = valid_or_refused(&schema, &bytes, Entry::Root);
            let got = if by_schema.got == VALID {
                Got { got: by_rules(&rules, &bytes), because: None }
            } else {
                Got { got: LEFT_TO_SCHEMA.to_owned(), ..by_schema }
            };
            judged.cases.insert(case, got);
        }
    }
    Ok(judged)
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

fn rules() -> Result<Vec<RulePack>, Error> {
    let registry = Registry::built_in();
    let pack = registry.get(PACK).ok_or_else(|| Error::internal("pack_unknown", &PACK))?;
    let (rules, broken) = compile_pack(&registry, &pack.pack);
    if broken.is_empty() {
        return Ok(rules);
    }
    let refused = Error::new(
        Kind::Refused,
        "pack_refused",
        format!("the pack \"{PACK}\" has rules that cannot be used"),
        "Correct what the findings name, or use an earlier version of the pack.",
    );
    Err(refused.with_findings(broken))
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
