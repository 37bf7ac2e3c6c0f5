//! Tags of a table: written once, with `{column}` where they differ, and one for each row.
//!
//! An office that tells its commodities, origins and routes apart keeps them in a table, not in thousands of
//! paragraphs. What a table may put into a condition stands inside the quotes that the author wrote, and outside of them
//! it is a number: a value that could end a text, begin a placeholder or add to the condition is refused.

use std::collections::BTreeMap;

use packs::Pack;
use rust_decimal::Decimal;
use spine::LocalizedText;

use crate::definition::{RawCase, RawTag};

/// Rows of a table at most.
const ROWS_MAX: usize = 65_536;
/// Columns of a table at most.
const COLUMNS_MAX: usize = 64;
/// Rows told of that cannot be used, at most.
const WRONG_MAX: usize = 100;
/// Characters of a value at most.
const VALUE_CHARACTERS_MAX: usize = 200;

/// A row: its line in the file, from 1, and its values by column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: u64,
    values: BTreeMap<String, String>,
}

/// What is wrong, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) line: u64,
    pub(crate) problem: String,
}

/// The rows of a pack's table that can be used, and what is wrong with the others.
pub(crate) fn rows(pack: &Pack, path: &str) -> (Vec<Row>, Vec<Wrong>) {
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    let Some(text) = pack.text(path) else {
        refuse(&mut wrong, 1, format!("the pack has no table {path} in UTF-8"));
        return (rows, wrong);
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = match reader.headers() {
        Ok(columns) => columns.clone(),
        Err(error) => {
            refuse(&mut wrong, 1, error.to_string());
            return (rows, wrong);
        }
    };
    if let Some(name) = columns.iter().find(|name| !is_name(name)) {
        refuse(
            &mut wrong,
            1,
            format!("the column \"{name}\" must have a name of small letters, digits and underscores"),
        );
    }
    if columns.len() > COLUMNS_MAX {
        refuse(&mut wrong, 1, format!("a table has at most {COLUMNS_MAX} columns"));
        return (rows, wrong);
    }
    for record in reader.records() {
        if wrong.len() >= WRONG_MAX {
            break;
        }
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                refuse(&mut wrong, error.position().map_or(1, csv::Position::line), error.to_string());
                continue;
            }
        };
        let line = record.position().map_or(1, csv::Position::line);
        if rows.len() == ROWS_MAX {
            refuse(&mut wrong, line, format!("a table has at most {ROWS_MAX} rows; the rest is left out"));
            break;
        }
        match columns.iter().zip(&record).find(|(_, value)| !is_value(value)) {
            Some((column, _)) => refuse(
                &mut wrong,
                line,
                format!(
                    "{column} has a quotation mark, backslash, brace or control character, or more than \
                     {VALUE_CHARACTERS_MAX} characters"
                ),
            ),
            None => rows.push(Row {
                line,
                values: columns.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect(),
            }),
        }
    }
    (rows, wrong)
}

