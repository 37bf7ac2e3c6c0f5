//! `cds-xsd`: declarations and notifications in WCO DMS XML, against the schemas that their administration publishes.

use std::collections::BTreeMap;

use serde::Deserialize;
use xsd::{AssumedNamespaces, Entry};

use super::material::Material;
use super::verdict::{NOT_WELL_FORMED, verdict, word};
use super::{Expectation, Expectations, Judged, Skipped};
use crate::error::Error;

const CASES: &str = "cds-xsd-expected.json";
const SCHEMAS: &str = "cds-wco-dms/xsd";
const ENVELOPE: &str = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2";

/// Notifications as they are published leave their namespaces out.
const BARE: AssumedNamespaces<'static> = &[
    ("MetaData", ENVELOPE),
    ("Response", "urn:wco:datamodel:WCO:RES-DMS:2"),
    ("DateTimeString", "urn:wco:datamodel:WCO:Response_DS:DMS:2"),
];

/// What is known of a case before it is judged.
#[derive(Debug, Deserialize)]
struct Given {
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Recorded {
    kind: String,
    #[serde(default)]
    xsd_valid: Option<bool>,
}

pub(super) fn judge(material: &Material) -> Result<Judged, Error> {
    let files = material.schemas(SCHEMAS)?;
    let declarations = material.schema(&files, "driver-declaration.xsd")?;
    let notifications = material.schema(&files, "driver-notification.xsd")?;
    // Declarations may come in a wrapper; the envelope within it is the message.
    let envelope = Entry::Element { namespace: ENVELOPE, name: "MetaData" };
    let mut judged = Judged::default();
    for (case, given) in material.json::<BTreeMap<String, Given>>(CASES)? {
        let got = match given.kind.as_str() {
            "declaration" | "malformed" => verdict(&declarations, &material.read(&case)?, envelope, &[]),
            "response-bare" => verdict(&notifications, &material.read(&case)?, envelope, BARE),
            "response-namespaced" => verdict(&notifications, &material.read(&case)?, envelope, &[]),
            kind => {
                judged.skipped.push(Skipped { case, why: format!("not judged: {kind}") });
                continue;
            }
        };
        judged.cases.insert(case, got);
    }
    Ok(judged)
}

pub(super) fn expect(material: &Material) -> Result<Expectations, Error> {
    let recorded = material.json::<BTreeMap<String, Recorded>>(CASES)?;
    let expectation = |recorded: Recorded| match (recorded.kind.as_str(), recorded.xsd_valid) {
        ("malformed", _) => Expectation::Verdict(NOT_WELL_FORMED.to_owned()),
        (_, Some(valid)) => Expectation::Verdict(word(valid)),
        (kind, None) => Expectation::None(format!("no verdict was recorded: {kind}")),
    };
    Ok(recorded.into_iter().map(|(case, recorded)| (case, expectation(recorded))).collect())
}
