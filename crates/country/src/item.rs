//! One declared item as the administration recorded it, and beside it the truth that the administration never saw.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use spine::{EntrySchema, Value};

use crate::draw::Name;
use crate::fraud::Scheme;

/// One declared item of the schema [`spine::declaration_entry`].
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub(crate) fields: BTreeMap<&'static str, Value>,
    /// What nobody in the country knows.
    pub truth: Truth,
}

impl Item {
    /// The recorded value of a field; `None` where the record lacks it.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    /// All values in the schema's order.
    #[must_use]
    pub fn values(&self, schema: &EntrySchema) -> Vec<Option<Value>> {
        schema.fields.iter().map(|field| self.value(&field.name).cloned()).collect()
    }
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
    /// Was it inspected?
    pub inspected: bool,
    /// Did the inspection find it?
    pub found: bool,
    /// Did the officer see it and say nothing?
    pub covered_up: bool,
}

impl Truth {
    /// Is anything wrong with the item?
    #[must_use]
    pub fn irregular(&self) -> bool {
        self.scheme.is_some()
    }
}
