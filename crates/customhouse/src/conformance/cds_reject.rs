//! `cds-reject`: declarations that an administration accepted or rejected, against the public rules; and with which
//! codes at which places it answered.

use std::collections::BTreeSet;

use formats::{XmlBounds, read_xml};
use spine::Severity;
use spine::tree::{NodeId, Tree};

use super::material::Material;
use super::public_rules::{PublicRules, code_lists};
use super::{Expectation, Expectations, Got, Judged};
use crate::error::{Error, Kind};

const CASES: &str = "cds-accept-reject";
const DECLARATION: &str = "Declaration";
const NOTIFICATION: &str = "Example_Notification";
/// Function code of a notification that rejects.
const REJECTED: &str = "03";
/// What is said of a declaration without errors.
const ACCEPTED: &str = "accepted";

pub(super) fn judge(material: &Material) -> Result<Judged, Error> {
    let (lists, said) = code_lists(material)?;
    let rules = PublicRules::with(lists)?;
    let mut judged = Judged { lines: vec![said], ..Judged::default() };
    for case in material.folders_with(CASES, DECLARATION)? {
        let (bytes, _) = only(material, &format!("{case}/{DECLARATION}"))?;
        let file = rules.check(&bytes)?;
        let errors = file.findings.iter().filter(|own| own.finding.severity == Severity::Error);
        let answered: BTreeSet<String> = errors
            .clone()
            .map(|own| {
                let code = own.validation_code.as_deref().unwrap_or(&own.finding.code);
                let place = own.wco_pointer.as_ref().map(ToString::to_string);
                format!("{code} {}", place.unwrap_or_else(|| own.finding.pointer.to_string()))
            })
            .collect();
        let because = errors.map(|own| own.finding.to_string()).next();
        judged.cases.insert(case, Got { got: said_of(&answered), because });
    }
    Ok(judged)
}

pub(super) fn expect(material: &Material) -> Result<Expectations, Error> {
    let mut expectations = Expectations::new();
    for case in material.folders_with(CASES, NOTIFICATION)? {
        let (bytes, path) = only(material, &format!("{case}/{NOTIFICATION}"))?;
        let text = formats::xml::decode(&bytes).map_err(|finding| unreadable(&path, &finding))?;
        let document = read_xml(whole_root(&text).as_bytes(), XmlBounds::default())
            .map_err(|finding| unreadable(&path, &finding))?;
        let verdict = said_of(&errors_of(&document.tree));
        expectations.insert(case, Expectation::Stated { verdict, agrees });
    }
    Ok(expectations)
}

fn said_of(errors: &BTreeSet<String>) -> String {
    if errors.is_empty() {
        return ACCEPTED.to_owned();
    }
    errors.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
}

/// The one file of a folder, and its path.
fn only(material: &Material, folder: &str) -> Result<(Vec<u8>, String), Error> {
    let names = material.names(folder, ".xml")?;
    let [name] = names.as_slice() else {
        return Err(Error::new(
            Kind::Refused,
            "conformance_cases_unclear",
            format!("{folder} has {} messages", names.len()),
            "Keep one declaration and one notification in a case.",
        ));
    };
    let path = format!("{folder}/{name}");
    Ok((material.read(&path)?, path))
}

fn unreadable(path: &str, finding: &spine::Finding) -> Error {
    Error::new(
        Kind::Refused,
        "conformance_expectations_unreadable",
        format!("{path}: {finding}"),
        "Take the file as it was published.",
    )
}

/// A message up to the end of its root element: what was written down behind it by a log is no part of it.
fn whole_root(text: &str) -> &str {
    let name = text.split('<').skip(1).find(|tag| !tag.starts_with(['?', '!'])).map(|tag| {
        let end = tag.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(tag.len());
        tag.get(..end).unwrap_or(tag)
    });
    let Some(end) = name.map(|name| format!("</{name}>")) else { return text };
    let whole = text.rfind(&end).and_then(|at| text.get(..at.saturating_add(end.len())));
    whole.unwrap_or(text)
}

