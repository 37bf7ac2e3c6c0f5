//! Source contracts: who delivers which records, on what terms, and how good they must be.
//!
//! A contract narrows a schema. Its fields are the only ones that may come in (what the purpose does not need is not
//! read), it may demand a field that the schema leaves open and raise a field's class, never lower either.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spine::{EntrySchema, FieldDefinition, FieldType, Finding, LocalizedText, Pointer, Sensitivity, event};

/// Longest contract text that is read.
pub const CONTRACT_BYTES_MAX: usize = 256 * 1024;
/// Longest name of a contract.
const NAME_BYTES_MAX: usize = 60;

/// How often a source delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Every day.
    Day,
    /// Every week.
    Week,
    /// Every month.
    Month,
    /// Every quarter.
    Quarter,
    /// Every year.
    Year,
    /// Whenever it comes.
    #[default]
    Irregular,
}

/// How much is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Rows of a batch at least; fewer is said, not refused.
    pub rows_min: u64,
    /// Rows of a batch at most; more is said, not refused.
    pub rows_max: u64,
    /// How often.
    #[serde(default)]
    pub period: Period,
}

/// How good a batch must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Largest share of rows that may be quarantined, from 0 to 1.
    pub quarantined_share_max: Decimal,
    /// Largest share of rows in which a field may be unknown, by field, from 0 to 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown_share_max: BTreeMap<String, Decimal>,
}

/// One field that a source delivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractField {
    /// Name in the schema.
    pub name: String,
    /// Type; the schema's own.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Unit of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Who may see it; at least the schema's class.
    pub sensitivity: Sensitivity,
    /// Must every row have it?
    #[serde(default)]
    pub required: bool,
}

/// What a source and the administration agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceContract {
    /// Stable snake_case name.
    pub name: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Who answers for the records.
    pub owner: String,
    /// Terms under which they may be used.
    pub licence: String,
    /// What they are used for.
    pub purpose: String,
    /// Schema of the records.
    pub schema: String,
    /// Version of that schema.
    pub schema_version: u32,
    /// Are the delivered files themselves kept, beside what was read from them?
    #[serde(default)]
    pub keep_source: bool,
    /// Expected volume.
    pub volume: Volume,
    /// Quality thresholds.
    pub quality: Quality,
    /// Fields, in the schema's order.
    pub fields: Vec<ContractField>,
}

/// The schema with that id, if this program knows it.
#[must_use]
pub fn schema_of(id: &str) -> Option<Arc<EntrySchema>> {
    (id == spine::declaration_entry::ID).then(spine::declaration_entry::schema)
}

impl SourceContract {
    /// Name of the contract that is in force until another one of its name is declared.
    pub const DECLARATIONS: &'static str = "declarations";

    /// The contract for an administration's own declarations with what became of them.
    #[must_use]
    pub fn declarations() -> Self {
        let schema = spine::declaration_entry::schema();
        let share = |percent: i64| Decimal::new(percent, 2);
        Self {
            name: Self::DECLARATIONS.to_owned(),
            title: LocalizedText::en_zh("Declarations with outcomes", "报关单及查验结果"),
            owner: "risk management unit".to_owned(),
            licence: "the administration's own records".to_owned(),
            purpose: "risk management and audit of inspections".to_owned(),
            schema: schema.id.clone(),
            schema_version: schema.version,
            keep_source: true,
            volume: Volume { rows_min: 1, rows_max: 50_000_000, period: Period::Irregular },
            quality: Quality {
                quarantined_share_max: share(10),
                unknown_share_max: [("commodity_code".to_owned(), share(50))].into(),
            },
            fields: schema.fields.iter().map(ContractField::from).collect(),
        }
    }

