//! `cds-lifecycle`: whole lives of declarations. A house of its own takes the trader's messages in order, officers do
//! what came from outside, and what counts is what the trader's software is told.
//!
//! The driver reads the messages and the steps that are given, nothing else. What is expected is read afterwards.

use std::collections::{BTreeMap, BTreeSet};

use clearance::{ResultCode, State};
use serde::Deserialize;

use super::house::{House, Lodged};
use super::material::Material;
use super::public_rules::{holders, known_from_others};
use super::{Expectation, Expectations, Got, Judged, Skipped};
use crate::declarations::CaseAction;
use crate::error::Error;

/// The suite.
pub(super) const NAME: &str = "cds-lifecycle";

const CASES: &str = "cds-wco-dms/lifecycle-classes.json";
const SAMPLES: &str = "cds-wco-dms/samples";
/// Rounds in which officers work off what waits: a bound, far above what any life needs.
const ROUNDS_MAX: usize = 20;

/// What a driver may know of a scenario.
#[derive(Debug, Deserialize)]
struct Given {
    #[serde(default)]
    inputs: Vec<Input>,
    #[serde(default)]
    given: Vec<Step>,
}

/// A message of the trader.
#[derive(Debug, Deserialize)]
struct Input {
    file: String,
    kind: InputKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum InputKind {
    Declaration,
    Amendment,
    Cancellation,
    Presentation,
    Movement,
}

/// What comes from outside and is in no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Arrival,
    Departure,
    Control,
    Documents,
    Query,
    Hold,
    InsufficientFunds,
    GrantRequest,
    ExitConfirmed,
}

/// What was recorded of a scenario.
#[derive(Debug, Deserialize)]
struct Recorded {
    class: Option<String>,
    #[serde(default)]
    judged: bool,
    #[serde(default)]
    why_not: Option<String>,
}

pub(super) fn judge(material: &Material) -> Result<Judged, Error> {
    let scenarios: BTreeMap<String, Given> = material.json(CASES)?;
    let mut judged = Judged::default();
    let holders = holders(material, SAMPLES)?;
    let everybody: BTreeSet<String> = holders.keys().cloned().collect();
    let mut house = House::open(material, &everybody)?;
    judged.lines.extend(house.says().map(str::to_owned));
    for (name, scenario) in scenarios {
        if scenario.inputs.is_empty() {
            judged.skipped.push(Skipped { case: name, why: "it has no messages".to_owned() });
            continue;
        }
        let messages: Vec<(InputKind, Vec<u8>)> = scenario
            .inputs
            .iter()
            .map(|input| Ok((input.kind, material.read(&format!("{SAMPLES}/{}", input.file))?)))
            .collect::<Result<_, Error>>()?;
        let given = &scenario.given;
        // What a scenario itself states never makes it right: where a holder is known from it alone, it lives in a house
        // whose register does not have that holder.
        if let Some(known) = known_from_others(&holders, &name) {
            let mut own = House::open(material, &known)?;
            judged.cases.insert(name, Life::of(&mut own, given).run(messages)?);
            continue;
        }
        // References are a party's own for ever: scenarios that use one twice live in different houses.
        if !house.is_new_to(messages.iter().map(|(_, bytes)| bytes.as_slice())) {
            house = House::open(material, &everybody)?;
        }
        let got = Life::of(&mut house, given).run(messages)?;
        judged.cases.insert(name, got);
    }
    Ok(judged)
}

pub(super) fn expect(material: &Material) -> Result<Expectations, Error> {
    let recorded: BTreeMap<String, Recorded> = material.json(CASES)?;
    let expectations = recorded.into_iter().map(|(name, own)| {
        let expectation = match own.class.filter(|_| own.judged) {
            Some(class) => Expectation::Verdict(class),
            None => Expectation::None(own.why_not.unwrap_or_else(|| "it is not judged".to_owned())),
        };
        (name, expectation)
    });
    Ok(expectations.collect())
}

/// One scenario on its way.
struct Life<'a> {
    house: &'a mut House,
    given: &'a [Step],
    declarations: Vec<Lodged>,
    /// Was the question asked that is given?
    asked: bool,
}

impl<'a> Life<'a> {
    fn of(house: &'a mut House, given: &'a [Step]) -> Self {
        Self { house, given, declarations: Vec::new(), asked: false }
    }

