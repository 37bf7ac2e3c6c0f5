//! What windows read of a few entries, prepared once for all of them.

use std::collections::HashMap;
use std::ops::Range;

use rules::{EntryRule, Truths};
use spine::EntryTable;

use super::key::{Key, marks};
use super::kin::{Kin, names_enterprise};
use crate::aggregate::{FieldPart, Measured};
use crate::key::{NO_DAY, days};
use crate::window::measured_numbers;

/// What all windows together read, each thing once.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    parts: Vec<FieldPart>,
    /// Positions of their parts.
    keys: Vec<Vec<usize>>,
    measured: Vec<Measured>,
    conditions: Vec<(String, EntryRule)>,
}

/// Position of a thing in a list; it is appended if it is new.
fn place<T: PartialEq>(list: &mut Vec<T>, wanted: T) -> usize {
    list.iter().position(|own| *own == wanted).unwrap_or_else(|| {
        list.push(wanted);
        list.len().saturating_sub(1)
    })
}

impl Wanted {
    /// Position of a part among the marks.
    pub(crate) fn part(&mut self, part: &FieldPart) -> usize {
        place(&mut self.parts, part.clone())
    }

    /// Position of a key among the keys.
    pub(crate) fn key(&mut self, parts: &[FieldPart]) -> usize {
        let parts = parts.iter().map(|part| self.part(part)).collect();
        place(&mut self.keys, parts)
    }

    /// Position of a number among the numbers.
    pub(crate) fn measured(&mut self, of: &Measured) -> usize {
        place(&mut self.measured, of.clone())
    }

    /// Position of a condition among the truths.
    pub(crate) fn condition(&mut self, source: &str, rule: &EntryRule) -> usize {
        self.conditions.iter().position(|(own, _)| own == source).unwrap_or_else(|| {
            self.conditions.push((source.to_owned(), rule.clone()));
            self.conditions.len().saturating_sub(1)
        })
    }

    /// Names of the fields that conditions and numbers and keys read.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        let measured = self.measured.iter().flat_map(|of| std::iter::once(&of.field).chain(&of.divided_by));
        let conditions =
            self.conditions.iter().flat_map(|(_, rule)| rule.fields().iter().map(String::as_str));
        self.parts.iter().chain(measured).map(|part| part.field.as_str()).chain(conditions)
    }

    /// Reads a table. `kin`: who is one.
    pub(crate) fn read(&self, table: &EntryTable, kin: &Kin) -> Reading {
        let marks: Vec<_> = self.parts.iter().map(|part| marks(table, part)).collect();
        let mark = |part: usize, row: usize| marks.get(part)?.get(row).copied().flatten();
        let key = |parts: &Vec<usize>, row| Key::of(parts.iter().map(|part| mark(*part, row)));
        let keys =
            self.keys.iter().map(|parts| (0..table.len()).map(|row| key(parts, row)).collect()).collect();
        let others = |parts: &Vec<usize>| match parts.iter().any(|part| self.names_enterprise(*part)) {
            true if !kin.is_empty() => self.others(parts, &marks, kin),
            _ => HashMap::new(),
        };
        Reading {
            others: self.keys.iter().map(others).collect(),
            days: days(table),
            keys,
            numbers: self.measured.iter().map(|of| measured_numbers(table, of)).collect(),
            truths: self.conditions.iter().map(|(_, rule)| rule.evaluate(table, 0..table.len())).collect(),
            marks,
        }
    }
}

impl Wanted {
    fn names_enterprise(&self, part: usize) -> bool {
        self.parts.get(part).is_some_and(names_enterprise)
    }

    /// The keys under which what counts together with a row is held: its own, with each enterprise in it replaced by
    /// each that is one with it. Only rows with such enterprises are in it.
    fn others(&self, parts: &[usize], marks: &[Vec<Option<u128>>], kin: &Kin) -> HashMap<usize, Vec<Key>> {
        let rows = marks.first().map_or(0, Vec::len);
        let mut others = HashMap::new();
        for row in 0..rows {
            let own: Option<Vec<u128>> =
                parts.iter().map(|part| marks.get(*part)?.get(row).copied().flatten()).collect();
            let Some(own) = own else { continue };
            let group = |at: usize, mark: &u128| {
                parts.get(at).filter(|part| self.names_enterprise(**part)).and_then(|_| kin.group(*mark))
            };
            if !own.iter().enumerate().any(|(at, mark)| group(at, mark).is_some()) {
                continue;
            }
            let mut all: Vec<Vec<u128>> = vec![Vec::with_capacity(own.len())];
            for (at, mark) in own.iter().enumerate() {
                let each = group(at, mark).unwrap_or(std::slice::from_ref(mark));
                all = all
                    .iter()
                    .flat_map(|begun| each.iter().map(|mark| begun.iter().chain([mark]).copied().collect()))
                    .collect();
            }
            let keys = all.iter().filter_map(|marks| Key::of(marks.iter().map(|mark| Some(*mark))));
            others.insert(row, keys.collect());
        }
        others
    }
}

