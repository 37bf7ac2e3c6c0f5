//! The country itself.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::{Date, Weekday};
use spine::{EntryTable, declaration_entry};

use crate::commodities::{GoodsTable, goods_table, table_of_codes};
use crate::declarations::Declarations;
use crate::draw::{Choices, Name};
use crate::error::CountryError;
use crate::item::Item;
use crate::parameters::Parameters;
use crate::people::{Officer, People};
use crate::selection::WatchLists;

/// More declarations than this are refused: their numbers have seven digits.
pub const DECLARATIONS_MAX: u64 = 9_999_999;
/// A longer history, in days, is refused: a hundred years.
pub const DAYS_MAX: u32 = 36_525;

/// Which world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Planted fraud of seven kinds.
    #[default]
    Ordinary,
    /// Irregularities strike at random, on any item alike, found by any officer alike: no rule can be better than
    /// chance.
    Null,
}

/// What is asked of a country.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The same settings give the same declarations.
    pub seed: u64,
    /// Declarations of the history, at most [`DECLARATIONS_MAX`]; each has 1.7 items on average.
    pub declarations: u64,
    /// Which world.
    pub preset: Preset,
    /// First day of the history; `None`: that of `world.toml`.
    pub first_day: Option<Date>,
    /// Days of the history, 1 to [`DAYS_MAX`]; `None`: those of `world.toml`.
    pub days: Option<u32>,
    /// Commodity codes of six digits or more with their texts, at most [`crate::CODES_MAX`], that take the place of the
    /// built-in table: the full Harmonized System or a national tariff, where one is installed. Prices, masses, duties
    /// and origins are those of the nearest code of the built-in table: in the same heading, or else in the same
    /// chapter.
    pub codes: Option<Vec<(String, String)>>,
    /// A day, in the history or after it, on which a ring of shell importers begins to undervalue one kind of goods: a
    /// rise that early warnings should find. `None`: there is no ring.
    pub ring_begins: Option<Date>,
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
    pub(crate) lists: WatchLists,
    pub(crate) settings: Settings,
    last_day: Date,
}

impl World {
    /// Settles a country.
    pub fn new(settings: Settings) -> Result<Self, CountryError> {
        if settings.declarations > DECLARATIONS_MAX {
            return Err(CountryError::TooMany { asked: settings.declarations, max: DECLARATIONS_MAX });
        }
        let mut parameters = Parameters::built_in()?;
        parameters.time.first_day = settings.first_day.unwrap_or(parameters.time.first_day);
        parameters.time.days = settings.days.unwrap_or(parameters.time.days);
        let time = &parameters.time;
        let beyond = CountryError::Days { asked: time.days, max: DAYS_MAX };
        let last_day = match time.days.checked_sub(1) {
            Some(nights) if time.days <= DAYS_MAX => date(time.first_day, nights.into()),
            _ => None,
        };
        let last_day = last_day.ok_or(beyond)?;
        let ours = goods_table(&parameters)?;
        let goods = match &settings.codes {
            Some(codes) => table_of_codes(codes, &ours)?,
            None => ours,
        };
        let people = People::settle(&parameters, &goods, &settings)?;
        let lists = WatchLists::draw(&parameters, &people, settings.seed);
        let choices = |what: &'static str, weighted: &[(Name, f64)]| {
            Choices::new(weighted.iter().map(|(code, weight)| (*weight, Arc::clone(code))))
                .ok_or_else(|| CountryError::Parameters { file: "world.toml", reason: format!("no {what}") })
        };
        let procedures = choices("procedures", &parameters.trade.procedures)?;
        let payments = choices("payments", &parameters.trade.payments)?;
        Ok(Self {
            procedures,
            payments,
            preset: settings.preset,
            parameters,
            goods,
            people,
            lists,
            settings,
            last_day,
        })
    }

    /// The last day of the history.
    #[must_use]
    pub fn last_day(&self) -> Date {
        self.last_day
    }

    /// The history: the declarations that were asked for, in the order of their acceptance.
    #[must_use]
    pub fn declarations(&self) -> Declarations<'_> {
        Declarations::history(self)
    }

    /// What comes in after the history: declarations without end, at the pace at which the history ended, from the day
    /// after its last. Numbers go on where the history's end. It does not need the history to have been made: the same
    /// country always goes on in the same way.
    #[must_use]
    pub fn living(&self) -> Declarations<'_> {
        Declarations::living(self)
    }

    /// The declared items of the history, in the order of their acceptance.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        self.declarations().flat_map(|declaration| declaration.items)
    }

    /// The declared items of the history with their outcomes, as one table of the schema [`declaration_entry`].
    #[must_use]
    pub fn table(&self) -> EntryTable {
        let mut table = EntryTable::empty(declaration_entry::schema());
        for item in self.items() {
            // Values are of the schema's types: a test pushes every field of a whole world.
            let _ = table.push(item.into_values());
        }
        table
    }

    /// The officers who inspect, by office.
    pub fn officers(&self) -> impl Iterator<Item = &Officer> {
        self.people.offices.iter().flat_map(|office| office.officers.all()).map(AsRef::as_ref)
    }

    /// The date of a day, counted from the first day of the history.
    pub(crate) fn date(&self, day: i64) -> Option<Date> {
        date(self.parameters.time.first_day, day)
    }

    /// How much comes in on a day against the others.
    pub(crate) fn day_weight(&self, day: u32) -> f64 {
        let time = &self.parameters.time;
        let at_rest = self
            .date(i64::from(day))
            .is_some_and(|date| matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday));
        // After the history trade neither grows nor shrinks.
        let growth = 1.0 + time.growth * (f64::from(day) / f64::from(time.days)).min(1.0);
        if at_rest { time.weekend * growth } else { growth }
    }
}

fn date(first_day: Date, day: i64) -> Option<Date> {
    first_day.checked_add(SignedDuration::from_hours(day.checked_mul(24)?)).ok()
}
