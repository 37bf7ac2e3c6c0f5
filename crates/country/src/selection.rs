//! How the administration chose what to inspect: its rules, good and bad, and a random share of everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::draw::{Draw, Name};
use crate::parameters::{Parameters, Rule};
use crate::people::People;
use crate::trade::{Consignment, Draft};

/// Where a declaration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Released.
    Green,
    /// Released, audited later.
    Blue,
    /// Papers examined.
    Yellow,
    /// Goods examined.
    Red,
}

impl Lane {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// The answer to one declaration.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) lane: Lane,
    /// The first rule whose draw fell, or the random share.
    pub(crate) reason: Option<String>,
    /// Chance that this declaration is inspected, over everything that could select it.
    pub(crate) probability: f64,
}

/// What the rules have on their lists.
#[derive(Debug)]
pub(crate) struct WatchLists {
    countries: BTreeSet<Name>,
    declarants: BTreeSet<Name>,
}

impl WatchLists {
    /// Half of the watched declarants deserve it; the countries are drawn at random.
    pub(crate) fn draw(parameters: &Parameters, people: &People, seed: u64) -> Self {
        let mut draw = Draw::new(seed, 1);
        let selection = &parameters.selection;
        let mut countries = BTreeSet::new();
        for _ in 0..selection.watched_countries {
            countries.extend(draw.one_of(&parameters.origin).map(|origin| Arc::clone(&origin.code)));
        }
        let helpers: Vec<_> = people.declarants.iter().filter(|declarant| declarant.helps).collect();
        let honest: Vec<_> = people.declarants.iter().filter(|declarant| !declarant.helps).collect();
        let mut declarants = BTreeSet::new();
        for turn in 0..selection.watched_declarants {
            let pool = if turn % 2 == 0 { &helpers } else { &honest };
            declarants.extend(draw.one_of(pool).map(|declarant| Arc::clone(&declarant.id)));
        }
        Self { countries, declarants }
    }
}

/// Selects a declaration, or not.
pub(crate) fn select(
    draw: &mut Draw,
    parameters: &Parameters,
    lists: &WatchLists,
    consignment: &Consignment,
) -> Selection {
    let selection = &parameters.selection;
    let trust = if consignment.importer.trusted { selection.trusted_factor } else { 1.0 };
    let mut escapes = 1.0 - selection.random;
    let mut chosen: Option<(String, f64)> = None;
    for rule in &selection.rules {
        if !matches(rule.id, parameters, lists, consignment) {
            continue;
        }
        let chance = rule.draw * trust;
        escapes *= 1.0 - chance;
        if draw.chance(chance) && chosen.is_none() {
            chosen = Some((format!("{:?} {}", rule.id, rule.title), rule.red));
        }
    }
    if draw.chance(selection.random) && chosen.is_none() {
        chosen = Some(("random".to_owned(), selection.random_red));
    }
    let red = draw.unit();
    let lane = match &chosen {
        Some((_, share)) if red < *share => Lane::Red,
        Some(_) => Lane::Yellow,
        None if draw.chance(selection.post_clearance) => Lane::Blue,
        None => Lane::Green,
    };
    Selection { lane, reason: chosen.map(|(reason, _)| reason), probability: 1.0 - escapes }
}

fn matches(rule: Rule, parameters: &Parameters, lists: &WatchLists, consignment: &Consignment) -> bool {
    let selection = &parameters.selection;
    let any = |test: &dyn Fn(&Draft) -> bool| consignment.items.iter().any(test);
    let price_to_usual =
        |item: &Draft| item.declared.value / item.declared.net_mass / item.declared.goods.price;
    let low_price = |item: &Draft| price_to_usual(item) < selection.low_price;
    match rule {
        Rule::R01 => any(&|item| {
            let rate = item.declared.rate(parameters.trade.preference_factor);
            rate >= selection.high_price_duty && low_price(item)
        }),
        Rule::R02 => {
            let age = consignment.day - consignment.importer.first_day;
            age < selection.new_importer_days
        }
        Rule::R03 => any(&|item| {
            let packing = item.declared.gross_mass / item.declared.net_mass - 1.0;
            packing > item.declared.goods.tare + selection.gross_gap
        }),
        Rule::R04 => any(&|item| lists.countries.contains(&item.departure)),
        Rule::R05 => {
            let total: f64 = consignment.items.iter().map(|item| item.declared.value).sum();
            total > selection.large_value
        }
        Rule::R06 => any(&|item| item.declared.preferential && item.departure != item.declared.origin.code),
        Rule::R07 => lists.declarants.contains(&consignment.declarant.id),
        Rule::R08 => any(&|item| {
            let mass = item.declared.net_mass / item.packages;
            mass > item.declared.goods.package * selection.heavy_package
        }),
        Rule::R09 => {
            any(&|item| matches!(item.declared.goods.chapter(), "61" | "62" | "64") && low_price(item))
        }
        Rule::R10 => any(&|item| item.declared.value % 1_000.0 == 0.0),
    }
}
