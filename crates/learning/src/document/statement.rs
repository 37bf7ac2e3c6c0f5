//! Claims in plain language: a code with parameters, rendered from templates in the reader's language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spine::Sensitivity;

/// What kind of sentence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementKind {
    /// A count or a sum of the records as they are; no chance is involved.
    Fact,
    /// A claim that something is more than chance; kept under the stated rate of false claims.
    Pattern,
    /// What cannot be said, and why.
    Limitation,
}

/// How much a statement matters to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Good to know.
    Note,
    /// Should change what the reader does or believes.
    Important,
    /// Read this before anything else in the report.
    Critical,
}

/// Part of the report that a statement belongs to and links to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// What was looked at.
    Population,
    /// Oddities of content.
    Quality,
    /// Hit rates by dimension.
    HitRates,
    /// Finds against inspections.
    Curve,
    /// Repeats and leakage.
    Leakage,
    /// Officers and pairs.
    Integrity,
    /// Other plans.
    Plans,
}

impl Section {
    /// Stable name, the anchor in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Population => "population",
            Self::Quality => "quality",
            Self::HitRates => "hit_rates",
            Self::Curve => "curve",
            Self::Leakage => "leakage",
            Self::Integrity => "integrity",
            Self::Plans => "plans",
        }
    }
}

/// A value that a template names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "value")]
pub enum Parameter {
    /// A count.
    Count(u64),
    /// A share between 0 and 1, shown in percent.
    Share(f64),
    /// Any other number.
    Number(f64),
    /// Text as it stands: an id, a code, a day.
    Text(String),
    /// Name of a field of the schema, shown with its title.
    Field(String),
    /// Names of several fields.
    Fields(Vec<String>),
    /// Id of a dimension, shown with its title.
    Dimension(String),
    /// Id of a plan, shown with its title.
    Plan(String),
    /// Id of an order of the curve, shown with its title.
    Order(String),
    /// Id of a comparison of officers or pairs, shown with its title.
    Comparison(String),
}

/// One sentence of the audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Stable snake_case code: key of its template ([`crate::texts::template`]).
    pub code: String,
    /// Kind.
    pub kind: StatementKind,
    /// Weight.
    pub weight: Weight,
    /// Part of the report it stands in.
    pub section: Section,
    /// Place within the section: a dimension, a plan, a field; empty for the section as a whole.
    pub place: String,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Values of the template's names.
    pub parameters: BTreeMap<String, Parameter>,
}

impl Statement {
    pub(crate) fn new(code: &str, kind: StatementKind, weight: Weight, section: Section) -> Self {
        Self {
            code: code.to_owned(),
            kind,
            weight,
            section,
            place: String::new(),
            sensitivity: Sensitivity::Official,
            parameters: BTreeMap::new(),
        }
    }

    pub(crate) fn fact(code: &str, weight: Weight, section: Section) -> Self {
        Self::new(code, StatementKind::Fact, weight, section)
    }

    pub(crate) fn pattern(code: &str, weight: Weight, section: Section) -> Self {
        Self::new(code, StatementKind::Pattern, weight, section)
    }

    pub(crate) fn limitation(code: &str, section: Section) -> Self {
        Self::new(code, StatementKind::Limitation, Weight::Note, section)
    }

    pub(crate) fn at(mut self, place: &str) -> Self {
        self.place = place.to_owned();
        self
    }

    pub(crate) fn seen_by(mut self, sensitivity: Sensitivity) -> Self {
        self.sensitivity = sensitivity;
        self
    }

    pub(crate) fn with(mut self, name: &str, value: Parameter) -> Self {
        self.parameters.insert(name.to_owned(), value);
        self
    }
}
