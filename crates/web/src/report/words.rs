//! The report's words and numbers.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use customhouse::audit::Statement;
use maud::{Markup, html};
use rust_decimal::Decimal;
use spine::{Language, LocalizedText};

/// The languages that a report holds.
pub(super) const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

static TEXTS: LazyLock<BTreeMap<String, LocalizedText>> =
    LazyLock::new(|| toml::from_str(include_str!("../../texts/report.toml")).unwrap_or_default());

/// A text in both languages; the style sheet shows the one that was chosen.
pub(super) fn say(key: &str) -> Markup {
    say_with(key, &[])
}

/// The same with values for the names in braces.
pub(super) fn say_with(key: &str, values: &[(&str, &str)]) -> Markup {
    html! {
        @for language in LANGUAGES {
            span lang=(language.code()) { (filled(key, language, values)) }
        }
    }
}

/// A text in one language, for titles and labels that are attributes.
pub(super) fn plain(key: &str, language: Language) -> String {
    filled(key, language, &[])
}

fn filled(key: &str, language: Language, values: &[(&str, &str)]) -> String {
    // A missing key shows itself; a test keeps it from happening.
    let mut text =
        TEXTS.get(key).map_or_else(|| key.to_owned(), |text| text.in_language(language).to_owned());
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// A text that came with the data.
pub(super) fn localized(text: &LocalizedText) -> Markup {
    html! {
        @for language in LANGUAGES {
            span lang=(language.code()) { (text.in_language(language)) }
        }
    }
}

/// A sentence of the audit.
pub(super) fn sentence(statement: &Statement) -> Markup {
    html! {
        @for language in LANGUAGES {
            span lang=(language.code()) { (statement.render(language)) }
        }
    }
}

/// The title of a field of the record, or its name where it has none.
pub(super) fn field(name: &str) -> Markup {
    let schema = spine::declaration_entry::schema();
    match schema.field(name) {
        Some(field) => localized(&field.title),
        None => html! { (name) },
    }
}

/// A whole number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len().saturating_add(digits.len() / 3));
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len().saturating_sub(at)).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share between 0 and 1 in percent, with as many digits as small shares need.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent != 0.0 && percent.abs() < 0.1 { format!("{percent:.2} %") } else { format!("{percent:.1} %") }
}

/// An interval of shares in percent.
pub(super) fn percent_interval(interval: customhouse::audit::document::Interval) -> String {
    format!("{:.1} – {:.1} %", interval.low * 100.0, interval.high * 100.0)
}

/// A number of things that may be an expectation, to the nearest whole.
pub(super) fn whole(value: f64) -> String {
    let rounded = format!("{:.0}", value.abs());
    format!("{}{}", if value < -0.5 { "-" } else { "" }, grouped(&rounded))
}

/// A number with up to two digits after the point.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.strip_suffix(".00").map_or_else(|| text.clone(), ToOwned::to_owned)
}

/// A p-value.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

/// An amount of money, whole units; small ones to the cent.
pub(super) fn money(amount: Decimal, currency: Option<&str>) -> String {
    let digits = if amount.abs() < Decimal::from(1_000) { 2 } else { 0 };
    let rounded = amount.round_dp(digits).normalize().to_string();
    let (sign, rest) = rounded.strip_prefix('-').map_or(("", rounded.as_str()), |rest| ("-", rest));
    let (whole, fraction) =
        rest.split_once('.').map_or((rest, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut text = format!("{sign}{}", grouped(whole));
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    match currency {
        Some(currency) => format!("{text} {currency}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(percent(0.216_4), "21.6 %");
        assert_eq!(percent(0.000_4), "0.04 %");
        assert_eq!(money("1234567.891".parse().unwrap(), Some("KRW")), "1,234,568 KRW");
        assert_eq!(money("-12.5".parse().unwrap(), None), "-12.5");
        assert_eq!(p_value(0.000_000_1), "< 0.0001");
    }

    /// Every key that the report's sources name is there in both languages, and nothing else is.
    #[test]
    fn texts_are_complete_and_none_is_unused() {
        let sources = [
            include_str!("mod.rs"),
            include_str!("data.rs"),
            include_str!("integrity.rs"),
            include_str!("leakage.rs"),
            include_str!("method.rs"),
            include_str!("plans.rs"),
            include_str!("plot.rs"),
            include_str!("rates.rs"),
            include_str!("summary.rs"),
            include_str!("table.rs"),
        ]
        .concat();
        assert!(TEXTS.len() > 50);
        for (key, text) in TEXTS.iter() {
            for language in LANGUAGES {
                assert!(
                    text.0.get(&language).is_some_and(|text| !text.trim().is_empty()),
                    "{key} lacks {language:?}"
                );
            }
            let made_up = ["section_", "verdict_", "estimate_refused_", "flag_"];
            assert!(
                sources.contains(&format!("\"{key}\""))
                    || made_up.iter().any(|prefix| key.starts_with(prefix)),
                "{key} is used nowhere"
            );
        }
        for call in ["say(\"", "say_with(\"", "plain(\"", "text(\"", "Head::number(\"", "head(\""] {
            for rest in sources.split(call).skip(1) {
                let key = rest.split('"').next().unwrap();
                assert!(TEXTS.contains_key(key), "{key} is missing in texts/report.toml");
            }
        }
    }
}
