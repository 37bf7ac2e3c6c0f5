//! The last 24 hours, hit rates of the last 30 days, and what everybody may know.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};
use spine::noun::Lane;

use super::model::{
    HitRatesOfArms, HourOfFlow, Overview, ProcessTurn, QueueFigure, Status, StepTime, StoppedShort,
};
use crate::Customhouse;
use crate::declarations::{HitRate, WAITING_MAX};
use crate::error::Error;
use crate::identity::{Permission, Reader};
use crate::projection::upper_bound_ms;

const HOURS: i64 = 24;
const DAYS_OF_RATES: i64 = 30;
const STOPPED_SHOWN: usize = 8;
/// Steps in the order in which a declaration takes them.
const STEPS: [&str; 6] = ["decision", "release_green", "documents", "physical", "query", "audit"];

/// Hours since 1970 of a moment.
fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3_600)
}

/// Counts by measure, and by hour and measure, of the last 24 hours.
struct Counted {
    by_measure: BTreeMap<String, u64>,
    by_hour: BTreeMap<(i64, String), u64>,
}

fn counted(connection: &Connection, since: i64, office: &str) -> rusqlite::Result<Counted> {
    let mut counted = Counted { by_measure: BTreeMap::new(), by_hour: BTreeMap::new() };
    let mut statement = connection.prepare_cached(
        "SELECT hour, measure, sum(n) FROM flow WHERE hour >= ?1 AND (?2 = '' OR office = ?2) GROUP BY hour, measure",
    )?;
    let mut rows = statement.query(params![since, office])?;
    while let Some(row) = rows.next()? {
        let (hour, measure, n): (i64, String, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let all = counted.by_measure.entry(measure.clone()).or_default();
        *all = all.saturating_add(n);
        counted.by_hour.insert((hour, measure), n);
    }
    Ok(counted)
}

/// Median and 95th percentile of each step, from counts by class of duration.
fn steps(counted: &Counted) -> Vec<StepTime> {
    STEPS
        .iter()
        .map(|step| {
            let prefix = format!("step:{step}:");
            let mut classes: Vec<(u64, u64)> = counted
                .by_measure
                .iter()
                .filter_map(|(measure, n)| Some((measure.strip_prefix(&prefix)?.parse().ok()?, *n)))
                .collect();
            classes.sort_unstable();
            let count: u64 = classes.iter().map(|(_, n)| n).sum();
            let below = |percent: u64| {
                let wanted = count.saturating_mul(percent).div_ceil(100);
                let mut seen = 0_u64;
                classes.iter().find_map(|(class, n)| {
                    seen = seen.saturating_add(*n);
                    (count > 0 && seen >= wanted).then(|| upper_bound_ms(*class))
                })
            };
            StepTime { step: (*step).to_owned(), count, median_ms: below(50), p95_ms: below(95) }
        })
        .collect()
}

/// Hit rate of each arm among results since a moment, and whether any of it is simulated.
pub(crate) fn arms(
    connection: &Connection,
    since: Timestamp,
    office: &str,
) -> rusqlite::Result<BTreeMap<String, HitRate>> {
    let mut statement = connection.prepare_cached(
        "SELECT arm, count(*), sum(irregular) FROM declaration
         WHERE result_at >= ?1 AND inspected = 1 AND irregular IS NOT NULL AND arm IS NOT NULL AND batch IS NULL
         AND (?2 = '' OR office = ?2) GROUP BY arm",
    )?;
    statement
        .query_map(params![since.as_microsecond(), office], |row| {
            Ok((row.get(0)?, HitRate::of(row.get(1)?, row.get(2)?)))
        })?
        .collect()
}

/// Is anything simulated among what the read model holds?
pub(crate) fn any_simulated(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT coalesce((SELECT n FROM total WHERE measure = 'simulated'), 0) > 0",
        [],
        |row| row.get(0),
    )
}

fn queue(connection: &Connection, now: Timestamp, office: &str) -> rusqlite::Result<Vec<QueueFigure>> {
    connection
        .prepare_cached(
            "SELECT control, count(*), sum(due_at < ?1), sum(officer IS NOT NULL) FROM declaration
             WHERE control IS NOT NULL AND (?2 = '' OR office = ?2) GROUP BY control ORDER BY control",
        )?
        .query_map(params![now.as_microsecond(), office], |row| {
            Ok(QueueFigure { kind: row.get(0)?, open: row.get(1)?, overdue: row.get(2)?, taken: row.get(3)? })
        })?
        .collect()
}

