//! What aggregates need of entries: windows, conditions, amounts, codes and groups, each once, however many ask for it.

use ::rules::{EntryRule, Formula, Lists};
use ::tags::FieldPart;
use ::tags::buckets::{Different, FEATURES_MAX, Feature, Layout, Questions};
use spine::{EntrySchema, FieldType, Finding};

use super::super::rule_file::compiled_condition;
use super::written::{Measured, SEVERAL_RUNS, Written, at};

/// Digits behind the point of an amount at most.
const DIGITS_MAX: u8 = 6;
/// Ways to group entities at most: each window and list of columns is one.
pub(super) const GROUPINGS_MAX: usize = 8;

/// What a condition needs to be known of an entry besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// A value in this column of amounts.
    Amount(usize),
    /// A value of this kind of code.
    Code(usize),
}

/// A condition: what is written, whether it is to be true or false, and what must be known besides.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    written: Option<String>,
    wanted: bool,
    needs: Needs,
}

impl Asked {
    /// As a condition that is true where it is wanted.
    fn when(&self) -> String {
        let when = self.written.as_deref().unwrap_or("true");
        if self.wanted { when.to_owned() } else { format!("!({when})") }
    }
}

/// A column of amounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) column: String,
    /// Digits behind the point, where somebody said so.
    pub(super) digits: Option<u8>,
    pub(super) sum: bool,
    pub(super) greatest: bool,
}

/// How entities are grouped: by what most of their entries of a window are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grouping {
    pub(super) window: usize,
    pub(super) by: Vec<FieldPart>,
    pub(super) features: Vec<Feature>,
}

/// Entries of a window that fulfil a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) window: usize,
    pub(super) condition: usize,
}

/// What a column of the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Count(Cell),
    /// The sum of an amount.
    Sum(Cell, usize),
    Greatest(Cell, usize),
    /// The answer to a question for different codes.
    Different(Cell, usize),
    /// Where it is true, and where it is false.
    Share(Cell, Cell),
    /// Two counts or sums, with the amounts that they are of.
    Ratio([(Cell, Option<usize>); 2]),
    LastDay(Cell),
    DaysSince(Cell),
    /// The number of a grouping, and of one of its features.
    FromMean(usize, usize),
    FromMedian(usize, usize),
}

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) answer: Answer,
    /// With fewer entries, or peers, it has no value.
    pub(super) at_least: u32,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) layout: Layout,
    pub(super) formulas: Vec<Formula>,
    /// Columns that conditions read.
    pub(super) fields: Vec<String>,
    pub(super) needs: Vec<Needs>,
    pub(super) amounts: Vec<Amount>,
    pub(super) codes: Vec<FieldPart>,
    pub(super) groupings: Vec<Grouping>,
    pub(super) columns: Vec<Column>,
}

impl Plan {
    /// The place of an amount among those that are added up, or among those of which the greatest counts.
    pub(super) fn place(&self, amount: usize, among: fn(&Amount) -> bool) -> usize {
        place_among(&self.amounts, amount, among)
    }
}

fn place_among(amounts: &[Amount], amount: usize, among: fn(&Amount) -> bool) -> usize {
    amounts.iter().take(amount).filter(|own| among(own)).count()
}

