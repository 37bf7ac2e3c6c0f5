//! What the functions of the language do. All of them are pure; `None` is unknown.

use std::borrow::Cow;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use rust_decimal::{Decimal, RoundingStrategy};
use spine::identifier::{ContainerNumber, CountryCode, HsCode};
use spine::quantity::CurrencyCode;

use crate::value::{Data, Scalar};

type Answer = Option<Scalar<'static>>;
type Arguments<'b, 'a> = &'b [Scalar<'a>];
type Elements<'a> = Vec<Option<Scalar<'a>>>;

/// Bytes of a text that a rule puts together at most; a longer one is unknown.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1024;

fn boolean(yes: bool) -> Answer {
    Some(Scalar::Boolean(yes))
}

fn text(text: impl Into<String>) -> Answer {
    Some(Scalar::Text(Cow::Owned(text.into())))
}

fn number(number: impl Into<Decimal>) -> Answer {
    Some(Scalar::Decimal(number.into()))
}

fn text_at<'b>(arguments: &'b [Scalar<'_>], at: usize) -> Option<&'b str> {
    arguments.get(at)?.text()
}

fn number_at(arguments: Arguments<'_, '_>, at: usize) -> Option<Decimal> {
    arguments.get(at)?.number()
}

fn day_at(arguments: Arguments<'_, '_>, at: usize) -> Option<Date> {
    arguments.get(at)?.day()
}

fn time_at(arguments: Arguments<'_, '_>, at: usize) -> Option<DateTime> {
    if let Some(Scalar::DateTime(time)) = arguments.get(at) { Some(*time) } else { None }
}

pub(crate) fn starts_with(arguments: Arguments<'_, '_>) -> Answer {
    boolean(text_at(arguments, 0)?.starts_with(text_at(arguments, 1)?))
}

pub(crate) fn ends_with(arguments: Arguments<'_, '_>) -> Answer {
    boolean(text_at(arguments, 0)?.ends_with(text_at(arguments, 1)?))
}

pub(crate) fn contains(arguments: Arguments<'_, '_>) -> Answer {
    boolean(text_at(arguments, 0)?.contains(text_at(arguments, 1)?))
}

/// Characters from one position up to but without another; unknown where the text has no such positions.
pub(crate) fn substring(arguments: Arguments<'_, '_>) -> Answer {
    let whole = text_at(arguments, 0)?;
    let position = |at: usize| {
        let number = number_at(arguments, at)?;
        if number.fract().is_zero() { usize::try_from(number).ok() } else { None }
    };
    let byte_of =
        |position: usize| whole.char_indices().map(|(byte, _)| byte).chain([whole.len()]).nth(position);
    let start = byte_of(position(1)?)?;
    let end = if arguments.len() > 2 { byte_of(position(2)?)? } else { whole.len() };
    text(whole.get(start..end)?)
}

pub(crate) fn lower_ascii(arguments: Arguments<'_, '_>) -> Answer {
    text(text_at(arguments, 0)?.to_ascii_lowercase())
}

pub(crate) fn upper_ascii(arguments: Arguments<'_, '_>) -> Answer {
    text(text_at(arguments, 0)?.to_ascii_uppercase())
}

pub(crate) fn trim(arguments: Arguments<'_, '_>) -> Answer {
    text(text_at(arguments, 0)?.trim())
}

pub(crate) fn text_size(arguments: Arguments<'_, '_>) -> Answer {
    number(text_at(arguments, 0)?.chars().count())
}

/// Sign, digits, decimal point: nothing else is a number, so that `1e5`, `1_000` and `1,5` are not guessed at.
pub(crate) fn number_of(text: &str) -> Option<Decimal> {
    let digits = text.trim().strip_prefix(['-', '+']).unwrap_or(text.trim());
    let well_formed = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1;
    if well_formed { Decimal::from_str_exact(text.trim()).ok() } else { None }
}

pub(crate) fn number_from_text(arguments: Arguments<'_, '_>) -> Answer {
    number(number_of(text_at(arguments, 0)?)?)
}

/// Digits of a date without separators at a range of positions.
fn digits<T: TryFrom<i64>>(text: &str, from: usize, to: usize) -> Option<T> {
    let part = text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
    T::try_from(part.parse::<i64>().ok()?).ok()
}

fn compact_date(text: &str) -> Option<Date> {
    Date::new(digits(text, 0, 4)?, digits(text, 4, 6)?, digits(text, 6, 8)?).ok()
}

/// `CCYYMMDDhhmm` or `CCYYMMDDhhmmss` (UN/EDIFACT 2379, codes 203 and 204), or ISO 8601 without offset.
fn date_time_of(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if matches!(text.len(), 12 | 14) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let second = if text.len() == 14 { digits(text, 12, 14)? } else { 0 };
        let day = compact_date(text)?;
        return DateTime::new(
            day.year(),
            day.month(),
            day.day(),
            digits(text, 8, 10)?,
            digits(text, 10, 12)?,
            second,
            0,
        )
        .ok();
    }
    if text.contains(['T', 't', ' ']) { text.parse().ok() } else { None }
}

