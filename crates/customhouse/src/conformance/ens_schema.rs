//! `ens-schema`: entry summary declarations and their amendments, against their schemas alone.

use std::collections::BTreeMap;

use serde_json::Value;
use xsd::Entry;

use super::material::Material;
use super::verdict::{valid_or_refused, word};
use super::{Expectation, Expectations, Got, Judged};
use crate::error::Error;

const SCHEMAS: &str = "ens-ics/xsd";

/// Folder of the cases, and the schema they are held against.
const MESSAGES: [(&str, &str); 2] =
    [("ens-ics/ie315-schema", "CC315A-v11-2-New.xsd"), ("ens-ics/ie313-schema", "CC313A-v11-2-New.xsd")];

pub(super) fn judge(material: &Material) -> Result<Judged, Error> {
    judge_each(material, &MESSAGES, &|by_schema, _| by_schema)
}

/// Holds each message of some folders against its schema; `say` is what comes of that and of its bytes.
pub(super) fn judge_each(
    material: &Material,
    folders: &[(&str, &str)],
    say: &dyn Fn(Got, &[u8]) -> Got,
) -> Result<Judged, Error> {
    let files = material.schemas(SCHEMAS)?;
    let mut judged = Judged::default();
    for (folder, entry) in folders {
        let schema = material.schema(&files, entry)?;
        for name in material.names(folder, ".xml")? {
            let case = format!("{folder}/{name}");
            let bytes = material.read(&case)?;
            let got = say(valid_or_refused(&schema, &bytes, Entry::Root), &bytes);
            judged.cases.insert(case, got);
        }
    }
    Ok(judged)
}

/// Each message has a list of what was found in it; an empty one is a valid message.
pub(super) fn expect(material: &Material) -> Result<Expectations, Error> {
    let mut expectations = Expectations::new();
    for (folder, _) in MESSAGES {
        for (name, found) in
            material.json::<BTreeMap<String, Vec<Value>>>(&format!("{folder}/expected.json"))?
        {
            expectations.insert(format!("{folder}/{name}"), Expectation::Verdict(word(found.is_empty())));
        }
    }
    Ok(expectations)
}
