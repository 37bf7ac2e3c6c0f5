//! Cells to typed, checked values.
//!
//! | what is wrong | what becomes of it |
//! |---|---|
//! | declaration number or date missing or unreadable | the row is quarantined |
//! | a number, date or yes/no that cannot be read | the row is quarantined |
//! | negative mass, quantity, packages, value or revenue | the row is quarantined |
//! | a date before 1950 or after 2100 | the row is quarantined |
//! | unknown country, currency or malformed commodity code | that value is left out, with a finding |
//! | duty rate outside 0 to 1,000 %, probability outside 0 to 1 | that value is left out, with a finding |

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use spine::identifier::{CountryCode, HsCode};
use spine::quantity::CurrencyCode;
use spine::{FieldDefinition, FieldType, Finding, Value};

use crate::dates::{parse_date, parse_date_time, plausible};
use crate::mapping::FieldMapping;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberStyle {
    /// Mark between whole and part: `.` or `,`.
    pub decimal: char,
    /// Mark between groups of digits, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<char>,
}

impl Default for NumberStyle {
    fn default() -> Self {
        Self { decimal: '.', grouping: None }
    }
}

impl NumberStyle {
    /// Reads a number exactly; digits beyond the 28th significant one are rounded away.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<Decimal> {
        let plain = self.decimal == '.' && self.grouping.is_none();
        if plain && let Ok(number) = text.parse() {
            return Some(number);
        }
        let mut written = String::with_capacity(text.len());
        for character in text.chars() {
            if Some(character) == self.grouping
                || (self.grouping.is_some() && matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '\''))
            {
                continue;
            }
            written.push(if character == self.decimal { '.' } else { character });
        }
        written.parse().ok().or_else(|| Decimal::from_scientific(&written).ok())
    }
}

/// Why a cell gave no value.
pub(crate) enum Refusal {
    /// The row cannot be used.
    Row(Finding),
    /// The row can be used without this value.
    Value(Finding),
}

type TextCheck = fn(&str) -> Result<String, String>;

/// Reads the cells of one column.
pub(crate) struct Converter {
    field: String,
    field_type: FieldType,
    required: bool,
    mapping: FieldMapping,
    numbers: NumberStyle,
    text_check: Option<TextCheck>,
    /// Texts checked before: a column has few different codes and many rows.
    checked: HashMap<String, Result<String, String>>,
}

/// Different texts remembered per column; beyond, they are checked again each time.
const CHECKED_MAX: usize = 200_000;

const NOT_NEGATIVE: [&str; 8] = [
    "net_mass",
    "gross_mass",
    "quantity",
    "packages",
    "customs_value",
    "recovered_revenue",
    "item_number",
    "selection_probability",
];

impl Converter {
    pub(crate) fn new(field: &FieldDefinition, mapping: &FieldMapping, numbers: NumberStyle) -> Self {
        let text_check: Option<TextCheck> = match field.name.as_str() {
            "commodity_code" => {
                Some(|text| HsCode::new(text).map(Into::into).map_err(|e| e.expected.to_owned()))
            }
            "origin_country" | "departure_country" => {
                Some(|text| CountryCode::new(text).map(Into::into).map_err(|e| e.expected.to_owned()))
            }
            "currency" => Some(|text| {
                CurrencyCode::new(text)
                    .map(|code| code.code().to_owned())
                    .map_err(|_| "an ISO 4217 currency code such as EUR or CNY".to_owned())
            }),
            _ => None,
        };
        Self {
            field: field.name.clone(),
            field_type: field.field_type,
            required: field.required,
            mapping: mapping.clone(),
            numbers,
            text_check,
            checked: HashMap::new(),
        }
    }

