//! What was looked at.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Interval, Statement};

/// What one inspection and one outcome are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Each item has an outcome of its own.
    Item,
    /// Items of a declaration share their outcome, so declarations are counted.
    Declaration,
}

/// How much of a field is filled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldPresence {
    /// Name in the schema.
    pub field: String,
    /// Rows that have it.
    pub filled: u64,
    /// The same as a share of rows.
    pub share: f64,
    /// Different values among them.
    pub distinct: u64,
}

/// One calendar month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MonthRow {
    /// Year and month, `2026-03`.
    pub month: String,
    /// Rows.
    pub rows: u64,
    /// Units inspected with a known outcome.
    pub inspected: u64,
    /// Irregular ones among them.
    pub hits: u64,
}

/// The population of the audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Rows: declared items.
    pub rows: u64,
    /// Different declarations.
    pub declarations: u64,
    /// What is counted as one inspection in everything that follows.
    pub unit: Unit,
    /// Number of units.
    pub units: u64,
    /// First day of acceptance.
    pub first_day: Option<Date>,
    /// Last day of acceptance.
    pub last_day: Option<Date>,
    /// Units inspected, with or without a known outcome.
    pub inspected: u64,
    /// Inspected units whose outcome is known: the base of every rate.
    pub inspected_known: u64,
    /// Irregular ones among them.
    pub irregular: u64,
    /// Irregular share of inspected units with a known outcome.
    pub base_rate: Option<f64>,
    /// Wilson interval of the base rate.
    pub base_rate_interval: Option<Interval>,
    /// Units never inspected: what they were is unknown.
    pub never_inspected: u64,
    /// Sum of recovered revenue, where the field is there.
    pub recovered_revenue: Option<Decimal>,
    /// Currency of amounts, where known.
    pub currency: Option<String>,
    /// Rows that say they are simulated, or all of them if the caller said so.
    pub simulated_rows: u64,
    /// Was any of it simulated? Then every figure of the report is SIMULATED.
    pub simulated: bool,
    /// Every field of the schema, in its order.
    pub fields: Vec<FieldPresence>,
    /// By month of acceptance.
    pub months: Vec<MonthRow>,
}

/// Something odd about the content of the records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityFinding {
    /// What it is, with its figures.
    pub statement: Statement,
    /// Rows concerned.
    pub count: u64,
    /// The same as a share of all rows.
    pub share: f64,
    /// Row numbers of the first few, from 0, to look them up.
    pub example_rows: Vec<u64>,
    /// Declaration numbers of the same rows.
    pub examples: Vec<String>,
}
