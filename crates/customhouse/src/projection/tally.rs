//! Counts by the hour, and how long steps take: gathered in memory, written once a transaction.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

/// Steps between two powers of two: a duration is known to within 19 %.
const STEPS: u64 = 4;

/// The class of a duration.
fn class(milliseconds: u64) -> u64 {
    if milliseconds < STEPS {
        return milliseconds;
    }
    let power = u64::from(milliseconds.ilog2());
    let within = (milliseconds >> power.saturating_sub(2)) & 3;
    power.saturating_mul(STEPS).saturating_add(within)
}

/// The longest duration of a class, in milliseconds.
pub(crate) fn upper_bound_ms(class: u64) -> u64 {
    if class < STEPS {
        return class;
    }
    let (power, within) = (class / STEPS, class % STEPS);
    let unit =
        1_u64.checked_shl(u32::try_from(power.saturating_sub(2)).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
    unit.saturating_mul(STEPS.saturating_add(within).saturating_add(1)).saturating_sub(1)
}

/// Counts on their way into the tables.
#[derive(Debug, Default)]
pub(super) struct Tally {
    flow: BTreeMap<(i64, String, String), i64>,
    total: BTreeMap<String, i64>,
    office: BTreeMap<String, i64>,
}

impl Tally {
    /// One more at an office in the hour of a moment.
    pub(super) fn count(&mut self, at: Timestamp, office: &str, measure: &str) {
        let hour = at.as_second().div_euclid(3_600);
        let n = self.flow.entry((hour, office.to_owned(), measure.to_owned())).or_default();
        *n = n.saturating_add(1);
    }

    /// How long a step took.
    pub(super) fn took(&mut self, at: Timestamp, office: &str, step: &str, since: Timestamp) {
        let milliseconds =
            u64::try_from(at.as_millisecond().saturating_sub(since.as_millisecond())).unwrap_or(0);
        self.count(at, office, &format!("step:{step}:{}", class(milliseconds)));
    }

    /// So many more of something, for all time.
    pub(super) fn add(&mut self, measure: &str, by: i64) {
        let n = self.total.entry(measure.to_owned()).or_default();
        *n = n.saturating_add(by);
    }

    /// One more declaration at an office.
    pub(super) fn seen_at(&mut self, office: &str) {
        let n = self.office.entry(office.to_owned()).or_default();
        *n = n.saturating_add(1);
    }

    /// Writes all of it.
    pub(super) fn write(self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut flow = transaction.prepare_cached(
            "INSERT INTO flow (hour, office, measure, n) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET n = n + excluded.n",
        )?;
        for ((hour, office, measure), n) in self.flow {
            flow.execute(params![hour, office, measure, n])?;
        }
        let mut total = transaction.prepare_cached(
            "INSERT INTO total (measure, n) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET n = n + excluded.n",
        )?;
        for (measure, n) in self.total {
            total.execute(params![measure, n])?;
        }
        let mut office = transaction.prepare_cached(
            "INSERT INTO office (office, n) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET n = n + excluded.n",
        )?;
        for (name, n) in self.office {
            office.execute(params![name, n])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_durations_that_differ_by_less_than_a_quarter() {
        for milliseconds in (0..5_000).chain([9_999, 86_400_000, 1 << 40]) {
            let upper = upper_bound_ms(class(milliseconds));
            assert!(upper >= milliseconds, "{milliseconds} {upper}");
            assert!(upper.saturating_sub(milliseconds) <= milliseconds / 4, "{milliseconds} {upper}");
        }
    }
}
