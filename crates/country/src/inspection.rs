//! What officers find, and what they do not.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::DateTime;

use crate::draw::{Draw, Name};
use crate::fraud::{Falsehood, Scheme, evaded};
use crate::people::Officer;
use crate::selection::Lane;
use crate::trade::{Consignment, Draft};
use crate::world::{Preset, World};

/// An inspection of one declaration.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub(crate) officer_id: Name,
    pub(crate) inspected_at: DateTime,
    /// One for each item.
    pub(crate) results: Vec<Finding>,
}

/// What an inspection says about one item.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Finding {
    /// What was found to be false.
    pub(crate) found: Option<Scheme>,
    /// Revenue that came in because of it.
    pub(crate) recovered: f64,
    /// The officer saw it and said nothing.
    pub(crate) covered_up: bool,
    /// The result was never written down.
    pub(crate) unrecorded: bool,
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

    /// Inspects a declaration whose items are false in these ways.
    pub(crate) fn inspect(
        &self,
        draw: &mut Draw,
        consignment: &Consignment,
        lane: Lane,
        falsehoods: &[Option<Falsehood>],
    ) -> Option<Inspection> {
        let officer = self.officer(draw, consignment);
        let looks_away =
            consignment.declarant.officer.as_ref().is_some_and(|partner| partner.id == officer.id);
        let delay = SignedDuration::from_secs(i64::from(3_600 + draw.below(70 * 3_600)));
        let unrecorded = draw.chance(self.parameters.inspection.unrecorded);
        let results = consignment
            .items
            .iter()
            .zip(falsehoods)
            .map(|(draft, falsehood)| {
                let result = match (self.preset, falsehood) {
                    (_, None) => Finding::default(),
                    (Preset::Null, Some(falsehood)) => self.null_finding(draw, draft, *falsehood),
                    (Preset::Ordinary, Some(falsehood)) => {
                        self.finding(draw, consignment, draft, *falsehood, lane, &officer, looks_away)
                    }
                };
                Finding { unrecorded, ..result }
            })
            .collect();
        Some(Inspection {
            officer_id: Arc::clone(&officer.id),
            inspected_at: consignment.accepted_at.checked_add(delay).ok()?,
            results,
        })
    }

    /// Who inspects: anyone of the office, but a colluding officer takes most of what its declarant declares.
    fn officer(&self, draw: &mut Draw, consignment: &Consignment) -> Arc<Officer> {
        let partner = consignment
            .declarant
            .officer
            .as_ref()
            .filter(|officer| self.preset == Preset::Ordinary && officer.office == consignment.office.id);
        let present = draw.chance(self.parameters.schemes.colluding_presence);
        let drawn = consignment.office.officers.pick(draw);
        Arc::clone(partner.filter(|_| present).unwrap_or(drawn))
    }

    #[expect(clippy::too_many_arguments, reason = "one finding depends on all of them, and on nothing else")]
    fn finding(
        &self,
        draw: &mut Draw,
        consignment: &Consignment,
        draft: &Draft,
        falsehood: Falsehood,
        lane: Lane,
        officer: &Officer,
        looks_away: bool,
    ) -> Finding {
        let parameters = &self.parameters.inspection;
        let chances = if lane == Lane::Red { &parameters.physical_find } else { &parameters.papers_find };
        let visible = |scheme: Scheme| chances.get(&scheme).copied().unwrap_or(0.0);
        // A shell can be seen by its goods or by itself.
        let chance = visible(falsehood.method).max(visible(falsehood.scheme));
        let seen = draw.chance(chance * officer.skill);
        let share = draw.between(parameters.recovered);
        if !seen || looks_away {
            return Finding { covered_up: looks_away, ..Finding::default() };
        }
        let dutiable = consignment.procedure == self.parameters.trade.dutiable_procedure;
        let left_out = evaded(&self.parameters, &draft.truth, &draft.declared, dutiable);
        let found =
            if falsehood.scheme == Scheme::ShellImporter { falsehood.scheme } else { falsehood.method };
        Finding { found: Some(found), recovered: left_out * share, ..Finding::default() }
    }

    fn null_finding(&self, draw: &mut Draw, draft: &Draft, falsehood: Falsehood) -> Finding {
        let parameters = &self.parameters.null;
        let share = draw.between(parameters.recovered);
        if draw.chance(parameters.found) {
            let recovered = draft.declared.value * share;
            Finding { found: Some(falsehood.method), recovered, ..Finding::default() }
        } else {
            Finding::default()
        }
    }
}
