//! Tags bring their own tests; this runs them, and everything else that can be said about a pack of tags.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, date};
use packs::Pack;
use rules::Lists;
use rust_decimal::Decimal;
use spine::{EntrySchema, EntryTable, FieldType, Finding, Pointer, Silent, Value};

use crate::definition::{Case, Expectation, TagDefinition};
use crate::set::TagSet;

/// Day of a case's entry unless it names one: a Wednesday, neither the end of a month nor a common holiday.
const CASE_DAY: Date = date(2026, 3, 11);

/// What the cases of a tag must expect between them.
const EXPECTATIONS: [Expectation; 3] = [Expectation::Tagged, Expectation::NotTagged, Expectation::Unknown];

/// Most entries around a case.
const HISTORY_MAX: u32 = 20_000;

/// Everything that is wrong with a pack of tags: what does not compile, cases that fail, and cases that are missing
/// (each tag needs at least one of `tagged`, `not_tagged` and `unknown`). `others` brings the named lists.
#[must_use]
pub fn check_pack(pack: &Pack, others: &[&Pack], schema: &EntrySchema) -> Vec<Finding> {
    let mut packs: Vec<&Pack> =
        others.iter().copied().filter(|other| other.manifest.kind == packs::PackKind::Lists).collect();
    packs.push(pack);
    let (set, mut findings) = TagSet::from_packs(&packs, schema);
    findings.extend(set.check_cases());
    findings
}

/// The same with the named lists given.
#[must_use]
pub fn check_pack_with_lists(pack: &Pack, lists: &Lists, schema: &EntrySchema) -> Vec<Finding> {
    let (set, mut findings) = TagSet::from_packs_and_lists(&[pack], schema, lists);
    findings.extend(set.check_cases());
    findings
}

impl TagSet {
    /// Runs the cases of all tags.
    #[must_use]
    pub fn check_cases(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (at, definition) in self.definitions.iter().enumerate() {
            // Those of a table are thought through at its first row.
            let needed = if definition.source.later_row { &[][..] } else { &EXPECTATIONS[..] };
            for expect in needed.iter().copied() {
                if !definition.cases.iter().any(|case| case.expect == expect) {
                    findings.push(
                        Finding::error("tag_case_missing")
                            .at(place(definition, "cases"))
                            .expected(format!("at least one case that expects {}", name(expect)))
                            .fix("Add the case: a tag without it has not been thought through."),
                    );
                }
            }
            for (number, case) in definition.cases.iter().enumerate() {
                findings.extend(self.check_case(at, definition, number, case));
            }
        }
        findings
    }

    fn check_case(
        &self,
        at: usize,
        definition: &TagDefinition,
        number: usize,
        case: &Case,
    ) -> Option<Finding> {
        let pointer = place(definition, &format!("cases[{}]", number.saturating_add(1)));
        let (table, row) = match self.case_table(case) {
            Ok(built) => built,
            Err(problem) => {
                return Some(
                    Finding::error("tag_case_unreadable")
                        .at(pointer)
                        .expected("fields of the record with values of their type")
                        .fix(format!("Correct the case: {problem}.")),
                );
            }
        };
        let found = match self.apply_some(&table, &[at], &Silent) {
            Ok(hits) => hits,
            Err(error) => {
                return Some(Finding::error("tag_case_failed").at(pointer).found(&error.to_string()));
            }
        };
        let hit = found.hits.first()?;
        let tagged = u32::try_from(row).is_ok_and(|row| hit.rows.contains(row));
        let why = self.why(&table, &definition.id, row)?;
        let got = match (tagged, why.unknown) {
            (true, _) => Expectation::Tagged,
            (false, true) => Expectation::Unknown,
            (false, false) => Expectation::NotTagged,
        };
        let explained = why.carried == tagged;
        if got == case.expect && explained {
            return None;
        }
        let values: Vec<String> = why
            .aggregates
            .iter()
            .map(|own| {
                format!("{} = {}", own.name, own.value.map_or_else(|| "absent".to_owned(), |v| v.to_string()))
            })
            .collect();
        Some(
            Finding::error(if explained { "tag_case_failed" } else { "tag_explanation_disagrees" })
                .at(pointer)
                .found(&format!(
                    "{}{}{}",
                    name(got),
                    if values.is_empty() { "" } else { " with " },
                    values.join(", ")
                ))
                .expected(format!(
                    "{}{}{}",
                    name(case.expect),
                    if case.note.is_empty() { "" } else { ": " },
                    case.note
                ))
                .fix("Correct the condition, or the case if it is wrong about the goods."),
        )
    }

