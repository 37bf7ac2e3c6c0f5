//! Dates as people write them, and which of the possible readings a column of them has.

use jiff::civil::{Date, DateTime};

/// Forms tried, in this order. The day-first ones stand before the month-first ones only for naming: a column that
/// both fit is ambiguous and left to a person.
pub(crate) const DATE_FORMS: [&str; 12] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%Y年%m月%d日",
];

/// Reads a date; a time behind it, separated by a blank or `T`, is dropped.
pub(crate) fn parse_date(text: &str, form: Option<&str>) -> Option<Date> {
    match form {
        None => {
            let day = text.get(..10).unwrap_or(text);
            let rest_is_time = text.len() <= 10 || matches!(text.as_bytes().get(10), Some(b' ' | b'T'));
            if rest_is_time { day.parse().ok() } else { None }
        }
        Some(form) => Date::strptime(form, text)
            .ok()
            .or_else(|| Date::strptime(form, text.split([' ', 'T']).next()?).ok()),
    }
}

/// Reads a local time; a date alone is its midnight. Zones are not taken: administrations record local time.
pub(crate) fn parse_date_time(text: &str, form: Option<&str>) -> Option<DateTime> {
    match form {
        None => text
            .parse::<DateTime>()
            .ok()
            .or_else(|| DateTime::strptime("%Y-%m-%d %H:%M", text).ok())
            .or_else(|| parse_date(text, None).map(|day| day.at(0, 0, 0, 0)).filter(|_| text.len() == 10)),
        Some(form) => DateTime::strptime(form, text)
            .ok()
            .or_else(|| Date::strptime(form, text).ok().map(|day| day.at(0, 0, 0, 0))),
    }
}

/// What a column of dates looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// All samples fit this form, and no other reading fits them as well.
    Certain(&'static str),
    /// All samples fit both: day first or month first cannot be told.
    Ambiguous(&'static str, &'static str),
    /// No form fits all samples.
    None,
}

/// The form that all samples have.
pub(crate) fn find_form<'a>(samples: impl Iterator<Item = &'a str> + Clone) -> DateForm {
    let mut fitting = DATE_FORMS.into_iter().filter(|form| {
        let mut any = false;
        let fits = samples.clone().filter(|text| !text.is_empty()).all(|text| {
            any = true;
            parse_date(text, Some(form)).is_some_and(plausible)
        });
        any && fits
    });
    match (fitting.next(), fitting.next()) {
        (None, _) => DateForm::None,
        (Some(form), None) => DateForm::Certain(form),
        (Some(first), Some(second)) => DateForm::Ambiguous(first, second),
    }
}

/// Records of customs are of this age.
pub(crate) fn plausible(day: Date) -> bool {
    (1950..=2100).contains(&day.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart_by_the_days_above_twelve() {
        let cases: [(&[&str], DateForm); 7] = [
            (&["2024-01-31", ""], DateForm::Certain("%Y-%m-%d")),
            (&["20240131"], DateForm::Certain("%Y%m%d")),
            (&["31/01/2024", "02/03/2024"], DateForm::Certain("%d/%m/%Y")),
            (&["01/31/2024", "02/03/2024"], DateForm::Certain("%m/%d/%Y")),
            (&["01/02/2024", "02/03/2024"], DateForm::Ambiguous("%d/%m/%Y", "%m/%d/%Y")),
            (&["31-Jan-2024"], DateForm::Certain("%d-%b-%Y")),
            (&["yesterday"], DateForm::None),
        ];
        for (samples, expected) in cases {
            assert_eq!(find_form(samples.iter().copied()), expected, "{samples:?}");
        }
    }

    #[test]
    fn a_time_behind_a_date_is_dropped_and_a_date_alone_is_midnight() {
        assert_eq!(parse_date("2024-01-31 17:20", None), parse_date("2024-01-31", None));
        assert_eq!(parse_date("31.01.2024 17:20", Some("%d.%m.%Y")), parse_date("2024-01-31", None));
        assert_eq!(parse_date_time("2024-01-31", None).unwrap().to_string(), "2024-01-31T00:00:00");
        assert_eq!(parse_date_time("2024-01-31 17:20", None).unwrap().to_string(), "2024-01-31T17:20:00");
        assert_eq!(parse_date("2024-01-311", None), None);
    }
}
