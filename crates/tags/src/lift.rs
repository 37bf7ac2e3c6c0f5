//! From entries to what carries the tag. Conditions are always evaluated on entries; this says which entries are
//! marked then:
//!
//! * item: the entry itself;
//! * declaration: every entry of a declaration of which at least one fulfils the condition;
//! * enterprise: every entry of the enterprise (the field named by `enterprise_field`) on the day of an entry that
//!   fulfils the condition, and for `valid_days` days after it, never before;
//! * route: the same for entries of equal origin, departure and commodity chapter.
//!
//! An entry is unknown when it is not marked and the condition is unknown for the entry itself, or, on a
//! declaration, for any entry of it.
#![expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "numeric kernel: row numbers and codes are u32 by construction; tests compare it with the definition"
)]

use std::collections::HashMap;

use roaring::RoaringBitmap;
use rules::Truths;
use spine::EntryTable;
use spine::noun::SubjectKind;

use crate::aggregate::FieldPart;
use crate::apply::Shared;
use crate::definition::TagDefinition;
use crate::key::{ABSENT, NO_DAY, key_codes};
use crate::set::ENTERPRISE_FIELDS;

/// The fields that make a route.
pub(crate) fn route_parts() -> Vec<FieldPart> {
    let part = |field: &str, prefix| FieldPart { field: field.to_owned(), prefix };
    vec![part("origin_country", None), part("departure_country", None), part("commodity_code", Some(2))]
}

/// The fields that name what carries the tag, if it is an enterprise or a route.
pub(crate) fn subject_parts(definition: &TagDefinition) -> Vec<FieldPart> {
    if definition.on == SubjectKind::Route {
        route_parts()
    } else {
        vec![FieldPart { field: definition.enterprise_field.clone(), prefix: None }]
    }
}

/// Codes of enterprises and routes.
pub(crate) struct Subjects {
    by_field: HashMap<String, Vec<u32>>,
    route: Vec<u32>,
}

impl Subjects {
    pub(crate) fn new(table: &EntryTable) -> Self {
        let codes = |field: &str| key_codes(table, &[FieldPart { field: field.to_owned(), prefix: None }]);
        Self {
            by_field: ENTERPRISE_FIELDS.iter().map(|field| ((*field).to_owned(), codes(field))).collect(),
            route: key_codes(table, &route_parts()),
        }
    }

    fn codes(&self, definition: &TagDefinition) -> &[u32] {
        if definition.on == SubjectKind::Route {
            &self.route
        } else {
            self.by_field.get(&definition.enterprise_field).map_or(&[], Vec::as_slice)
        }
    }
}

/// What a tag's condition comes to once it is lifted to what carries the tag.
pub(crate) struct Lifted {
    /// Rows that carry the tag.
    pub(crate) marked: RoaringBitmap,
    /// Rows that fulfil the condition themselves.
    pub(crate) raised: RoaringBitmap,
    /// Number of unknown rows.
    pub(crate) unknown: u64,
}

/// Lifts the truths of entries to what carries the tag.
pub(crate) fn lift(definition: &TagDefinition, truths: &Truths, shared: &Shared) -> Lifted {
    let rows = shared.days.len();
    let raised = bitmap((0..rows).filter(|row| truths.is_true(*row)));
    let (marked, unknown) = match definition.on {
        SubjectKind::Item => (raised.clone(), truths.unknown_count()),
        SubjectKind::Declaration => of_declarations(truths, &shared.declarations),
        SubjectKind::Enterprise | SubjectKind::Route => {
            let marked = of_subjects(definition, &raised, shared);
            let unknown =
                (0..rows).filter(|row| truths.is_unknown(*row) && !marked.contains(*row as u32)).count();
            (marked, unknown)
        }
    };
    Lifted { marked, raised, unknown: unknown as u64 }
}

/// Every row of a declaration with a true one; unknown are those of declarations with an unknown one and no true one.
fn of_declarations(truths: &Truths, codes: &[u32]) -> (RoaringBitmap, usize) {
    let declarations = codes.iter().max().map_or(0, |code| *code as usize + 1);
    let (mut raised, mut open) = (vec![false; declarations], vec![false; declarations]);
    for (row, code) in codes.iter().enumerate() {
        raised[*code as usize] |= truths.is_true(row);
        open[*code as usize] |= truths.is_unknown(row);
    }
    let unknown = codes.iter().filter(|code| !raised[**code as usize] && open[**code as usize]).count();
    (bitmap((0..codes.len()).filter(|row| raised[codes[*row] as usize])), unknown)
}

/// Every row of an enterprise or route from the day on which one of its rows raised the tag, as long as it is valid.
fn of_subjects(definition: &TagDefinition, raised: &RoaringBitmap, shared: &Shared) -> RoaringBitmap {
    let codes = shared.subjects.codes(definition);
    let day = |row: usize| shared.days[row];
    let mut raised_on: HashMap<u32, Vec<i32>> = HashMap::new();
    for row in raised.iter().map(|row| row as usize) {
        if codes[row] != ABSENT && day(row) != NO_DAY {
            raised_on.entry(codes[row]).or_default().push(day(row));
        }
    }
    for days in raised_on.values_mut() {
        days.sort_unstable();
        days.dedup();
    }
    let valid_days = i32::from(definition.valid_days);
    let still_valid = |row: usize| {
        day(row) != NO_DAY
            && raised_on.get(&codes[row]).is_some_and(|days| {
                let after = days.partition_point(|own| *own <= day(row));
                after > 0 && days[after - 1] >= day(row) - valid_days
            })
    };
    // An entry that fulfils the condition but names no enterprise or has no day is marked alone.
    bitmap((0..shared.days.len()).filter(|row| raised.contains(*row as u32) || still_valid(*row)))
}

fn bitmap(rows: impl Iterator<Item = usize>) -> RoaringBitmap {
    rows.map(|row| row as u32).collect()
}
