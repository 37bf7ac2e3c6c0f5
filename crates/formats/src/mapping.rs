//! `map.toml`: which column means which field, and how its cells are read. A person edits it; `tidewaiter map`
//! proposes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use spine::{EntrySchema, FieldType, Finding, Language, Pointer};

use crate::convert::NumberStyle;

/// Version of the mapping format written and read here.
pub const VERSION: u32 = 1;

/// Digits that `pad_left` fills up to at most; no code is longer.
pub const PAD_LEFT_MAX: usize = 20;

/// How one field is filled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldMapping {
    /// Column it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// One value for all rows, instead of a column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<String>,
    /// `outcome_present`: a row is inspected where its outcome is known. Only for `inspected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
    /// Form of dates and times as `strptime` writes it, such as `%d/%m/%Y`. Default: ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Codes that lost their leading zeros are filled up to this many digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad_left: Option<usize>,
    /// Only this many characters from the left are kept (a national code down to the HS subheading).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_left: Option<usize>,
    /// Numbers are multiplied by this: 0.001 from grams to kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Decimal>,
    /// What cells mean: `{ "Y" = "true", "N" = "false" }`. Cells that are not named stay as they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// Cells that mean "not known", beside the empty one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub absent: BTreeSet<String>,
}

impl FieldMapping {
    /// A field that is a column as it stands.
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self { column: Some(name.to_owned()), ..Self::default() }
    }

    /// A field with one value for all rows.
    #[must_use]
    pub fn constant(value: &str) -> Self {
        Self { constant: Some(value.to_owned()), ..Self::default() }
    }
}

/// A whole mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// [`VERSION`].
    pub version: u32,
    /// Id of the schema that the fields belong to.
    pub schema: String,
    /// Encoding of the file (`utf-8`, `gb18030`, `windows-1252`, ...) where it should not be guessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Delimiter of the file where it should not be guessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// How numbers are written.
    #[serde(default)]
    pub numbers: NumberStyle,
    /// By field name.
    pub fields: BTreeMap<String, FieldMapping>,
}

impl Mapping {
    /// A mapping without fields.
    #[must_use]
    pub fn new(schema: &EntrySchema) -> Self {
        Self {
            version: VERSION,
            schema: schema.id.clone(),
            encoding: None,
            delimiter: None,
            numbers: NumberStyle::default(),
            fields: BTreeMap::new(),
        }
    }