/// The errors of a notification that rejects; none in any other.
fn errors_of(tree: &Tree) -> BTreeSet<String> {
    let text = |node: NodeId, name: &str| -> Option<String> {
        tree.children_named(node, name).next().and_then(|id| Some(tree.node(id)?.text.to_string()))
    };
    let responses = tree.at_path(&["Response"]).into_iter();
    let rejecting = responses.filter(|response| text(*response, "FunctionCode").as_deref() == Some(REJECTED));
    rejecting
        .flat_map(|response| tree.children_named(response, "Error"))
        .map(|error| {
            let code = text(error, "ValidationCode").unwrap_or_default();
            let mut place = String::new();
            let mut tag = None;
            for pointer in tree.children_named(error, "Pointer") {
                let before = if place.is_empty() { "" } else { "/" };
                let section = text(pointer, "DocumentSectionCode").unwrap_or_default();
                let sequence = text(pointer, "SequenceNumeric").map(|number| format!("[{number}]"));
                place = format!("{place}{before}{section}{}", sequence.unwrap_or_default());
                tag = text(pointer, "TagID");
            }
            let tag = tag.map(|tag| format!("#{tag}")).unwrap_or_default();
            format!("{code} {place}{tag}")
        })
        .collect()
}

/// The same codes at the same places; a sequence number counts where it was recorded, and so does a place.
fn agrees(expected: &str, got: &str) -> bool {
    let recorded: Vec<&str> = expected.split("; ").collect();
    let mut left: Vec<&str> = got.split("; ").collect();
    recorded.len() == left.len()
        && recorded.iter().all(|error| {
            let found = left.iter().position(|own| is_answer(error, own));
            found.map(|at| left.swap_remove(at)).is_some()
        })
}

fn is_answer(recorded: &str, got: &str) -> bool {
    let (code, place) = recorded.split_once(' ').unwrap_or((recorded, ""));
    let (own_code, own_place) = got.split_once(' ').unwrap_or((got, ""));
    if code != own_code || place.is_empty() {
        return code == own_code;
    }
    let (sections, tag) = place.split_once('#').unwrap_or((place, ""));
    let (own_sections, own_tag) = own_place.split_once('#').unwrap_or((own_place, ""));
    let (sections, own_sections): (Vec<&str>, Vec<&str>) =
        (sections.split('/').collect(), own_sections.split('/').collect());
    let same = |(stated, own): (&&str, &&str)| {
        if stated.contains('[') { stated == own } else { Some(*stated) == own.split('[').next() }
    };
    tag == own_tag && sections.len() == own_sections.len() && sections.iter().zip(&own_sections).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_where_they_were_recorded_and_what_a_log_left_behind_does_not() {
        for (recorded, got, agreed) in [
            ("accepted", "accepted", true),
            ("accepted", "DMS10001 42A", false),
            ("DMS10001 42A/67A[1]/68A#006", "DMS10001 42A/67A[1]/68A[7]#006", true),
            ("DMS10001 42A/67A[1]/68A[2]#006", "DMS10001 42A/67A[1]/68A[7]#006", false),
            ("DMS10001 42A/67A[1]/68A#006", "DMS10001 42A/67A[1]/68A[7]#007", false),
            ("DMS10001 42A/67A[1]/68A#006", "DMS10001 42A/67A[1]#006", false),
            ("DMS10001 ", "DMS10001 42A", true),
            ("DMS10001 42A; DMS10001 42A#1", "DMS10001 42A#1; DMS10001 42A", true),
            ("DMS10001 42A; DMS10001 42A", "DMS10001 42A", false),
        ] {
            assert_eq!(agrees(recorded, got), agreed, "{recorded} | {got}");
        }
        for (text, whole) in [
            ("<?xml version='1.0'?><!-- a --><a:b c='d'><e/></a:b>\nheaders=List(</x>)", "</a:b>"),
            ("<a/>\ntail", "tail"),
            ("nothing", "nothing"),
        ] {
            assert!(whole_root(text).ends_with(whole), "{text}");
        }
    }
}
