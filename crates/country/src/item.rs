//! One declared item as the administration recorded it, and beside it the truth that the administration never saw.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use rust_decimal::Decimal;
use spine::declaration::EntryFields;
use spine::{Value, declaration_entry};

use crate::draw::Name;
use crate::fraud::Scheme;
use crate::inspection::{Examination, Visibility};

/// Where each field of [`declaration_entry`] stands in a row.
static POSITIONS: LazyLock<BTreeMap<String, usize>> = LazyLock::new(|| {
    let schema = declaration_entry::schema();
    schema.fields.iter().enumerate().map(|(at, field)| (field.name.clone(), at)).collect()
});

/// Values in the order of [`declaration_entry`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row(Vec<Option<Value>>);

impl Row {
    pub(crate) fn empty() -> Self {
        Self(vec![None; POSITIONS.len()])
    }

    /// A field that the schema lacks is left out: a test fills every field of it.
    pub(crate) fn set(&mut self, field: &str, value: Value) {
        if let Some(place) = POSITIONS.get(field).and_then(|at| self.0.get_mut(*at)) {
            *place = Some(value);
        }
    }

    pub(crate) fn set_text(&mut self, field: &str, text: &str) {
        self.set(field, Value::Text(text.to_owned()));
    }

    pub(crate) fn remove(&mut self, field: &str) {
        if let Some(place) = POSITIONS.get(field).and_then(|at| self.0.get_mut(*at)) {
            *place = None;
        }
    }

    fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(*POSITIONS.get(field)?)?.as_ref()
    }
}

/// One declared item of the schema [`declaration_entry`].
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub(crate) row: Row,
    /// What nobody in the country knows.
    pub truth: Truth,
}

impl Item {
    /// The recorded value of a field; `None` where the record lacks it.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.row.get(field)
    }

    /// All values in the order of [`declaration_entry::schema`].
    #[must_use]
    pub fn into_values(self) -> Vec<Option<Value>> {
        self.row.0
    }
}

impl EntryFields for Item {
    fn field(&self, name: &str) -> Option<&Value> {
        self.value(name)
    }
}

/// One declaration with all its items. [`spine::declaration::Declaration::from_rows`] makes of the items what a
/// declarant lodges: it reads nothing that became known afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredConsignment {
    /// Counted from the country's first declaration, which is number 1.
    pub number: u64,
    /// When it was accepted, local time: later than the one before, or at the same second.
    pub accepted_at: DateTime,
    /// At least one.
    pub items: Vec<Item>,
}

/// The truth about an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Why it is irregular; `None`: it is not.
    pub scheme: Option<Scheme>,
    /// What is false about it: for shells and collusion one of the first five schemes.
    pub method: Option<Scheme>,
    /// The commodity code it should have.
    pub commodity_code: Name,
    /// Where the goods come from.
    pub origin_country: Name,
    /// What they are worth, without what is hidden among them.
    pub value: Decimal,
    /// What they weigh.
    pub net_mass: Decimal,
    /// Duty that the declaration leaves out.
    pub duty_evaded: Decimal,
    /// The officer who sees and says nothing, because it is this declarant's.
    pub partner: Option<Name>,
    /// Was it inspected?
    pub inspected: bool,
    /// Did the inspection find it?
    pub found: bool,
    /// Did the officer see it and say nothing?
    pub covered_up: bool,
    pub(crate) visibility: Visibility,
}

impl Truth {
    /// Is anything wrong with the item?
    #[must_use]
    pub fn irregular(&self) -> bool {
        self.scheme.is_some()
    }

    /// What an examination shows to an officer of this skill (0 to 1; [`crate::Officer::skill`]), given a draw that
    /// is even between 0 and 1. `None`: nothing, because nothing is wrong or because it was not seen. Whether the
    /// officer says so is another matter: [`Self::partner`] does not.
    #[must_use]
    pub fn found_by(&self, examination: Examination, skill: f64, draw: f64) -> Option<Scheme> {
        let seen = draw < self.visibility.chance(examination, skill);
        let told = if self.scheme == Some(Scheme::ShellImporter) { self.scheme } else { self.method };
        told.filter(|_| seen)
    }
}
