//! The schemes by which declarations are made false, and what each leaves behind in the figures.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::commodities::{Goods, GoodsTable};
use crate::draw::{Choices, Draw};
use crate::parameters::{Origin, Parameters};
use crate::people::{Declarant, Honesty, Importer, Office};

/// Why a declaration is irregular. The first seven are planted fraud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// The declared value is below the true one.
    Undervaluation,
    /// Declared under a neighbouring heading of less duty.
    Misclassification,
    /// Declared as of an origin that enjoys a preference.
    FalseOrigin,
    /// Less mass and quantity declared than there is.
    ShortQuantity,
    /// Other goods hidden among the declared ones.
    Concealment,
    /// An importer that exists for a few weeks, on paper.
    ShellImporter,
    /// A declarant whose officer looks away.
    Collusion,
    /// An honest mistake in the papers.
    Mistake,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Undervaluation,
        Self::Misclassification,
        Self::FalseOrigin,
        Self::ShortQuantity,
        Self::Concealment,
        Self::ShellImporter,
        Self::Collusion,
        Self::Mistake,
    ];

    /// The stable name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Undervaluation => "undervaluation",
            Self::Misclassification => "misclassification",
            Self::FalseOrigin => "false_origin",
            Self::ShortQuantity => "short_quantity",
            Self::Concealment => "concealment",
            Self::ShellImporter => "shell_importer",
            Self::Collusion => "collusion",
            Self::Mistake => "mistake",
        }
    }
}

/// What matters for duty: as things are, or as they are declared.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) goods: Arc<Goods>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) preferential: bool,
    pub(crate) value: f64,
    pub(crate) net_mass: f64,
    pub(crate) gross_mass: f64,
    pub(crate) quantity: Option<f64>,
    /// Value of goods that are not declared at all.
    pub(crate) hidden_value: f64,
}

impl Facts {
    /// Duty rate in percent.
    pub(crate) fn rate(&self, preference_factor: f64) -> f64 {
        if self.preferential { self.goods.duty * preference_factor } else { self.goods.duty }
    }

    /// Duty on the goods, hidden ones at the rate of usual contraband.
    fn duty(&self, preference_factor: f64) -> f64 {
        const CONTRABAND_RATE: f64 = 30.0;
        (self.value * self.rate(preference_factor) + self.hidden_value * CONTRABAND_RATE) / 100.0
    }
}

/// Why something is false and what is false about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Falsehood {
    /// The scheme it belongs to.
    pub(crate) scheme: Scheme,
    /// What is false: for shells and collusion one of the first five, otherwise the scheme itself.
    pub(crate) method: Scheme,
}

/// Who declares what, where.
pub(crate) struct Occasion<'a> {
    pub(crate) importer: &'a Importer,
    pub(crate) declarant: &'a Declarant,
    pub(crate) office: &'a Office,
}

impl Occasion<'_> {
    /// Does an officer of this office look away for this declarant?
    fn covered(&self) -> bool {
        self.declarant.officer.as_ref().is_some_and(|officer| officer.office_id == self.office.id)
    }
}

/// Decides whether an item is made false, and how.
pub(crate) fn temptation(
    draw: &mut Draw,
    parameters: &Parameters,
    table: &GoodsTable,
    occasion: &Occasion<'_>,
    truth: &Facts,
) -> Option<Falsehood> {
    let (honesty, schemes) = (&parameters.honesty, &parameters.schemes);
    let strike = match occasion.importer.honesty {
        Honesty::Honest => honesty.honest_strike,
        Honesty::Careless => honesty.careless_strike,
        Honesty::Dishonest => honesty.dishonest_strike,
        Honesty::Shell => schemes.shell_strike,
        Honesty::Ring => parameters.ring.strike,
    };
    let rate = truth.rate(parameters.trade.preference_factor);
    let tempting = (rate / honesty.duty_of_temptation).clamp(0.25, honesty.temptation_max);
    let helped = if occasion.declarant.helps { honesty.helping_factor } else { 1.0 };
    let by_itself = draw.chance((strike * tempting * helped).min(0.9));
    let under_cover = occasion.covered() && draw.chance(schemes.colluding_strike);
    if !by_itself && !under_cover {
        let mistaken = draw.chance(honesty.mistakes);
        return mistaken.then_some(Falsehood { scheme: Scheme::Mistake, method: Scheme::Mistake });
    }
    let feasible = schemes.weight.iter().filter(|(scheme, _)| possible(**scheme, table, truth));
    let drawn = Choices::new(feasible.map(|(scheme, weight)| (*weight, *scheme)))?;
    let drawn = *drawn.pick(draw);
    let favourite = occasion.importer.favourite.filter(|scheme| possible(*scheme, table, truth));
    let ring = occasion.importer.honesty == Honesty::Ring;
    let method = favourite.filter(|_| ring || draw.chance(honesty.favourite_scheme)).unwrap_or(drawn);
    let scheme = if under_cover {
        Scheme::Collusion
    } else if occasion.importer.honesty.exists_on_paper() {
        Scheme::ShellImporter
    } else {
        method
    };
    Some(Falsehood { scheme, method })
}

