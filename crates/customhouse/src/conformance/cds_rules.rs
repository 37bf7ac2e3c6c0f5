//! `cds-rules`: the declarations of scenarios whose outcome was published, against the public rules: rejected where an
//! administration rejected, and nowhere else. The register of authorisations is what *other* scenarios state.

use std::collections::BTreeMap;

use serde::Deserialize;
use spine::Severity;

use super::material::Material;
use super::public_rules::RulesOfOthers;
use super::{Expectation, Expectations, Got, Judged, Skipped};
use crate::error::Error;

const SCENARIOS: &str = "cds-wco-dms/lifecycle-classes.json";
const SAMPLES: &str = "cds-wco-dms/samples";
const REJECTED: &str = "rejected";
const NOT_REJECTED: &str = "not rejected";

/// What a scenario gives.
#[derive(Debug, Deserialize)]
struct Given {
    inputs: Vec<Input>,
}

#[derive(Debug, Deserialize)]
struct Input {
    file: String,
    kind: String,
}

/// What became of it.
#[derive(Debug, Deserialize)]
struct Recorded {
    class: String,
    judged: bool,
    #[serde(default)]
    why_not: Option<String>,
}

pub(super) fn judge(material: &Material) -> Result<Judged, Error> {
    let (rules, said) = RulesOfOthers::of(material, SAMPLES)?;
    let mut judged = Judged { lines: vec![said], ..Judged::default() };
    for (scenario, given) in material.json::<BTreeMap<String, Given>>(SCENARIOS)? {
        let mut declarations = 0_usize;
        let mut because = None;
        for input in given.inputs.iter().filter(|input| input.kind == "declaration") {
            declarations = declarations.saturating_add(1);
            let bytes = material.read(&format!("{SAMPLES}/{}", input.file))?;
            let file = rules.check(&scenario, &bytes)?;
            let error = file.findings.iter().find(|own| own.finding.severity == Severity::Error);
            because = because.or_else(|| error.map(|own| format!("{}: {}", input.file, own.finding)));
        }
        if declarations == 0 {
            judged
                .skipped
                .push(Skipped { case: scenario, why: "no declaration among its messages".to_owned() });
            continue;
        }
        let got = if because.is_some() { REJECTED } else { NOT_REJECTED };
        judged.cases.insert(scenario, Got { got: got.to_owned(), because });
    }
    Ok(judged)
}

pub(super) fn expect(material: &Material) -> Result<Expectations, Error> {
    let recorded = material.json::<BTreeMap<String, Recorded>>(SCENARIOS)?;
    let expectation = |recorded: Recorded| match (recorded.judged, recorded.class.as_str()) {
        (false, _) => Expectation::None(recorded.why_not.unwrap_or_else(|| "not judged".to_owned())),
        (true, REJECTED) => Expectation::Verdict(REJECTED.to_owned()),
        (true, _) => Expectation::Verdict(NOT_REJECTED.to_owned()),
    };
    Ok(recorded.into_iter().map(|(scenario, recorded)| (scenario, expectation(recorded))).collect())
}
