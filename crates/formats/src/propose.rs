//! What the columns of an unknown file probably mean: their names in four languages, and what their values look like.
//!
//! The proposal is for a person to read and edit. It never uses a column twice, it says how sure it is and why, and
//! the same file always gets the same proposal.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use spine::identifier::{CountryCode, HsCode};
use spine::quantity::CurrencyCode;
use spine::{EntrySchema, FieldDefinition, FieldType, Finding, Language, Pointer};

use crate::convert::NumberStyle;
use crate::dates::{DateForm, find_form};
use crate::mapping::{FieldMapping, Mapping};
use crate::synonyms::{KNOWN_NAMES, normalise, words};

/// Below this nothing is proposed.
const CONFIDENCE_MIN: f64 = 0.5;

/// One field of a proposal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProposedField {
    /// Field.
    pub field: String,
    /// Column.
    pub column: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Why, in words.
    pub reason: String,
    /// The first values of the column.
    pub examples: Vec<String>,
}

/// What the columns of a file probably mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// The mapping, ready to be used or edited.
    #[serde(skip)]
    pub mapping: Mapping,
    /// Field by field, in the schema's order.
    pub fields: Vec<ProposedField>,
    /// Columns that nothing uses.
    pub unused_columns: Vec<String>,
    /// What a person must decide: required fields without a column, dates that can be read two ways.
    pub findings: Vec<Finding>,
}

impl Proposal {
    /// The mapping as `map.toml` with the reasons as comments.
    #[must_use]
    pub fn to_toml(&self, schema: &EntrySchema) -> String {
        let remarks = self
            .fields
            .iter()
            .map(|field| {
                (field.field.clone(), format!("{}; such as {}", field.reason, field.examples.join(", ")))
            })
            .collect();
        let mut text = self.mapping.to_toml(schema, &remarks);
        for finding in &self.findings {
            text.push_str(&format!("\n# DECIDE: {finding}\n"));
        }
        text
    }
}

/// A column as far as it was looked at.
struct Sample<'a> {
    name: &'a str,
    values: Vec<&'a str>,
}

