//! What others publish and we may not commit: recognised by its files, checked, and made into a pack.
//!
//! Such a folder has no `pack.toml`. It is recognised by the names of its files; each form says which columns it
//! must have, how many rows at least, and which named lists it offers. The version is made of the content, so that
//! two installations of the same publication are the same pack.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;
use spine::{Finding, LocalizedText, Pointer, Sensitivity};

use crate::content::{MANIFEST_PATH, Pack, content_hash};
use crate::lists::NamedLists;
use crate::manifest::{ExternalForm, Manifest, PackKind, Version};

type Files = BTreeMap<String, Vec<u8>>;

/// One form that others publish in.
struct Form {
    form: ExternalForm,
    id: &'static str,
    title: (&'static str, &'static str),
    legal_basis: &'static str,
    kind: PackKind,
    /// Is this folder's file part of it?
    wanted: fn(&str) -> bool,
    shape: Shape,
}

/// How a form's files are checked and read.
enum Shape {
    /// One comma-separated table.
    Table { columns: &'static [&'static str], rows_min: usize, lists: &'static [TableList] },
    /// JSON arrays of objects with `code`, a list each.
    JsonArrays { files_min: usize },
    /// XSDs; these must be among them.
    Schemas { required: &'static [&'static str] },
}

/// A list read from a column.
struct TableList {
    name: &'static str,
    column: &'static str,
    /// Keep only values of so many characters; 0 keeps all.
    characters: usize,
    /// Keep only rows in which this column is empty.
    empty: Option<&'static str>,
    /// A value is this column too, behind a blank.
    with: Option<&'static str>,
    /// Keep only rows that are valid on the day that is asked about, by the columns of their first and last day.
    valid: Option<[&'static str; 2]>,
}

const fn column(name: &'static str, column: &'static str) -> TableList {
    TableList { name, column, characters: 0, empty: None, with: None, valid: None }
}

/// Columns of the first and the last day on which an authorisation is valid; an empty one is no bound.
const VALID: [&str; 2] = ["valid_from", "valid_to"];

/// Lists that rules ask for, by the name of the file that an administration publishes them in.
const KNOWN_CODE_LISTS: &[(&str, &str)] = &[
    ("additionalProcedureCodes.json", "additional_procedures"),
    ("customsOffices.json", "customs_offices"),
    ("dmsErrorCodes.json", "error_codes"),
    ("documentTypes.json", "previous_document_types"),
    ("holder-of-authorisation-codes.json", "authorisation_types"),
    ("officeOfExits.json", "offices_of_exit"),
    ("procedureCodes.json", "export_procedures"),
];

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_xsd(path: &str) -> bool {
    path.ends_with(".xsd")
}

const FORMS: &[Form] = &[
    Form {
        form: ExternalForm::HarmonizedSystem,
        id: "external-harmonized-system",
        title: ("Harmonized System nomenclature", "商品名称及编码协调制度"),
        legal_basis: "International Convention on the Harmonized Commodity Description and Coding System",
        kind: PackKind::Lists,
        wanted: |path| matches!(path, "harmonized-system.csv" | "sections.csv"),
        shape: Shape::Table {
            columns: &["section", "hscode", "description", "parent", "level"],
            rows_min: 5_000,
            lists: &[
                TableList { characters: 2, ..column("hs_chapters", "hscode") },
                TableList { characters: 4, ..column("hs_headings", "hscode") },
                TableList { characters: 6, ..column("hs_subheadings", "hscode") },
            ],
        },
    },
    Form {
        form: ExternalForm::Unlocode,
        id: "external-unlocode",
        title: ("UN/LOCODE: places of trade and transport", "联合国贸易和运输地点代码"),
        legal_basis: "UN/CEFACT Recommendation 16",
        kind: PackKind::Lists,
        wanted: |path| path.starts_with("unlocode") && path.ends_with(".csv"),
        shape: Shape::Table {
            columns: &["country", "subdivision", "locode", "name"],
            rows_min: 10_000,
            lists: &[column("unlocodes", "locode")],
        },
    },
    Form {
        form: ExternalForm::Currencies,
        id: "external-currencies",
        title: ("ISO 4217 currency codes", "ISO 4217 货币代码"),
        legal_basis: "ISO 4217",
        kind: PackKind::Lists,
        wanted: |path| path == "codes-all.csv",
        shape: Shape::Table {
            columns: &["AlphabeticCode", "NumericCode", "MinorUnit", "WithdrawalDate"],
            rows_min: 150,
            lists: &[TableList {
                characters: 3,
                empty: Some("WithdrawalDate"),
                ..column("currencies", "AlphabeticCode")
            }],
        },
    },
    Form {
        form: ExternalForm::PackageTypes,
        id: "external-package-types",
        title: ("Package types (UN/ECE Recommendation 21)", "包装种类代码"),
        legal_basis: "UN/CEFACT Recommendation 21",
        kind: PackKind::Lists,
        wanted: |path| path == "unece-rec21.csv",
        shape: Shape::Table {
            columns: &["Status", "Code", "Name", "Numeric code"],
            rows_min: 300,
            lists: &[column("package_types", "Code")],
        },
    },
    Form {
        form: ExternalForm::Countries,
        id: "external-countries",
        title: ("ISO 3166-1 country codes", "ISO 3166-1 国家代码"),
        legal_basis: "ISO 3166-1",
        kind: PackKind::Lists,
        wanted: |path| path == "country-codes.csv",
        shape: Shape::Table {
            columns: &["ISO3166-1-Alpha-2", "ISO3166-1-Alpha-3", "official_name_en"],
            rows_min: 200,
            lists: &[column("countries", "ISO3166-1-Alpha-2")],
        },
    },
    Form {
        form: ExternalForm::UnitsOfMeasure,
        id: "external-units-of-measure",
        title: ("Units of measure (UN/ECE Recommendation 20)", "计量单位代码"),
        legal_basis: "UN/CEFACT Recommendation 20",
        kind: PackKind::Lists,
        wanted: |path| path == "units-of-measure.csv",
        shape: Shape::Table {
            columns: &["CommonCode", "Name"],
            rows_min: 1_000,
            lists: &[column("units_of_measure", "CommonCode")],
        },
    },
    Form {
        form: ExternalForm::WcoDmsSchemas,
        id: "external-wco-dms-schemas",
        title: ("XSDs of WCO DMS declarations and notifications", "WCO 报关单与通知报文模式"),
        legal_basis: "WCO Data Model, as published by the administration",
        kind: PackKind::Schemas,
        wanted: |path| is_xsd(path) && !path.starts_with("samples/"),
        shape: Shape::Schemas { required: &["WCO_DEC_2_DMS.xsd", "WCO_RES_2_DMS.xsd"] },
    },
    Form {
        form: ExternalForm::EntrySummarySchemas,
        id: "external-entry-summary-schemas",
        title: ("XSDs of entry summary declarations", "入境摘要申报报文模式"),
        legal_basis: "Import Control System, message specifications as published",
        kind: PackKind::Schemas,
        wanted: is_xsd,
        shape: Shape::Schemas { required: &["CC315A-v11-2-New.xsd", "CC313A-v11-2-New.xsd"] },
    },
    Form {
        form: ExternalForm::AuthorisationRegister,
        id: "external-authorisation-register",
        title: ("Register of customs authorisations", "海关授权登记册"),
        legal_basis: "Union Customs Code, Articles 22 to 30, or the law of the administration that keeps it",
        kind: PackKind::Lists,
        wanted: |path| path == "authorisations.csv",
        shape: Shape::Table {
            columns: &["holder", "type", "valid_from", "valid_to"],
            rows_min: 1,
            lists: &[
                column("authorisation_holders", "holder"),
                TableList { with: Some("type"), ..column("authorisations", "holder") },
                TableList {
                    with: Some("type"),
                    valid: Some(VALID),
                    ..column("authorisations_in_force", "holder")
                },
            ],
        },
    },
    Form {
        form: ExternalForm::JsonCodeLists,
        id: "external-code-lists",
        title: ("Code lists of an administration", "海关代码表"),
        legal_basis: "Code lists as published by the administration",
        kind: PackKind::Lists,
        wanted: |path| path.ends_with(".json"),
        shape: Shape::JsonArrays { files_min: 3 },
    },
];

/// What a folder was recognised as: a pack, with remarks, or what is wrong with it.
pub(crate) enum Recognition {
    /// A usable publication.
    Pack(Box<Pack>, Vec<Finding>),
    /// Recognised, but broken; or not recognised at all.
    Refused(Vec<Finding>),
}

/// Could any form use this file? Decides what is read from the folder at all.
pub(crate) fn wanted_by_any(path: &str) -> bool {
    FORMS.iter().any(|form| (form.wanted)(path))
}

/// Recognises files that others published. The first form whose signature is there wins.
pub(crate) fn recognise(files: &Files) -> Recognition {
    let names: BTreeSet<&str> = files.keys().map(|path| file_name(path)).collect();
    let Some(form) = FORMS.iter().find(|form| form.signature_in(files, &names)) else {
        let known: Vec<&str> = FORMS.iter().map(|form| form.title.0).collect();
        return Recognition::Refused(vec![
            Finding::error("pack_not_recognised")
                .found(&names.into_iter().take(5).collect::<Vec<_>>().join(", "))
                .expected(format!("a folder with pack.toml, or one of: {}", known.join("; ")))
                .fix("Write a pack.toml (packs/README.md), or name the folder that holds the published files themselves."),
        ]);
    };
    let own: Files = files
        .iter()
        .filter(|(path, _)| (form.wanted)(path))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    let findings = form.check(&own);
    if findings.iter().any(|finding| finding.severity == spine::Severity::Error) {
        return Recognition::Refused(findings);
    }
    match form.pack(own) {
        Ok(pack) => Recognition::Pack(Box::new(pack), findings),
        Err(more) => Recognition::Refused(more),
    }
}

impl Form {
    fn signature_in(&self, files: &Files, names: &BTreeSet<&str>) -> bool {
        match &self.shape {
            // A table is recognised by its first column name too: other publications use the same file names.
            Shape::Table { columns, .. } => files.iter().any(|(path, bytes)| {
                (self.wanted)(path)
                    && columns.first().is_some_and(|first| header_of(bytes).iter().any(|h| h == first))
            }),
            Shape::JsonArrays { files_min } => {
                files
                    .iter()
                    .filter(|(path, bytes)| (self.wanted)(path) && json_codes(bytes).is_some())
                    .count()
                    >= *files_min
            }
            Shape::Schemas { required } => required.iter().any(|name| names.contains(name)),
        }
    }

