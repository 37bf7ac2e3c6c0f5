//! The country's declarations, one after the other.

use std::sync::Arc;
use std::vec::IntoIter;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use spine::Value;

use crate::draw::{Draw, decimal};
use crate::fraud::{Falsehood, evaded};
use crate::inspection::Examination;
use crate::item::{DeclaredConsignment, Item, Row, Truth};
use crate::selection::{Lane, Selection, select};
use crate::trade::{Consignment, Draft, Yard};
use crate::world::{Preset, World};

/// Streams of chance of one seed; 0 and 1 settle people and watch lists.
const HISTORY_STREAM: u64 = 2;
const LIVING_STREAM: u64 = 3;

/// Offices are open from seven in the morning for twelve hours.
const OPENS_SECONDS: u32 = 7 * 3_600;
const OPEN_SECONDS: u32 = 12 * 3_600;

/// The declarations of a country, in the order of their acceptance: a history that ends, or a life that does not.
#[derive(Debug)]
pub struct Declarations<'a> {
    world: &'a World,
    draw: Draw,
    yard: Yard,
    /// The day on which the declarations of `times` come in, counted from the first of the history.
    day: u32,
    next_day: u32,
    /// When the declarations of the day come in: seconds since midnight.
    times: IntoIter<u32>,
    /// Weight of a day on which one declaration comes in.
    weight_of_one: f64,
    /// Weight of the days that have passed; with it, as many declarations as are due by now.
    weight_passed: f64,
    number: u64,
    /// Number of the last declaration of all.
    last: u64,
}

impl<'a> Declarations<'a> {
    pub(crate) fn history(world: &'a World) -> Self {
        let last = world.settings.declarations;
        Self::begin(world, HISTORY_STREAM, 0, last)
    }

    pub(crate) fn living(world: &'a World) -> Self {
        let number = world.settings.declarations;
        let weight_of_one = Self::weight_of_one(world);
        Self {
            number,
            next_day: world.parameters.time.days,
            weight_passed: count(number) * weight_of_one,
            ..Self::begin(world, LIVING_STREAM, number, u64::MAX)
        }
    }

    fn begin(world: &'a World, stream: u64, number: u64, last: u64) -> Self {
        Self {
            world,
            draw: Draw::new(world.settings.seed, stream),
            yard: Yard::default(),
            day: 0,
            next_day: 0,
            times: Vec::new().into_iter(),
            weight_of_one: Self::weight_of_one(world),
            weight_passed: 0.0,
            number,
            last,
        }
    }

    /// A country whose history is empty lives as if it had had one declaration.
    fn weight_of_one(world: &World) -> f64 {
        let total: f64 = (0..world.parameters.time.days).map(|day| world.day_weight(day)).sum();
        total / count(world.settings.declarations.max(1))
    }

    /// When the next declaration comes in: day and seconds since midnight. `None`: calendars end.
    fn next_time(&mut self) -> Option<(u32, u32)> {
        loop {
            if let Some(seconds) = self.times.next() {
                return Some((self.day, seconds));
            }
            self.day = self.next_day;
            self.next_day = self.day.checked_add(1)?;
            self.world.date(i64::from(self.day))?;
            self.weight_passed += self.world.day_weight(self.day);
            let last_of_history = self.next_day == self.world.parameters.time.days;
            let mut times = Vec::new();
            let mut number = self.number;
            // What rounding would leave over on the last day comes in on that day.
            while number < self.last
                && (last_of_history
                    || count(number.saturating_add(1)) * self.weight_of_one <= self.weight_passed)
            {
                times.push(OPENS_SECONDS + self.draw.below(OPEN_SECONDS));
                number = number.saturating_add(1);
            }
            times.sort_unstable();
            self.times = times.into_iter();
        }
    }

    fn declare(&mut self, day: u32, seconds: u32) -> Option<DeclaredConsignment> {
        let world = self.world;
        let accepted_at = world.date(i64::from(day))?.at(0, 0, 0, 0).checked_add(span(seconds)).ok()?;
        let consignment = world.consignment(&mut self.draw, &mut self.yard, i64::from(day), accepted_at)?;
        let selection = select(&mut self.draw, &world.parameters, &world.lists, &consignment);
        let number = self.number;
        let year = accepted_at.date().year();
        let declaration_id = format!("{year}{}{number:07}", consignment.office.id);
        let mut truths: Vec<Truth> =
            consignment.items.iter().map(|draft| self.truth(&consignment, draft)).collect();
        let examination = match selection.lane {
            Lane::Green | Lane::Blue => None,
            Lane::Yellow => Some(Examination::Documents),
            Lane::Red => Some(Examination::Physical),
        };
        let inspection = match examination {
            Some(examination) => {
                Some(world.inspect(&mut self.draw, &consignment, examination, &mut truths)?)
            }
            None => None,
        };
        let mut shared = world.row_of_declaration(&consignment, &selection, &declaration_id);
        let (from, seconds) = match &inspection {
            Some(inspection) => (inspection.inspected_at, 3_600 + self.draw.below(48 * 3_600)),
            None => (accepted_at, 120 + self.draw.below(4 * 3_600)),
        };
        shared.set("released_at", Value::DateTime(from.checked_add(span(seconds)).ok()?));
        let missing = self.missing_fields();
        let items = consignment.items.iter().zip(truths).zip(1_u32..).enumerate().map(
            |(at, ((draft, truth), item_number))| {
                let mut row = shared.clone();
                row.set("item_number", Value::Decimal(item_number.into()));
                describe(draft, world.parameters.trade.preference_factor, &mut row);
                if let Some(inspection) = &inspection {
                    inspection.record(at, &mut row);
                }
                for field in &missing {
                    row.remove(field);
                }
                Item { row, truth }
            },
        );
        Some(DeclaredConsignment { number, accepted_at, items: items.collect() })
    }

