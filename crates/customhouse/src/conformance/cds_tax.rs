//! `cds-tax`: the lines of tax notifications, recomputed from the base and the rate that they state. This is arithmetic
//! and rounding, not proof of a tariff: which rate a line has is taken from the line.

use std::collections::BTreeMap;

use clearance::duty::assessed;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::material::Material;
use super::{Expectation, Expectations, Got, Judged, Skipped};
use crate::error::Error;

const CASES: &str = "cds-wco-dms/expected-tax.json";
/// Half of the last digit of a rate in print.
const HALF_OF_LAST_DIGIT: Decimal = Decimal::from_parts(5, 0, 0, false, 3);

#[derive(Debug, Deserialize)]
struct Notification<L> {
    file: String,
    lines: Vec<L>,
}

/// What a line states before anything is assessed.
#[derive(Debug, Deserialize)]
struct Given {
    #[serde(default)]
    item: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    base: Option<Decimal>,
    #[serde(default)]
    rate: Option<Decimal>,
    #[serde(default)]
    deduct: Option<Decimal>,
}

#[derive(Debug, Deserialize)]
struct Recorded {
    #[serde(flatten)]
    given: Given,
    #[serde(default)]
    assessed: Option<Decimal>,
}

/// Notifications by scenario.
type Scenarios<L> = BTreeMap<String, Vec<Notification<L>>>;

impl Given {
    fn name(&self, file: &str, number: usize) -> String {
        let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        format!("{file}, line {number}: item {}, {}", said(&self.item), said(&self.kind))
    }

    /// What the line assesses at a rate that differs from the stated one by so much.
    fn assessed(&self, differing_by: Decimal) -> Option<Decimal> {
        assessed(self.base?, self.rate?.checked_add(differing_by)?, self.deduct.unwrap_or_default())
    }
}

fn each_line<L>(scenarios: Scenarios<L>, mut take: impl FnMut(&str, usize, L)) {
    for notification in scenarios.into_values().flatten() {
        for (line, number) in notification.lines.into_iter().zip(1..) {
            take(&notification.file, number, line);
        }
    }
}

pub(super) fn judge(material: &Material) -> Result<Judged, Error> {
    let mut judged = Judged::default();
    each_line(material.json::<Scenarios<Given>>(CASES)?, |file, number, line| {
        let case = line.name(file, number);
        match line.assessed(Decimal::ZERO) {
            Some(amount) => {
                judged.cases.insert(case, Got { got: shown(amount), because: None });
            }
            None => judged.skipped.push(Skipped { case, why: "it states no base and rate".to_owned() }),
        }
    });
    Ok(judged)
}

pub(super) fn expect(material: &Material) -> Result<Expectations, Error> {
    let mut expectations = Expectations::new();
    each_line(material.json::<Scenarios<Recorded>>(CASES)?, |file, number, line| {
        expectations.insert(line.given.name(file, number), expectation(&line));
    });
    Ok(expectations)
}

/// Two patterns are no matter of arithmetic: a rate that was rounded in print, and a relief or preference whose
/// deduction is not shown.
fn expectation(line: &Recorded) -> Expectation {
    let Some(amount) = line.assessed else { return Expectation::None("no amount was recorded".to_owned()) };
    let Some(exact) = line.given.assessed(Decimal::ZERO) else {
        return Expectation::None("it states no base and rate".to_owned());
    };
    if amount == exact {
        return Expectation::Verdict(shown(amount));
    }
    if amount.is_zero() && line.given.deduct.unwrap_or_default().is_zero() {
        return Expectation::None("relief or preference without a deduction shown".to_owned());
    }
    let at = |differing_by: Decimal| line.given.assessed(differing_by);
    match (at(-HALF_OF_LAST_DIGIT), at(HALF_OF_LAST_DIGIT)) {
        (Some(least), Some(most)) if least <= amount && amount <= most => Expectation::Explained {
            verdicts: vec![shown(amount), shown(exact)],
            why: format!("{} by a rate that was rounded in print", shown(amount)),
        },
        _ => Expectation::Verdict(shown(amount)),
    }
}

fn shown(amount: Decimal) -> String {
    format!("{amount:.2}")
}