    /// The value of a cell; nothing where the cell is empty or says "not known".
    pub(crate) fn convert(&mut self, cell: &str) -> Result<Option<Value>, Refusal> {
        let cell = cell.trim();
        if cell.is_empty() || self.mapping.absent.contains(cell) {
            return self.nothing();
        }
        let meant = self.mapping.values.get(cell).cloned();
        let text = meant.as_deref().unwrap_or(cell);
        if text.is_empty() {
            return self.nothing();
        }
        match self.field_type {
            FieldType::Text => self.text(text),
            FieldType::Decimal => self.decimal(text),
            FieldType::Date => match parse_date(text, self.mapping.format.as_deref()) {
                Some(day) if plausible(day) => Ok(Some(Value::Date(day))),
                Some(_) => Err(self.row("date_implausible", cell, "a date from 1950 to 2100")),
                None => Err(self.row("date_unreadable", cell, &self.form_in_words())),
            },
            FieldType::DateTime => match parse_date_time(text, self.mapping.format.as_deref()) {
                Some(time) if plausible(time.date()) => Ok(Some(Value::DateTime(time))),
                Some(_) => Err(self.row("date_implausible", cell, "a time from 1950 to 2100")),
                None => Err(self.row("time_unreadable", cell, &self.form_in_words())),
            },
            FieldType::Boolean => match text.to_lowercase().as_str() {
                "true" | "1" | "yes" | "y" | "t" | "x" | "oui" | "o" | "sí" | "si" | "s" | "是" | "有" => {
                    Ok(Some(Value::Boolean(true)))
                }
                "false" | "0" | "no" | "n" | "f" | "non" | "否" | "无" => Ok(Some(Value::Boolean(false))),
                _ => Err(self.row("yes_or_no_unreadable", cell, "true or false, 1 or 0, yes or no")),
            },
        }
    }

    fn nothing(&self) -> Result<Option<Value>, Refusal> {
        if self.required { Err(self.row("required_value_missing", "", "a value")) } else { Ok(None) }
    }

    fn text(&mut self, text: &str) -> Result<Option<Value>, Refusal> {
        let mut text = std::borrow::Cow::Borrowed(text);
        if let Some(width) = self.mapping.pad_left
            && text.len() < width
            && text.bytes().all(|byte| byte.is_ascii_digit())
        {
            text = format!("{text:0>width$}").into();
        }
        if let Some(width) = self.mapping.keep_left {
            text = text.chars().take(width).collect::<String>().into();
        }
        let Some(check) = self.text_check else { return Ok(Some(Value::Text(text.into_owned()))) };
        let outcome = if let Some(known) = self.checked.get(text.as_ref()) {
            known.clone()
        } else {
            let outcome = check(&text);
            if self.checked.len() < CHECKED_MAX {
                self.checked.insert(text.clone().into_owned(), outcome.clone());
            }
            outcome
        };
        match outcome {
            Ok(spelled) => Ok(Some(Value::Text(spelled))),
            Err(expected) => Err(Refusal::Value(self.finding(
                "code_unknown",
                &text,
                &expected,
                "Correct the code, or map it with `values`.",
            ))),
        }
    }

    fn decimal(&self, text: &str) -> Result<Option<Value>, Refusal> {
        let Some(number) = self.numbers.parse(text) else {
            let sample = if self.numbers.decimal == ',' { "1234,5" } else { "1234.5" };
            return Err(self.row("number_unreadable", text, &format!("a number such as {sample}")));
        };
        let number = match self.mapping.factor {
            Some(factor) => match number.checked_mul(factor) {
                Some(number) => number,
                None => return Err(self.row("number_too_large", text, "a number of at most 28 digits")),
            },
            None => number,
        };
        let negative = number.is_sign_negative() && !number.is_zero();
        if negative && NOT_NEGATIVE.contains(&self.field.as_str()) {
            return Err(self.row("negative_value", text, "0 or more"));
        }
        let out_of_range = match self.field.as_str() {
            "tax_rate" => negative || number > Decimal::ONE_THOUSAND,
            "selection_probability" => number > Decimal::ONE,
            _ => false,
        };
        if out_of_range {
            let expected = if self.field == "tax_rate" {
                "a rate from 0 to 1,000 percent"
            } else {
                "a share from 0 to 1"
            };
            return Err(Refusal::Value(self.finding(
                "value_out_of_range",
                text,
                expected,
                "Correct it, or state its unit with `factor`.",
            )));
        }
        Ok(Some(Value::Decimal(number)))
    }

