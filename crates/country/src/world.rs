//! The country itself, and its declared items one after the other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::{Date, Weekday};
use spine::{EntryTable, Value, declaration_entry};

use crate::commodities::{GoodsTable, goods_table};
use crate::draw::{Choices, Draw, Name, decimal};
use crate::error::CountryError;
use crate::fraud::{Falsehood, evaded};
use crate::inspection::{Finding, Inspection};
use crate::item::{Item, Truth};
use crate::parameters::Parameters;
use crate::people::People;
use crate::selection::{Lane, Selection, WatchLists, select};
use crate::trade::{Consignment, Draft, Yard};

/// More declared items than this are refused: the numbers of declarations have seven digits a year.
pub const ITEMS_MAX: u64 = 10_000_000;

/// Which world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Planted fraud of seven kinds.
    Ordinary,
    /// Irregularities strike at random, on any item alike, found by any officer alike: no rule can be better than
    /// chance.
    Null,
}

/// What is asked of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The same seed gives the same items.
    pub seed: u64,
    /// Declared items, at most [`ITEMS_MAX`].
    pub items: u64,
    /// Which world.
    pub preset: Preset,
}

/// A settled country.
#[derive(Debug)]
pub struct World {
    pub(crate) parameters: Parameters,
    pub(crate) goods: GoodsTable,
    pub(crate) people: People,
    pub(crate) procedures: Choices<Name>,
    pub(crate) payments: Choices<Name>,
    pub(crate) preset: Preset,
    lists: WatchLists,
    settings: Settings,
}

impl World {
    /// Settles a country.
    pub fn new(settings: Settings) -> Result<Self, CountryError> {
        if settings.items > ITEMS_MAX {
            return Err(CountryError::TooMany { asked: settings.items, max: ITEMS_MAX });
        }
        let parameters = Parameters::built_in()?;
        let goods = goods_table()?;
        let people = People::settle(&parameters, &goods, settings.seed, settings.items)?;
        let lists = WatchLists::draw(&parameters, &people, settings.seed);
        let choices = |what: &'static str, weighted: &[(Name, f64)]| {
            Choices::new(weighted.iter().map(|(code, weight)| (*weight, Arc::clone(code))))
                .ok_or_else(|| CountryError::Parameters { file: "world.toml", reason: format!("no {what}") })
        };
        let procedures = choices("procedures", &parameters.trade.procedures)?;
        let payments = choices("payments", &parameters.trade.payments)?;
        Ok(Self { procedures, payments, preset: settings.preset, parameters, goods, people, lists, settings })
    }

    /// All declared items, by day.
    #[must_use]
    pub fn items(&self) -> Items<'_> {
        let days = &self.parameters.time;
        let weights: Vec<f64> = (0..days.days).map(|day| self.day_weight(day)).collect();
        Items {
            world: self,
            draw: Draw::new(self.settings.seed, 2),
            yard: Yard::default(),
            total_weight: weights.iter().sum(),
            weights,
            weight_passed: 0.0,
            day: 0,
            left: self.settings.items,
            sequence: 0,
            ready: VecDeque::new(),
        }
    }

    /// All declared items with their outcomes, as one table of the schema [`declaration_entry`].
    #[must_use]
    pub fn table(&self) -> EntryTable {
        let schema = declaration_entry::schema();
        let mut table = EntryTable::empty(Arc::clone(&schema));
        for item in self.items() {
            // Values are of the schema's types: a test pushes every field of a whole world.
            let _ = table.push(item.values(&schema));
        }
        table
    }

    fn date(&self, day: u32) -> Option<Date> {
        self.parameters.time.first_day.checked_add(SignedDuration::from_hours(24 * i64::from(day))).ok()
    }

    fn day_weight(&self, day: u32) -> f64 {
        let time = &self.parameters.time;
        let at_rest =
            self.date(day).is_some_and(|date| matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday));
        let growth = 1.0 + time.growth * f64::from(day) / f64::from(time.days);
        if at_rest { time.weekend * growth } else { growth }
    }

    fn fields_of_declaration(
        &self,
        consignment: &Consignment,
        selection: &Selection,
        declaration_id: &str,
    ) -> BTreeMap<&'static str, Value> {
        let text = |text: &str| Value::Text(text.to_owned());
        let trade = &self.parameters.trade;
        let mut fields = BTreeMap::from([
            ("declaration_id", text(declaration_id)),
            ("date", Value::Date(consignment.date)),
            ("accepted_at", Value::DateTime(consignment.accepted_at)),
            ("office_id", text(&consignment.office.id)),
            ("procedure_code", text(&consignment.procedure)),
            ("process_type", text(if consignment.simplified { "simplified" } else { "standard" })),
            ("import_use", text(if consignment.importer.own_use { "own use" } else { "resale" })),
            ("payment_type", text(&consignment.payment)),
            ("transport_mode", text(consignment.mode.code())),
            ("declarant_id", text(&consignment.declarant.id)),
            ("importer_id", text(&consignment.importer.id)),
            ("exporter_id", text(&consignment.exporter_id)),
            ("carrier_id", text(&consignment.carrier_id)),
            ("currency", text(&trade.currency)),
            ("trusted_trader", Value::Boolean(consignment.importer.trusted)),
            ("lane", text(selection.lane.name())),
            ("selection_probability", Value::Decimal(decimal(selection.probability, 6))),
            ("simulated", Value::Boolean(true)),
        ]);
        fields.extend(selection.reason.as_deref().map(|reason| ("selection_reason", text(reason))));
        fields.extend(consignment.container.as_deref().map(|number| ("container_id", text(number))));
        fields
    }
}

