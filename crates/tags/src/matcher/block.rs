//! Entries as they are given to the matcher: one lane of values a field.

use spine::{Column, EntrySchema, EntryTable, FieldType, Value};

use super::axis::SCALE_MAX;

/// Stands for an absent value in [`Lane::Whole`].
pub const ABSENT: i64 = i64::MIN;

/// The values of one field.
#[derive(Debug, Clone, Copy)]
pub enum Lane<'a> {
    /// Whole numbers; [`ABSENT`] where there is none. Of a number field each stands for itself divided by ten to the
    /// power of `scale`; of a date field they are days, of a date with time microseconds, since 1970-01-01; of a
    /// boolean field 0 and 1. `scale` is 0 for these.
    Whole {
        /// One a row.
        values: &'a [i64],
        /// Digits behind the point.
        scale: u32,
    },
    /// Numbers in floating point; what is no number is absent. One equals a decimal if it is the number in floating
    /// point that is nearest to it.
    Float(&'a [f64]),
    /// A column of a table.
    Column(&'a Column),
}

impl<'a> Lane<'a> {
    /// The field's values in some rows as a column, which is what parts of rules are computed from; none if the values are
    /// of another kind than the field.
    pub fn column(self, rows: std::ops::Range<usize>, field_type: FieldType) -> Option<Column> {
        let mut column = Column::empty(field_type);
        for row in rows {
            column.push(self.value(row, field_type)).ok()?;
        }
        Some(column)
    }

    fn value(self, row: usize, field_type: FieldType) -> Option<Value> {
        match self {
            Lane::Column(column) => column.value(row),
            Lane::Float(values) => {
                let value = values.get(row).copied()?;
                rust_decimal::Decimal::try_from(value).ok().map(Value::Decimal)
            }
            Lane::Whole { values, scale } => {
                let value = values.get(row).copied().filter(|value| *value != ABSENT)?;
                super::axis::of_whole(value, scale, field_type)
            }
        }
    }
}

/// Entries in lanes.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    schema: &'a EntrySchema,
    lanes: Vec<Lane<'a>>,
    rows: usize,
}

impl<'a> Block<'a> {
    /// Entries in lanes, one a field of the schema in its order; none if the lanes are not of one length, have 2^32
    /// rows, or whole numbers with more than 6 digits behind the point.
    #[must_use]
    pub fn new(schema: &'a EntrySchema, lanes: Vec<Lane<'a>>) -> Option<Self> {
        let length = |lane: &Lane<'_>| match lane {
            Lane::Whole { values, .. } => values.len(),
            Lane::Float(values) => values.len(),
            Lane::Column(column) => column.len(),
        };
        let rows = lanes.first().map_or(0, length);
        let exact = |lane: &Lane<'_>| !matches!(lane, Lane::Whole { scale, .. } if *scale > SCALE_MAX);
        let fits = u32::try_from(rows).is_ok()
            && lanes.len() == schema.fields.len()
            && lanes.iter().all(|lane| length(lane) == rows && exact(lane));
        fits.then_some(Self { schema, lanes, rows })
    }

    /// A table's entries.
    #[must_use]
    pub fn of_table(table: &'a EntryTable) -> Self {
        let lanes = table.columns().iter().map(Lane::Column).collect();
        Self { schema: table.schema(), lanes, rows: table.len() }
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True without entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The lane of a field and its type.
    pub(crate) fn lane(&self, field: &str) -> Option<(Lane<'a>, FieldType)> {
        let at = self.schema.position(field)?;
        Some((*self.lanes.get(at)?, self.schema.fields.get(at)?.field_type))
    }
}