/// Plans all aggregates over files of these columns.
///
/// # Errors
/// What is wrong with each.
pub(super) fn plan(
    aggregates: &[(String, Written)],
    by: &str,
    schema: &EntrySchema,
    lists: &Lists,
) -> Result<Plan, Vec<Finding>> {
    let mut windows: Vec<u32> = aggregates.iter().filter_map(|(_, written)| written.days).collect();
    windows.sort_unstable();
    windows.dedup();
    let mut planner = Planner::new(aggregates, by, (schema, lists), windows);
    let planned = aggregates.iter().map(|(name, written)| planner.column(name, written));
    let planned: Vec<Result<Column, Finding>> = planned.collect();
    let (mut columns, mut findings) = (Vec::new(), Vec::new());
    for column in planned {
        match column {
            Ok(column) => columns.push(column),
            Err(finding) => findings.push(finding),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let (formulas, fields) = planner.formulas();
    let needs = planner.conditions.iter().map(|asked| asked.needs).collect();
    let Planner { windows, amounts, codes, different, mut groupings, last_day, .. } = planner;
    for feature in groupings.iter_mut().flat_map(|grouping| &mut grouping.features) {
        feature.sum = feature.sum.map(|amount| place_among(&amounts, amount, |own| own.sum));
    }
    let count = |of: fn(&Amount) -> bool| amounts.iter().filter(|amount| of(amount)).count();
    let questions = Questions {
        windows,
        conditions: formulas.len(),
        sums: count(|amount| amount.sum),
        greatest: count(|amount| amount.greatest),
        last_day,
        codes: codes.len(),
        different,
        keep_codes_from: None,
    };
    let layout = Layout::new(questions)
        .map_err(|error| vec![Finding::error(error.code()).expected(error.to_string()).fix(SEVERAL_RUNS)])?;
    Ok(Plan { layout, formulas, fields, needs, amounts, codes, groupings, columns })
}

struct Planner<'a> {
    aggregates: &'a [(String, Written)],
    by: &'a str,
    schema: &'a EntrySchema,
    lists: &'a Lists,
    windows: Vec<u32>,
    conditions: Vec<Asked>,
    rules: Vec<(String, EntryRule)>,
    amounts: Vec<Amount>,
    codes: Vec<FieldPart>,
    different: Vec<Different>,
    groupings: Vec<Grouping>,
    last_day: bool,
}

impl<'a> Planner<'a> {
    fn new(
        aggregates: &'a [(String, Written)],
        by: &'a str,
        (schema, lists): (&'a EntrySchema, &'a Lists),
        windows: Vec<u32>,
    ) -> Self {
        Self {
            aggregates,
            by,
            schema,
            lists,
            windows,
            conditions: Vec::new(),
            rules: Vec::new(),
            amounts: Vec::new(),
            codes: Vec::new(),
            different: Vec::new(),
            groupings: Vec::new(),
            last_day: false,
        }
    }

    fn column(&mut self, name: &str, written: &Written) -> Result<Column, Finding> {
        if name == self.by {
            return Err(
                at(name, "aggregate_name_unusable").fix("The column of entities has this name already.")
            );
        }
        keys_fit(name, written)?;
        let answer = match written.measure {
            Measured::Ratio => {
                let [part, whole] = [&written.of, &written.to];
                Answer::Ratio([self.counted(name, part.as_deref())?, self.counted(name, whole.as_deref())?])
            }
            Measured::DeviationsFromMean | Measured::DeviationsFromMedian => {
                let (grouping, feature) = self.compared(name, written)?;
                match written.measure {
                    Measured::DeviationsFromMean => Answer::FromMean(grouping, feature),
                    _ => Answer::FromMedian(grouping, feature),
                }
            }
            _ => self.of_entries(name, written)?,
        };
        Ok(Column { name: name.to_owned(), answer, at_least: written.at_least })
    }

    /// What is computed of entries themselves.
    fn of_entries(&mut self, name: &str, written: &Written) -> Result<Answer, Finding> {
        self.last_day |= matches!(written.measure, Measured::LastDay | Measured::DaysSinceLast);
        let window = self.windows.iter().position(|days| Some(*days) == written.days).unwrap_or_default();
        let cell = |own: &mut Self, wanted, needs| {
            own.condition(name, written, wanted, needs).map(|condition| Cell { window, condition })
        };
        Ok(match written.measure {
            Measured::Share => {
                Answer::Share(cell(self, true, Needs::Nothing)?, cell(self, false, Needs::Nothing)?)
            }
            Measured::LastDay => Answer::LastDay(cell(self, true, Needs::Nothing)?),
            Measured::DaysSinceLast => Answer::DaysSince(cell(self, true, Needs::Nothing)?),
            Measured::Distinct => {
                let code = self.code(name, written)?;
                let own = cell(self, true, Needs::Code(code))?;
                Answer::Different(own, self.question(own, code))
            }
            Measured::Sum | Measured::Maximum => {
                let amount = self.amount(name, written)?;
                let own = cell(self, true, Needs::Amount(amount))?;
                if written.measure == Measured::Sum {
                    Answer::Sum(own, amount)
                } else {
                    Answer::Greatest(own, amount)
                }
            }
            _ => Answer::Count(cell(self, true, Needs::Nothing)?),
        })
    }

    fn condition(
        &mut self,
        name: &str,
        written: &Written,
        wanted: bool,
        needs: Needs,
    ) -> Result<usize, Finding> {
        let asked = Asked { written: written.condition.clone(), wanted, needs };
        if let Some(condition) = self.conditions.iter().position(|own| *own == asked) {
            return Ok(condition);
        }
        let when = asked.when();
        if self.rules.iter().all(|(own, _)| *own != when) {
            let rule = compiled_condition(&when, self.schema, self.lists).map_err(|reason| {
                at(name, "aggregate_condition_refused").found(&when).expected(CONDITION).fix(reason)
            })?;
            self.rules.push((when, rule));
        }
        self.conditions.push(asked);
        Ok(self.conditions.len().saturating_sub(1))
    }

    fn column_of(&self, name: &str, part: &FieldPart) -> Result<FieldType, Finding> {
        let Some(field) = self.schema.field(&part.field) else {
            let columns: Vec<&str> = self.schema.fields.iter().map(|field| field.name.as_str()).collect();
            return Err(at(name, "column_unknown")
                .found(&part.field)
                .expected(format!("a column of the files: {}", columns.join(", ")))
                .fix("Name a column as it is spelt in the files."));
        };
        if part.prefix.is_some() && field.field_type != FieldType::Text {
            return Err(at(name, "column_type_unusable")
                .found(&part.to_string())
                .expected("a column of texts, for only texts have first characters")
                .fix("Leave out the brackets, or write the column as text."));
        }
        Ok(field.field_type)
    }

    fn amount(&mut self, name: &str, written: &Written) -> Result<usize, Finding> {
        let part = field_of(name, written)?;
        if self.column_of(name, &part)? != FieldType::Decimal || part.prefix.is_some() {
            return Err(at(name, "column_type_unusable")
                .found(&part.field)
                .expected("a column of numbers")
                .fix("Name a column of numbers; `distinct` counts values of any column."));
        }
        let place = self.amounts.iter().position(|amount| amount.column == part.field);
        let place = place.unwrap_or_else(|| {
            let column = part.field.clone();
            self.amounts.push(Amount { column, digits: None, sum: false, greatest: false });
            self.amounts.len().saturating_sub(1)
        });
        if let Some(amount) = self.amounts.get_mut(place) {
            amount.digits = amount.digits.max(written.digits);
            amount.sum |= written.measure == Measured::Sum;
            amount.greatest |= written.measure == Measured::Maximum;
        }
        Ok(place)
    }

    fn code(&mut self, name: &str, written: &Written) -> Result<usize, Finding> {
        let part = field_of(name, written)?;
        self.column_of(name, &part)?;
        let place = self.codes.iter().position(|code| *code == part);
        Ok(place.unwrap_or_else(|| {
            self.codes.push(part);
            self.codes.len().saturating_sub(1)
        }))
    }

    fn question(&mut self, Cell { window, condition }: Cell, code: usize) -> usize {
        let asked = Different { code, condition, window };
        self.different.iter().position(|own| *own == asked).unwrap_or_else(|| {
            self.different.push(asked);
            self.different.len().saturating_sub(1)
        })
    }

    /// Another aggregate, which must be a count or a sum.
    fn counted(&mut self, name: &str, of: Option<&str>) -> Result<(Cell, Option<usize>), Finding> {
        let of = of.unwrap_or_default();
        let aggregates = self.aggregates;
        let other = aggregates.iter().find(|(own, _)| own == of);
        let fits = |(_, own): &&(String, Written)| matches!(own.measure, Measured::Count | Measured::Sum);
        let Some((_, written)) = other.filter(fits) else {
            return Err(at(name, "aggregate_reference_unusable")
                .found(of)
                .expected("the name of another aggregate of the file whose measure is `count` or `sum`")
                .fix("Add that aggregate, or correct the name."));
        };
        keys_fit(of, written)?;
        match self.of_entries(of, written)? {
            Answer::Sum(cell, amount) => Ok((cell, Some(amount))),
            Answer::Count(cell) => Ok((cell, None)),
            _ => Err(at(name, "aggregate_reference_unusable").found(of)),
        }
    }

    /// Among whom an aggregate is compared, and the place of the value there.
    fn compared(&mut self, name: &str, written: &Written) -> Result<(usize, usize), Finding> {
        let (Cell { window, condition }, amount) = self.counted(name, written.of.as_deref())?;
        for part in &written.peers {
            self.column_of(name, part)?;
        }
        let same = |own: &Grouping| own.window == window && own.by == written.peers;
        let grouping = self.groupings.iter().position(same).unwrap_or_else(|| {
            self.groupings.push(Grouping { window, by: written.peers.clone(), features: Vec::new() });
            self.groupings.len().saturating_sub(1)
        });
        // Amounts become their places among sums when all are known.
        let feature = Feature { window, condition, sum: amount };
        let too_many = self.groupings.len() > GROUPINGS_MAX;
        let features = self.groupings.get_mut(grouping).map(|own| &mut own.features);
        let Some(features) = features.filter(|own| !too_many && own.len() < FEATURES_MAX) else {
            return Err(at(name, "aggregate_peers_too_many")
                .expected(format!("at most {GROUPINGS_MAX} different windows and lists of `peers`"))
                .fix(SEVERAL_RUNS));
        };
        let place = features.iter().position(|own| *own == feature).unwrap_or_else(|| {
            features.push(feature);
            features.len().saturating_sub(1)
        });
        Ok((grouping, place))
    }

    /// In the order of the conditions, and the columns they read.
    fn formulas(&self) -> (Vec<Formula>, Vec<String>) {
        let rule = |asked: &Asked| {
            let when = asked.when();
            self.rules.iter().find(|(own, _)| *own == when).map(|(_, rule)| rule)
        };
        let rules: Vec<&EntryRule> = self.conditions.iter().filter_map(rule).collect();
        let mut fields: Vec<String> = rules.iter().flat_map(|rule| rule.fields()).cloned().collect();
        fields.sort_unstable();
        fields.dedup();
        (rules.into_iter().map(EntryRule::formula).collect(), fields)
    }
}

const CONDITION: &str = "a condition over the files' columns, as docs/rules.md describes it";

fn field_of(name: &str, written: &Written) -> Result<FieldPart, Finding> {
    let of = written.of.as_deref().unwrap_or_default();
    of.parse().map_err(|reason: String| at(name, "column_unknown").found(of).fix(reason))
}

/// Are the keys there that the measure needs, and no others?
fn keys_fit(name: &str, written: &Written) -> Result<(), Finding> {
    let measure = written.measure;
    let amount = matches!(measure, Measured::Sum | Measured::Maximum);
    let deviations = matches!(measure, Measured::DeviationsFromMean | Measured::DeviationsFromMedian);
    // Key, is it there, must it be, may it be?
    let of = amount || measure == Measured::Distinct || measure.of_aggregates();
    let keys = [
        ("of", written.of.is_some(), of, of),
        ("to", written.to.is_some(), measure == Measured::Ratio, measure == Measured::Ratio),
        ("days", written.days.is_some(), !measure.of_aggregates(), !measure.of_aggregates()),
        ("peers", !written.peers.is_empty(), deviations, deviations),
        ("where", written.condition.is_some(), measure == Measured::Share, !measure.of_aggregates()),
        ("digits", written.digits.is_some(), false, amount),
    ];
    for (key, there, needed, allowed) in keys {
        if there && !allowed {
            let fix = format!("Leave out `{key}`: this measure does not read it.");
            return Err(at(name, "aggregate_key_unusable").found(key).fix(fix));
        }
        if needed && !there {
            let fix = format!("Add `{key}`; docs/tags.md says what it is.");
            return Err(at(name, "aggregate_key_missing").found(key).fix(fix));
        }
    }
    if written.digits > Some(DIGITS_MAX) {
        let most = format!("at most {DIGITS_MAX} digits behind the point");
        return Err(at(name, "aggregate_digits_too_many").expected(most).fix("Take a larger unit."));
    }
    Ok(())
}
