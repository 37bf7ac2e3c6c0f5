//! Findings in the order of the text, each with the element that it is about.

use std::collections::BTreeMap;

use ::rules::RuleFinding;
use formats::{excerpts, wco};
use spine::declaration::Declaration;
use spine::{Finding, Pointer, Severity};

use super::{BOUNDS, CheckedFile, FINDINGS_MAX, FileFinding, MessageKind, ROOT, Said, Seen, validation_code};

/// Places what was told, and puts it in order.
pub(super) fn shown(seen: Seen, bytes: &[u8], texts: &BTreeMap<String, String>) -> CheckedFile {
    let Seen { kind, root, base, declaration, told } = seen;
    let findings_total = told.findings.len();
    let acceptable = told.findings.iter().all(|(finding, _)| finding.severity != Severity::Error);
    let mut told_first = told.findings;
    told_first.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
    told_first.truncate(FINDINGS_MAX);
    let place = |(finding, said): &'_ (Finding, Said)| match said {
        Said::Structure => (base, finding.pointer.clone()),
        Said::Schema => (ROOT, finding.pointer.clone()),
        Said::Rule(rule) => (base, read_below(rule).unwrap_or(&rule.pointer).clone()),
    };
    // In JSON, places have no lines.
    let places: Vec<_> = if kind == MessageKind::DeclarationJson {
        Vec::new()
    } else {
        told_first.iter().map(place).collect()
    };
    let mut excerpts = excerpts(bytes, BOUNDS, &places).into_iter();
    let mut findings: Vec<FileFinding> = told_first
        .into_iter()
        .map(|(finding, said)| {
            let excerpt = excerpts.next().flatten();
            let answered = declaration.as_ref().map(|own| answered(&finding, own));
            let (validation_code, wco_pointer) = answered.unwrap_or_default();
            let published_text = validation_code.as_ref().and_then(|code| texts.get(code)).cloned();
            let (words, legal_basis) = match said {
                Said::Rule(rule) => (Some((rule.message, rule.how_to_fix)), rule.legal_basis),
                Said::Structure | Said::Schema => (None, None),
            };
            FileFinding { finding, validation_code, published_text, wco_pointer, words, legal_basis, excerpt }
        })
        .collect();
    findings.sort_by_key(|own| {
        let place = own.excerpt.as_ref().map(|excerpt| (excerpt.line, excerpt.column));
        (std::cmp::Reverse(own.finding.severity), place)
    });
    CheckedFile {
        kind,
        document: root,
        reference: declaration.and_then(|own| own.functional_reference_id),
        acceptable,
        findings,
        findings_total,
        checked_by: told.checked_by,
        schema: told.schema,
    }
}

/// Code and place of a finding as they are answered to whoever declared.
fn answered(finding: &Finding, declaration: &Declaration) -> (Option<String>, Option<wco::WcoPointer>) {
    let pointer = wco::of_place(&finding.pointer).map(|pointer| pointer.with_item_numbers(declaration));
    (Some(validation_code(&finding.code).into_owned()), pointer)
}

/// A place that counts from below the root of a message, from the declaration in it; one outside of it as it stands.
pub(super) fn below(pointer: &Pointer, base: &[&str]) -> Pointer {
    let mut rest = pointer.0.as_str();
    for step in base {
        let (first, more) = rest.split_once('/').unwrap_or((rest, ""));
        if first.split('[').next() != Some(*step) {
            return pointer.clone();
        }
        rest = more;
    }
    Pointer(rest.to_owned())
}

/// The first place below its own that a rule read: rather the field than the group that it stands in.
fn read_below(rule: &RuleFinding) -> Option<&Pointer> {
    let group = &rule.pointer.0;
    rule.explanation.read().into_iter().find(|read| {
        read.0
            .strip_prefix(group.as_str())
            .is_some_and(|below| !below.is_empty() && (group.is_empty() || below.starts_with('/')))
    })
}
