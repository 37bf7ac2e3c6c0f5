//! Files of the register of traders, and of lists that names are screened against: read line by line.

use std::collections::{BTreeMap, BTreeSet};

use ::tags::entities::{Party, PartyKind};
use formats::csv::{CsvOptions, CsvSource};
use formats::intake::RowSource;
use jiff::civil::Date;
use spine::{Finding, Pointer};

use crate::error::{Error, Kind};

/// Largest file.
pub(super) const FILE_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Lines of one file.
const LINES_MAX: u64 = 1_000_000;
/// Characters of a cell.
const CELL_CHARACTERS_MAX: usize = 500;
/// Findings told of one file; all of them are counted.
const FINDINGS_MAX: usize = 500;

/// Our columns, and other names under which they are found where nothing is said.
const COLUMNS: [(&str, &[&str]); 13] = [
    ("id", &["id", "number", "identifier"]),
    ("name", &["name"]),
    ("aliases", &["aliases", "details", "also_known_as"]),
    ("kind", &["kind", "type"]),
    ("role", &["role"]),
    ("address", &["address"]),
    ("phone", &["phone", "telephone"]),
    ("owner", &["owner", "owner_id"]),
    ("identifiers", &["identifiers", "tax_number"]),
    ("entered_on", &["registered_on", "entered_on"]),
    ("closed_on", &["closed_on"]),
    ("trusted", &["trusted"]),
    ("simulated", &["simulated"]),
];

/// One line of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) party: Party,
    pub(super) role: String,
    pub(super) trusted: bool,
    pub(super) simulated: bool,
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct RegisterFile {
    /// Lines that were understood, each id once.
    pub(super) lines: Vec<Line>,
    /// Lines left out.
    pub(super) left_out: u64,
    /// What is wrong, the first of them.
    pub(super) findings: Vec<Finding>,
}

/// Reads a file. `columns`: what ours are called in it, where that is not to be found out.
///
/// # Errors
/// `register_unreadable` for what is no table, or has no ids and names; `register_columns` for columns that are not ours.
pub(super) fn read(bytes: &[u8], columns: &BTreeMap<String, String>) -> Result<RegisterFile, Error> {
    let mut source = CsvSource::open(bytes, CsvOptions::default()).map_err(unreadable)?;
    let places = places(source.headers(), columns)?;
    let mut file = RegisterFile { findings: source.file_findings(), ..RegisterFile::default() };
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut cells = Vec::new();
    let mut number = 0_u64;
    while let Some(at) = source.next_row(&mut cells).map_err(unreadable)? {
        number = number.saturating_add(1);
        if number > LINES_MAX {
            return Err(refused("register_unreadable", &format!("it has more than {LINES_MAX} lines")));
        }
        let mut found: Vec<Finding> = source.row_finding(at, &cells).into_iter().collect();
        let line = if found.is_empty() { line(&places, &cells, at, &mut found) } else { None };
        match line {
            Some(line) if known.insert(line.party.id.clone()) => file.lines.push(line),
            Some(line) => {
                found.push(
                    Finding::error("id_twice")
                        .at(Pointer::line_column(at, "id"))
                        .found(&line.party.id)
                        .expected("each id once in a file; the first line counts")
                        .fix("Remove one of the lines, or give the party its own id."),
                );
                file.left_out = file.left_out.saturating_add(1);
            }
            None => file.left_out = file.left_out.saturating_add(1),
        }
        let room = FINDINGS_MAX.saturating_sub(file.findings.len());
        file.findings.extend(found.into_iter().take(room));
    }
    Ok(file)
}

fn unreadable(finding: Finding) -> Error {
    refused("register_unreadable", &finding.found).with_findings(vec![finding])
}

fn refused(code: &str, detail: &str) -> Error {
    Error::new(
        Kind::Refused,
        code,
        format!("this is no register: {detail}"),
        "Send a table (CSV) with a header line and the columns id and name; say with --column OURS=THEIRS what they are called.",
    )
}

/// Where our columns are.
fn places(
    headers: &[String],
    columns: &BTreeMap<String, String>,
) -> Result<BTreeMap<&'static str, usize>, Error> {
    let strange = columns.keys().find(|own| COLUMNS.iter().all(|(name, _)| name != own));
    if let Some(strange) = strange {
        let ours: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let detail = format!("\"{strange}\" is none of {}", ours.join(", "));
        return Err(refused("register_columns", &detail));
    }
    let mut places = BTreeMap::new();
    for (own, others) in COLUMNS {
        let is = |header: &String, name: &str| header.trim().eq_ignore_ascii_case(name);
        let at = match columns.get(own) {
            Some(theirs) => Some(
                headers
                    .iter()
                    .position(|header| is(header, theirs))
                    .ok_or_else(|| refused("register_columns", &format!("it has no column \"{theirs}\"")))?,
            ),
            None => headers.iter().position(|header| others.iter().any(|name| is(header, name))),
        };
        places.extend(at.map(|at| (own, at)));
    }
    match ["id", "name"].into_iter().find(|own| !places.contains_key(own)) {
        None => Ok(places),
        Some(missing) => Err(refused("register_unreadable", &format!("it has no column for \"{missing}\""))),
    }
}

