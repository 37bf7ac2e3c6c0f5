//! What officers find, and what they do not.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use spine::Value;

use crate::draw::{Draw, Name, decimal};
use crate::fraud::{Falsehood, Scheme};
use crate::item::{Row, Truth};
use crate::parameters::InspectionParameters;
use crate::people::Officer;
use crate::trade::{Consignment, Draft};
use crate::world::{Preset, World};

/// What officers look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Examination {
    /// The papers.
    Documents,
    /// The goods.
    Physical,
}

/// How visible a falsehood is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Visibility {
    /// Chance that a perfect officer sees it in the papers.
    documents: f64,
    /// Chance that a perfect officer sees it at the goods.
    physical: f64,
    /// In the null world every officer finds as much.
    skill_matters: bool,
}

impl Visibility {
    /// Nothing is there to be seen.
    const NOTHING: Self = Self { documents: 0.0, physical: 0.0, skill_matters: false };

    pub(crate) fn chance(self, examination: Examination, skill: f64) -> f64 {
        let visible = match examination {
            Examination::Documents => self.documents,
            Examination::Physical => self.physical,
        };
        if self.skill_matters { visible * skill } else { visible }
    }

    fn of(parameters: &InspectionParameters, falsehood: Falsehood) -> Self {
        let chance = |chances: &BTreeMap<Scheme, f64>| {
            let visible = |scheme: Scheme| chances.get(&scheme).copied().unwrap_or(0.0);
            // A shell can be seen by its goods or by itself.
            visible(falsehood.method).max(visible(falsehood.scheme))
        };
        Self {
            documents: chance(&parameters.papers_find),
            physical: chance(&parameters.physical_find),
            skill_matters: true,
        }
    }
}

/// An inspection of one declaration.
#[derive(Debug)]
pub(crate) struct Inspection {
    officer_id: Name,
    pub(crate) inspected_at: DateTime,
    /// The result was never written down.
    unrecorded: bool,
    /// One for each item.
    results: Vec<Finding>,
}

/// What an inspection says about one item.
#[derive(Debug, Clone, Copy, Default)]
struct Finding {
    /// What was found to be false.
    found: Option<Scheme>,
    /// Revenue that came in because of it.
    recovered: Decimal,
}

impl World {
    /// What is false about an item. In the null world that is decided here, by nothing but chance.
    pub(crate) fn falsehood(&self, draw: &mut Draw, draft: &Draft) -> Option<Falsehood> {
        match self.preset {
            Preset::Ordinary => draft.falsehood,
            Preset::Null => {
                let struck = draw.chance(self.parameters.null.irregular);
                let method = draw.one_of(&Scheme::ALL).copied();
                method.filter(|_| struck).map(|method| Falsehood { scheme: method, method })
            }
        }
    }

    pub(crate) fn visibility(&self, falsehood: Option<Falsehood>) -> Visibility {
        match (falsehood, self.preset) {
            (None, _) => Visibility::NOTHING,
            (Some(falsehood), Preset::Ordinary) => Visibility::of(&self.parameters.inspection, falsehood),
            (Some(_), Preset::Null) => {
                let found = self.parameters.null.found;
                Visibility { documents: found, physical: found, skill_matters: false }
            }
        }
    }

    /// Inspects a declaration, and writes into the truth about its items what came of it.
    pub(crate) fn inspect(
        &self,
        draw: &mut Draw,
        consignment: &Consignment,
        examination: Examination,
        truths: &mut [Truth],
    ) -> Option<Inspection> {
        let officer = self.officer(draw, consignment);
        let delay = SignedDuration::from_secs(i64::from(3_600 + draw.below(70 * 3_600)));
        let unrecorded = draw.chance(self.parameters.inspection.unrecorded);
        let results = consignment
            .items
            .iter()
            .zip(truths)
            .map(|(draft, truth)| self.finding(draw, draft, examination, &officer, truth))
            .collect();
        Some(Inspection {
            officer_id: Arc::clone(&officer.id),
            inspected_at: consignment.accepted_at.checked_add(delay).ok()?,
            unrecorded,
            results,
        })
    }

    /// Who inspects: anyone of the office, but a colluding officer takes most of what its declarant declares.
    fn officer(&self, draw: &mut Draw, consignment: &Consignment) -> Arc<Officer> {
        let partner =
            consignment.declarant.officer.as_ref().filter(|officer| {
                self.preset == Preset::Ordinary && officer.office_id == consignment.office.id
            });
        let present = draw.chance(self.parameters.schemes.colluding_presence);
        let drawn = consignment.office.officers.pick(draw);
        Arc::clone(partner.filter(|_| present).unwrap_or(drawn))
    }

    fn finding(
        &self,
        draw: &mut Draw,
        draft: &Draft,
        examination: Examination,
        officer: &Officer,
        truth: &mut Truth,
    ) -> Finding {
        truth.inspected = true;
        let seen = truth.found_by(examination, officer.skill, draw.unit());
        let (parameters, null) = (&self.parameters.inspection, &self.parameters.null);
        let recovered = match self.preset {
            Preset::Ordinary => truth.duty_evaded * decimal(draw.between(parameters.recovered), 4),
            Preset::Null => decimal(draft.declared.value * draw.between(null.recovered), 2),
        };
        truth.covered_up = seen.is_some() && truth.partner.as_ref() == Some(&officer.id);
        let found = seen.filter(|_| !truth.covered_up);
        truth.found = found.is_some();
        Finding { found, recovered: if found.is_some() { recovered.round_dp(2) } else { Decimal::ZERO } }
    }
}

impl Inspection {
    /// Writes down what came of an item.
    pub(crate) fn record(&self, at: usize, row: &mut Row) {
        row.set("inspected", Value::Boolean(true));
        row.set_text("officer_id", &self.officer_id);
        row.set("inspected_at", Value::DateTime(self.inspected_at));
        let Some(finding) = self.results.get(at).filter(|_| !self.unrecorded) else { return };
        row.set("irregular", Value::Boolean(finding.found.is_some()));
        row.set("recovered_revenue", Value::Decimal(finding.recovered));
        if let Some(kind) = finding.found {
            row.set_text("outcome_code", kind.name());
        }
    }
}
