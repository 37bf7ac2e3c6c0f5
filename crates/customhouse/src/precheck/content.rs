//! The rules asked of a declaration's content, where no message is there that they could look at: of declarations in
//! JSON, and of what a declaration becomes by an amendment or a correction. Rules that read what the content has no
//! place for are not asked: it would seem to be missing.

use formats::declaration::{self, Form, place_in_json, responsible_country, tree_of};
use formats::read_xml;
use spine::declaration::Declaration;
use spine::{Finding, Severity};

use super::{Asked, BOUNDS, Checker, OfHouse, Said, Seen, Told, declared};
use crate::error::Error;

/// What the rules say of a content.
pub(crate) struct CheckedContent {
    /// Their findings; places are spelled as the form spells them, and count from the declaration.
    pub(crate) findings: Vec<Finding>,
    /// Content hashes of the packs of rules and lists that were asked.
    pub(crate) packs: Vec<String>,
}

impl Checker {
    /// What the rules say of a content. `responsible` is the country whose rules are asked besides those of all.
    pub(crate) fn check_content(
        &self,
        content: &Declaration,
        form: Form,
        responsible: Option<&str>,
    ) -> CheckedContent {
        let mut told = Told::default();
        self.by_rules(&tree_of(content, responsible), Asked::OfContent, &mut told);
        let placed = told.findings.into_iter().map(|(finding, _)| match form {
            Form::Json => in_json(finding),
            Form::DmsXml => finding,
        });
        CheckedContent { findings: placed.take(super::FINDINGS_MAX).collect(), packs: self.hashes.clone() }
    }

    /// A declaration in JSON.
    pub(super) fn see_json(&self, bytes: &[u8], of_house: OfHouse<'_>) -> Result<Seen, Error> {
        let mut seen = declared(Form::Json, declaration::read(bytes, Form::Json), &[], of_house)?;
        let Some(content) = &seen.declaration else { return Ok(seen) };
        let mut told = Told::default();
        self.by_rules(&tree_of(content, None), Asked::OfContent, &mut told);
        let placed = told.findings.into_iter().map(|(finding, said)| (in_json(finding), said));
        // A value that could not be read is not in the content: that it is missing there says nothing new.
        let unread = |own: &Finding| {
            let wrong = seen.told.findings.iter().filter(|(other, _)| other.severity == Severity::Error);
            wrong.into_iter().any(|(other, _)| is_at_or_below(&own.pointer.0, &other.pointer.0))
        };
        let placed: Vec<(Finding, Said)> = placed.filter(|(own, _)| !unread(own)).collect();
        seen.told.findings.extend(placed);
        seen.told.checked_by = told.checked_by;
        Ok(seen)
    }
}

fn in_json(finding: Finding) -> Finding {
    Finding { pointer: place_in_json(&finding.pointer), ..finding }
}

/// Is one place the other, or below it? Everything is below the declaration, which says nothing.
fn is_at_or_below(place: &str, above: &str) -> bool {
    !above.is_empty()
        && place.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']))
}

/// The country that a declaration in XML names as responsible, in its envelope.
pub(crate) fn responsible_in(bytes: &[u8]) -> Option<String> {
    let document = read_xml(bytes, BOUNDS).ok()?;
    responsible_country(&declaration::part_in(&document)?).map(str::to_owned)
}
