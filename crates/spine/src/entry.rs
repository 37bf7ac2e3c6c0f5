//! An *entry* is one typed row of any record; a table of entries is what tags, audits and plans look at.
//!
//! Tables are columnar: text is dictionary-encoded, so a condition on an office is decided once per office and
//! not once per row, and a million rows of forty fields fit in a few hundred megabytes.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::sensitivity::Sensitivity;
use crate::text::LocalizedText;

/// Type of a field. There is no float: amounts, masses and rates are exact decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text or code.
    Text,
    /// Exact decimal number; whole numbers too.
    Decimal,
    /// Calendar day.
    Date,
    /// Local time of day on a calendar day.
    DateTime,
    /// Yes or no.
    Boolean,
}

impl FieldType {
    /// The stable name used in contracts and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Decimal => "decimal",
            Self::Date => "date",
            Self::DateTime => "date_time",
            Self::Boolean => "boolean",
        }
    }
}

/// One field of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDefinition {
    /// Stable snake_case name.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Unit of a number: `kg`, `percent`, `currency` (the record's own), or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Must every entry have it?
    #[serde(default)]
    pub required: bool,
    /// What people call it.
    pub title: LocalizedText,
}

/// The fields of one kind of entry, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntrySchema {
    /// Stable name, such as `declaration_item`.
    pub id: String,
    /// Version; grows by one with every change.
    pub version: u32,
    /// Fields in order.
    pub fields: Vec<FieldDefinition>,
}

impl EntrySchema {
    /// Position of the field called `name`.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The field called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldDefinition> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// One present value. Absence is `Option::None` around it and means *unknown*, never zero and never "no".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Text or code.
    Text(String),
    /// Exact decimal.
    Decimal(Decimal),
    /// Calendar day.
    Date(Date),
    /// Local time.
    DateTime(DateTime),
    /// Yes or no.
    Boolean(bool),
}

impl Value {
    /// Its type.
    #[must_use]
    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Text(_) => FieldType::Text,
            Self::Decimal(_) => FieldType::Decimal,
            Self::Date(_) => FieldType::Date,
            Self::DateTime(_) => FieldType::DateTime,
            Self::Boolean(_) => FieldType::Boolean,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Decimal(number) => write!(out, "{}", number.normalize()),
            Self::Date(day) => write!(out, "{day}"),
            Self::DateTime(time) => write!(out, "{time}"),
            Self::Boolean(yes) => write!(out, "{yes}"),
        }
    }
}

/// A column of text: each row holds the position of its text in the dictionary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextColumn {
    codes: Vec<u32>,
    dictionary: Vec<Box<str>>,
    positions: HashMap<Box<str>, u32>,
}

impl TextColumn {
    /// Code of an absent value.
    pub const ABSENT: u32 = u32::MAX;

    /// Appends a text, or nothing. Returns false, and appends an absence, once the dictionary is full (4 billion texts).
    pub fn push(&mut self, text: Option<&str>) -> bool {
        let Some(text) = text else {
            self.codes.push(Self::ABSENT);
            return true;
        };
        let code = if let Some(code) = self.positions.get(text) {
            *code
        } else {
            let Some(code) = u32::try_from(self.dictionary.len()).ok().filter(|code| *code != Self::ABSENT)
            else {
                self.codes.push(Self::ABSENT);
                return false;
            };
            self.dictionary.push(text.into());
            self.positions.insert(text.into(), code);
            code
        };
        self.codes.push(code);
        true
    }

    /// A column of rows that hold positions in a dictionary; a position beyond it is an absence. Texts that stand in
    /// the dictionary twice become one.
    #[must_use]
    pub fn of(mut codes: Vec<u32>, dictionary: impl IntoIterator<Item = Box<str>>) -> Self {
        let mut column = Self::default();
        let mut own_codes = Vec::new();
        for text in dictionary {
            let next = u32::try_from(column.dictionary.len()).unwrap_or(Self::ABSENT);
            let code = *column.positions.entry(text.clone()).or_insert(next);
            if code == next && next != Self::ABSENT {
                column.dictionary.push(text);
            }
            own_codes.push(code);
        }
        for code in &mut codes {
            let own = usize::try_from(*code).ok().and_then(|code| own_codes.get(code));
            *code = own.copied().unwrap_or(Self::ABSENT);
        }
        column.codes = codes;
        column
    }