fn possible(scheme: Scheme, table: &GoodsTable, truth: &Facts) -> bool {
    match scheme {
        Scheme::Misclassification => twin(table, &truth.goods).is_some(),
        Scheme::FalseOrigin => !truth.preferential && truth.goods.duty > 0.0,
        _ => true,
    }
}

fn twin<'a>(table: &'a GoodsTable, goods: &Goods) -> Option<&'a Arc<Goods>> {
    table.get(goods.twin.as_ref()?)
}

/// What somebody of this honesty declares instead of the truth by a method; what is hidden is added to the truth.
pub(crate) fn falsify(
    draw: &mut Draw,
    parameters: &Parameters,
    table: &GoodsTable,
    (honesty, method): (Honesty, Scheme),
    truth: &mut Facts,
) -> Facts {
    let schemes = &parameters.schemes;
    let mut declared = truth.clone();
    match method {
        Scheme::Undervaluation => {
            let ring = honesty == Honesty::Ring;
            let share = if ring { parameters.ring.undervaluation } else { schemes.undervaluation };
            declared.value *= draw.between(share);
        }
        Scheme::Misclassification => {
            if let Some(twin) = twin(table, &truth.goods) {
                declared.goods = Arc::clone(twin);
                declared.quantity = twin.piece.and(truth.quantity);
            }
        }
        Scheme::FalseOrigin => {
            if let Some(origin) = preferred_origin(draw, parameters, &truth.goods) {
                declared.origin = origin;
                declared.preferential = true;
            }
        }
        Scheme::ShortQuantity => {
            let share = draw.between(schemes.short_quantity);
            declared.value *= share;
            declared.net_mass *= share;
            declared.quantity = declared.quantity.map(|pieces| (pieces * share).round().max(1.0));
            // Who weighs the lorry sees part of it: the gross mass follows only half of the way.
            declared.gross_mass *= f64::midpoint(1.0, share);
        }
        Scheme::Concealment => {
            truth.hidden_value = truth.value * draw.between(schemes.concealed_value);
            declared.gross_mass += declared.net_mass * draw.between(schemes.concealed_mass);
        }
        Scheme::ShellImporter | Scheme::Collusion | Scheme::Mistake => {}
    }
    declared
}

/// A country whose goods enjoy a preference: one that makes such goods, if there is any.
fn preferred_origin(draw: &mut Draw, parameters: &Parameters, goods: &Goods) -> Option<Arc<Origin>> {
    let preferred: Vec<&Arc<Origin>> = parameters.origin.iter().filter(|origin| origin.preference).collect();
    let plausible: Vec<&Arc<Origin>> =
        preferred.iter().filter(|origin| goods.from.contains(&origin.code)).copied().collect();
    let pool = if plausible.is_empty() { preferred } else { plausible };
    draw.one_of(&pool).map(|origin| Arc::clone(origin))
}

/// Duty that the declaration leaves out.
pub(crate) fn evaded(parameters: &Parameters, truth: &Facts, declared: &Facts, dutiable: bool) -> f64 {
    let factor = parameters.trade.preference_factor;
    if dutiable { (truth.duty(factor) - declared.duty(factor)).max(0.0) } else { 0.0 }
}
