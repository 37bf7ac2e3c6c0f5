//! Dates and times of XML Schema (part 2, 3.2.7 to 3.2.14): whether a text is one, and which of two is earlier.

use std::cmp::Ordering;

/// Which parts a date or time has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    DateTime,
    Date,
    Time,
    YearMonth,
    Year,
    MonthDay,
    Month,
    Day,
}

/// A date or time that was read. Parts that its kind does not have are those of 1972-01-01, a leap year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment<'a> {
    days: i64,
    seconds: i64,
    fraction: &'a str,
    /// Minutes before (negative) or after UTC; `None` where it is not said.
    zone: Option<i64>,
}

/// Half a day and two hours: so far a time without its zone may be from UTC.
const ZONE_MINUTES_MAX: i64 = 14 * 60;

impl<'a> Moment<'a> {
    pub(crate) fn parse(parts: Parts, text: &'a str) -> Option<Self> {
        let mut scan = Scan { rest: text };
        let (mut year, mut month, mut day) = (1972, 1, 1);
        let mut time = Some((0, ""));
        match parts {
            Parts::DateTime | Parts::Date => {
                (year, month, day) = (scan.year()?, scan.after("-")?, scan.after("-")?);
                if parts == Parts::DateTime {
                    scan.mark("T")?;
                    time = scan.time();
                }
            }
            Parts::Time => time = scan.time(),
            Parts::YearMonth => (year, month) = (scan.year()?, scan.after("-")?),
            Parts::Year => year = scan.year()?,
            Parts::MonthDay => (month, day) = (scan.after("--")?, scan.after("-")?),
            Parts::Month => month = scan.after("--")?,
            Parts::Day => day = scan.after("---")?,
        }
        let (seconds, fraction) = time?;
        let zone = scan.zone()?;
        if !scan.rest.is_empty() || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
            return None;
        }
        Some(Self { days: days_from_civil(year, month, day), seconds, fraction, zone })
    }

    /// `None` where it depends on the zone that one of them does not state.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self.zone, other.zone) {
            (Some(left), Some(right)) => Some(self.at(left).cmp(&other.at(right))),
            (None, None) => Some(self.at(0).cmp(&other.at(0))),
            (Some(left), None) => other.against(self.at(left)).map(Ordering::reverse),
            (None, Some(right)) => self.against(other.at(right)),
        }
    }

    /// Seconds in UTC, and what is below a second.
    fn at(self, zone: i64) -> (i64, &'a str) {
        let seconds = self.days.saturating_mul(86_400).saturating_add(self.seconds);
        (seconds.saturating_sub(zone.saturating_mul(60)), self.fraction)
    }

    /// This one, wherever it is, against a time in UTC.
    fn against(self, other: (i64, &str)) -> Option<Ordering> {
        if self.at(-ZONE_MINUTES_MAX) < other {
            Some(Ordering::Less)
        } else if self.at(ZONE_MINUTES_MAX) > other {
            Some(Ordering::Greater)
        } else {
            None
        }
    }
}

struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    fn mark(&mut self, mark: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(mark)?;
        Some(())
    }

    /// Digits from here, at least one.
    fn digits(&mut self) -> Option<&'a str> {
        let end = self.rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!digits.is_empty()).then_some(digits)
    }

    fn two(&mut self) -> Option<i64> {
        let digits = self.digits()?;
        if digits.len() == 2 { digits.parse().ok() } else { None }
    }

    fn after(&mut self, mark: &str) -> Option<i64> {
        self.mark(mark)?;
        self.two()
    }

    /// Four digits or more, without a zero before the fourth; there is no year 0. Up to eleven digits are understood.
    fn year(&mut self) -> Option<i64> {
        let negative = self.mark("-").is_some();
        let digits = self.digits()?;
        if !(4..=11).contains(&digits.len()) || (digits.len() > 4 && digits.starts_with('0')) {
            return None;
        }
        let year: i64 = digits.parse().ok()?;
        // The year before 1 is -1.
        match (negative, year) {
            (_, 0) => None,
            (true, year) => 1_i64.checked_sub(year),
            (false, year) => Some(year),
        }
    }

    fn time(&mut self) -> Option<(i64, &'a str)> {
        let (hour, minute, second) = (self.two()?, self.after(":")?, self.after(":")?);
        let fraction = if self.mark(".").is_some() { self.digits()?.trim_end_matches('0') } else { "" };
        let midnight = hour == 24 && minute == 0 && second == 0 && fraction.is_empty();
        if (hour > 23 && !midnight) || minute > 59 || second > 59 {
            return None;
        }
        Some((
            hour.saturating_mul(3_600).saturating_add(minute.saturating_mul(60)).saturating_add(second),
            fraction,
        ))
    }

    /// Nothing, `Z`, or hours and minutes.
    #[expect(clippy::option_option, reason = "no zone is not the same as a wrong one")]
    fn zone(&mut self) -> Option<Option<i64>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        if self.mark("Z").is_some() {
            return Some(Some(0));
        }
        let negative = self.mark("-").is_some();
        if !negative {
            self.mark("+")?;
        }
        let (hours, minutes) = (self.two()?, self.after(":")?);
        let zone = hours.saturating_mul(60).saturating_add(minutes);
        if minutes > 59 || zone > ZONE_MINUTES_MAX {
            return None;
        }
        Some(Some(if negative { zone.saturating_neg() } else { zone }))
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the calendar that XML Schema uses for all times (proleptic Gregorian). Years count from
/// March, so that the leap day is the last one.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = month.saturating_add(9).rem_euclid(12);
    let day_of_year =
        (153_i64.saturating_mul(from_march).saturating_add(2) / 5).saturating_add(day).saturating_sub(1);
    let day_of_era = year_of_era
        .saturating_mul(365)
        .saturating_add(year_of_era / 4)
        .saturating_sub(year_of_era / 100)
        .saturating_add(day_of_year);
    era.saturating_mul(146_097).saturating_add(day_of_era).saturating_sub(719_468)
}