    /// The row's text.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        self.text_of(*self.codes.get(row)?)
    }

    /// The text behind a code.
    #[must_use]
    pub fn text_of(&self, code: u32) -> Option<&str> {
        self.dictionary.get(usize::try_from(code).ok()?).map(AsRef::as_ref)
    }

    /// The code of a text, if any row has it.
    #[must_use]
    pub fn code_of(&self, text: &str) -> Option<u32> {
        self.positions.get(text).copied()
    }

    /// One code a row; [`Self::ABSENT`] where there is none.
    #[must_use]
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The different texts, in the order of their codes.
    #[must_use]
    pub fn dictionary(&self) -> &[Box<str>] {
        &self.dictionary
    }
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Texts, dictionary-encoded.
    Text(TextColumn),
    /// Decimals.
    Decimal(Vec<Option<Decimal>>),
    /// Days.
    Date(Vec<Option<Date>>),
    /// Local times.
    DateTime(Vec<Option<DateTime>>),
    /// Yes or no.
    Boolean(Vec<Option<bool>>),
}

impl Column {
    /// An empty column of a type.
    #[must_use]
    pub fn empty(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Text => Self::Text(TextColumn::default()),
            FieldType::Decimal => Self::Decimal(Vec::new()),
            FieldType::Date => Self::Date(Vec::new()),
            FieldType::DateTime => Self::DateTime(Vec::new()),
            FieldType::Boolean => Self::Boolean(Vec::new()),
        }
    }

    /// Its type.
    #[must_use]
    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Text(_) => FieldType::Text,
            Self::Decimal(_) => FieldType::Decimal,
            Self::Date(_) => FieldType::Date,
            Self::DateTime(_) => FieldType::DateTime,
            Self::Boolean(_) => FieldType::Boolean,
        }
    }

    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(column) => column.codes.len(),
            Self::Decimal(column) => column.len(),
            Self::Date(column) => column.len(),
            Self::DateTime(column) => column.len(),
            Self::Boolean(column) => column.len(),
        }
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row's value.
    #[must_use]
    pub fn value(&self, row: usize) -> Option<Value> {
        match self {
            Self::Text(column) => column.get(row).map(|text| Value::Text(text.to_owned())),
            Self::Decimal(column) => column.get(row).copied().flatten().map(Value::Decimal),
            Self::Date(column) => column.get(row).copied().flatten().map(Value::Date),
            Self::DateTime(column) => column.get(row).copied().flatten().map(Value::DateTime),
            Self::Boolean(column) => column.get(row).copied().flatten().map(Value::Boolean),
        }
    }

    /// Appends a value or an absence. A value of another type is not appended but refused.
    pub fn push(&mut self, value: Option<Value>) -> Result<(), TypeMismatch> {
        match (self, value) {
            (Self::Text(column), Some(Value::Text(text))) => {
                column.push(Some(&text));
            }
            (Self::Text(column), None) => {
                column.push(None);
            }
            (Self::Decimal(column), Some(Value::Decimal(number))) => column.push(Some(number)),
            (Self::Decimal(column), None) => column.push(None),
            (Self::Date(column), Some(Value::Date(day))) => column.push(Some(day)),
            (Self::Date(column), None) => column.push(None),
            (Self::DateTime(column), Some(Value::DateTime(time))) => column.push(Some(time)),
            (Self::DateTime(column), None) => column.push(None),
            (Self::Boolean(column), Some(Value::Boolean(yes))) => column.push(Some(yes)),
            (Self::Boolean(column), None) => column.push(None),
            (column, Some(value)) => {
                return Err(TypeMismatch { column: column.field_type(), value: value.field_type() });
            }
        }
        Ok(())
    }
}

/// A value of one type was offered to a column of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a column of type {} cannot take a value of type {}", column.name(), value.name())]
pub struct TypeMismatch {
    /// The column's type.
    pub column: FieldType,
    /// The value's type.
    pub value: FieldType,
}

/// Entries of one schema, column by column. All columns always have the same number of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryTable {
    schema: Arc<EntrySchema>,
    columns: Vec<Column>,
    rows: usize,
}

/// Columns that do not make up a table of the schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Not one column a field, or of another type.
    #[error("the columns are not those of the schema {0}: their number or types differ")]
    NotOfSchema(String),
    /// Columns of different length.
    #[error("the columns have different numbers of rows")]
    UnequalLength,
}

impl EntryTable {
    /// A table without rows.
    #[must_use]
    pub fn empty(schema: Arc<EntrySchema>) -> Self {
        let columns = schema.fields.iter().map(|field| Column::empty(field.field_type)).collect();
        Self { schema, columns, rows: 0 }
    }

    /// A table of whole columns.
    pub fn from_columns(schema: Arc<EntrySchema>, columns: Vec<Column>) -> Result<Self, TableError> {
        let of_schema = columns.len() == schema.fields.len()
            && columns
                .iter()
                .zip(&schema.fields)
                .all(|(column, field)| column.field_type() == field.field_type);
        if !of_schema {
            return Err(TableError::NotOfSchema(schema.id.clone()));
        }
        let rows = columns.first().map_or(0, Column::len);
        if columns.iter().any(|column| column.len() != rows) {
            return Err(TableError::UnequalLength);
        }
        Ok(Self { schema, columns, rows })
    }