    /// Reads a contract and checks it; the findings say everything that is wrong with it.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Finding>> {
        if text.len() > CONTRACT_BYTES_MAX {
            return Err(vec![
                Finding::error("contract_too_long")
                    .found(&format!("{} bytes", text.len()))
                    .expected(format!("at most {CONTRACT_BYTES_MAX} bytes"))
                    .fix("Shorten its texts."),
            ]);
        }
        let contract: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or_default().matches('\n').count().saturating_add(1);
            vec![
                Finding::error("contract_unreadable")
                    .at(Pointer(format!("line[{line}]")))
                    .found(text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim())
                    .expected(error.message().to_owned())
                    .fix("Correct the line; docs/pool.md shows every key."),
            ]
        })?;
        let findings = contract.check();
        if findings.is_empty() { Ok(contract) } else { Err(findings) }
    }

    /// Writes the contract as a text that [`Self::from_toml`] reads.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut head = self.clone();
        head.fields = Vec::new();
        // A contract is plain data; serialising it cannot fail, and an empty text would be noticed by its reader.
        let mut text = toml::to_string(&head).unwrap_or_default().replace("fields = []\n", "");
        for field in &self.fields {
            // Writing into a String cannot fail.
            let _ = write!(text, "\n[[fields]]\n{}", toml::to_string(field).unwrap_or_default());
        }
        text
    }

    /// SHA-256 of its canonical bytes: which text of the contract a batch came in under.
    #[must_use]
    pub fn sha256(&self) -> String {
        // A contract has text keys and no floats, so it always has canonical bytes.
        hex::encode(Sha256::digest(event::canonical_bytes(self).unwrap_or_default()))
    }

    /// The schema under which rows are read: the contract's fields with its demands.
    #[must_use]
    pub fn entry_schema(&self) -> Arc<EntrySchema> {
        let base = schema_of(&self.schema);
        let fields = self
            .fields
            .iter()
            .map(|field| FieldDefinition {
                name: field.name.clone(),
                field_type: field.field_type,
                unit: field.unit.clone(),
                sensitivity: field.sensitivity,
                required: field.required,
                title: base
                    .as_ref()
                    .and_then(|base| base.field(&field.name))
                    .map(|field| field.title.clone())
                    .unwrap_or_default(),
            })
            .collect();
        Arc::new(EntrySchema { id: self.schema.clone(), version: self.schema_version, fields })
    }

    /// Everything that is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let name_fits = self.name.starts_with(|first: char| first.is_ascii_lowercase())
            && self.name.len() <= NAME_BYTES_MAX
            && self.name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !name_fits {
            findings.push(
                finding("contract_name", "name")
                    .found(&self.name)
                    .expected(format!("a snake_case name of at most {NAME_BYTES_MAX} characters"))
                    .fix("Use small letters, digits and underscores."),
            );
        }
        for (key, text) in [("owner", &self.owner), ("licence", &self.licence), ("purpose", &self.purpose)] {
            if text.trim().is_empty() {
                findings.push(
                    finding("contract_text_missing", key)
                        .expected("a few words")
                        .fix("Every source is identified and its ownership confirmed before it comes in."),
                );
            }
        }
        self.check_thresholds(&mut findings);
        match schema_of(&self.schema).filter(|schema| schema.version == self.schema_version) {
            Some(schema) => self.check_fields(&schema, &mut findings),
            None => findings.push(
                finding("contract_schema", "schema")
                    .found(&format!("{} version {}", self.schema, self.schema_version))
                    .expected("declaration_item version 1")
                    .fix("Name a schema that this program knows."),
            ),
        }
        findings
    }

    fn check_thresholds(&self, findings: &mut Vec<Finding>) {
        if self.volume.rows_min > self.volume.rows_max {
            findings.push(
                finding("contract_volume", "volume/rows_min")
                    .found(&self.volume.rows_min.to_string())
                    .expected(format!("at most rows_max, which is {}", self.volume.rows_max))
                    .fix("Exchange or correct them."),
            );
        }
        let shares = self
            .quality
            .unknown_share_max
            .iter()
            .map(|(field, share)| (format!("quality/unknown_share_max/{field}"), share))
            .chain([("quality/quarantined_share_max".to_owned(), &self.quality.quarantined_share_max)]);
        for (key, share) in shares {
            if *share < Decimal::ZERO || *share > Decimal::ONE {
                findings.push(
                    finding("contract_share", &key)
                        .found(&share.to_string())
                        .expected("a share from 0 to 1")
                        .fix("Write 5 % as 0.05."),
                );
            }
        }
        for field in self.quality.unknown_share_max.keys() {
            if !self.fields.iter().any(|known| known.name == *field) {
                findings.push(
                    finding("contract_unknown_field", &format!("quality/unknown_share_max/{field}"))
                        .found(field)
                        .expected("a field of this contract")
                        .fix("Correct its spelling, or add the field."),
                );
            }
        }
    }

    fn check_fields(&self, schema: &EntrySchema, findings: &mut Vec<Finding>) {
        for (position, field) in (1_usize..).zip(&self.fields) {
            let at = Pointer(format!("fields[{position}]"));
            if self.fields.iter().filter(|other| other.name == field.name).count() > 1 {
                findings.push(
                    Finding::error("contract_field_doubled")
                        .at(at.clone())
                        .found(&field.name)
                        .expected("each field once")
                        .fix("Remove one of them."),
                );
            }
            let Some(base) = schema.field(&field.name) else {
                findings.push(
                    Finding::error("contract_unknown_field")
                        .at(at.child("name"))
                        .found(&field.name)
                        .expected(format!("a field of {}", schema.id))
                        .fix("Correct its spelling; docs/pool.md lists the fields."),
                );
                continue;
            };
            if field.field_type != base.field_type {
                findings.push(
                    Finding::error("contract_field_type")
                        .at(at.child("type"))
                        .found(field.field_type.name())
                        .expected(base.field_type.name())
                        .fix("Use the schema's own type."),
                );
            }
            if field.unit != base.unit {
                findings.push(
                    Finding::error("contract_field_unit")
                        .at(at.child("unit"))
                        .found(field.unit.as_deref().unwrap_or("none"))
                        .expected(base.unit.as_deref().unwrap_or("none"))
                        .fix("Use the schema's own unit; a mapping's factor converts on the way in."),
                );
            }
            if field.sensitivity < base.sensitivity {
                findings.push(
                    Finding::error("contract_field_sensitivity")
                        .at(at.child("sensitivity"))
                        .found(field.sensitivity.name())
                        .expected(format!("{} or more secret", base.sensitivity.name()))
                        .fix("A contract may raise a field's class, not lower it."),
                );
            }
        }
        for base in schema.fields.iter().filter(|field| field.required) {
            if !self.fields.iter().any(|field| field.name == base.name && field.required) {
                findings.push(
                    finding("contract_required_field", "fields")
                        .expected(format!("the required field {}", base.name))
                        .fix("Add it, with required = true."),
                );
            }
        }
    }
}