/// `CCYYMMDD` (UN/EDIFACT 2379, code 102) or `CCYY-MM-DD`; of a date with time, the day.
pub(crate) fn date_from_text(arguments: Arguments<'_, '_>) -> Answer {
    let text = text_at(arguments, 0)?.trim();
    let bare = || if text.len() == 8 { compact_date(text) } else { None };
    let iso = || if text.len() == 10 { text.parse::<Date>().ok() } else { None };
    bare().or_else(iso).or_else(|| date_time_of(text).map(DateTime::date)).map(Scalar::Date)
}

pub(crate) fn date_time_from_text(arguments: Arguments<'_, '_>) -> Answer {
    date_time_of(text_at(arguments, 0)?).map(Scalar::DateTime)
}

pub(crate) fn date_of_time(arguments: Arguments<'_, '_>) -> Answer {
    day_at(arguments, 0).map(Scalar::Date)
}

pub(crate) fn full_year(arguments: Arguments<'_, '_>) -> Answer {
    number(day_at(arguments, 0)?.year())
}

pub(crate) fn month(arguments: Arguments<'_, '_>) -> Answer {
    number(day_at(arguments, 0)?.month().saturating_sub(1))
}

pub(crate) fn day_from_one(arguments: Arguments<'_, '_>) -> Answer {
    number(day_at(arguments, 0)?.day())
}

pub(crate) fn day_from_zero(arguments: Arguments<'_, '_>) -> Answer {
    number(day_at(arguments, 0)?.day().saturating_sub(1))
}

pub(crate) fn day_of_week(arguments: Arguments<'_, '_>) -> Answer {
    number(day_at(arguments, 0)?.weekday().to_sunday_zero_offset())
}

pub(crate) fn hours(arguments: Arguments<'_, '_>) -> Answer {
    number(time_at(arguments, 0)?.hour())
}

pub(crate) fn minutes(arguments: Arguments<'_, '_>) -> Answer {
    number(time_at(arguments, 0)?.minute())
}

/// Whole days from the first to the second; negative if the second is earlier.
pub(crate) fn days_between(arguments: Arguments<'_, '_>) -> Answer {
    number(day_at(arguments, 0)?.until(day_at(arguments, 1)?).ok()?.get_days())
}

/// The day so many days after a day, or before it for a negative number.
pub(crate) fn add_days(arguments: Arguments<'_, '_>) -> Answer {
    let days = number_at(arguments, 1).filter(|days| days.fract().is_zero())?;
    let span = 0.days().try_days(i64::try_from(days).ok()?).ok()?;
    day_at(arguments, 0)?.checked_add(span).ok().map(Scalar::Date)
}

pub(crate) fn abs(arguments: Arguments<'_, '_>) -> Answer {
    number(number_at(arguments, 0)?.abs())
}