    /// Appends one entry: one optional value a field, in the schema's order. Refused whole or taken whole.
    pub fn push(&mut self, values: Vec<Option<Value>>) -> Result<(), TypeMismatch> {
        for (field, value) in self.schema.fields.iter().zip(&values) {
            if let Some(value) = value
                && value.field_type() != field.field_type
            {
                return Err(TypeMismatch { column: field.field_type, value: value.field_type() });
            }
        }
        let mut values = values.into_iter();
        for column in &mut self.columns {
            column.push(values.next().flatten())?;
        }
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    /// Its schema.
    #[must_use]
    pub fn schema(&self) -> &Arc<EntrySchema> {
        &self.schema
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

    /// All columns in the schema's order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns themselves, in the schema's order.
    #[must_use]
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// The column of a field.
    #[must_use]
    pub fn column(&self, field: &str) -> Option<&Column> {
        self.columns.get(self.schema.position(field)?)
    }

    /// The column of a text field.
    #[must_use]
    pub fn texts(&self, field: &str) -> Option<&TextColumn> {
        if let Some(Column::Text(column)) = self.column(field) { Some(column) } else { None }
    }

    /// The column of a decimal field.
    #[must_use]
    pub fn decimals(&self, field: &str) -> Option<&[Option<Decimal>]> {
        if let Some(Column::Decimal(column)) = self.column(field) { Some(column) } else { None }
    }

    /// The column of a date field.
    #[must_use]
    pub fn dates(&self, field: &str) -> Option<&[Option<Date>]> {
        if let Some(Column::Date(column)) = self.column(field) { Some(column) } else { None }
    }

    /// The column of a yes-or-no field.
    #[must_use]
    pub fn booleans(&self, field: &str) -> Option<&[Option<bool>]> {
        if let Some(Column::Boolean(column)) = self.column(field) { Some(column) } else { None }
    }

    /// One value.
    #[must_use]
    pub fn value(&self, row: usize, field: &str) -> Option<Value> {
        self.column(field)?.value(row)
    }

    /// Appends all entries of another table of the same schema.
    pub fn extend(&mut self, other: &Self) -> Result<(), TableError> {
        if self.schema.fields.len() != other.schema.fields.len()
            || self.columns.iter().zip(&other.columns).any(|(a, b)| a.field_type() != b.field_type())
        {
            return Err(TableError::NotOfSchema(self.schema.id.clone()));
        }
        for (column, others) in self.columns.iter_mut().zip(&other.columns) {
            match (column, others) {
                (Column::Text(column), Column::Text(others)) => {
                    for row in 0..others.codes.len() {
                        column.push(others.get(row));
                    }
                }
                (Column::Decimal(column), Column::Decimal(others)) => column.extend_from_slice(others),
                (Column::Date(column), Column::Date(others)) => column.extend_from_slice(others),
                (Column::DateTime(column), Column::DateTime(others)) => column.extend_from_slice(others),
                (Column::Boolean(column), Column::Boolean(others)) => column.extend_from_slice(others),
                _ => return Err(TableError::NotOfSchema(self.schema.id.clone())),
            }
        }
        self.rows = self.rows.saturating_add(other.rows);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Arc<EntrySchema> {
        let field = |name: &str, field_type| FieldDefinition {
            name: name.to_owned(),
            field_type,
            unit: None,
            sensitivity: Sensitivity::Official,
            required: false,
            title: LocalizedText::default(),
        };
        Arc::new(EntrySchema {
            id: "test".to_owned(),
            version: 1,
            fields: vec![field("office", FieldType::Text), field("net_mass", FieldType::Decimal)],
        })
    }

    #[test]
    fn an_entry_is_taken_whole_or_refused_whole() {
        let mut table = EntryTable::empty(schema());
        table.push(vec![Some(Value::Text("10".into())), Some(Value::Decimal(5.into()))]).unwrap();
        table.push(vec![None, None]).unwrap();
        let refused = table.push(vec![Some(Value::Text("20".into())), Some(Value::Boolean(true))]);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "a column of type decimal cannot take a value of type boolean"
        );
        assert_eq!(table.len(), 2);
        assert!(table.columns().iter().all(|column| column.len() == 2));
        assert_eq!(table.value(0, "office"), Some(Value::Text("10".into())));
        assert_eq!(table.value(1, "office"), None);
    }

    #[test]
    fn two_tables_become_one_with_one_dictionary() {
        let row = |office: &str| vec![Some(Value::Text(office.into())), None];
        let mut first = EntryTable::empty(schema());
        first.push(row("10")).unwrap();
        let mut second = EntryTable::empty(schema());
        second.push(row("20")).unwrap();
        second.push(row("10")).unwrap();
        first.extend(&second).unwrap();
        let offices = first.texts("office").unwrap();
        assert_eq!(offices.codes(), [0, 1, 0]);
        assert_eq!(first.len(), 3);
    }
}