impl From<&FieldDefinition> for ContractField {
    fn from(field: &FieldDefinition) -> Self {
        Self {
            name: field.name.clone(),
            field_type: field.field_type,
            unit: field.unit.clone(),
            sensitivity: field.sensitivity,
            required: field.required,
        }
    }
}

fn finding(code: &str, at: &str) -> Finding {
    Finding::error(code).at(Pointer(at.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(change: impl FnOnce(&mut SourceContract)) -> Vec<String> {
        let mut contract = SourceContract::declarations();
        change(&mut contract);
        let again = SourceContract::from_toml(&contract.to_toml());
        let found: Vec<String> = contract.check().into_iter().map(|finding| finding.code).collect();
        match again {
            Ok(read) => assert_eq!(read, contract),
            Err(findings) => {
                assert_eq!(findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>(), found);
            }
        }
        found
    }

    #[test]
    fn the_contract_that_is_in_force_first_is_sound_and_reads_the_whole_schema() {
        assert_eq!(codes(|_| ()), Vec::<String>::new());
        let contract = SourceContract::declarations();
        assert_eq!(contract.entry_schema(), spine::declaration_entry::schema());
        assert_eq!(contract.sha256().len(), 64);
    }

    #[test]
    fn what_is_wrong_with_a_contract_is_said() {
        type Change = fn(&mut SourceContract);
        let cases: [(&str, Change); 11] = [
            ("contract_name", |contract| contract.name = "Our Records".into()),
            ("contract_text_missing", |contract| contract.owner = " ".into()),
            ("contract_schema", |contract| contract.schema = "manifest".into()),
            ("contract_schema", |contract| contract.schema_version = 2),
            ("contract_volume", |contract| contract.volume.rows_min = 60_000_000),
            ("contract_share", |contract| contract.quality.quarantined_share_max = 5.into()),
            ("contract_unknown_field", |contract| {
                contract.quality.unknown_share_max.insert("net_mas".into(), Decimal::ZERO);
            }),
            ("contract_field_type", |contract| contract.fields[3].field_type = FieldType::Text),
            ("contract_field_sensitivity", |contract| contract.fields[30].sensitivity = Sensitivity::Public),
            ("contract_required_field", |contract| {
                contract.fields.remove(0);
            }),
            ("contract_field_unit", |contract| contract.fields[22].unit = Some("g".into())),
        ];
        for (code, change) in cases {
            assert_eq!(codes(change), [code]);
        }
    }

    #[test]
    fn a_spelling_mistake_is_told_with_its_line() {
        let text = SourceContract::declarations().to_toml().replace("licence", "license");
        let findings = SourceContract::from_toml(&text).unwrap_err();
        assert_eq!(findings[0].code, "contract_unreadable");
        assert!(findings[0].found.contains("license"), "{findings:?}");
    }
}