fn refuse(wrong: &mut Vec<Wrong>, line: u64, problem: String) {
    wrong.push(Wrong { line, problem });
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// May a value stand in a tag?
pub(crate) fn is_value(value: &str) -> bool {
    value.chars().count() <= VALUE_CHARACTERS_MAX
        && !value.chars().any(|c| c.is_control() || matches!(c, '"' | '\'' | '`' | '\\' | '{' | '}'))
}

impl Row {
    /// The tag of this row. Its cases come along only where they are wanted: what holds for one row of a table holds
    /// for the others.
    pub(crate) fn tag(&self, written: &RawTag, with_cases: bool) -> Result<RawTag, String> {
        let entries = |entries: &BTreeMap<String, toml::Value>| -> Result<_, String> {
            entries.iter().map(|(field, value)| Ok((field.clone(), self.value(value)?))).collect()
        };
        let case = |case: &RawCase| -> Result<RawCase, String> {
            Ok(RawCase { note: self.text(&case.note)?, set: entries(&case.set)?, ..case.clone() })
        };
        let mut tag = RawTag {
            id: self.text(&written.id)?,
            version: written.version,
            table: None,
            title: self.localized(&written.title)?,
            description: self.localized(&written.description)?,
            on: written.on,
            when: self.condition(&written.when)?,
            aggregate: BTreeMap::new(),
            enterprise_field: written.enterprise_field.clone(),
            valid_days: written.valid_days,
            severity: written.severity,
            owner: written.owner.clone(),
            legal_basis: written.legal_basis.clone(),
            sensitivity: written.sensitivity,
            inspection_hint: self.localized(&written.inspection_hint)?,
            example: BTreeMap::new(),
            history: Vec::new(),
            cases: Vec::new(),
        };
        if with_cases {
            tag.example = entries(&written.example)?;
            tag.history.clone_from(&written.history);
            tag.cases = written.cases.iter().map(case).collect::<Result<_, _>>()?;
        }
        Ok(tag)
    }

    fn localized(&self, text: &LocalizedText) -> Result<LocalizedText, String> {
        let filled = text.0.iter().map(|(language, text)| Ok((*language, self.text(text)?)));
        Ok(LocalizedText(filled.collect::<Result<_, String>>()?))
    }

    fn value(&self, value: &toml::Value) -> Result<toml::Value, String> {
        match value {
            toml::Value::String(text) => Ok(toml::Value::String(self.text(text)?)),
            other => Ok(other.clone()),
        }
    }

    /// A condition: outside of quotes a value must be a number, or it could say more than its author meant.
    fn condition(&self, when: &str) -> Result<String, String> {
        let mut quote: Option<char> = None;
        let mut characters = when.char_indices();
        while let Some((at, character)) = characters.next() {
            match (quote, character) {
                (None, '"' | '\'') => quote = Some(character),
                (Some(_), '\\') => drop(characters.next()),
                (Some(open), character) if open == character => quote = None,
                (None, '{') => {
                    let column =
                        when.get(at.saturating_add(1)..).and_then(|rest| Some(rest.split_once('}')?.0));
                    let value = column.and_then(|column| Some((column, self.values.get(column)?)));
                    if let Some((column, value)) =
                        value.filter(|(_, value)| value.parse::<Decimal>().is_err())
                    {
                        return Err(format!(
                            "\"{value}\" of the column {column} stands outside of quotes in the condition and is no number"
                        ));
                    }
                }
                _ => {}
            }
        }
        self.text(when)
    }

    /// The text with the row's values in the places of `{column}`.
    fn text(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((column, behind)) = after.split_once('}') else { break };
            out.push_str(before);
            let value = self.values.get(column).ok_or_else(|| {
                let columns: Vec<&str> = self.values.keys().map(String::as_str).collect();
                format!("its table has no column \"{column}\"; it has {}", columns.join(", "))
            })?;
            out.push_str(value);
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let values = [("origin", "CN"), ("heading", "8528")];
        Row { line: 2, values: values.map(|(column, value)| (column.to_owned(), value.to_owned())).into() }
    }

    fn check(text: &str, expect: Result<&str, &str>) {
        let found = row().text(text);
        assert_eq!(found.as_deref().map_err(String::as_str), expect, "{text}");
    }

    #[test]
    fn a_placeholder_stands_for_the_value_of_its_column() {
        check("", Ok(""));
        check("no placeholder", Ok("no placeholder"));
        check("{heading} from {origin}", Ok("8528 from CN"));
        check("{origin}{origin}", Ok("CNCN"));
        check("an open { brace", Ok("an open { brace"));
        check("{price}", Err("its table has no column \"price\"; it has heading, origin"));
    }

    #[test]
    fn a_value_cannot_leave_the_text_it_stands_in() {
        for value in ["8528", "Ürümqi", "a b", "<b>", ""] {
            assert!(is_value(value), "{value}");
        }
        for value in ["a\"b", "a'b", "a`b", "a\\", "{origin}", "a\nb", &"x".repeat(201)] {
            assert!(!is_value(value), "{value}");
        }
    }

    #[test]
    fn outside_of_quotes_a_value_is_a_number() {
        let with = |value: &str| Row { line: 2, values: [("most".to_owned(), value.to_owned())].into() };
        let check = |when: &str, value: &str, fits: bool| {
            assert_eq!(with(value).condition(when).is_ok(), fits, "{when} with {value}");
        };
        check("net_mass > {most}", "2.5", true);
        check("net_mass > {most}", "-1", true);
        check("net_mass > {most}", "0 || true", false);
        check("net_mass > {most}", "customs_value", false);
        check("code == \"{most}\"", "a || b", true);
        check("code == '{most}'", "a || b", true);
        check("code == \"it's\" && net_mass > {most}", "x", false);
        check(r#"code == "a\"b" && net_mass > {most}"#, "x", false);
    }
}