/// `P1Y2M3DT4H5M6.7S`: at least one part, and one behind a `T`.
pub(crate) fn is_duration(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let Some(text) = text.strip_prefix('P') else { return false };
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let parts = |mut text: &str, letters: &[char]| -> Option<usize> {
        let mut count = 0_usize;
        for letter in letters {
            let Some((number, rest)) = text.split_once(*letter) else { continue };
            let (whole, fraction) = match number.split_once('.') {
                Some((whole, fraction)) if *letter == 'S' => (whole, Some(fraction)),
                _ => (number, None),
            };
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if !digits(whole) || !fraction.is_none_or(digits) {
                return None;
            }
            text = rest;
            count = count.saturating_add(1);
        }
        text.is_empty().then_some(count)
    };
    let date = parts(date, &['Y', 'M', 'D']);
    let time = time.map(|time| parts(time, &['H', 'M', 'S']));
    match (date, time) {
        (Some(_), Some(Some(count))) => count > 0,
        (Some(count), None) => count > 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_those_of_the_calendar() {
        let check = |parts: Parts, text: &str, expected: bool| {
            assert_eq!(Moment::parse(parts, text).is_some(), expected, "{parts:?} {text}");
        };
        check(Parts::DateTime, "2024-02-29T23:59:59", true);
        check(Parts::DateTime, "2024-02-29T23:59:59.125Z", true);
        check(Parts::DateTime, "2024-02-29T24:00:00", true);
        check(Parts::DateTime, "2024-02-29T24:00:01", false);
        check(Parts::DateTime, "2023-02-29T00:00:00", false);
        check(Parts::DateTime, "2024-02-29 23:59:59", false);
        check(Parts::DateTime, "2024-2-29T23:59:59", false);
        check(Parts::DateTime, "2024-02-29T23:59", false);
        check(Parts::DateTime, "2024-02-29T23:59:59+14:00", true);
        check(Parts::DateTime, "2024-02-29T23:59:59+14:01", false);
        check(Parts::Date, "2000-02-29", true);
        check(Parts::Date, "1900-02-29", false);
        check(Parts::Date, "0000-01-01", false);
        check(Parts::Date, "-0001-01-01", true);
        check(Parts::Date, "12024-01-01", true);
        check(Parts::Date, "02024-01-01", false);
        check(Parts::Date, "2024-01-01Z", true);
        check(Parts::Date, "20240101", false);
        check(Parts::Time, "12:00:60", false);
        check(Parts::Time, "12:00:00.", false);
        check(Parts::YearMonth, "2024-13", false);
        check(Parts::Year, "2024", true);
        check(Parts::MonthDay, "--02-29", true);
        check(Parts::MonthDay, "--02-30", false);
        check(Parts::Month, "--12", true);
        check(Parts::Day, "---31", true);
        check(Parts::Day, "---32", false);
    }

    #[test]
    fn the_earlier_is_less_wherever_it_was() {
        let check = |left: &str, right: &str, expected: Option<Ordering>| {
            let parse = |text| Moment::parse(Parts::DateTime, text).unwrap();
            assert_eq!(parse(left).compare(parse(right)), expected, "{left} {right}");
            assert_eq!(parse(right).compare(parse(left)), expected.map(Ordering::reverse), "{right} {left}");
        };
        check("2024-01-01T00:00:00", "2024-01-01T00:00:01", Some(Ordering::Less));
        check("2024-01-01T00:00:00.5", "2024-01-01T00:00:00.25", Some(Ordering::Greater));
        check("2024-01-01T12:00:00+01:00", "2024-01-01T11:00:00Z", Some(Ordering::Equal));
        check("2023-12-31T24:00:00Z", "2024-01-01T00:00:00Z", Some(Ordering::Equal));
        check("2024-01-01T00:00:00", "2024-01-01T06:00:00Z", None);
        check("2024-01-01T00:00:00", "2024-01-02T00:00:00Z", Some(Ordering::Less));
        check("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", Some(Ordering::Less));
    }

    #[test]
    fn durations_have_their_parts_in_order() {
        for (text, expected) in [
            ("P1Y", true),
            ("-P1Y2M3DT4H5M6.7S", true),
            ("PT0S", true),
            ("P", false),
            ("PT", false),
            ("P1Y1Y", false),
            ("P1M1Y", false),
            ("P1S", false),
            ("PT1.5M", false),
            ("1Y", false),
        ] {
            assert_eq!(is_duration(text), expected, "{text}");
        }
    }
}