pub(crate) fn floor(arguments: Arguments<'_, '_>) -> Answer {
    number(number_at(arguments, 0)?.floor())
}

/// To the nearest whole number; a half goes away from zero, as in CEL's `math.round`.
pub(crate) fn round(arguments: Arguments<'_, '_>) -> Answer {
    number(number_at(arguments, 0)?.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero))
}

pub(crate) fn min(arguments: Arguments<'_, '_>) -> Answer {
    number(arguments.iter().filter_map(Scalar::number).min()?)
}

pub(crate) fn max(arguments: Arguments<'_, '_>) -> Answer {
    number(arguments.iter().filter_map(Scalar::number).max()?)
}

/// The first `count` digits of a commodity code; dots and blanks between digits are dropped.
fn hs_digits(arguments: Arguments<'_, '_>, count: usize) -> Answer {
    let code = text_at(arguments, 0)?;
    let digits: String = code.chars().filter(|c| !matches!(c, '.' | ' ')).take(count).collect();
    if digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        text(digits)
    } else {
        None
    }
}

pub(crate) fn hs_chapter(arguments: Arguments<'_, '_>) -> Answer {
    hs_digits(arguments, 2)
}

pub(crate) fn hs_heading(arguments: Arguments<'_, '_>) -> Answer {
    hs_digits(arguments, 4)
}

pub(crate) fn hs_subheading(arguments: Arguments<'_, '_>) -> Answer {
    hs_digits(arguments, 6)
}

pub(crate) fn is_hs_code(arguments: Arguments<'_, '_>) -> Answer {
    boolean(HsCode::new(text_at(arguments, 0)?).is_ok())
}

pub(crate) fn is_container_number(arguments: Arguments<'_, '_>) -> Answer {
    boolean(ContainerNumber::new(text_at(arguments, 0)?).is_ok())
}

pub(crate) fn is_country(arguments: Arguments<'_, '_>) -> Answer {
    boolean(CountryCode::new(text_at(arguments, 0)?).is_ok())
}

pub(crate) fn is_currency(arguments: Arguments<'_, '_>) -> Answer {
    boolean(CurrencyCode::new(text_at(arguments, 0)?).is_ok())
}

pub(crate) fn list_size<'a>(elements: Elements<'a>) -> Data<'a> {
    Data::One(number(elements.len()))
}

fn all_numbers(elements: &Elements<'_>) -> Option<Vec<Decimal>> {
    elements.iter().map(|element| element.as_ref()?.number()).collect()
}

/// 0 for an empty list; unknown if an element is unknown, or the sum overflows.
pub(crate) fn sum<'a>(elements: Elements<'a>) -> Data<'a> {
    let sum = all_numbers(&elements).and_then(|numbers| {
        numbers.into_iter().try_fold(Decimal::ZERO, |sum, number| sum.checked_add(number))
    });
    Data::One(sum.map(Scalar::Decimal))
}

/// Unknown for an empty list, and if an element is unknown.
pub(crate) fn list_min<'a>(elements: Elements<'a>) -> Data<'a> {
    Data::One(all_numbers(&elements).and_then(|numbers| numbers.into_iter().min()).map(Scalar::Decimal))
}

/// Unknown for an empty list, and if an element is unknown.
pub(crate) fn list_max<'a>(elements: Elements<'a>) -> Data<'a> {
    Data::One(all_numbers(&elements).and_then(|numbers| numbers.into_iter().max()).map(Scalar::Decimal))
}

/// Every text once, in the order of its first place; unknown if an element is unknown.
pub(crate) fn distinct<'a>(elements: Elements<'a>) -> Data<'a> {
    let mut seen = std::collections::HashSet::new();
    let known: Option<Vec<Scalar<'a>>> = elements.into_iter().collect();
    Data::List(known.map(|texts| {
        texts
            .into_iter()
            .filter(|text| text.text().is_some_and(|text| seen.insert(text.to_owned())))
            .map(Some)
            .collect()
    }))
}
