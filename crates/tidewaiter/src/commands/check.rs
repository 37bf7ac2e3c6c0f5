//! `tidewaiter check`: messages looked at before they are sent.

use std::path::Path;

use customhouse::precheck::{CheckedFile, Checker, FILE_BYTES_MAX, FileFinding};
use customhouse::{Error, offline};
use serde_json::json;
use spine::{Language, Sensitivity};

use super::{Answer, shown};
use crate::arguments::CheckArguments;
use crate::terminal;

pub(super) fn run(arguments: &CheckArguments) -> Result<Answer, Error> {
    // What a trader may know: whoever reads this may hand it on.
    let registry = offline::registry(arguments.data.data.as_deref())?;
    let checker = Checker::of_today(&registry, Sensitivity::Public)?;
    let mut errors = false;
    let mut answers = Vec::new();
    for file in &arguments.files {
        let checked = checker
            .check(&offline::read_document(file, FILE_BYTES_MAX)?)
            .map_err(|error| Error { detail: format!("{}: {}", file.display(), error.detail), ..error })?;
        errors |= !checked.acceptable;
        if arguments.data.json {
            answers.push(json!({ "file": file, "checked": checked }));
        } else {
            print(file, &checked)?;
        }
    }
    if arguments.data.json {
        terminal::json(&answers)?;
    }
    Ok(Answer::of(errors))
}

fn print(file: &Path, checked: &CheckedFile) -> Result<(), Error> {
    for own in &checked.findings {
        print_finding(file, own)?;
    }
    let rules: Vec<String> = checked
        .checked_by
        .iter()
        .map(|by| {
            let asked = format!("{} rules of {} {}", by.rules, by.pack, by.version);
            let asked = match by.rules_not_asked {
                0 => asked,
                more => format!("{asked} ({more} not asked: no {})", by.lists_missing.join(", no ")),
            };
            match by.rules_of_xml {
                0 => asked,
                more => format!("{asked} ({more} look at XML only)"),
            }
        })
        .chain(checked.schema.iter().map(|by| format!("schema {} {}", by.pack, by.version)))
        .chain(checked.reference.iter().map(|reference| format!("reference {reference}")))
        .collect();
    let total = u64::try_from(checked.findings_total).unwrap_or(u64::MAX);
    terminal::line(&format!(
        "{}: {}{}, {}: {}",
        file.display(),
        if checked.document.is_empty() { "not read" } else { &checked.document },
        rules.iter().map(|rule| format!(", {rule}")).collect::<String>(),
        shown::counted(total, "finding", "findings"),
        if checked.acceptable { "no errors" } else { "it would be rejected" },
    ))
}

/// The finding as compilers print one: place, what is wrong, the line with the element marked.
fn print_finding(file: &Path, own: &FileFinding) -> Result<(), Error> {
    let finding = &own.finding;
    let place = own.excerpt.as_ref().map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
    let said = match &own.words {
        Some((message, fix)) => {
            let english = |text: &spine::LocalizedText| text.in_language(Language::En).to_owned();
            format!("{} {}: {} {}", finding.code, finding.pointer, english(message), english(fix))
        }
        None => finding.to_string(),
    };
    terminal::line(&format!("{}{place}: {}  {said}", file.display(), shown::severity(finding.severity)))?;
    let Some(excerpt) = &own.excerpt else { return Ok(()) };
    terminal::line(&format!("{:>6} | {}{}{}", excerpt.line, excerpt.before, excerpt.element, excerpt.after))?;
    let blanks = " ".repeat(excerpt.before.chars().count());
    let marks = "^".repeat(excerpt.element.chars().count().max(1));
    let missing = if excerpt.exact { "" } else { " missing in this element" };
    terminal::line(&format!("       | {blanks}{marks}{missing}"))
}