fn stopped(connection: &Connection, office: &str) -> rusqlite::Result<Vec<StoppedShort>> {
    let mut all = Vec::new();
    for lane in [Lane::Yellow, Lane::Red, Lane::Hold] {
        let mut statement = connection.prepare_cached(
            "SELECT mrn, office, description, lodged_at FROM declaration
             WHERE lane = ?1 AND batch IS NULL AND (?2 = '' OR office = ?2) ORDER BY lodged_at DESC LIMIT ?3",
        )?;
        let mut rows = statement.query(params![lane.name(), office, STOPPED_SHOWN])?;
        while let Some(row) = rows.next()? {
            let at: i64 = row.get(3)?;
            all.push(StoppedShort {
                mrn: row.get(0)?,
                lane,
                office: row.get(1)?,
                description: row.get(2)?,
                at: Timestamp::from_microsecond(at).unwrap_or_default(),
            });
        }
    }
    all.sort_by_key(|one| std::cmp::Reverse(one.at));
    all.truncate(STOPPED_SHOWN);
    Ok(all)
}

impl Customhouse {
    /// The flow of the last 24 hours.
    pub fn overview(&self, reader: &Reader, office: &str) -> Result<Overview, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let now = self.now();
        let (last, first) = (hour_of(now), hour_of(now).saturating_sub(HOURS.saturating_sub(1)));
        let since = now.checked_sub(SignedDuration::from_hours(24 * DAYS_OF_RATES)).unwrap_or(Timestamp::MIN);
        let position = self.projection.position();
        let (counted, arms, queue, latest_stopped, simulated) = self.projection.read(|connection| {
            Ok((
                counted(connection, first, office)?,
                arms(connection, since, office)?,
                queue(connection, now, office)?,
                stopped(connection, office)?,
                any_simulated(connection)?,
            ))
        })?;
        let of = |measure: &str| counted.by_measure.get(measure).copied().unwrap_or(0);
        let lane_at = |hour: i64, lane: Lane| {
            counted.by_hour.get(&(hour, format!("lane:{}", lane.name()))).copied().unwrap_or(0)
        };
        let arm = |name: &str| arms.get(name).copied().unwrap_or_else(|| HitRate::of(0, 0));
        Ok(Overview {
            now,
            hours: (first..=last)
                .map(|hour| HourOfFlow {
                    begins: Timestamp::from_second(hour.saturating_mul(3_600)).unwrap_or_default(),
                    lanes: Lane::ALL.into_iter().map(|lane| (lane, lane_at(hour, lane))).collect(),
                })
                .collect(),
            lodged_day: of("lodged"),
            lodged_hour: counted.by_hour.get(&(last, "lodged".to_owned())).copied().unwrap_or(0),
            released_at_once_day: of("at_once"),
            rejected_day: of("rejected"),
            lanes: Lane::ALL.into_iter().map(|lane| (lane, of(&format!("lane:{}", lane.name())))).collect(),
            queue,
            arms: reader.may(Permission::ViewPlans).then(|| HitRatesOfArms {
                score: arm("score"),
                random: arm("random"),
                hard_rule: arm("hard_rule"),
            }),
            steps: steps(&counted),
            latest_stopped,
            simulated,
            position,
        })
    }

    /// What everybody may know.
    pub fn status(&self) -> Result<Status, Error> {
        let now = self.now();
        let last = hour_of(now);
        let (counted, simulated) = self.projection.read(|connection| {
            Ok((
                counted(connection, last.saturating_sub(HOURS.saturating_sub(1)), "")?,
                any_simulated(connection)?,
            ))
        })?;
        let (waiting, ready) = self.desk().standing();
        let behind_events = self.journal.head().saturating_sub(self.projection.position());
        let state = if !ready {
            "warming_up"
        } else if waiting > WAITING_MAX / 2 || behind_events > 100_000 {
            "degraded"
        } else {
            "running"
        };
        Ok(Status {
            now,
            state: state.to_owned(),
            since: now.checked_sub(self.running_for()).unwrap_or(now),
            lodged_hour: counted.by_hour.get(&(last, "lodged".to_owned())).copied().unwrap_or(0),
            waiting,
            waiting_max: WAITING_MAX,
            behind_events,
            steps: steps(&counted),
            disk_free_bytes: disk_free_bytes(self.folder.path()),
            sandbox: self.folder.is_sandbox(),
            turn: self
                .parts
                .shared
                .then(|| ProcessTurn { decides: self.decides(), keeps_log: self.keeps_log() }),
            simulated,
        })
    }

    /// Waits until read models show more than a position, for at most `timeout`; answers with what they show then.
    #[must_use]
    pub fn wait_for_change(&self, position: u64, timeout: Duration) -> u64 {
        self.projection.wait_for(position.saturating_add(1), timeout)
    }
}

#[cfg(unix)]
pub(crate) fn disk_free_bytes(path: &std::path::Path) -> Option<u64> {
    let figures = rustix::fs::statvfs(path).ok()?;
    Some(figures.f_bavail.saturating_mul(figures.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn disk_free_bytes(_path: &std::path::Path) -> Option<u64> {
    None
}
