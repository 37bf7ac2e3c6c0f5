//! `tidewaiter audit`: files in, a report out, the main statements on the terminal.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use customhouse::audit::document::{StatementKind, Weight};
use customhouse::audit::{AuditReport, AuditRequest, OutcomeSource, Statement, audit_files};
use customhouse::{Error, Kind, offline};
use spine::Language;

use super::{Answer, Context, shown};
use crate::arguments::{AuditArguments, ReportLanguage};
use crate::terminal;

/// Statements printed; the report has them all.
const STATEMENTS_SHOWN: usize = 8;

pub(super) fn run(arguments: &AuditArguments, context: &Context) -> Result<Answer, Error> {
    for out in [Some(&arguments.out), arguments.json.as_ref()].into_iter().flatten() {
        refuse_before_the_work(out, &arguments.declarations)?;
    }
    refuse_the_same_file_twice(&arguments.declarations)?;
    let request = AuditRequest {
        declarations: arguments.declarations.clone(),
        outcomes: arguments.outcomes.as_deref().map(outcome_source).transpose()?,
        map: arguments.map.clone(),
        outcomes_map: arguments.outcomes_map.clone(),
        capacity: arguments.capacity.unwrap_or_default(),
        currency: arguments.currency.clone(),
        simulated: arguments.simulated,
        seed: arguments.seed,
    };
    let registry = offline::registry(arguments.data.as_deref())?;
    let report = audit_files(&request, &registry, &context.progress)?;
    context.progress.finish();
    let language = match arguments.language {
        ReportLanguage::En => Language::En,
        ReportLanguage::Zh => Language::Zh,
    };
    customhouse::write_whole(&arguments.out, web::render_report(&report, language).as_bytes())?;
    if let Some(path) = &arguments.json {
        let text =
            serde_json::to_vec_pretty(&report).map_err(|error| Error::internal("json_unwritable", &error))?;
        customhouse::write_whole(path, &text)?;
    }
    if !context.quiet {
        summary(&report, language)?;
    }
    for out in [Some(&arguments.out), arguments.json.as_ref()].into_iter().flatten() {
        terminal::line(&format!("wrote {}", out.display()))?;
    }
    Ok(Answer::Done)
}

/// `--outcomes` is a file where there is one of that name or where it looks like a path, otherwise a column.
pub(super) fn outcome_source(text: &str) -> Result<OutcomeSource, Error> {
    let path = Path::new(text);
    let file_like = text.contains(['/', '\\'])
        || path
            .extension()
            .is_some_and(|end| ["csv", "tsv", "txt", "parquet"].iter().any(|known| end == *known));
    if path.is_file() {
        Ok(OutcomeSource::File(path.to_owned()))
    } else if file_like {
        Err(Error::new(
            Kind::NotFound,
            "file_not_found",
            format!("there is no file {text}"),
            "Check the spelling of --outcomes: the path of a file, or the name of a column of the declarations.",
        ))
    } else {
        Ok(OutcomeSource::Column(text.to_owned()))
    }
}

/// Minutes of work for a file that cannot be written, or over an input, would be a pity.
fn refuse_before_the_work(out: &Path, inputs: &[PathBuf]) -> Result<(), Error> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Error::new(
            Kind::NotFound,
            "folder_missing",
            format!("the folder {} for {} is not there", folder.display(), out.display()),
            "Make the folder, or name another place.",
        ));
    }
    let same = |input: &&PathBuf| {
        out.canonicalize().is_ok_and(|out| input.canonicalize().is_ok_and(|input| input == out))
    };
    match inputs.iter().find(same) {
        Some(input) => Err(Error::new(
            Kind::Invalid,
            "output_is_input",
            format!("{} is an input and would be overwritten", input.display()),
            "Name another file for the report.",
        )),
        None => Ok(()),
    }
}

/// Rows that count twice would double finds and prove patterns that are not there.
fn refuse_the_same_file_twice(files: &[PathBuf]) -> Result<(), Error> {
    let mut earlier: Vec<&PathBuf> = Vec::new();
    for file in files {
        for other in &earlier {
            if same_content(file, other).map_err(|error| Error::io("file_unreadable", file, &error))? {
                return Err(Error::new(
                    Kind::Invalid,
                    "same_file_twice",
                    format!("{} and {} are the same file", other.display(), file.display()),
                    "Name each file once.",
                ));
            }
        }
        // What is not there is told by the reader, with its remedy.
        if file.is_file() {
            earlier.push(file);
        }
    }
    Ok(())
}

fn same_content(one: &Path, other: &Path) -> io::Result<bool> {
    const PIECE_BYTES: u64 = 1 << 16;
    if !one.is_file() || fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut piece, mut other_piece) = (Vec::new(), Vec::new());
    loop {
        piece.clear();
        other_piece.clear();
        one.by_ref().take(PIECE_BYTES).read_to_end(&mut piece)?;
        other.by_ref().take(PIECE_BYTES).read_to_end(&mut other_piece)?;
        if piece != other_piece {
            return Ok(false);
        }
        if piece.is_empty() {
            return Ok(true);
        }
    }
}

/// Ten lines: what was looked at, and what the audit has to say first.
fn summary(report: &AuditReport, language: Language) -> Result<(), Error> {
    let population = &report.audit.population;
    let simulated = if population.simulated { "SIMULATED: " } else { "" };
    let days = population
        .first_day
        .zip(population.last_day)
        .map(|(first, last)| format!(", {first} to {last}"))
        .unwrap_or_default();
    terminal::line(&format!(
        "{simulated}{} rows of {}{days}",
        shown::count(population.rows),
        shown::counted(population.declarations, "declaration", "declarations"),
    ))?;
    let rate = population.base_rate.map(|rate| format!(" ({})", shown::percent(rate))).unwrap_or_default();
    terminal::line(&format!(
        "{} inspected with a known outcome, {} irregular{rate}; {} never inspected: what they were is unknown",
        shown::count(population.inspected_known),
        shown::count(population.irregular),
        shown::count(population.never_inspected),
    ))?;
    let unusable: u64 = report.inputs.iter().map(|input| input.rows_quarantined).sum();
    if unusable > 0 {
        let rows = shown::counted(unusable, "row", "rows");
        terminal::line(&format!("{rows} could not be used; the report says which and why"))?;
    }
    for statement in report.audit.statements.iter().take(STATEMENTS_SHOWN) {
        terminal::line(&format!("{} {}", mark(statement), statement.render(language)))?;
    }
    Ok(())
}

/// `!!` before what must be read first, `!` before what matters, `?` before what cannot be said.
fn mark(statement: &Statement) -> &'static str {
    match (statement.weight, statement.kind) {
        (Weight::Critical, _) => "!!",
        (Weight::Important, _) => "! ",
        (Weight::Note, StatementKind::Limitation) => "? ",
        (Weight::Note, _) => "- ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_a_file_where_there_is_one_and_a_column_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Fraud");
        std::fs::write(&file, "x").unwrap();
        let path = file.to_str().unwrap();
        assert_eq!(outcome_source(path).unwrap(), OutcomeSource::File(file.clone()));
        assert_eq!(outcome_source("Fraud").unwrap(), OutcomeSource::Column("Fraud".to_owned()));
        assert_eq!(outcome_source("outcomes.csv").unwrap_err().code, "file_not_found");
    }
}