/// What a line says; `None`, with a finding, where it says too little.
fn line(
    places: &BTreeMap<&'static str, usize>,
    cells: &[String],
    at: u64,
    findings: &mut Vec<Finding>,
) -> Option<Line> {
    let cell = |own: &str| {
        let text = places.get(own).and_then(|place| cells.get(*place)).map_or("", |text| text.trim());
        // How some lists write that they do not know.
        if text == "-0-" { "" } else { text }
    };
    let too_long =
        places.keys().find(|own| **own != "aliases" && cell(own).chars().count() > CELL_CHARACTERS_MAX);
    if let Some(own) = too_long {
        findings.push(
            Finding::error("cell_too_long")
                .at(Pointer::line_column(at, own))
                .found(cell(own))
                .expected(format!("at most {CELL_CHARACTERS_MAX} characters"))
                .fix("Shorten the cell."),
        );
        return None;
    }
    let missing = ["id", "name"].into_iter().find(|own| cell(own).is_empty());
    if let Some(own) = missing {
        findings.push(
            Finding::error("cell_empty")
                .at(Pointer::line_column(at, own))
                .expected("every party has an id and a name")
                .fix("Fill the cell, or leave the line out."),
        );
        return None;
    }
    let some = |own: &str| Some(cell(own)).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut day = |own: &str| date(own, cell(own), at, findings);
    let (entered_on, closed_on) = (day("entered_on"), day("closed_on"));
    let yes = |own: &str| matches!(cell(own).to_ascii_lowercase().as_str(), "true" | "1" | "yes");
    Some(Line {
        party: Party {
            id: cell("id").to_owned(),
            kind: kind(cell("kind")),
            name: cell("name").to_owned(),
            aliases: aliases(cell("aliases")),
            address: some("address"),
            phone: some("phone"),
            owner: some("owner"),
            identifiers: parts(cell("identifiers")),
            entered_on,
            closed_on,
        },
        role: cell("role").to_owned(),
        trusted: yes("trusted"),
        simulated: yes("simulated"),
    })
}

fn date(own: &str, text: &str, at: u64, findings: &mut Vec<Finding>) -> Option<Date> {
    if text.is_empty() {
        return None;
    }
    let day: Option<Date> = text.parse().ok();
    if day.is_none() {
        findings.push(
            Finding::warning("date_unreadable")
                .at(Pointer::line_column(at, own))
                .found(text)
                .expected("a date such as 2026-03-31; the line counts without it")
                .fix("Write year, month and day."),
        );
    }
    day
}

/// What lists call people and vehicles.
fn kind(text: &str) -> PartyKind {
    match text.to_ascii_lowercase().as_str() {
        "person" | "individual" => PartyKind::Person,
        "vehicle" | "vessel" | "aircraft" => PartyKind::Vehicle,
        _ => PartyKind::Enterprise,
    }
}

fn parts(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).take(8).map(str::to_owned).collect()
}

/// Names apart by semicolons; in a text of remarks, those between quotation marks after "a.k.a." and "f.k.a.".
fn aliases(text: &str) -> Vec<String> {
    if text.contains("k.a. '") {
        let named = text.split("k.a. '").skip(1).filter_map(|rest| rest.split_once('\''));
        return named
            .map(|(name, _)| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .take(40)
            .collect();
    }
    let names = parts(text);
    let plain = |name: &String| name.chars().count() <= 120 && !name.contains(':');
    names.into_iter().filter(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_is_read_under_any_names_and_bad_lines_are_told() {
        let none = BTreeMap::new();
        let theirs =
            BTreeMap::from([("id".to_owned(), "Nr".to_owned()), ("name".to_owned(), "Firma".to_owned())]);
        for (text, columns, ids, left_out, codes) in [
            ("id,name\nA,One\nB,Two\n", &none, vec!["A", "B"], 0, vec![]),
            ("ID;Name\nA;One\n;Two\nC;\n", &none, vec!["A"], 2, vec!["cell_empty", "cell_empty"]),
            ("Nr,Firma\nA,One\n", &theirs, vec!["A"], 0, vec![]),
            (
                "id,name,closed_on\nA,One,yesterday\nA,Two,\n",
                &none,
                vec!["A"],
                1,
                vec!["date_unreadable", "id_twice"],
            ),
            ("id,name\nA,One,more\nB,Two\n", &none, vec!["B"], 1, vec!["cell_count"]),
        ] {
            let file = read(text.as_bytes(), columns).unwrap();
            let found: Vec<&str> = file.lines.iter().map(|line| line.party.id.as_str()).collect();
            let told: Vec<&str> = file.findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!((found, file.left_out, told), (ids, left_out, codes), "{text}");
        }
        for (text, columns, code) in [
            ("", &none, "register_unreadable"),
            ("a,b\n1,2\n", &none, "register_unreadable"),
            ("id,name\nA,One\n", &theirs, "register_columns"),
            (
                "id,name\nA,One\n",
                &BTreeMap::from([("colour".to_owned(), "id".to_owned())]),
                "register_columns",
            ),
        ] {
            assert_eq!(read(text.as_bytes(), columns).unwrap_err().code, code, "{text}");
        }
    }

    #[test]
    fn lists_write_aliases_and_kinds_in_their_own_ways() {
        let text = "ID,Name,Type,Details\n\
            1,ONE,individual,\"a.k.a. 'UNO'; f.k.a. 'UN'; DOB 1 Jan 1960.\"\n2,TWO,-0- ,-0-\n3,THREE,vessel,DOS; TRES\n";
        let file = read(text.as_bytes(), &BTreeMap::new()).unwrap();
        let told: Vec<_> =
            file.lines.iter().map(|own| (own.party.kind.name(), own.party.aliases.join("|"))).collect();
        let text = |text: &str| text.to_owned();
        assert_eq!(
            told,
            [("person", text("UNO|UN")), ("enterprise", text("")), ("vehicle", text("DOS|TRES"))]
        );
    }
}