impl Sample<'_> {
    fn share(&self, fits: impl Fn(&str) -> bool) -> f64 {
        let filled: Vec<&&str> = self.values.iter().filter(|value| !value.is_empty()).collect();
        if filled.is_empty() {
            return 0.5;
        }
        ratio(filled.iter().filter(|value| fits(value)).count(), filled.len())
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    let (part, whole) = (u32::try_from(part).unwrap_or(u32::MAX), u32::try_from(whole).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// Proposes a mapping. `rows` are the first rows of the file, a few hundred are plenty; `outcome` is the column that
/// the caller knows to say whether something was found.
#[must_use]
pub fn propose(
    headers: &[String],
    rows: &[Vec<String>],
    schema: &EntrySchema,
    outcome: Option<&str>,
) -> Proposal {
    let samples: Vec<Sample<'_>> = headers
        .iter()
        .enumerate()
        .filter(|(_, name)| !name.is_empty())
        .map(|(at, name)| Sample {
            name,
            values: rows.iter().map(|row| row.get(at).map_or("", |cell| cell.trim())).collect(),
        })
        .collect();
    let numbers = number_style(&samples);
    let mut candidates: Vec<(f64, usize, usize, &'static str)> = Vec::new();
    for (field_at, field) in schema.fields.iter().enumerate() {
        for (sample_at, sample) in samples.iter().enumerate() {
            let (name_score, reason) = if field.name == "irregular" && outcome == Some(sample.name) {
                (1.5, "named by the caller")
            } else {
                name_score(&field.name, sample.name)
            };
            if name_score > 0.0 {
                let confidence = name_score * value_score(field, sample, numbers);
                if confidence >= CONFIDENCE_MIN {
                    candidates.push((confidence, field_at, sample_at, reason));
                }
            }
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut used_fields = BTreeSet::new();
    let mut used_samples = BTreeSet::new();
    let mut proposal = Proposal {
        mapping: Mapping { numbers, ..Mapping::new(schema) },
        fields: Vec::new(),
        unused_columns: Vec::new(),
        findings: Vec::new(),
    };
    for (confidence, field_at, sample_at, reason) in candidates {
        if used_fields.contains(&field_at) || used_samples.contains(&sample_at) {
            continue;
        }
        let (Some(field), Some(sample)) = (schema.fields.get(field_at), samples.get(sample_at)) else {
            continue;
        };
        used_fields.insert(field_at);
        used_samples.insert(sample_at);
        let mapping = settings(field, sample, &mut proposal.findings);
        proposal.mapping.fields.insert(field.name.clone(), mapping);
        proposal.fields.push(ProposedField {
            field: field.name.clone(),
            column: sample.name.to_owned(),
            confidence: confidence.min(1.0),
            reason: reason.to_owned(),
            examples: examples(sample),
        });
    }
    finish(&mut proposal, schema, &samples, &used_samples);
    proposal
}

fn finish(proposal: &mut Proposal, schema: &EntrySchema, samples: &[Sample<'_>], used: &BTreeSet<usize>) {
    let position = |name: &str| schema.position(name).unwrap_or(usize::MAX);
    proposal.fields.sort_by_key(|field| position(&field.field));
    let fields = &mut proposal.mapping.fields;
    if fields.contains_key("irregular") && !fields.contains_key("inspected") {
        let derived = FieldMapping { derived: Some("outcome_present".to_owned()), ..FieldMapping::default() };
        fields.insert("inspected".to_owned(), derived);
    }
    for field in schema.fields.iter().filter(|field| field.required && !fields.contains_key(&field.name)) {
        proposal.findings.push(
            Finding::error("mapping_required_field")
                .at(Pointer(format!("fields.{}", field.name)))
                .expected(format!("the column that holds: {}", field.title.in_language(Language::En)))
                .fix(format!("Add [fields.{}] with column = \"...\" to the mapping.", field.name)),
        );
    }
    proposal.unused_columns = samples
        .iter()
        .enumerate()
        .filter(|(at, _)| !used.contains(at))
        .map(|(_, sample)| sample.name.to_owned())
        .collect();
}

fn examples(sample: &Sample<'_>) -> Vec<String> {
    let mut examples: Vec<String> = Vec::new();
    for value in sample.values.iter().filter(|value| !value.is_empty()) {
        let shown: String = value.chars().take(30).collect::<String>().replace(['\n', '\r'], " ");
        if !examples.contains(&shown) {
            examples.push(shown);
        }
        if examples.len() == 3 {
            break;
        }
    }
    examples
}

/// How well a column's name fits a field, and why.
fn name_score(field: &str, column: &str) -> (f64, &'static str) {
    let wanted = normalise(column);
    if wanted == normalise(field) {
        return (1.2, "the column has the field's name");
    }
    let Some((_, names)) = KNOWN_NAMES.iter().find(|(name, _)| *name == field) else { return (0.0, "") };
    if let Some(at) = names.iter().position(|name| name.normalised == wanted) {
        // Of two columns that both are names of a field the more usual one wins.
        return (1.1 - 0.004 * ratio(at, 1), "a usual name of the field");
    }
    let column_words: BTreeSet<String> = words(column).into_iter().collect();
    let best = names
        .iter()
        .map(|name| {
            let shared = name.words.intersection(&column_words).count();
            let all = name.words.union(&column_words).count();
            if name.words.len() > 1 && name.words.is_subset(&column_words) { 0.8 } else { ratio(shared, all) }
        })
        .fold(0.0, f64::max);
    if best >= 0.5 { (0.85 * best, "a similar name") } else { (0.0, "") }
}

/// How well a column's values fit a field: around 1 is what one would expect.
fn value_score(field: &FieldDefinition, sample: &Sample<'_>, numbers: NumberStyle) -> f64 {
    match (field.name.as_str(), field.field_type) {
        ("commodity_code", _) => 0.4 + 0.6 * sample.share(looks_like_commodity),
        ("origin_country" | "departure_country", _) => {
            0.5 + 0.5 * sample.share(|value| CountryCode::new(value).is_ok())
        }
        ("currency", _) => 0.4 + 0.6 * sample.share(|value| CurrencyCode::new(value).is_ok()),
        (_, FieldType::Decimal) => sample.share(|value| numbers.parse(value).is_some()),
        (_, FieldType::Date | FieldType::DateTime) => {
            sample.share(|value| value.bytes().any(|b| b.is_ascii_digit()) && value.len() >= 6)
        }
        (_, FieldType::Boolean) => {
            let different: BTreeSet<&str> =
                sample.values.iter().copied().filter(|value| !value.is_empty()).collect();
            if different.len() <= 4 { 1.0 } else { 0.3 }
        }
        _ => 1.0,
    }
}

fn looks_like_commodity(value: &str) -> bool {
    let digits: String = value.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
    let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
    (4..=11).contains(&padded.len()) && HsCode::new(&padded).is_ok()
}

/// How the cells of a column chosen for a field are to be read.
fn settings(field: &FieldDefinition, sample: &Sample<'_>, findings: &mut Vec<Finding>) -> FieldMapping {
    let mut mapping = FieldMapping::column(sample.name);
    match (field.name.as_str(), field.field_type) {
        ("commodity_code", _) => {
            let odd = sample
                .values
                .iter()
                .any(|value| value.len() % 2 == 1 && value.bytes().all(|b| b.is_ascii_digit()));
            let longest = sample.values.iter().map(|value| value.len()).max().unwrap_or(6);
            if odd {
                mapping.pad_left = Some(longest.next_multiple_of(2).clamp(6, 10));
            }
        }
        (_, FieldType::Date) => match find_form(sample.values.iter().copied()) {
            DateForm::Certain("%Y-%m-%d") => {}
            DateForm::Certain(form) => mapping.format = Some(form.to_owned()),
            DateForm::Ambiguous(first, second) => findings.push(
                Finding::error("date_form_ambiguous")
                    .at(Pointer::column(sample.name))
                    .found(sample.values.iter().find(|value| !value.is_empty()).unwrap_or(&""))
                    .expected(format!("one reading: {first} and {second} both fit all rows looked at"))
                    .fix(format!(
                        "Add format = \"{first}\" or format = \"{second}\" to [fields.{}].",
                        field.name
                    )),
            ),
            DateForm::None => {}
        },
        (_, FieldType::DateTime) => {
            let first = sample.values.iter().find(|value| !value.is_empty()).copied().unwrap_or("");
            if crate::dates::parse_date_time(first, None).is_none() {
                let forms = [
                    "%d/%m/%Y %H:%M",
                    "%m/%d/%Y %H:%M",
                    "%d.%m.%Y %H:%M",
                    "%Y/%m/%d %H:%M",
                    "%d/%m/%Y %H:%M:%S",
                    "%Y/%m/%d %H:%M:%S",
                ];
                mapping.format = forms
                    .into_iter()
                    .find(|form| {
                        sample.share(|value| crate::dates::parse_date_time(value, Some(form)).is_some())
                            > 0.99
                    })
                    .map(str::to_owned);
            }
        }
        ("irregular", _) => mapping.values = outcome_values(sample),
        _ => {}
    }
    mapping
}

/// Words for "something was found" and "nothing was found" beside yes and no.
fn outcome_values(sample: &Sample<'_>) -> BTreeMap<String, String> {
    const FOUND: [&str; 14] = [
        "illicit",
        "fraud",
        "irregular",
        "infraction",
        "positive",
        "offence",
        "discrepancy",
        "hit",
        "non conforme",
        "fraude",
        "irregularidad",
        "违规",
        "查获",
        "异常",
    ];
    const CONFORM: [&str; 14] = [
        "licit",
        "conform",
        "compliant",
        "ok",
        "clean",
        "negative",
        "nil",
        "none",
        "no discrepancy",
        "conforme",
        "sin novedad",
        "正常",
        "未查获",
        "无异常",
    ];
    let mut values = BTreeMap::new();
    for value in sample.values.iter().filter(|value| !value.is_empty()) {
        let lower = value.to_lowercase();
        if FOUND.contains(&lower.as_str()) {
            values.insert((*value).to_owned(), "true".to_owned());
        } else if CONFORM.contains(&lower.as_str()) {
            values.insert((*value).to_owned(), "false".to_owned());
        }
    }
    values
}

/// Decimal comma or point: what the numbers with one mark look like.
fn number_style(samples: &[Sample<'_>]) -> NumberStyle {
    let (mut comma, mut point, mut both_comma_last, mut both_point_last) =
        (0_usize, 0_usize, 0_usize, 0_usize);
    for sample in samples {
        for value in &sample.values {
            let numeric = !value.is_empty()
                && value.chars().all(|c| {
                    c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | ' ' | '\u{a0}' | '\u{202f}')
                })
                && value.chars().any(|c| c.is_ascii_digit());
            if !numeric {
                continue;
            }
            match (value.rfind(','), value.rfind('.')) {
                (Some(c), Some(p)) if c > p => both_comma_last = both_comma_last.saturating_add(1),
                (Some(_), Some(_)) => both_point_last = both_point_last.saturating_add(1),
                // One comma with other than three digits behind it is no grouping mark.
                (Some(c), None) if value.len().saturating_sub(c) != 4 => comma = comma.saturating_add(1),
                (None, Some(_)) if value.matches('.').count() == 1 => point = point.saturating_add(1),
                _ => {}
            }
        }
    }
    if both_comma_last > 0 && both_point_last == 0 {
        NumberStyle { decimal: ',', grouping: Some('.') }
    } else if both_point_last > 0 {
        NumberStyle { decimal: '.', grouping: Some(',') }
    } else if comma > point {
        NumberStyle { decimal: ',', grouping: Some(' ') }
    } else {
        NumberStyle::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, delimiter: char) -> (Vec<String>, Vec<Vec<String>>) {
        let mut lines = text.lines().map(|line| line.trim().split(delimiter).map(str::to_owned).collect());
        (lines.next().unwrap(), lines.collect())
    }

    fn check(text: &str, delimiter: char, expected: &[(&str, &str)]) -> Proposal {
        let (headers, rows) = table(text, delimiter);
        let schema = spine::declaration_entry::schema();
        let proposal = propose(&headers, &rows, &schema, None);
        let got: BTreeMap<&str, &str> =
            proposal.fields.iter().map(|field| (field.field.as_str(), field.column.as_str())).collect();
        assert_eq!(got, expected.iter().copied().collect());
        assert!(proposal.mapping.check(&headers, &schema).is_empty());
        proposal
    }

    #[test]
    fn english_headers_of_a_published_set() {
        let proposal = check(
            "Declaration ID,Date,Office ID,Process Type,Import Type,Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud
             1,2020-01-01,30,B,11,10,A1,B1,C1,,440890,BE,BE,0.0,FEU1,G,108.0,372254.4,0,0
             2,2020-01-13,40,B,11,40,A2,B2,C2,D1,71080,CN,CN,8.0,A,Y,11352.0,375751.2,1,2",
            ',',
            &[
                ("declaration_id", "Declaration ID"), ("date", "Date"), ("office_id", "Office ID"),
                ("process_type", "Process Type"), ("procedure_code", "Import Type"),
                ("transport_mode", "Mode of Transport"), ("declarant_id", "Declarant ID"), ("importer_id", "Importer ID"),
                ("exporter_id", "Seller ID"), ("carrier_id", "Courier ID"), ("commodity_code", "HS6 Code"),
                ("departure_country", "Country of Departure"), ("origin_country", "Country of Origin"),
                ("tax_rate", "Tax Rate"), ("tax_type", "Tax Type"), ("origin_marking", "Country of Origin Indicator"),
                ("net_mass", "Net Mass"), ("customs_value", "Item Price"), ("irregular", "Fraud"),
                ("outcome_code", "Critical Fraud"),
            ],
        );
        assert_eq!(proposal.mapping.fields["commodity_code"].pad_left, Some(6));
        assert_eq!(proposal.mapping.fields["inspected"].derived.as_deref(), Some("outcome_present"));
    }

    #[test]
    fn french_headers_with_decimal_commas_and_days_first() {
        let proposal = check(
            "N° déclaration;Date d'enregistrement;Code bureau;Position tarifaire;Pays d'origine;Pays de provenance;Poids net;Valeur CAF;Taux;Importateur;Constat
             2024-1;31/01/2024;TN01;8517.12;CN;AE;1.234,5;10.000,00;7,5;F1;Conforme
             2024-2;02/02/2024;TN02;0303.11;MA;MA;900,0;2.000,10;0;F2;Infraction",
            ';',
            &[
                ("declaration_id", "N° déclaration"), ("date", "Date d'enregistrement"), ("office_id", "Code bureau"),
                ("commodity_code", "Position tarifaire"), ("origin_country", "Pays d'origine"),
                ("departure_country", "Pays de provenance"), ("net_mass", "Poids net"), ("customs_value", "Valeur CAF"),
                ("tax_rate", "Taux"), ("importer_id", "Importateur"), ("irregular", "Constat"),
            ],
        );
        assert_eq!(proposal.mapping.numbers, NumberStyle { decimal: ',', grouping: Some('.') });
        assert_eq!(proposal.mapping.fields["date"].format.as_deref(), Some("%d/%m/%Y"));
        assert_eq!(proposal.mapping.fields["irregular"].values["Infraction"], "true");
    }

    #[test]
    fn chinese_headers() {
        check(
            "报关单号|申报日期|商品编码|原产国|净重|查验结果
             5301|2024-01-31|851712|CN|10|正常",
            '|',
            &[
                ("declaration_id", "报关单号"),
                ("date", "申报日期"),
                ("commodity_code", "商品编码"),
                ("origin_country", "原产国"),
                ("net_mass", "净重"),
                ("irregular", "查验结果"),
            ],
        );
    }

    #[test]
    fn what_cannot_be_told_is_left_to_a_person() {
        let (headers, rows) = table("Date,Net Mass\n01/02/2024,5\n03/04/2024,6", ',');
        let schema = spine::declaration_entry::schema();
        let proposal = propose(&headers, &rows, &schema, None);
        let codes: Vec<&str> = proposal.findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["date_form_ambiguous", "mapping_required_field"]);
        assert!(proposal.to_toml(&schema).contains("# DECIDE: "));
    }
}
