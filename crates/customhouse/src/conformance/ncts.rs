//! `ncts`: messages of the transit system, each against the schema of its kind.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use xsd::{Entry, Schema};

use super::material::Material;
use super::verdict::{valid_or_refused, word};
use super::{Expectation, Expectations, Judged};
use crate::error::Error;

const CASES: &str = "ncts5/expected.json";

/// What is known of a case before it is judged.
#[derive(Debug, Deserialize)]
struct Given {
    xsd: String,
}

#[derive(Debug, Deserialize)]
struct Recorded {
    xsd_valid: Option<bool>,
}

pub(super) fn judge(material: &Material) -> Result<Judged, Error> {
    let files = material.schemas("ncts5/xsd")?;
    let mut schemas: HashMap<String, Schema> = HashMap::new();
    let mut judged = Judged::default();
    for (case, given) in material.json::<BTreeMap<String, Given>>(CASES)? {
        let bytes = material.read(&format!("ncts5/samples/{case}"))?;
        if !schemas.contains_key(&given.xsd) {
            schemas.insert(given.xsd.clone(), material.schema(&files, &given.xsd)?);
        }
        if let Some(schema) = schemas.get(&given.xsd) {
            judged.cases.insert(case, valid_or_refused(schema, &bytes, Entry::Root));
        }
    }
    Ok(judged)
}

pub(super) fn expect(material: &Material) -> Result<Expectations, Error> {
    let recorded = material.json::<BTreeMap<String, Recorded>>(CASES)?;
    let expectation = |recorded: Recorded| match recorded.xsd_valid {
        Some(valid) => Expectation::Verdict(word(valid)),
        None => Expectation::None("no verdict was recorded".to_owned()),
    };
    Ok(recorded.into_iter().map(|(case, recorded)| (case, expectation(recorded))).collect())
}