    fn check(&self, files: &Files) -> Vec<Finding> {
        match &self.shape {
            Shape::Table { columns, rows_min, .. } => files
                .iter()
                .filter(|(path, _)| path.as_str() != "sections.csv")
                .flat_map(|(path, bytes)| check_table(path, bytes, columns, *rows_min))
                .collect(),
            Shape::JsonArrays { .. } => check_json(files),
            Shape::Schemas { required } => check_schemas(files, required),
        }
    }

    fn pack(&self, mut files: Files) -> Result<Pack, Vec<Finding>> {
        let build = content_hash(&files).get(..12).unwrap_or_default().to_owned();
        let manifest = Manifest {
            id: self.id.to_owned(),
            version: Version { major: 1, minor: 0, patch: 0, build },
            kind: self.kind,
            title: LocalizedText::en_zh(self.title.0, self.title.1),
            description: LocalizedText::default(),
            owner: "Installed by this administration".to_owned(),
            legal_basis: self.legal_basis.to_owned(),
            // Who holds what is for officers; that a holder is not in the register is told to whoever names it.
            sensitivity: match self.form {
                ExternalForm::AuthorisationRegister => Sensitivity::Official,
                _ => Sensitivity::Public,
            },
            licence: "As published; not ours to pass on".to_owned(),
            simulated: false,
            depends: Vec::new(),
            external: Some(self.form),
        };
        let text = toml::to_string(&manifest).map_err(|error| {
            vec![
                Finding::error("pack_manifest_unwritable")
                    .found(&error.to_string())
                    .fix("Report this as a defect."),
            ]
        })?;
        files.insert(MANIFEST_PATH.to_owned(), text.into_bytes());
        Pack::from_files(files)
    }
}

/// The named lists of a pack of this form; those that change from day to day only where a day is asked about.
pub(crate) fn lists(form: ExternalForm, files: &Files, day: Option<Date>) -> NamedLists {
    let Some(form) = FORMS.iter().find(|known| known.form == form) else { return NamedLists::new() };
    let mut lists = NamedLists::new();
    match &form.shape {
        Shape::Table { columns, lists: wanted, .. } => {
            for bytes in files.values() {
                // A companion table (sections) lacks the columns and offers nothing.
                let header = header_of(bytes);
                if columns.iter().all(|column| header.iter().any(|own| own == column)) {
                    for list in wanted.iter().filter(|list| list.valid.is_none() || day.is_some()) {
                        let ever = table_values(bytes, list, None);
                        // A register that says who holds an authorisation, and not which, is not asked which.
                        if list.with.is_none() || !ever.is_empty() {
                            let values = match (list.valid, day) {
                                (Some(_), Some(day)) => table_values(bytes, list, Some(day)),
                                _ => ever,
                            };
                            lists.entry(list.name.to_owned()).or_default().extend(values);
                        }
                    }
                }
            }
        }
        Shape::JsonArrays { .. } => {
            for (path, bytes) in files {
                if let Some(codes) = json_codes(bytes).filter(|codes| !codes.is_empty()) {
                    if let Some((_, known)) =
                        KNOWN_CODE_LISTS.iter().find(|(file, _)| *file == file_name(path))
                    {
                        lists.insert((*known).to_owned(), codes.clone());
                    }
                    lists.insert(list_name(path), codes);
                }
            }
        }
        Shape::Schemas { .. } => {}
    }
    lists
}

/// The English texts of a code list that rules know by name, by code; none where the publication lacks it.
pub(crate) fn code_texts(form: ExternalForm, files: &Files, list: &str) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Worded {
        code: String,
        en: String,
    }
    let file = KNOWN_CODE_LISTS.iter().find(|(_, known)| *known == list).map(|(file, _)| *file);
    if form != ExternalForm::JsonCodeLists {
        return BTreeMap::new();
    }
    let of_list = files.iter().filter(|(path, _)| Some(file_name(path)) == file);
    let worded = of_list.filter_map(|(_, bytes)| serde_json::from_slice::<Vec<Worded>>(bytes).ok()).flatten();
    worded.map(|one| (one.code.trim().to_owned(), one.en.trim().to_owned())).collect()
}

