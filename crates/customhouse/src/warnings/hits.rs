//! What inspections found of the declarations of a warning.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::rc::Rc;

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension};

use super::event::Scope;
use super::state::Known;
use crate::civil_time::day_begins;
use crate::declarations::HitRate;
use crate::projection::Record;
use crate::tags::Condition;
use crate::tags::live::Epoch;

/// Declarations of a warning whose scope is looked up: the latest that were inspected, wherever they belong. A page has
/// dozens of warnings.
const LOOKED_UP_MAX: usize = 400;

/// What inspections found of the declarations of the warnings of a page. What several of them need is looked up once:
/// warnings of one tag at several offices, and of several tags of the same declarations.
pub(super) struct Findings<'a> {
    connection: &'a Connection,
    epoch: &'a Epoch,
    /// Numbers of the declarations that carry it and were inspected with a known result, by what warnings are about.
    carriers: HashMap<String, Rc<RoaringBitmap>>,
    /// Scopes of declarations by number; `None`: it stands in no list.
    scopes: HashMap<u32, Option<Vec<Scope>>>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(connection: &'a Connection, epoch: &'a Epoch) -> Self {
        Self { connection, epoch, carriers: HashMap::new(), scopes: HashMap::new() }
    }

    /// What inspections found of the declarations in a warning's scope, with its tag or a combination's condition, since
    /// the first day of its episode, up to its last: of the latest [`LOOKED_UP_MAX`] that were inspected and carry it
    /// anywhere.
    pub(super) fn of(&mut self, known: &Known, condition: Option<&Condition>) -> rusqlite::Result<HitRate> {
        let (mut inspected, mut irregular) = (0_u64, 0_u64);
        let carried = self.carriers(known.raised.about.name(), condition);
        for number in carried.range(in_episode(self.epoch, known)).rev().take(LOOKED_UP_MAX) {
            if self.belongs(number, &known.raised.scope)? {
                inspected = inspected.saturating_add(1);
                irregular = irregular.saturating_add(u64::from(self.epoch.irregular.contains(number)));
            }
        }
        Ok(HitRate::of(inspected, irregular))
    }

    fn carriers(&mut self, name: &str, condition: Option<&Condition>) -> Rc<RoaringBitmap> {
        let epoch = self.epoch;
        let carriers = self.carriers.entry(name.to_owned());
        Rc::clone(carriers.or_insert_with(|| Rc::new(inspected_carriers(epoch, name, condition))))
    }

    /// Does a declaration belong to a scope?
    fn belongs(&mut self, number: u32, scope: &Scope) -> rusqlite::Result<bool> {
        let Some(own) = self.epoch.declaration(number) else { return Ok(false) };
        if *scope == Scope::Everywhere {
            return Ok(true);
        }
        let scopes = match self.scopes.entry(number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(scopes(self.connection, &own.mrn)?),
        };
        Ok(scopes.as_ref().is_some_and(|scopes| scopes.contains(scope)))
    }
}

/// Numbers of the declarations that carry it and were inspected with a known result.
fn inspected_carriers(epoch: &Epoch, tag: &str, condition: Option<&Condition>) -> RoaringBitmap {
    let inspected = epoch.inspected.as_ref();
    if let Some(condition) = condition {
        return epoch.of_declarations.select(&condition.over(epoch)) & inspected;
    }
    let number = (0..).zip(epoch.tags()).find(|(_, own)| *own == tag).map(|(number, _)| number);
    let carriers = number.and_then(|number| epoch.of_declarations.carriers(number));
    carriers.map(|carriers| carriers & inspected).unwrap_or_default()
}

/// Numbers of the declarations of a warning's episode; they rise with the time at which tags became known.
fn in_episode(epoch: &Epoch, known: &Known) -> Range<u32> {
    let at = |date| day_begins(date).map_or(i64::MIN, jiff::Timestamp::as_microsecond);
    let until = known.over.and_then(|over| over.tomorrow().ok()).map_or(i64::MAX, at);
    let (from, until) = (first_at(epoch, at(known.raised.since)), first_at(epoch, until));
    from..until.max(from)
}

/// The first declaration whose tags became known at a moment or later.
fn first_at(epoch: &Epoch, moment: i64) -> u32 {
    let (mut from, mut until) = (0, epoch.of_declarations.entities());
    while from < until {
        let middle = from.midpoint(until);
        if epoch.declaration(middle).is_some_and(|own| own.at < moment) {
            from = middle.saturating_add(1);
        } else {
            until = middle;
        }
    }
    from
}

/// The scopes to which a line of the list belongs.
pub(super) fn scopes_of(record: &Record) -> Vec<Scope> {
    let (commodity, origin) = (record.commodity.as_deref(), record.origin.as_deref());
    Scope::of(Some(&record.office), commodity, origin, record.departure.as_deref())
}

fn scopes(connection: &Connection, mrn: &str) -> rusqlite::Result<Option<Vec<Scope>>> {
    let text = |row: &rusqlite::Row<'_>, at: usize| row.get::<_, Option<String>>(at);
    connection
        .prepare_cached("SELECT office, commodity, origin, departure FROM declaration WHERE mrn = ?1")?
        .query_row([mrn], |row| {
            let (office, commodity, origin, departure) =
                (text(row, 0)?, text(row, 1)?, text(row, 2)?, text(row, 3)?);
            Ok(Scope::of(office.as_deref(), commodity.as_deref(), origin.as_deref(), departure.as_deref()))
        })
        .optional()
}
