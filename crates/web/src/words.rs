//! The words of the pages, and how numbers, times and sizes are written. Texts stand in `texts/pages/`.

use jiff::Timestamp;
use spine::{FieldType, Language};

/// One text in all languages, in the order of [`Language::ALL`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text([&'static str; 4]);

/// The texts themselves.
pub(crate) mod texts {
    use super::Text;
    include!(concat!(env!("OUT_DIR"), "/texts.rs"));
}

impl Text {
    /// The text in a language.
    pub(crate) fn in_language(self, language: Language) -> &'static str {
        let [en, zh, fr, es] = self.0;
        match language {
            Language::En => en,
            Language::Zh => zh,
            Language::Fr => fr,
            Language::Es => es,
        }
    }
}

/// What people call something that data names: `role` and `officer`. The name itself where nothing is written of it.
pub(crate) fn named<'a>(family: &str, name: &'a str, language: Language) -> &'a str {
    let key = format!("{family}_{name}");
    let found = texts::NAMED.binary_search_by_key(&key.as_str(), |(key, _)| key).ok();
    found.and_then(|at| texts::NAMED.get(at)).map_or(name, |(_, text)| text.in_language(language))
}

/// Fills names in braces.
pub(crate) fn filled(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// A whole number with its thousands apart (a thin space, ISO 80000-1), so that no language misreads it.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A value of a record as people read it: thousands apart, a blank between day and time.
pub(crate) fn value(text: &str, field_type: FieldType) -> String {
    match field_type {
        FieldType::DateTime => text.replacen('T', " ", 1),
        FieldType::Decimal => {
            let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
            let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
            digits.parse().map_or_else(|_| text.to_owned(), |digits| format!("{sign}{}{rest}", count(digits)))
        }
        _ => text.to_owned(),
    }
}

/// A size in bytes as people read it.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes}\u{a0}B");
    }
    let mut tenths = bytes / 100;
    let mut unit = "kB";
    for next in UNITS {
        unit = next;
        if tenths < 10_000 {
            break;
        }
        tenths /= 1_000;
    }
    format!("{}.{}\u{a0}{unit}", tenths / 10, tenths % 10)
}

/// A time to the minute, ISO 8601 with a blank, in UTC.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Milliseconds in the two largest units that say something.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0 => format!("{milliseconds}\u{a0}ms"),
        1..60 => format!("{seconds}.{}\u{a0}s", milliseconds % 1_000 / 100),
        60..3_600 => format!("{minutes}\u{a0}min {:02}\u{a0}s", seconds % 60),
        3_600..172_800 => format!("{hours}\u{a0}h {:02}\u{a0}min", minutes % 60),
        _ => format!("{days}\u{a0}d {:02}\u{a0}h", hours % 24),
    }
}

/// The beginning of an id or hash, enough to tell it from others.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// A share of a whole in percent.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let Some(tenths) = part.saturating_mul(1_000).checked_div(whole) else { return "–".to_owned() };
    if part > 0 && tenths == 0 {
        return "< 0.1\u{a0}%".to_owned();
    }
    format!("{}.{}\u{a0}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sizes_and_times_are_written_as_people_read_them() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(size(999), "999\u{a0}B");
        assert_eq!(size(1_500), "1.5\u{a0}kB");
        assert_eq!(size(2_340_000_000), "2.3\u{a0}GB");
        assert_eq!(duration(1_250), "1.2\u{a0}s");
        assert_eq!(duration(125_000), "2\u{a0}min 05\u{a0}s");
        assert_eq!(duration(40), "40\u{a0}ms");
        assert_eq!(duration(3_720_000), "1\u{a0}h 02\u{a0}min");
        assert_eq!(duration(187_200_000), "2\u{a0}d 04\u{a0}h");
        assert_eq!(percent(1, 8), "12.5\u{a0}%");
        assert_eq!(percent(1, 1_000_000), "< 0.1\u{a0}%");
        assert_eq!(percent(1, 0), "–");
        assert_eq!(value("184017.60", FieldType::Decimal), "184\u{202f}017.60");
        assert_eq!(value("-1234", FieldType::Decimal), "-1\u{202f}234");
        assert_eq!(value("2024-01-02T09:06:41", FieldType::DateTime), "2024-01-02 09:06:41");
        assert_eq!(value("2024100000006", FieldType::Text), "2024100000006");
        assert_eq!(minute("2026-03-11T08:05:59Z".parse().unwrap()), "2026-03-11 08:05");
    }

    #[test]
    fn every_name_that_the_application_gives_has_its_words() {
        use customhouse::identity::Role;
        let named_keys: Vec<&str> = texts::NAMED.iter().map(|(key, _)| *key).collect();
        assert!(named_keys.is_sorted());
        for role in Role::ALL {
            assert_ne!(named("role", role.name(), Language::Zh), role.name(), "{role:?}");
        }
        for class in spine::Sensitivity::ALL {
            assert_ne!(named("class", class.name(), Language::Zh), class.name(), "{class:?}");
        }
        for (family, names) in [
            ("state", &["admitted", "refused"][..]),
            ("severity", &["information", "warning", "error", "low", "medium", "high"]),
            ("kind", &["rules", "tags", "plans", "models", "parameters", "lists", "texts", "schemas"]),
            ("approval", &["draft", "approved", "withdrawn"]),
            ("job", &["admission", "audit", "running", "done", "cancelled", "failed"]),
            ("subject", &["item", "declaration", "enterprise", "route"]),
            ("truth", &["true", "false", "unknown"]),
            ("case", &["tagged", "not_tagged", "unknown"]),
        ] {
            for name in names {
                assert!(named_keys.contains(&format!("{family}_{name}").as_str()), "{family}_{name}");
            }
        }
        assert_eq!(named("role", "pilot", Language::En), "pilot");
    }
}
