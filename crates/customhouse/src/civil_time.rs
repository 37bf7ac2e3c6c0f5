//! The administration's civil time. Records of the past carry no zone, so days begin and end in UTC everywhere.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::error::{Error, Kind};

/// The civil time of a moment.
pub(crate) fn civil(at: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(at)
}

/// The moment cut to the microseconds that the journal keeps: what is told at once is what is told ever after.
pub(crate) fn as_recorded(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// The moment of a civil time; `None` beyond the years that timestamps reach.
pub(crate) fn moment(at: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(at).ok()
}

/// The moment at which a day begins.
pub(crate) fn day_begins(day: Date) -> Option<Timestamp> {
    moment(day.to_datetime(Time::midnight()))
}

/// The day that somebody narrows a list by, in microseconds since 1970: its beginning, or its end. Empty: none.
pub(crate) fn day_of_query(text: &str, after: bool) -> Result<Option<i64>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let day: Date = text.trim().parse().map_err(|_| {
        Error::new(
            Kind::Invalid,
            "day_unreadable",
            format!("\"{}\" is no day", text.chars().take(40).collect::<String>()),
            "Write it as 2026-03-31.",
        )
    })?;
    let day = if after { day.tomorrow().unwrap_or(day) } else { day };
    Ok(day_begins(day).map(Timestamp::as_microsecond))
}
