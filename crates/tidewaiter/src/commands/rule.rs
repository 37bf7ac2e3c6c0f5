//! `tidewaiter rule`: an expression checked, a document held against a pack.

use customhouse::rules::{CheckedDocument, CheckedExpression, check_document, check_expression};
use customhouse::{Error, offline};
use spine::Language;

use super::{Answer, shown};
use crate::arguments::RuleCommand;
use crate::terminal;

pub(super) fn run(command: &RuleCommand) -> Result<Answer, Error> {
    match command {
        RuleCommand::Check { expression, data } => {
            let registry = offline::registry(data.data.as_deref())?;
            let checked = check_expression(&registry, expression);
            if data.json {
                terminal::json(&checked)?
            } else {
                print_expression(&checked)?
            }
            Ok(Answer::of(!checked.valid))
        }
        RuleCommand::Run { pack, file, data } => {
            let registry = offline::registry(data.data.as_deref())?;
            let checked = check_document(&registry, pack, file)?;
            if data.json {
                terminal::json(&checked)?
            } else {
                print_document(&checked)?
            }
            Ok(Answer::of(checked.has_errors()))
        }
    }
}

fn print_expression(checked: &CheckedExpression) -> Result<(), Error> {
    for problem in &checked.problems {
        terminal::line(problem.rendered.trim_end())?;
        terminal::line(&format!("  [{}]", problem.code))?;
    }
    if checked.valid {
        terminal::line("valid")?;
        shown::facts(&[
            ("reads", Some(checked.fields.join(", ")).filter(|fields| !fields.is_empty())),
            ("cost", Some(format!("at most {} an entry", shown::counted(checked.cost, "step", "steps")))),
        ])?;
    }
    Ok(())
}

fn print_document(checked: &CheckedDocument) -> Result<(), Error> {
    shown::findings(&checked.reading)?;
    for finding in &checked.findings {
        let english = |text: &spine::LocalizedText| text.in_language(Language::En).to_owned();
        terminal::line(&format!(
            "{}  {} {}: {} {} [{}]",
            shown::severity(finding.severity),
            finding.code,
            finding.location,
            english(&finding.message),
            english(&finding.how_to_fix),
            finding.rule_id,
        ))?;
    }
    let (id, version, _) = &checked.pack;
    let broken = u64::try_from(checked.findings.len()).unwrap_or(u64::MAX);
    terminal::line(&format!(
        "{}: {} rules of {id} {version} looked at it, {}",
        checked.document,
        checked.rules,
        shown::counted(broken, "finding", "findings"),
    ))
}
