//! Conditions as a file has them: one JSON object a line.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use ::rules::{EntryRule, Expression, Lists};
use serde::Deserialize;
use spine::{EntrySchema, Finding, Pointer};

use crate::error::{Error, Kind};

/// Rules of one file at most.
const RULES_MAX: usize = 1_000_000;
/// Bytes of a line at most.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Findings told at most; how many there are is told beyond.
const FINDINGS_MAX: usize = 50;
/// One line; other keys are the author's own.
#[derive(Deserialize)]
struct WrittenRule {
    id: WrittenId,
    when: String,
}

/// An id: a text, or a number, which stands for its digits.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenId {
    Text(String),
    Number(serde_json::Number),
}

/// One line that can be used.
pub(super) struct ReadRule {
    pub(super) id: String,
    pub(super) expression: Expression,
    pub(super) rule: EntryRule,
}

/// The rules in the order of the file, or what is wrong with each line.
///
/// # Errors
/// `rules_unreadable`, `rules_refused`.
pub(super) fn read_rules(path: &Path, schema: &EntrySchema, lists: &Lists) -> Result<Vec<ReadRule>, Error> {
    let failed = |error: std::io::Error| Error::io("rules_unreadable", path, &error);
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let (mut rules, mut seen) = (Vec::new(), HashSet::new());
    let (mut findings, mut wrong, mut line, mut number) = (Vec::new(), 0_usize, String::new(), 0_u64);
    loop {
        line.clear();
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut line).map_err(failed)?;
        if read == 0 {
            break;
        }
        number = number.saturating_add(1);
        let text = line.trim();
        if text.is_empty() {
            continue;
        }
        let compiled = if rules.len() >= RULES_MAX {
            Err(at_line(number, "rules_too_many", text).expected(format!("at most {RULES_MAX} rules")))
        } else {
            compiled(text, number, schema, lists, &mut seen)
        };
        match compiled {
            Ok(rule) => rules.push(rule),
            Err(finding) => {
                wrong = wrong.saturating_add(1);
                if findings.len() < FINDINGS_MAX {
                    findings.push(finding);
                }
            }
        }
    }
    if wrong == 0 {
        return Ok(rules);
    }
    Err(Error {
        findings,
        ..Error::new(
            Kind::Refused,
            "rules_refused",
            format!("{wrong} of the rules in {} cannot be used", path.display()),
            "Correct or leave out the lines that the findings name; no rule was asked.",
        )
    })
}

fn at_line(line: u64, code: &str, found: &str) -> Finding {
    Finding::error(code).at(Pointer(format!("line {line}"))).found(found)
}

fn compiled(
    text: &str,
    line: u64,
    schema: &EntrySchema,
    lists: &Lists,
    seen: &mut HashSet<String>,
) -> Result<ReadRule, Finding> {
    let written: WrittenRule = serde_json::from_str(text).map_err(|error| {
        at_line(line, "rule_line_unreadable", text)
            .expected("a JSON object with `id` and `when`")
            .fix(format!("Correct the line: {error}."))
    })?;
    let id = match written.id {
        WrittenId::Text(text) => text,
        WrittenId::Number(number) => number.to_string(),
    };
    if !seen.insert(id.clone()) {
        return Err(at_line(line, "rule_id_doubled", &id)
            .expected("an id that no other rule has")
            .fix("Give one of the two another id."));
    }
    rule(id, &written.when, schema, lists).map_err(|reason| {
        at_line(line, "rule_refused", &written.when)
            .expected("a condition over the file's columns, as docs/rules.md describes it")
            .fix(reason)
    })
}

/// A rule, or what is wrong with it, with a mark under the place.
fn rule(id: String, when: &str, schema: &EntrySchema, lists: &Lists) -> Result<ReadRule, String> {
    let expression = ::rules::parse(when).map_err(|error| error.render(when))?;
    let rule = ::rules::compile_entry_rule(&expression, schema, lists)
        .map_err(|errors| errors.iter().map(|error| error.render(when)).collect::<Vec<_>>().join("\n"))?;
    Ok(ReadRule { id, expression, rule })
}

/// A rule that was read before and is kept.
///
/// # Errors
/// `rules_refused`: it cannot be used any more, such as when a list that it names is gone.
pub(super) fn rule_of(id: &str, when: &str, schema: &EntrySchema, lists: &Lists) -> Result<ReadRule, Error> {
    rule(id.to_owned(), when, schema, lists).map_err(|reason| Error {
        findings: vec![Finding::error("rule_refused").at(Pointer(id.to_owned())).found(when).fix(reason)],
        ..Error::new(
            Kind::Refused,
            "rules_refused",
            format!("the rule {id} cannot be used any more"),
            "Bring back what it names, or name a file of rules without it.",
        )
    })
}

/// A condition over the columns of a file, or what is wrong with it, with marks under the places.
pub(super) fn compiled_condition(
    when: &str,
    schema: &EntrySchema,
    lists: &Lists,
) -> Result<EntryRule, String> {
    rule(String::new(), when, schema, lists).map(|own| own.rule)
}