    fn run(mut self, messages: Vec<(InputKind, Vec<u8>)>) -> Result<Got, Error> {
        let mut because = None;
        for (kind, bytes) in messages {
            let answer = if kind == InputKind::Declaration {
                self.house.lodge(&bytes).map(|lodged| self.declarations.push(lodged))
            } else {
                self.house.send(&self.declarations, &bytes)
            };
            // What is refused at the door is part of the life: nothing comes of it.
            because = because.or(answer.err().map(|error| error.to_string()));
            self.officers_work()?;
        }
        if self.has(Step::Arrival) {
            self.everywhere(State::Received, &CaseAction::Present { location: String::new() })?;
            self.officers_work()?;
        }
        if self.has(Step::Departure) {
            self.exports(&CaseAction::Depart { location: String::new() })?;
        }
        if self.has(Step::ExitConfirmed) {
            let office = "unknown".to_owned();
            self.exports(&CaseAction::ConfirmExit { office, code: ResultCode::Conform })?;
        }
        let codes = self.house.told(&self.declarations)?;
        let because = because.or_else(|| (!codes.is_empty()).then(|| codes.join(" ")));
        Ok(Got { got: class(&codes).to_owned(), because })
    }

    fn has(&self, step: Step) -> bool {
        self.given.contains(&step)
    }

    /// The trader, or an officer, does something with every declaration that stands so.
    fn everywhere(&self, state: State, action: &CaseAction) -> Result<(), Error> {
        for own in &self.declarations {
            if self.house.state(own)? == state {
                self.house.act(own, action)?;
            }
        }
        Ok(())
    }

    fn exports(&self, action: &CaseAction) -> Result<(), Error> {
        for own in self.declarations.iter().filter(|own| own.export) {
            if self.house.state(own)? == State::Cleared {
                self.house.act(own, action)?;
            }
        }
        Ok(())
    }

    /// Officers decide what waits for them, until nothing does.
    fn officers_work(&mut self) -> Result<(), Error> {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for at in 0..self.declarations.len() {
                let Some(own) = self.declarations.get(at).cloned() else { continue };
                moved |= self.look_at(&own)?;
            }
            if !moved {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Does what can be done with a declaration now; false is nothing.
    fn look_at(&mut self, own: &Lodged) -> Result<bool, Error> {
        let why = || "As the scenario gives it.".to_owned();
        if self.has(Step::GrantRequest) {
            let case = self.house.case(own)?;
            if case.amendment.is_some() {
                self.house.lead(own, &CaseAction::GrantAmendment { why: why() })?;
                return Ok(true);
            }
            if case.cancel_requested {
                self.house.lead(own, &CaseAction::Cancel { why: why() })?;
                return Ok(true);
            }
        }
        if self.house.state(own)? != State::Held || self.has(Step::Hold) {
            return Ok(false);
        }
        if self.has(Step::InsufficientFunds) {
            self.house.act(own, &CaseAction::ReportInsufficient { note: why() })?;
            return Ok(true);
        }
        self.house.take(own)?;
        if self.has(Step::Documents) {
            self.house.ask_for_documents(own)?;
        }
        if self.has(Step::Query) {
            if !self.asked {
                self.house.act(own, &CaseAction::Ask { text: why() })?;
                self.asked = true;
            }
            return Ok(false);
        }
        if self.has(Step::Control) {
            self.house.act(own, &CaseAction::Escalate { why: why() })?;
            self.house.take(own)?;
        }
        self.house.complete(own)?;
        Ok(true)
    }
}

/// The class of a life: a function of the codes that the trader was told, the first line that applies.
fn class(codes: &[String]) -> &'static str {
    let code = |said: &str| said.split('/').next().unwrap_or_default().to_owned();
    let codes: Vec<String> = codes.iter().map(|said| code(said)).collect();
    let has = |code: &str| codes.iter().any(|own| own == code);
    let followed = codes.windows(2).any(|pair| matches!(pair, [one, next] if one == "11" && next == "03"));
    match () {
        () if has("10") || followed => "cancelled",
        () if has("03") && !has("01") && !has("09") => "rejected",
        () if has("05") => "controlled",
        () if has("06") => "documents",
        () if has("11") => "amended",
        () if has("16") => "exited",
        () if has("09") => "cleared",
        () if has("01") => "held",
        () => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_a_life_is_the_first_that_applies() {
        let check = |codes: &str, expected: &str| {
            let codes: Vec<String> = codes.split_whitespace().map(str::to_owned).collect();
            assert_eq!(class(&codes), expected, "{codes:?}");
        };
        check("02 02 11/39 10 02 01 09 16", "cancelled");
        check("02 11 03", "cancelled");
        check("03", "rejected");
        check("01 03", "held");
        check("01 13/67 05 06 09", "controlled");
        check("01 06 11/39 09", "documents");
        check("02 11/39 01 09", "amended");
        check("02 01 09 16", "exited");
        check("01 13/67 13/4 09", "cleared");
        check("01 13/67 14", "held");
        check("02", "other");
        check("", "other");
    }
}
