//! Which entities carry some tags and not others.

use roaring::RoaringBitmap;
use rules::Formula;
use spine::{EntrySchema, FieldDefinition, FieldType, LocalizedText, Sensitivity, Value};
use thiserror::Error;

use super::{Matrix, union};

/// A condition on tags: `a && (b || !c)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Everybody, or nobody.
    Constant(bool),
    /// Who carries the tag.
    Carries(u16),
    /// Who does not.
    CarriesNot(u16),
    /// Whom all of these select.
    All(Vec<Selection>),
    /// Whom at least one of these selects.
    Any(Vec<Selection>),
}

/// Why a condition on tags was refused; places in it count bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SelectionError(String);

impl SelectionError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "selection_refused"
    }
}

impl Selection {
    /// Reads a condition in the rule language in which each tag is true or false by its id; `ids` are those of the tags
    /// by number.
    ///
    /// # Errors
    /// What is wrong, with a mark under the place and a guess at a misspelt tag.
    pub fn parse(source: &str, ids: &[String]) -> Result<Self, SelectionError> {
        let expression = rules::parse(source).map_err(|error| SelectionError(error.render(source)))?;
        let field = |id: &String| FieldDefinition {
            name: id.clone(),
            field_type: FieldType::Boolean,
            unit: None,
            sensitivity: Sensitivity::Official,
            required: true,
            title: LocalizedText::en_zh(id, id),
        };
        let fields = ids.iter().map(field).collect();
        let schema = EntrySchema { id: "the tags".to_owned(), version: 1, fields };
        let rule =
            rules::compile_entry_rule(&expression, &schema, &rules::Lists::default()).map_err(|errors| {
                SelectionError(errors.iter().map(|error| error.render(source)).collect::<Vec<_>>().join("\n"))
            })?;
        of_formula(&rule.formula(), ids).ok_or_else(|| {
            SelectionError(
                "tags are joined by &&, ||, ! and brackets, or compared with true or false".to_owned(),
            )
        })
    }

    /// The tags that it looks at, in the order in which it names them.
    #[must_use]
    pub fn tags(&self) -> Vec<u16> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Carries(tag) | Self::CarriesNot(tag) => vec![*tag],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::tags).collect(),
        }
    }

    pub(super) fn among(&self, matrix: &Matrix) -> RoaringBitmap {
        match self {
            Self::Constant(false) => RoaringBitmap::new(),
            Self::Constant(true) => everybody(matrix),
            Self::Carries(tag) => matrix.carriers(*tag).cloned().unwrap_or_default(),
            Self::CarriesNot(tag) => without(everybody(matrix), matrix, *tag),
            Self::Any(parts) => any(parts, matrix, union::of),
            Self::All(parts) => all(parts, matrix),
        }
    }

    pub(super) fn count_among(&self, matrix: &Matrix) -> u64 {
        match self {
            Self::Constant(false) => 0,
            Self::Constant(true) => u64::from(matrix.entities()),
            Self::Carries(tag) => matrix.carriers(*tag).map_or(0, RoaringBitmap::len),
            Self::CarriesNot(tag) => {
                let all = u64::from(matrix.entities());
                all.saturating_sub(matrix.carriers(*tag).map_or(0, RoaringBitmap::len))
            }
            Self::Any(parts) => any(parts, matrix, union::count),
            Self::All(parts) => match parts.as_slice() {
                [Self::Carries(one), Self::Carries(other)] => matrix
                    .carriers(*one)
                    .zip(matrix.carriers(*other))
                    .map_or(0, |(one, other)| one.intersection_len(other)),
                parts => all(parts, matrix).len(),
            },
        }
    }

    /// How many entities it selects at most, without looking at them.
    fn at_most(&self, matrix: &Matrix) -> u64 {
        match self {
            Self::Constant(false) => 0,
            Self::Constant(true) | Self::CarriesNot(_) => u64::from(matrix.entities()),
            Self::Carries(tag) => matrix.carriers(*tag).map_or(0, RoaringBitmap::len),
            Self::Any(parts) => parts.iter().map(|part| part.at_most(matrix)).fold(0, u64::saturating_add),
            Self::All(parts) => {
                let all = u64::from(matrix.entities());
                parts.iter().map(|part| part.at_most(matrix)).min().unwrap_or(all)
            }
        }
    }
}

/// What is made of the sets that the parts select. Sets of the matrix are read where they stand.
fn any<T>(parts: &[Selection], matrix: &Matrix, of: impl Fn(&[&RoaringBitmap], u32) -> T) -> T {
    let others = parts.iter().filter(|part| !matches!(part, Selection::Carries(_)));
    let others: Vec<RoaringBitmap> = others.map(|part| part.among(matrix)).collect();
    let carriers = parts.iter().filter_map(|part| match part {
        Selection::Carries(tag) => matrix.carriers(*tag),
        _ => None,
    });
    of(&carriers.chain(&others).collect::<Vec<_>>(), matrix.entities())
}

/// The rarest first; what is not to be carried last, as taking away needs no complement.
fn all(parts: &[Selection], matrix: &Matrix) -> RoaringBitmap {
    let mut by_size: Vec<&Selection> = parts.iter().collect();
    by_size.sort_by_key(|part| (matches!(part, Selection::CarriesNot(_)), part.at_most(matrix)));
    let mut left: Option<RoaringBitmap> = None;
    for part in by_size {
        left = Some(match (left, part) {
            (None, part) => part.among(matrix),
            (Some(left), Selection::CarriesNot(tag)) => without(left, matrix, *tag),
            (Some(left), Selection::Carries(tag)) => {
                matrix.carriers(*tag).map(|carriers| left & carriers).unwrap_or_default()
            }
            (Some(left), part) => left & part.among(matrix),
        });
        if left.as_ref().is_some_and(RoaringBitmap::is_empty) {
            break;
        }
    }
    left.unwrap_or_else(|| everybody(matrix))
}

fn everybody(matrix: &Matrix) -> RoaringBitmap {
    let mut all = RoaringBitmap::new();
    all.insert_range(0..matrix.entities());
    all
}

fn without(mut entities: RoaringBitmap, matrix: &Matrix, tag: u16) -> RoaringBitmap {
    if let Some(carriers) = matrix.carriers(tag) {
        entities -= carriers;
    }
    entities
}

fn of_formula(formula: &Formula, ids: &[String]) -> Option<Selection> {
    let parts =
        |parts: &[Formula]| parts.iter().map(|part| of_formula(part, ids)).collect::<Option<Vec<_>>>();
    match formula {
        Formula::Constant(yes) => Some(Selection::Constant(*yes)),
        Formula::All(all) => Some(Selection::All(parts(all)?)),
        Formula::Any(any) => Some(Selection::Any(parts(any)?)),
        Formula::Condition(condition) => {
            let id = condition.source.field()?;
            let tag = u16::try_from(ids.iter().position(|own| own == id)?).ok()?;
            // A tag is never absent, so its values are true, false, both or neither.
            let holds = |value: bool| {
                let value = rules::Cut::Value { value: Value::Boolean(value), above: false };
                condition.ranges.iter().any(|range| {
                    range.from.as_ref().is_none_or(|from| from.order(&value).is_le())
                        && range.to.as_ref().is_none_or(|to| to.order(&value).is_gt())
                })
            };
            Some(match (holds(true), holds(false)) {
                (true, true) => Selection::Constant(true),
                (false, false) => Selection::Constant(false),
                (true, false) => Selection::Carries(tag),
                (false, true) => Selection::CarriesNot(tag),
            })
        }
    }
}