/// `documentTypes/documentType.json` becomes `code_list_document_types_document_type`.
fn list_name(path: &str) -> String {
    let mut name = String::from("code_list_");
    for c in path.trim_end_matches(".json").chars() {
        if c.is_ascii_uppercase() {
            if !name.ends_with('_') {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        } else if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    csv::ReaderBuilder::new().flexible(true).from_reader(bytes)
}

fn header_of(bytes: &[u8]) -> Vec<String> {
    let mut reader = reader(bytes);
    let header = reader.byte_headers().cloned().unwrap_or_default();
    header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect()
}

/// Values of a list; of rows with a time in which they are valid those of the day, where one is given.
fn table_values(bytes: &[u8], list: &TableList, day: Option<Date>) -> BTreeSet<String> {
    let header = header_of(bytes);
    let at = |name: &str| header.iter().position(|own| own == name);
    let (Some(column), empty, with) = (at(list.column), list.empty.and_then(at), list.with.and_then(at))
    else {
        return BTreeSet::new();
    };
    let cell = |record: &csv::ByteRecord, at: usize| {
        let text = std::str::from_utf8(record.get(at)?).ok()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let bounds = list.valid.map(|bounds| bounds.map(at));
    let bound = |record: &csv::ByteRecord, at: Option<usize>| cell(record, at?)?.parse::<Date>().ok();
    let valid = |record: &csv::ByteRecord| {
        let (Some([from, to]), Some(day)) = (bounds, day) else { return true };
        bound(record, from).is_none_or(|from| from <= day) && bound(record, to).is_none_or(|to| day <= to)
    };
    reader(bytes)
        .byte_records()
        .filter_map(Result::ok)
        .filter(valid)
        .filter(|record| empty.and_then(|at| record.get(at)).is_none_or(<[u8]>::is_empty))
        .filter_map(|record| {
            let value = cell(&record, column)?;
            match with {
                Some(with) => Some(format!("{value} {}", cell(&record, with)?)),
                None => Some(value),
            }
        })
        .filter(|value| list.characters == 0 || value.len() == list.characters)
        .collect()
}

/// Bounds of validity that are no days.
fn odd_days(path: &str, header: &[String], record: &csv::ByteRecord) -> Vec<Finding> {
    let named = header.iter().zip(record).filter(|(name, _)| VALID.contains(&name.as_str()));
    let odd = named.filter_map(|(name, cell)| {
        let text = String::from_utf8_lossy(cell);
        let text = text.trim();
        if text.is_empty() || text.parse::<Date>().is_ok() {
            return None;
        }
        let line = record.position().map_or(0, csv::Position::line);
        Some(
            Finding::warning("date_not_understood")
                .at(Pointer(format!("{path}:{line}/{name}")))
                .found(text)
                .expected("a day such as 2026-03-31, or nothing")
                .fix("Correct the day; until then the row counts as valid without this bound."),
        )
    });
    odd.collect()
}

fn check_table(path: &str, bytes: &[u8], columns: &[&str], rows_min: usize) -> Vec<Finding> {
    let header = header_of(bytes);
    let mut findings: Vec<Finding> = columns
        .iter()
        .filter(|column| !header.iter().any(|own| own == *column))
        .map(|column| {
            Finding::error("external_column_missing")
                .at(Pointer(format!("{path}:1/{column}")))
                .found(&header.join(", "))
                .expected(format!("a column {column}"))
                .fix("Take the file as it was published, with its header line.")
        })
        .collect();
    let mut rows = 0_usize;
    for record in reader(bytes).byte_records() {
        match record {
            Ok(record) => {
                rows = rows.saturating_add(1);
                findings.extend(odd_days(path, &header, &record));
                let short = record.len() < header.len();
                if short || record.iter().any(|cell| std::str::from_utf8(cell).is_err()) {
                    let line = record.position().map_or(0, csv::Position::line);
                    let code = if short { "external_row_short" } else { "not_utf8" };
                    findings.push(
                        Finding::warning(code)
                            .at(Pointer(format!("{path}:{line}")))
                            .found(&format!("{} cells", record.len()))
                            .expected(format!("{} cells in UTF-8", header.len()))
                            .fix("The row is kept but may be incomplete; look at the line."),
                    );
                }
            }
            Err(error) => findings.push(
                Finding::error("external_row_unreadable")
                    .at(Pointer(path.to_owned()))
                    .found(&error.to_string())
                    .expected("comma-separated values")
                    .fix("Take the file as it was published."),
            ),
        }
        if findings.len() >= 50 {
            break;
        }
    }
    if rows < rows_min {
        findings.push(
            Finding::error("external_rows_missing")
                .at(Pointer(path.to_owned()))
                .found(&format!("{rows} rows"))
                .expected(format!("at least {rows_min} rows"))
                .fix("The file is cut off or an excerpt; take the whole publication."),
        );
    }
    findings
}

/// The codes of a JSON code list; `None` if it is not one.
fn json_codes(bytes: &[u8]) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Coded {
        code: String,
    }
    let list: Vec<Coded> = serde_json::from_slice(bytes).ok()?;
    Some(list.into_iter().map(|entry| entry.code.trim().to_owned()).filter(|code| !code.is_empty()).collect())
}

fn check_json(files: &Files) -> Vec<Finding> {
    files
        .iter()
        .filter_map(|(path, bytes)| {
            let place = Pointer(path.clone());
            match serde_json::from_slice::<serde_json::Value>(bytes) {
                Err(error) => Some(
                    Finding::error("external_json_unreadable")
                        .at(Pointer(format!("{path}:{}", error.line())))
                        .found(&error.to_string())
                        .expected("JSON")
                        .fix("Take the file as it was published."),
                ),
                Ok(_) if json_codes(bytes).is_none() => Some(
                    Finding::new("external_not_a_code_list", spine::Severity::Information)
                        .at(place)
                        .expected("an array of objects with code")
                        .fix("Nothing to do: the file is kept, but offers no named list."),
                ),
                Ok(_) => None,
            }
        })
        .collect()
}

/// Every XSD looks like one, the required ones are there, and what they include lies in the folder.
fn check_schemas(files: &Files, required: &[&str]) -> Vec<Finding> {
    let names: BTreeSet<&str> = files.keys().map(|path| file_name(path)).collect();
    let mut findings: Vec<Finding> = required
        .iter()
        .filter(|name| !names.contains(*name))
        .map(|name| {
            Finding::error("external_schema_missing")
                .at(Pointer((*name).to_owned()))
                .expected(format!("the schema {name} in the folder"))
                .fix("Take the whole set of schemas as it was published.")
        })
        .collect();
    for (path, bytes) in files {
        let text = String::from_utf8_lossy(bytes);
        if !text.contains("http://www.w3.org/2001/XMLSchema") {
            findings.push(
                Finding::error("external_not_a_schema")
                    .at(Pointer(path.clone()))
                    .expected("an XML Schema")
                    .fix("Remove the file, or take it as it was published."),
            );
        }
        for location in text.split("schemaLocation=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let remote = location.contains("://");
            if !remote && location.ends_with(".xsd") && !names.contains(file_name(location)) {
                findings.push(
                    Finding::warning("external_schema_include_missing")
                        .at(Pointer(path.clone()))
                        .found(location)
                        .expected("an included schema that lies in the folder")
                        .fix("Add the included file; validation against this schema will fail without it."),
                );
            }
        }
    }
    findings
}
