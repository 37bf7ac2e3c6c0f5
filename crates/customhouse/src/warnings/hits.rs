//! What inspections found of the declarations of a warning.

use std::ops::Range;

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

/// What inspections found of the declarations in a warning's scope, with its tag or a combination's condition, since the first day of its episode, up to its last:
/// of the latest [`LOOKED_UP_MAX`] that were inspected and carry it anywhere.
pub(super) fn hits(
    connection: &Connection,
    epoch: &Epoch,
    known: &Known,
    condition: Option<&Condition>,
) -> rusqlite::Result<HitRate> {
    let (mut inspected, mut irregular) = (0_u64, 0_u64);
    let carried = inspected_carriers(epoch, known.raised.about.name(), condition);
    for number in carried.range(in_episode(epoch, known)).rev().take(LOOKED_UP_MAX) {
        let Some(own) = epoch.declaration(number) else { continue };
        let belongs = known.raised.scope == Scope::Everywhere
            || scopes(connection, &own.mrn)?.is_some_and(|scopes| scopes.contains(&known.raised.scope));
        if belongs {
            inspected = inspected.saturating_add(1);
            irregular = irregular.saturating_add(u64::from(epoch.irregular.contains(number)));
        }
    }
    Ok(HitRate::of(inspected, irregular))
}

/// Numbers of the declarations that carry it and were inspected with a known result.
fn inspected_carriers(epoch: &Epoch, tag: &str, condition: Option<&Condition>) -> RoaringBitmap {
    if let Some(condition) = condition {
        return epoch.of_declarations.select(&condition.over(epoch)) & epoch.inspected.as_ref();
    }
    let number = (0..).zip(epoch.tags()).find(|(_, own)| *own == tag).map(|(number, _)| number);
    let carriers = number.and_then(|number| epoch.of_declarations.carriers(number));
    carriers.map(|carriers| carriers & epoch.inspected.as_ref()).unwrap_or_default()
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
