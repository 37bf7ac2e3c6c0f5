//! Days and local times as whole numbers since the first of January 1970.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, date};

const EPOCH: Date = date(1970, 1, 1);
const SECONDS_PER_DAY: i64 = 86_400;
const MICROSECONDS_PER_SECOND: i64 = 1_000_000;

/// Days since the epoch.
pub(super) fn to_days(day: Date) -> Option<i32> {
    i32::try_from(day.duration_since(EPOCH).as_secs().checked_div(SECONDS_PER_DAY)?).ok()
}

/// The day so many days after the epoch.
pub(super) fn from_days(days: i32) -> Option<Date> {
    EPOCH.checked_add(SignedDuration::from_secs(i64::from(days).checked_mul(SECONDS_PER_DAY)?)).ok()
}

/// Microseconds since the epoch; `None` for a time that is finer than a microsecond.
pub(super) fn to_microseconds(time: DateTime) -> Option<i64> {
    let duration = time.duration_since(epoch());
    let nanoseconds = duration.subsec_nanos();
    let whole = (nanoseconds.checked_rem(1_000)? == 0).then(|| nanoseconds.checked_div(1_000))??;
    duration.as_secs().checked_mul(MICROSECONDS_PER_SECOND)?.checked_add(i64::from(whole))
}

/// The time so many microseconds after the epoch.
pub(super) fn from_microseconds(microseconds: i64) -> Option<DateTime> {
    epoch().checked_add(SignedDuration::from_micros(microseconds)).ok()
}

fn epoch() -> DateTime {
    EPOCH.at(0, 0, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_days_and_times_come_back() {
        for day in [Date::MIN, date(1969, 12, 31), EPOCH, date(2024, 2, 29), Date::MAX] {
            assert_eq!(from_days(to_days(day).unwrap()), Some(day));
        }
        for time in
            [DateTime::MIN, date(1969, 12, 31).at(23, 59, 59, 999_999_000), date(2024, 2, 29).at(1, 2, 3, 0)]
        {
            assert_eq!(from_microseconds(to_microseconds(time).unwrap()), Some(time));
        }
        assert_eq!(to_microseconds(DateTime::MAX), None);
        assert_eq!(from_microseconds(i64::MAX), None);
    }
}