    /// Reads `map.toml`.
    pub fn from_toml(text: &str) -> Result<Self, Finding> {
        let mapping: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                text.get(..span.start).unwrap_or_default().matches('\n').count().saturating_add(1)
            });
            Finding::error("mapping_unreadable")
                .at(Pointer(format!("line[{line}]")))
                .found(text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim())
                .expected(error.message().to_owned())
                .fix("Correct the line; docs/mapping.md shows every key.")
        })?;
        if mapping.version != VERSION {
            return Err(Finding::error("mapping_version")
                .at(Pointer("version".to_owned()))
                .found(&mapping.version.to_string())
                .expected(VERSION.to_string())
                .fix("Make a new mapping with `tidewaiter map`, or use the program it was made for."));
        }
        Ok(mapping)
    }

    /// Writes `map.toml` with, for each field, what people call it.
    #[must_use]
    pub fn to_toml(&self, schema: &EntrySchema, remarks: &BTreeMap<String, String>) -> String {
        let mut text =
            String::from("# What the columns mean. Edit, then use with --map. Every key: docs/mapping.md\n");
        let mut head = self.clone();
        head.fields = BTreeMap::new();
        // A mapping is plain data; serialising it cannot fail, and an empty text would be noticed by its reader.
        let head_text = toml::to_string(&head).unwrap_or_default();
        // The empty table of fields is written field by field below; the table of numbers must follow plain keys.
        text.push_str(head_text.replace("[fields]\n", "").trim_end());
        text.push('\n');
        for field in &schema.fields {
            let Some(mapping) = self.fields.get(&field.name) else { continue };
            let title = field.title.in_language(Language::En);
            let remark = remarks.get(&field.name).map(|remark| format!(" ({remark})")).unwrap_or_default();
            // Writing into a String cannot fail.
            let _ = write!(text, "\n# {title}{remark}\n");
            let table = BTreeMap::from([("fields", BTreeMap::from([(field.name.as_str(), mapping)]))]);
            text.push_str(&toml::to_string(&table).unwrap_or_default());
        }
        let unfilled: Vec<&str> = schema
            .fields
            .iter()
            .filter(|field| !self.fields.contains_key(&field.name))
            .map(|field| field.name.as_str())
            .collect();
        if !unfilled.is_empty() {
            text.push_str("\n# Fields that nothing fills; add [fields.NAME] with column = \"...\" where you know better:\n");
            for name in unfilled {
                let _ = writeln!(text, "#   {name}");
            }
        }
        text
    }

    /// Everything that is wrong with this mapping for a file with these headers.
    #[must_use]
    pub fn check(&self, headers: &[String], schema: &EntrySchema) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.schema != schema.id {
            findings.push(
                Finding::error("mapping_schema")
                    .at(Pointer("schema".to_owned()))
                    .found(&self.schema)
                    .expected(schema.id.clone())
                    .fix("Make a mapping for this kind of record with `tidewaiter map`."),
            );
        }
        let numbers = self.numbers;
        let marks = [Some(numbers.decimal), numbers.grouping];
        if numbers.grouping == Some(numbers.decimal)
            || marks.iter().flatten().any(|mark| mark.is_alphanumeric() || matches!(mark, '-' | '+'))
        {
            findings.push(
                Finding::error("mapping_numbers")
                    .at(Pointer("numbers".to_owned()))
                    .found(&marks.iter().flatten().collect::<String>())
                    .expected("two different marks that are no digits, letters or signs")
                    .fix("State the marks as the file writes them: decimal = \",\" and grouping = \".\"."),
            );
        }
        for (name, mapping) in &self.fields {
            let at = Pointer(format!("fields.{name}"));
            let Some(field) = schema.field(name) else {
                let names = schema.fields.iter().map(|field| field.name.as_str());
                findings.push(
                    Finding::error("mapping_unknown_field")
                        .at(at)
                        .found(name)
                        .expected("a field of the schema")
                        .fix(did_you_mean(
                            name,
                            names,
                            "Remove it, or use a field that `tidewaiter map` lists.",
                        )),
                );
                continue;
            };
            check_field(mapping, name, field.field_type, headers, &at, &mut findings);
        }
        for field in
            schema.fields.iter().filter(|field| field.required && !self.fields.contains_key(&field.name))
        {
            findings.push(
                Finding::error("mapping_required_field")
                    .at(Pointer(format!("fields.{}", field.name)))
                    .expected(format!("the column that holds: {}", field.title.in_language(Language::En)))
                    .fix(format!(
                        "Add [fields.{}] with column = \"...\". Columns there are: {}",
                        field.name,
                        list(headers)
                    )),
            );
        }
        findings
    }
}

fn check_field(
    mapping: &FieldMapping,
    name: &str,
    field_type: FieldType,
    headers: &[String],
    at: &Pointer,
    findings: &mut Vec<Finding>,
) {
    let sources = [mapping.column.is_some(), mapping.constant.is_some(), mapping.derived.is_some()];
    if sources.into_iter().filter(|given| *given).count() != 1 {
        findings.push(
            Finding::error("mapping_source")
                .at(at.clone())
                .expected("exactly one of column, constant, derived")
                .fix("Keep one of them."),
        );
    }
    if let Some(column) = &mapping.column
        && !headers.contains(column)
    {
        findings.push(
            Finding::error("mapping_unknown_column")
                .at(at.child("column"))
                .found(column)
                .expected("a column of the file")
                .fix(did_you_mean(
                    column,
                    headers.iter().map(String::as_str),
                    &format!("Columns there are: {}", list(headers)),
                )),
        );
    }
    if mapping.derived.as_deref().is_some_and(|derived| derived != "outcome_present" || name != "inspected") {
        findings.push(
            Finding::error("mapping_derived")
                .at(at.child("derived"))
                .found(mapping.derived.as_deref().unwrap_or_default())
                .expected("outcome_present, for the field inspected only")
                .fix("Use column or constant for other fields."),
        );
    }
    if mapping.format.is_some() && !matches!(field_type, FieldType::Date | FieldType::DateTime) {
        findings.push(
            Finding::error("mapping_format")
                .at(at.child("format"))
                .expected(format!("no format: this field is of type {}", field_type.name()))
                .fix("Remove it."),
        );
    }
    if let Some(width) = mapping.pad_left.filter(|width| *width > PAD_LEFT_MAX) {
        findings.push(
            Finding::error("mapping_pad_left")
                .at(at.child("pad_left"))
                .found(&width.to_string())
                .expected(format!("at most {PAD_LEFT_MAX} digits"))
                .fix("State how many digits the code has, such as 6 or 10."),
        );
    }
    if mapping.factor.is_some() && field_type != FieldType::Decimal {
        findings.push(
            Finding::error("mapping_factor")
                .at(at.child("factor"))
                .expected(format!("no factor: this field is of type {}", field_type.name()))
                .fix("Remove it."),
        );
    }
}