    /// Fields that this declaration's record happens to lack.
    fn missing_fields(&mut self) -> Vec<&'a str> {
        let missing = self.world.parameters.missing.iter();
        missing.filter(|(_, share)| self.draw.chance(**share)).map(|(field, _)| field.as_str()).collect()
    }

    /// The truth about an item before anyone has looked at it.
    fn truth(&mut self, consignment: &Consignment, draft: &Draft) -> Truth {
        let world = self.world;
        let parameters = &world.parameters;
        let dutiable = consignment.procedure == parameters.trade.dutiable_procedure;
        let falsehood: Option<Falsehood> = world.falsehood(&mut self.draw, draft);
        let partner = consignment.declarant.officer.as_ref();
        Truth {
            scheme: falsehood.map(|falsehood| falsehood.scheme),
            method: falsehood.map(|falsehood| falsehood.method),
            commodity_code: Arc::clone(&draft.truth.goods.code),
            origin_country: Arc::clone(&draft.truth.origin.code),
            value: decimal(draft.truth.value, 2),
            net_mass: decimal(draft.truth.net_mass, 3),
            duty_evaded: decimal(evaded(parameters, &draft.truth, &draft.declared, dutiable), 2),
            partner: partner
                .filter(|_| world.preset == Preset::Ordinary)
                .map(|officer| Arc::clone(&officer.id)),
            inspected: false,
            found: false,
            covered_up: false,
            visibility: world.visibility(falsehood),
        }
    }
}

impl Iterator for Declarations<'_> {
    type Item = DeclaredConsignment;

    fn next(&mut self) -> Option<DeclaredConsignment> {
        if self.number >= self.last {
            return None;
        }
        let (day, seconds) = self.next_time()?;
        self.number = self.number.checked_add(1)?;
        self.declare(day, seconds)
    }
}

/// Exact up to 2^32, far above any history.
fn count(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn span(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}

impl World {
    fn row_of_declaration(
        &self,
        consignment: &Consignment,
        selection: &Selection,
        declaration_id: &str,
    ) -> Row {
        let accepted_at: DateTime = consignment.accepted_at;
        let mut row = Row::empty();
        row.set("date", Value::Date(accepted_at.date()));
        row.set("accepted_at", Value::DateTime(accepted_at));
        row.set("trusted_trader", Value::Boolean(consignment.importer.trusted));
        row.set("selection_probability", Value::Decimal(decimal(selection.probability, 6)));
        row.set("inspected", Value::Boolean(false));
        row.set("simulated", Value::Boolean(true));
        for (field, text) in [
            ("declaration_id", declaration_id),
            ("office_id", &consignment.office.id),
            ("procedure_code", &consignment.procedure),
            ("process_type", if consignment.simplified { "simplified" } else { "standard" }),
            ("import_use", if consignment.importer.own_use { "own use" } else { "resale" }),
            ("payment_type", &consignment.payment),
            ("transport_mode", consignment.mode.code()),
            ("declarant_id", &consignment.declarant.id),
            ("importer_id", &consignment.importer.id),
            ("exporter_id", &consignment.exporter_id),
            ("carrier_id", &consignment.carrier_id),
            ("currency", &self.parameters.trade.currency),
            ("lane", selection.lane.name()),
        ] {
            row.set_text(field, text);
        }
        if let Some(reason) = &selection.reason {
            row.set_text("selection_reason", reason);
        }
        if let Some(container) = &consignment.container {
            row.set_text("container_id", container);
        }
        row
    }
}

/// What is declared about one item.
fn describe(draft: &Draft, preference_factor: f64, row: &mut Row) {
    let declared = &draft.declared;
    let mass_places = if declared.net_mass >= 10.0 { 1 } else { 3 };
    for (field, text) in [
        ("commodity_code", &*declared.goods.code),
        ("goods_description", &draft.words),
        ("departure_country", &draft.departure),
        ("origin_country", &declared.origin.code),
        ("preference_code", if declared.preferential { "300" } else { "100" }),
        ("tax_type", if declared.preferential { "preferential" } else { "ordinary" }),
        ("origin_marking", if draft.marked { "marked" } else { "none" }),
    ] {
        row.set_text(field, text);
    }
    let numbers = [
        ("tax_rate", declared.rate(preference_factor), 2),
        ("net_mass", declared.net_mass, mass_places),
        ("gross_mass", declared.gross_mass, mass_places),
        ("packages", draft.packages, 0),
        ("customs_value", declared.value, 2),
    ];
    for (field, number, places) in
        numbers.into_iter().chain(declared.quantity.map(|own| ("quantity", own, 0)))
    {
        row.set(field, Value::Decimal(decimal(number, places)));
    }
}
