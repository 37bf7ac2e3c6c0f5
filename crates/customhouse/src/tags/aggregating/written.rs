//! Aggregates as a file has them: a table `[aggregate]` in TOML, as in packs of tags, or one JSON object a line.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ::tags::FieldPart;
use serde::Deserialize;
use spine::{Finding, Pointer};

use crate::error::{Error, Kind};

/// Aggregates of one file at most.
const AGGREGATES_MAX: usize = 512;
/// Bytes of a file at most.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Characters of a name at most.
const NAME_CHARACTERS_MAX: usize = 64;

/// What is measured over an entity's entries in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Measured {
    /// How many entries.
    Count,
    /// Sum of the column `of`.
    Sum,
    /// Largest `of`.
    Maximum,
    /// How many different values of `of`.
    Distinct,
    /// Part of entries for which `where` is true, among those for which it is known.
    Share,
    /// The aggregate `of` divided by the aggregate `to`.
    Ratio,
    /// The day of the last entry.
    LastDay,
    /// Days from the last entry to the day that all is as of.
    DaysSinceLast,
    /// Standard deviations of the aggregate `of` from the mean of the peers.
    DeviationsFromMean,
    /// Median absolute deviations of the aggregate `of` from the median of the peers.
    DeviationsFromMedian,
}

impl Measured {
    /// Is it made of other aggregates?
    pub(super) fn of_aggregates(self) -> bool {
        matches!(self, Self::Ratio | Self::DeviationsFromMean | Self::DeviationsFromMedian)
    }
}

/// One aggregate; [`super`] says what the keys mean.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) measure: Measured,
    #[serde(default)]
    pub(super) of: Option<String>,
    #[serde(default)]
    pub(super) to: Option<String>,
    #[serde(default, rename = "where")]
    pub(super) condition: Option<String>,
    #[serde(default)]
    pub(super) days: Option<u32>,
    #[serde(default)]
    pub(super) digits: Option<u8>,
    #[serde(default)]
    pub(super) peers: Vec<FieldPart>,
    #[serde(default)]
    pub(super) at_least: u32,
}

/// The file's aggregates by name, in its order (TOML: in order of names).
///
/// # Errors
/// `aggregates_unreadable`, `aggregates_refused` with what is wrong with each.
pub(super) fn read(path: &Path) -> Result<Vec<(String, Written)>, Error> {
    let text = text_of(path)?;
    let is_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let found = if is_toml { of_toml(&text) } else { of_lines(&text) };
    let (mut own, mut findings) = (Vec::<(String, Written)>::new(), Vec::new());
    for aggregate in found {
        match aggregate.and_then(|(name, written)| named(name, written)) {
            Err(finding) => findings.push(finding),
            Ok((name, _)) if own.iter().any(|(other, _)| *other == name) => {
                findings.push(at(&name, "aggregate_doubled").fix("Give one of the two another name."));
            }
            Ok(_) if own.len() >= AGGREGATES_MAX => {
                let most = format!("at most {AGGREGATES_MAX} aggregates");
                findings.push(Finding::error("aggregates_too_many").expected(most).fix(SEVERAL_RUNS));
                break;
            }
            Ok(aggregate) => own.push(aggregate),
        }
    }
    if findings.is_empty() && own.is_empty() {
        let nothing = Finding::error("aggregates_missing").expected("at least one aggregate");
        findings.push(nothing.fix("Add one, such as entries_30 = { measure = \"count\", days = 30 }."));
    }
    if findings.is_empty() { Ok(own) } else { Err(refused(path, findings)) }
}

/// What to do where there are too many of something.
pub(super) const SEVERAL_RUNS: &str = "Divide the aggregates among several files and runs.";

/// A finding about one aggregate.
pub(super) fn at(name: &str, code: &str) -> Finding {
    Finding::error(code).at(Pointer(format!("aggregate.{name}"))).found(name)
}

/// None was computed.
pub(super) fn refused(path: &Path, findings: Vec<Finding>) -> Error {
    Error::new(
        Kind::Refused,
        "aggregates_refused",
        format!("{} of the aggregates in {} cannot be used", findings.len(), path.display()),
        "Correct or leave out what the findings name; nothing was computed.",
    )
    .with_findings(findings)
}

fn text_of(path: &Path) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error::io("aggregates_unreadable", path, &error);
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_string(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(Error::new(
            Kind::Refused,
            "aggregates_unreadable",
            format!("{} has more than {FILE_BYTES_MAX} bytes", path.display()),
            SEVERAL_RUNS,
        ));
    }
    Ok(text)
}

type Found = Vec<Result<(String, Written), Finding>>;

fn of_toml(text: &str) -> Found {
    let unreadable = |reason: &str| {
        let finding = Finding::error("aggregate_unreadable").found(reason.lines().next().unwrap_or_default());
        let fix = format!("Correct the file: {}.", reason.trim_end().trim_end_matches('.'));
        finding.expected("a table [aggregate] of one table an aggregate").fix(fix)
    };
    let mut file: toml::Table = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => return vec![Err(unreadable(&error.to_string()))],
    };
    let own = file.remove("aggregate");
    let others = file.keys().map(|key| Err(unreadable(&format!("there is no table [{key}]"))));
    let mut found: Found = others.collect();
    match own {
        Some(toml::Value::Table(own)) => found.extend(own.into_iter().map(|(name, value)| {
            let written = Written::deserialize(value);
            written.map_err(|error| unreadable_one(&name, &error.to_string())).map(|own| (name, own))
        })),
        _ => found.push(Err(unreadable("there is no table [aggregate]"))),
    }
    found
}

fn of_lines(text: &str) -> Found {
    let lines = (1_u64..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let read = |(number, line): (u64, &str)| {
        let refused = |reason: String| {
            Finding::error("aggregate_unreadable")
                .at(Pointer(format!("line {number}")))
                .found(line)
                .expected("a JSON object with `id` and `measure`")
                .fix(format!("Correct the line: {}.", reason.trim_end_matches('.')))
        };
        let mut object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).map_err(|error| refused(error.to_string()))?;
        let Some(serde_json::Value::String(name)) = object.remove("id") else {
            return Err(refused("`id` is missing, or no text".to_owned()));
        };
        let written = Written::deserialize(serde_json::Value::Object(object));
        written.map(|written| (name, written)).map_err(|error| refused(error.to_string()))
    };
    lines.map(read).collect()
}

fn unreadable_one(name: &str, reason: &str) -> Finding {
    let reason = reason.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    at(name, "aggregate_unreadable").fix(format!("Correct it: {}.", reason.trim_end_matches('.')))
}

/// A name becomes a column, and conditions read columns.
fn named(name: String, written: Written) -> Result<(String, Written), Finding> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let usual = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if begins && usual && name.len() <= NAME_CHARACTERS_MAX {
        return Ok((name, written));
    }
    let most = format!("letters, digits and _, no digit first, {NAME_CHARACTERS_MAX} at most");
    Err(at(&name, "aggregate_name_unusable").expected(most).fix("Give it a name that a condition can read."))
}