/// Fields of one item.
fn fields_of_item(draft: &Draft, preference_factor: f64) -> BTreeMap<&'static str, Value> {
    let declared = &draft.declared;
    let text = |text: &str| Value::Text(text.to_owned());
    let number = |number: f64, places: u32| Value::Decimal(decimal(number, places));
    let mass_places = if declared.net_mass >= 10.0 { 1 } else { 3 };
    let mut fields = BTreeMap::from([
        ("commodity_code", text(&declared.goods.code)),
        ("goods_description", text(&draft.words)),
        ("departure_country", text(&draft.departure)),
        ("origin_country", text(&declared.origin.code)),
        ("preference_code", text(if declared.preferential { "300" } else { "100" })),
        ("tax_rate", number(declared.rate(preference_factor), 2)),
        ("tax_type", text(if declared.preferential { "preferential" } else { "ordinary" })),
        ("net_mass", number(declared.net_mass, mass_places)),
        ("gross_mass", number(declared.gross_mass, mass_places)),
        ("packages", number(draft.packages, 0)),
        ("customs_value", number(declared.value, 2)),
        ("origin_marking", text(if draft.marked { "marked" } else { "none" })),
    ]);
    fields.extend(declared.quantity.map(|pieces| ("quantity", number(pieces, 0))));
    fields
}

/// The declared items of a country, in the order of their acceptance.
#[derive(Debug)]
pub struct Items<'a> {
    world: &'a World,
    draw: Draw,
    yard: Yard,
    weights: Vec<f64>,
    total_weight: f64,
    weight_passed: f64,
    day: u32,
    left: u64,
    sequence: u64,
    ready: VecDeque<Item>,
}

impl<'a> Items<'a> {
    /// Items that should have come in by the end of the current day are still missing?
    fn day_goes_on(&self) -> bool {
        let asked = f64::from(u32::try_from(self.world.settings.items).unwrap_or(u32::MAX));
        let left = f64::from(u32::try_from(self.left).unwrap_or(u32::MAX));
        asked - left < asked * self.weight_passed / self.total_weight
    }

    /// Moves to the day on which the next declaration is accepted.
    fn current_day(&mut self) -> u32 {
        while !self.day_goes_on() {
            let Some(weight) = usize::try_from(self.day).ok().and_then(|day| self.weights.get(day)) else {
                break;
            };
            self.weight_passed += weight;
            self.day = self.day.saturating_add(1);
        }
        self.day.saturating_sub(1)
    }