/// What windows read, one element a row.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) days: Vec<i32>,
    pub(crate) marks: Vec<Vec<Option<u128>>>,
    pub(crate) keys: Vec<Vec<Option<Key>>>,
    /// For each key, the rows for which what is held of several keys counts together, and these keys, the row's own
    /// among them.
    pub(crate) others: Vec<HashMap<usize, Vec<Key>>>,
    /// Millionths.
    pub(crate) numbers: Vec<Vec<Option<i128>>>,
    pub(crate) truths: Vec<Truths>,
}

impl Reading {
    /// The keys whose entries count for a row: its own, and those of whoever is one with an enterprise in it.
    pub(crate) fn counted(&self, key: usize, row: usize) -> impl Iterator<Item = Key> {
        let all = self.others.get(key).and_then(|others| others.get(&row)).map_or(&[][..], Vec::as_slice);
        let own = self.keys.get(key).and_then(|keys| keys.get(row).copied().flatten());
        all.iter().copied().chain(own.filter(|_| all.is_empty()))
    }

    /// The row's day, if it has one.
    pub(crate) fn day(&self, row: usize) -> Option<i32> {
        self.days.get(row).copied().filter(|day| *day != NO_DAY)
    }
}

/// The rows of each declaration, in the order in which declarations first appear. Rows without a declaration are
/// declarations of their own.
pub(crate) fn declarations(table: &EntryTable) -> Vec<Vec<usize>> {
    let codes = table.texts("declaration_id");
    let mut places: HashMap<u32, usize> = HashMap::new();
    let mut declarations: Vec<Vec<usize>> = Vec::new();
    for row in 0..table.len() {
        let code = codes
            .and_then(|column| column.codes().get(row).copied())
            .filter(|code| *code != spine::entry::TextColumn::ABSENT);
        let place = code.and_then(|code| places.get(&code).copied());
        match place.and_then(|place| declarations.get_mut(place)) {
            Some(rows) => rows.push(row),
            None => {
                if let Some(code) = code {
                    places.insert(code, declarations.len());
                }
                declarations.push(vec![row]);
            }
        }
    }
    declarations
}

/// Rows of one declaration and one day: they see what came before all of them.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) day: i32,
    pub(crate) rows: Range<usize>,
}

/// The order in which entries are taken in. Rows without a day are in no step.
#[derive(Debug)]
pub(crate) struct Steps {
    /// Rows of the table; steps are ranges of this.
    pub(crate) rows: Vec<usize>,
    pub(crate) steps: Vec<Step>,
}

impl Steps {
    /// Declaration by declaration as they came, each in order of its days.
    pub(crate) fn by_arrival(declarations: &[Vec<usize>], reading: &Reading) -> Self {
        Self::new(declarations, reading, |(declaration, day, _)| (*declaration, i64::from(*day)))
    }

    /// Day by day, each in order of arrival.
    pub(crate) fn by_day(declarations: &[Vec<usize>], reading: &Reading) -> Self {
        Self::new(declarations, reading, |(declaration, day, _)| (i64::from(*day), *declaration))
    }

    fn new(
        declarations: &[Vec<usize>],
        reading: &Reading,
        order: impl Fn(&(i64, i32, usize)) -> (i64, i64),
    ) -> Self {
        let mut all: Vec<(i64, i32, usize)> = (0_i64..)
            .zip(declarations)
            .flat_map(|(at, rows)| rows.iter().filter_map(move |row| Some((at, reading.day(*row)?, *row))))
            .collect();
        all.sort_by_key(order);
        let mut steps = Vec::new();
        let mut start = 0_usize;
        for together in all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let end = start.saturating_add(together.len());
            steps.extend(together.first().map(|(_, day, _)| Step { day: *day, rows: start..end }));
            start = end;
        }
        Self { rows: all.into_iter().map(|(_, _, row)| row).collect(), steps }
    }
}