    fn form_in_words(&self) -> String {
        match &self.mapping.format {
            Some(form) => format!("a date of the form {form}, as the mapping says"),
            None => "a date such as 2024-01-31".to_owned(),
        }
    }

    fn finding(&self, code: &str, found: &str, expected: &str, fix: &str) -> Finding {
        let finding = if code == "code_unknown" || code == "value_out_of_range" {
            Finding::warning(code)
        } else {
            Finding::error(code)
        };
        finding.found(found).expected(expected).fix(fix)
    }

    fn row(&self, code: &str, found: &str, expected: &str) -> Refusal {
        Refusal::Row(self.finding(
            code,
            found,
            expected,
            "Correct the cell, or change how the mapping reads this column.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// field | settings | cell | value, `-` for absent, `value:code` or `row:code` for a refusal
    const CASES: &str = "
        commodity_code    |               | 8517.12    | 851712
        commodity_code    | pad_left = 6  | 71080      | 071080
        commodity_code    | keep_left = 6 | 8517120090 | 851712
        commodity_code    |               | 991        | value:code_unknown
        origin_country    |               | cn         | CN
        origin_country    |               | China      | value:code_unknown
        origin_country    | values = { China = \"CN\" } | China | CN
        net_mass          |               | 12.50      | 12.5
        net_mass          | factor = \"0.001\" | 1500  | 1.5
        net_mass          |               | -3         | row:negative_value
        net_mass          |               | heavy      | row:number_unreadable
        net_mass          | absent = [\"n/a\"] | n/a   | -
        net_mass          |               |            | -
        declaration_id    |               |            | row:required_value_missing
        date              |               | 2024-01-31 | 2024-01-31
        date              |               | 31.01.2024 | row:date_unreadable
        date              | format = \"%d.%m.%Y\" | 31.01.2024 | 2024-01-31
        date              | format = \"%d.%m.%Y\" | 31.02.2024 | row:date_unreadable
        date              |               | 1823-01-31 | row:date_implausible
        tax_rate          |               | 754.3      | 754.3
        tax_rate          |               | 7543       | value:value_out_of_range
        irregular         |               | Oui        | true
        irregular         |               | 2          | row:yes_or_no_unreadable
        irregular         | values = { \"2\" = \"true\" } | 2 | true
        selection_probability |           | 1.2        | value:value_out_of_range
        inspected_at      |               | 2024-01-31 08:15 | 2024-01-31T08:15:00
    ";

    #[test]
    fn cells_become_values_or_say_what_is_wrong_with_them() {
        let schema = spine::declaration_entry::schema();
        for line in CASES.lines().filter(|line| line.contains('|')) {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let mapping: FieldMapping = toml::from_str(parts[1]).unwrap();
            let mut converter =
                Converter::new(schema.field(parts[0]).unwrap(), &mapping, NumberStyle::default());
            let got = match converter.convert(parts[2]) {
                Ok(Some(value)) => value.to_string(),
                Ok(None) => "-".to_owned(),
                Err(Refusal::Row(finding)) => format!("row:{}", finding.code),
                Err(Refusal::Value(finding)) => format!("value:{}", finding.code),
            };
            assert_eq!(got, parts[3], "{line}");
        }
    }

    #[test]
    fn numbers_are_read_in_the_style_of_the_file() {
        let continental = NumberStyle { decimal: ',', grouping: Some('.') };
        assert_eq!(continental.parse("1.234.567,89").unwrap().to_string(), "1234567.89");
        assert_eq!(
            NumberStyle { decimal: '.', grouping: Some(',') }.parse("1,234.5").unwrap().to_string(),
            "1234.5"
        );
        assert_eq!(NumberStyle::default().parse("1.2e3").unwrap().to_string(), "1200");
        assert_eq!(NumberStyle::default().parse("1,5"), None);
    }
}