    /// The case's table: its history, then, as the last row, its entry.
    fn case_table(&self, case: &Case) -> Result<(EntryTable, usize), String> {
        let mut table = EntryTable::empty(std::sync::Arc::clone(&self.base));
        let today = match case.entry.get("date") {
            None => CASE_DAY,
            Some(value) => match read(FieldType::Date, value) {
                Some(Value::Date(day)) => day,
                _ => return Err(format!("{value} is no date such as 2026-03-11")),
            },
        };
        let mut entries: u32 = 0;
        for history in &case.history {
            for step in 0..history.times {
                entries = entries.saturating_add(1);
                if entries > HISTORY_MAX {
                    return Err(format!("more than {HISTORY_MAX} entries of history"));
                }
                let back = i64::from(history.ago)
                    .saturating_add(i64::from(step).saturating_mul(i64::from(history.every)));
                let day = today
                    .checked_sub(jiff::Span::new().try_days(back).map_err(|error| error.to_string())?)
                    .map_err(|error| error.to_string())?;
                let mut fields = case.entry.clone();
                // A history entry has a declaration of its own, at a time of its own, unless the case says otherwise.
                fields.insert("declaration_id".to_owned(), toml::Value::String(format!("H{entries}")));
                fields.remove("accepted_at");
                fields.insert("date".to_owned(), toml::Value::String(day.to_string()));
                fields.extend(history.set.clone());
                for gone in &history.without {
                    fields.remove(gone);
                }
                table.push(self.values(&fields)?).map_err(|error| error.to_string())?;
            }
        }
        let mut fields = case.entry.clone();
        fields.entry("declaration_id".to_owned()).or_insert_with(|| toml::Value::String("D1".to_owned()));
        fields.entry("date".to_owned()).or_insert_with(|| toml::Value::String(today.to_string()));
        let row = table.len();
        table.push(self.values(&fields)?).map_err(|error| error.to_string())?;
        Ok((table, row))
    }

    fn values(&self, fields: &BTreeMap<String, toml::Value>) -> Result<Vec<Option<Value>>, String> {
        if let Some(unknown) = fields.keys().find(|name| self.base.field(name).is_none()) {
            return Err(format!("there is no field {unknown}"));
        }
        self.base
            .fields
            .iter()
            .map(|field| match fields.get(&field.name) {
                None => Ok(None),
                Some(value) => read(field.field_type, value)
                    .map(Some)
                    .ok_or_else(|| format!("{} = {value} is no {}", field.name, field.field_type.name())),
            })
            .collect()
    }
}

fn read(field_type: FieldType, value: &toml::Value) -> Option<Value> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Boolean(yes) => {
            return (field_type == FieldType::Boolean).then_some(Value::Boolean(*yes));
        }
        toml::Value::Array(_) | toml::Value::Table(_) => return None,
    };
    match field_type {
        FieldType::Text => value.as_str().map(|text| Value::Text(text.to_owned())),
        FieldType::Decimal => text.parse::<Decimal>().ok().map(Value::Decimal),
        FieldType::Date => text.parse::<Date>().ok().map(Value::Date),
        FieldType::DateTime => text.parse::<DateTime>().ok().map(Value::DateTime),
        FieldType::Boolean => None,
    }
}

fn name(expect: Expectation) -> &'static str {
    match expect {
        Expectation::Tagged => "tagged",
        Expectation::NotTagged => "not_tagged",
        Expectation::Unknown => "unknown",
    }
}

fn place(definition: &TagDefinition, child: &str) -> Pointer {
    let source = &definition.source;
    Pointer(format!("{}/{}:{}/{}/{child}", source.pack_id, source.file, source.line, definition.id))
}