    fn declare(&mut self) -> Option<()> {
        let world = self.world;
        let day = self.current_day();
        let date = world.date(day)?;
        let consignment = world.consignment(&mut self.draw, &mut self.yard, i64::from(day), date)?;
        let selection = select(&mut self.draw, &world.parameters, &world.lists, &consignment);
        self.sequence = self.sequence.saturating_add(1);
        let declaration_id = format!("{}{}{:07}", date.year(), consignment.office.id, self.sequence);
        let falsehoods: Vec<Option<Falsehood>> =
            consignment.items.iter().map(|draft| world.falsehood(&mut self.draw, draft)).collect();
        let looked_at = matches!(selection.lane, Lane::Yellow | Lane::Red);
        let inspection = if looked_at {
            Some(world.inspect(&mut self.draw, &consignment, selection.lane, &falsehoods)?)
        } else {
            None
        };
        let mut shared = world.fields_of_declaration(&consignment, &selection, &declaration_id);
        let released_at = self.released_at(&consignment, inspection.as_ref())?;
        shared.insert("released_at", Value::DateTime(released_at));
        let missing = self.missing_fields();
        for (at, (draft, falsehood)) in consignment.items.iter().zip(&falsehoods).enumerate() {
            let mut fields = shared.clone();
            fields.extend(fields_of_item(draft, world.parameters.trade.preference_factor));
            let number = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
            fields.insert("item_number", Value::Decimal(number.into()));
            let finding = inspection.as_ref().and_then(|inspection| inspection.results.get(at)).copied();
            fields.extend(fields_of_outcome(inspection.as_ref(), finding));
            for field in &missing {
                fields.remove(*field);
            }
            let truth = self.truth(&consignment, draft, *falsehood, finding);
            self.ready.push_back(Item { fields, truth });
        }
        Some(())
    }

    /// Fields that this declaration's record happens to lack.
    fn missing_fields(&mut self) -> Vec<&'a str> {
        let world = self.world;
        let missing = world.parameters.missing.iter();
        missing.filter(|(_, share)| self.draw.chance(**share)).map(|(field, _)| field.as_str()).collect()
    }

    fn released_at(
        &mut self,
        consignment: &Consignment,
        inspection: Option<&Inspection>,
    ) -> Option<jiff::civil::DateTime> {
        let (from, seconds) = match inspection {
            Some(inspection) => (inspection.inspected_at, 3_600 + self.draw.below(48 * 3_600)),
            None => (consignment.accepted_at, 120 + self.draw.below(4 * 3_600)),
        };
        from.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok()
    }

    fn truth(
        &self,
        consignment: &Consignment,
        draft: &Draft,
        falsehood: Option<Falsehood>,
        finding: Option<Finding>,
    ) -> Truth {
        let parameters = &self.world.parameters;
        let dutiable = consignment.procedure == parameters.trade.dutiable_procedure;
        Truth {
            scheme: falsehood.map(|falsehood| falsehood.scheme),
            method: falsehood.map(|falsehood| falsehood.method),
            commodity_code: Arc::clone(&draft.truth.goods.code),
            origin_country: Arc::clone(&draft.truth.origin.code),
            value: decimal(draft.truth.value, 2),
            net_mass: decimal(draft.truth.net_mass, 3),
            duty_evaded: decimal(evaded(parameters, &draft.truth, &draft.declared, dutiable), 2),
            inspected: finding.is_some(),
            found: finding.is_some_and(|finding| finding.found.is_some()),
            covered_up: finding.is_some_and(|finding| finding.covered_up),
        }
    }
}

fn fields_of_outcome(
    inspection: Option<&Inspection>,
    finding: Option<Finding>,
) -> BTreeMap<&'static str, Value> {
    let (Some(inspection), Some(finding)) = (inspection, finding) else {
        return BTreeMap::from([("inspected", Value::Boolean(false))]);
    };
    let mut fields = BTreeMap::from([
        ("inspected", Value::Boolean(true)),
        ("officer_id", Value::Text(inspection.officer_id.to_string())),
        ("inspected_at", Value::DateTime(inspection.inspected_at)),
    ]);
    if !finding.unrecorded {
        fields.insert("irregular", Value::Boolean(finding.found.is_some()));
        fields.insert("recovered_revenue", Value::Decimal(decimal(finding.recovered, 2)));
        fields.extend(finding.found.map(|kind| ("outcome_code", Value::Text(kind.name().to_owned()))));
    }
    fields
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        self.left = self.left.checked_sub(1)?;
        if self.ready.is_empty() {
            self.declare()?;
        }
        self.ready.pop_front()
    }
}