fn list(headers: &[String]) -> String {
    let named: Vec<&str> =
        headers.iter().map(String::as_str).filter(|name| !name.is_empty()).take(40).collect();
    format!("{}.", named.join(", "))
}

/// "Did you mean ...?" for the nearest name, or else `otherwise`.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    let nearest = candidates
        .filter(|candidate| !candidate.is_empty())
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, candidate)) if likeness > 0.8 => format!("Did you mean \"{candidate}\"? {otherwise}"),
        _ => otherwise.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> Vec<String> {
        ["Declaration ID", "Date", "Net Mass"].map(str::to_owned).to_vec()
    }

    fn mapping(fields: &str) -> Mapping {
        Mapping::from_toml(&format!("version = 1\nschema = \"declaration_item\"\n{fields}")).unwrap()
    }

    #[test]
    fn a_mapping_that_names_what_is_not_there_is_told_so_with_the_nearest_name() {
        let schema = spine::declaration_entry::schema();
        let mapping = mapping(
            "[fields.declaration_id]\ncolumn = \"Declaration ID\"\n[fields.date]\ncolumn = \"Dat\"\n\
             [fields.net_mas]\ncolumn = \"Net Mass\"\n",
        );
        let findings = mapping.check(&headers(), &schema);
        let told: Vec<(&str, bool)> =
            findings.iter().map(|f| (f.code.as_str(), f.how_to_fix.contains("Did you mean"))).collect();
        assert_eq!(told, [("mapping_unknown_column", true), ("mapping_unknown_field", true)]);
        assert!(findings[0].how_to_fix.contains("\"Date\""));
        assert!(findings[1].how_to_fix.contains("\"net_mass\""));
    }

    #[test]
    fn what_a_mapping_lacks_is_told() {
        let schema = spine::declaration_entry::schema();
        let findings = mapping("[fields.date]\ncolumn = \"Date\"\nconstant = \"2020-01-01\"\n")
            .check(&headers(), &schema);
        let codes: Vec<&str> = findings.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(codes, ["mapping_source", "mapping_required_field"]);
    }

    #[test]
    fn a_spelling_mistake_in_a_key_is_told_with_its_line() {
        let text = "version = 1\nschema = \"declaration_item\"\n[fields.date]\ncolum = \"Date\"\n";
        let finding = Mapping::from_toml(text).unwrap_err();
        assert_eq!((finding.code.as_str(), finding.pointer.0.as_str()), ("mapping_unreadable", "line[4]"));
        assert_eq!(
            Mapping::from_toml("version = 2\nschema=\"x\"\n[fields]\n").unwrap_err().code,
            "mapping_version"
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        let schema = spine::declaration_entry::schema();
        let mut mapping = Mapping::new(&schema);
        mapping.numbers = NumberStyle { decimal: ',', grouping: Some('.') };
        mapping.fields.insert("declaration_id".into(), FieldMapping::column("N° \"décl\""));
        mapping.fields.insert(
            "irregular".into(),
            FieldMapping {
                column: Some("Fraud".into()),
                values: [("1".to_owned(), "true".to_owned())].into(),
                ..FieldMapping::default()
            },
        );
        let text = mapping.to_toml(&schema, &BTreeMap::new());
        assert_eq!(Mapping::from_toml(&text).unwrap(), mapping, "{text}");
    }
}
