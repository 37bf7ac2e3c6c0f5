//! Single values: what a text, number, day or currency has to look like, and what is said where it does not.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;
use spine::declaration::Declaration;
use spine::quantity::CurrencyCode;
use spine::{Finding, Severity};

use super::shape::Rule;
use crate::xml_writer::unprintable;

/// Digits before the decimal point.
const WHOLE_DIGITS_MAX: usize = 16;
/// Digits after the decimal point.
const DECIMALS_MAX: usize = 8;

pub(super) fn information(code: &str) -> Finding {
    Finding::new(code, Severity::Information)
}

pub(super) fn wrong_kind(found: &str, wanted: &str) -> Finding {
    Finding::error("value_of_another_kind")
        .found(found)
        .expected(wanted)
        .fix(format!("Write {wanted} here, or leave it out."))
}

pub(super) fn repeated_member() -> Finding {
    Finding::error("member_repeated")
        .expected("every member once in an object")
        .fix("Remove all but one: which of them is meant cannot be known.")
}

pub(super) fn repeated_element() -> Finding {
    Finding::error("element_repeated")
        .found("more than one")
        .expected("this element once")
        .fix("Remove all but one: which of them is meant cannot be known.")
}

pub(super) fn number_for_text(found: &str) -> Finding {
    Finding::warning("number_for_text")
        .found(found)
        .expected("a text in double quotes")
        .fix("Write codes in double quotes; as numbers they lose leading zeros.")
}

pub(super) fn unknown_country(found: &str) -> Finding {
    Finding::warning("country_unknown")
        .found(found)
        .expected("a country of ISO 3166-1, such as CN or NL")
        .fix("Check the code; it is kept as it stands.")
}

pub(super) fn wrong_unit(found: &str) -> Finding {
    Finding::error("mass_unit")
        .found(found)
        .expected("KGM: masses are in kilograms")
        .fix("Convert the mass to kilograms.")
}

pub(super) fn not_original(found: &str) -> Finding {
    Finding::error("declaration_not_original").found(found).expected("9, an original declaration").fix(
        "Send amendments, cancellations and presentations as requests on the declaration they are about.",
    )
}

pub(super) fn missing_currency(of: &str) -> Finding {
    Finding::error("currency_missing")
        .expected(format!("the currency of {of}"))
        .fix("State the ISO 4217 code, such as EUR or CNY: an amount without a currency says nothing.")
}

pub(crate) fn list_too_long(found: usize, max: usize) -> Finding {
    Finding::error("list_too_long")
        .found(&found.to_string())
        .expected(format!("at most {max}"))
        .fix("Split the declaration.")
}

/// A text that its rule accepts, in its canonical spelling: line breaks and tabs are blanks, countries are capitals.
pub(crate) fn text(text: Cow<'_, str>, rule: Rule) -> Result<String, Finding> {
    let max = match rule {
        Rule::Code | Rule::Country => Declaration::CODE_CHARACTERS_MAX,
        Rule::Identifier => Declaration::IDENTIFIER_CHARACTERS_MAX,
        Rule::Words => Declaration::TEXT_CHARACTERS_MAX,
    };
    if text.len() > max && text.chars().count() > max {
        return Err(Finding::error("text_too_long")
            .found(&text)
            .expected(format!("at most {max} characters"))
            .fix("Shorten it."));
    }
    let text = if text.contains(['\n', '\r', '\t']) {
        text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ")
    } else {
        text.into_owned()
    };
    if let Some(character) = text.chars().find(|character| unprintable(*character)) {
        return Err(Finding::error("text_not_printable")
            .found(&format!("U+{:04X}", u32::from(character)))
            .expected("printable characters")
            .fix("Remove the character."));
    }
    if rule != Rule::Country {
        return Ok(text);
    }
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(Finding::error("country_not_a_code")
            .found(&text)
            .expected("a country code of two letters (ISO 3166-1 alpha-2) such as CN or NL")
            .fix("Write the code instead of the name."))
    }
}

/// An exact number of zero or more, written out: digits, and a point before decimals.
pub(crate) fn number(text: &str) -> Result<Decimal, Finding> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let malformed = || {
        Finding::error("number_not_decimal")
            .found(text)
            .expected("digits, with a point before decimals, such as 1250.5")
            .fix("Write the number out: no grouping, no exponent, no unit.")
    };
    if !all_digits(whole) || !all_digits(decimals) {
        return Err(malformed());
    }
    if whole.trim_start_matches('0').len() > WHOLE_DIGITS_MAX || decimals.len() > DECIMALS_MAX {
        return Err(Finding::error("number_too_long")
            .found(text)
            .expected(format!(
                "at most {WHOLE_DIGITS_MAX} digits before the point and {DECIMALS_MAX} after it"
            ))
            .fix("Check the number, or round it."));
    }
    let number = Decimal::from_str(digits).map_err(|_| malformed())?;
    if negative && !number.is_zero() {
        return Err(Finding::error("number_negative")
            .found(text)
            .expected("zero or more")
            .fix("Correct the sign, or leave it out."));
    }
    Ok(number)
}

/// A whole number of zero or more.
pub(crate) fn count(text: &str) -> Result<u32, Finding> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        Finding::error("number_not_whole")
            .found(text)
            .expected("a whole number of zero or more, such as 1")
            .fix("Write digits alone.")
    })
}

fn not_a_day(found: &str, expected: &str) -> Finding {
    Finding::error("date_not_understood").found(found).expected(expected).fix("Correct the date.")
}

/// A day, `2026-03-31`.
pub(super) fn day(text: &str) -> Result<Date, Finding> {
    let refused = || not_a_day(text, "a day as year-month-day, such as 2026-03-31 (ISO 8601)");
    if text.len() != 10 { Err(refused()) } else { text.parse().map_err(|_| refused()) }
}

/// The day of a DMS date: formats 102 (`20260331`) and 304 (`20260331140509Z`).
pub(super) fn dms_day(text: &str) -> Result<Date, Finding> {
    let refused = || not_a_day(text, "a date of format 102 (20260331) or 304 (20260331140509Z)");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let day = text.get(..8).filter(|_| matches!(digits, 8 | 12 | 14)).ok_or_else(refused)?;
    Date::strptime("%Y%m%d", day).map_err(|_| refused())
}

/// A currency.
pub(crate) fn currency(text: &str) -> Result<CurrencyCode, Finding> {
    CurrencyCode::new(text).map_err(|_| {
        Finding::error("currency_unknown")
            .found(text)
            .expected("an ISO 4217 currency code such as EUR or CNY")
            .fix("Write the three letters of the currency.")
    })
}
