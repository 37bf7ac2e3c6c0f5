//! Window aggregates: what was declared before this entry by the same party, on the same route, of the same goods.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use spine::declaration_entry::OUTCOME_FIELDS;
use spine::{EntrySchema, FieldType};

/// What is measured over the entries of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many entries.
    Count,
    /// Sum of `of`.
    Sum,
    /// Arithmetic mean of `of`.
    Mean,
    /// Smallest `of`.
    Minimum,
    /// Largest `of`.
    Maximum,
    /// Median of `of`; the mean of the two middle ones where their number is even.
    Median,
    /// How many different values of `of`.
    Distinct,
    /// Share, 0 to 1, of entries for which `where` is true, among those for which it is known.
    Share,
    /// This entry's `of` divided by the mean of the window.
    RatioToMean,
    /// This entry's `of` divided by the median of the window.
    RatioToMedian,
    /// Share, 0 to 1, of the window's `of` that are smaller than this entry's.
    RankShare,
    /// Days from the window's first entry to this one's day.
    DaysSinceFirst,
    /// Days from the window's last entry to this one's day.
    DaysSinceLast,
}

impl Measure {
    /// Does it read a number `of`?
    #[must_use]
    pub fn reads_number(self) -> bool {
        !matches!(
            self,
            Self::Count | Self::Distinct | Self::Share | Self::DaysSinceFirst | Self::DaysSinceLast
        )
    }

    /// Does the answer depend on this entry's own `of`?
    #[must_use]
    pub fn reads_own_number(self) -> bool {
        matches!(self, Self::RatioToMean | Self::RatioToMedian | Self::RankShare)
    }
}

/// A field, or its first characters: `importer_id`, `commodity_code[:4]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldPart {
    /// Field of the schema.
    pub field: String,
    /// Only so many characters; an entry with fewer has no value here.
    pub prefix: Option<u8>,
}

impl FieldPart {
    /// What of a text belongs to it: all, or the first characters if it has as many.
    #[must_use]
    pub fn of_text<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self.prefix {
            None => Some(text),
            Some(prefix) => crate::key::beginning(text, prefix),
        }
    }
}

impl FromStr for FieldPart {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "\"{text}\" is not a field such as importer_id or its beginning such as commodity_code[:4]"
            )
        };
        let (field, prefix) = match text.split_once("[:") {
            None => (text, None),
            Some((field, rest)) => {
                let digits = rest.strip_suffix(']').ok_or_else(refuse)?;
                let prefix: u8 = digits.parse().map_err(|_| refuse())?;
                if prefix == 0 {
                    return Err(refuse());
                }
                (field, Some(prefix))
            }
        };
        let field = field.trim();
        if field.is_empty() || !field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(refuse());
        }
        Ok(Self { field: field.to_owned(), prefix })
    }
}

impl fmt::Display for FieldPart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            None => out.write_str(&self.field),
            Some(prefix) => write!(out, "{}[:{prefix}]", self.field),
        }
    }
}

impl TryFrom<String> for FieldPart {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<FieldPart> for String {
    fn from(part: FieldPart) -> Self {
        part.to_string()
    }
}

/// What is measured: a field, or one number divided by another (`customs_value / net_mass`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Measured {
    /// Field or numerator.
    pub field: FieldPart,
    /// Denominator; where it is 0 or absent there is no value.
    pub divided_by: Option<FieldPart>,
}

impl TryFrom<String> for Measured {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (field, divided_by) = match text.split_once('/') {
            None => (text.as_str(), None),
            Some((field, divisor)) => (field, Some(divisor.trim().parse()?)),
        };
        Ok(Self { field: field.trim().parse()?, divided_by })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.divided_by {
            None => write!(out, "{}", self.field),
            Some(divisor) => write!(out, "{} / {divisor}", self.field),
        }
    }
}

impl From<Measured> for String {
    fn from(measured: Measured) -> Self {
        measured.to_string()
    }
}

/// One window aggregate. An entry's own day is never in its window, unless `same_day` says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// What is measured.
    pub measure: Measure,
    /// Of which field or quotient; not for `count`, `share`, `days_since_first`, `days_since_last`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Measured>,
    /// The window holds entries that agree with this one in all of these; none means all entries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<FieldPart>,
    /// Only entries that fulfil this condition (flat rule language, without aggregates); for `share` the condition
    /// that is counted.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Length of the window in days before the entry's own day; absent means all that was ever declared before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// Also entries of the same day that belong to other declarations.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_day: bool,
    /// With fewer entries in the window the value is absent (unknown).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub at_least: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Aggregate {
    /// The fields it reads, `where` aside.
    pub fn fields(&self) -> impl Iterator<Item = &FieldPart> {
        self.by
            .iter()
            .chain(self.of.iter().map(|of| &of.field))
            .chain(self.of.iter().filter_map(|of| of.divided_by.as_ref()))
    }

    /// What is wrong with it, in words, one a line of the answer.
    #[must_use]
    pub fn problems(&self, schema: &EntrySchema) -> Vec<String> {
        let mut problems = Vec::new();
        for part in self.fields() {
            match schema.field(&part.field) {
                None => problems.push(format!("there is no field {}", part.field)),
                Some(field) if part.prefix.is_some() && field.field_type != FieldType::Text => {
                    problems.push(format!("{} is no text, so it has no first characters", part.field));
                }
                Some(_) => {}
            }
            if OUTCOME_FIELDS.contains(&part.field.as_str()) {
                problems.push(outcome_refusal(&part.field));
            }
        }
        let needs_of = self.measure.reads_number() || self.measure == Measure::Distinct;
        if needs_of != self.of.is_some() {
            problems.push(if needs_of {
                "this measure needs `of`".to_owned()
            } else {
                "this measure has no `of`".to_owned()
            });
        }
        if let Some(of) = &self.of {
            let numbers = [Some(&of.field), of.divided_by.as_ref()].into_iter().flatten();
            for part in numbers.filter(|_| self.measure.reads_number()) {
                if schema.field(&part.field).is_some_and(|field| field.field_type != FieldType::Decimal) {
                    problems.push(format!("{} is no number", part.field));
                }
            }
            if self.measure == Measure::Distinct && of.divided_by.is_some() {
                problems.push("`distinct` counts values of one field, not of a quotient".to_owned());
            }
        }
        if self.measure == Measure::Share && self.condition.is_none() {
            problems.push("`share` needs `where`: the condition whose share is wanted".to_owned());
        }
        let days_since = matches!(self.measure, Measure::DaysSinceFirst | Measure::DaysSinceLast);
        if self.same_day && days_since {
            problems.push("`same_day` has no meaning for days since".to_owned());
        }
        if self.days == Some(0) && !self.same_day {
            problems.push("a window of 0 days holds nothing unless `same_day` is true".to_owned());
        }
        problems
    }
}

/// Why a field that tells the outcome is refused as an input.
pub(crate) fn outcome_refusal(field: &str) -> String {
    format!(
        "{field} tells what became of a declaration (its lane, inspection or result). A tag that reads it would know \
         the answer beforehand and look brilliant on history; it is refused"
    )
}
