//! What two contents of one declaration differ in.

use clearance::{Basis, Change, Command};
use formats::declaration::{Form, read, write_json};
use serde_json::Value;
use spine::declaration::Declaration;
use spine::{Finding, Pointer, Sensitivity};

use super::commands::Folded;
use super::event::Kept;
use super::past::acceptable;
use super::timeline::Told;
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::precheck::{CheckedContent, responsible_in};

/// Reason of a change that customs made (code list of the DMS profile).
const CUSTOMS_CORRECTION: &str = "16";
/// Changes that are told.
const CHANGES_MAX: usize = 10_000;

/// A declaration's content as it stands.
///
/// # Errors
/// Where it could not be read when it came in, or was erased.
pub(super) fn standing(folded: &Folded) -> Result<Declaration, Error> {
    Told::of(folded).lodged.and_then(|lodged| lodged.declaration).ok_or_else(|| {
        Error::new(
            Kind::Refused,
            "content_missing",
            "the declaration has no content that can be changed",
            "Nothing can be amended here: it could not be read, or it was erased.",
        )
    })
}

impl Customhouse {
    /// The bytes of a declaration as they came.
    pub(super) fn kept_bytes(&self, kept: Kept) -> Result<Vec<u8>, Error> {
        match kept {
            Kept::Text(text) => Ok(text.into_bytes()),
            Kept::Blob(sha256) => {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut self.journal.get_blob(&sha256)?, &mut bytes)
                    .map_err(|error| Error::internal("original_unreadable", &error))?;
                Ok(bytes)
            }
        }
    }

    /// What the rules that lodgement asks say of what a declaration is to be. Rules that a trader may not know are
    /// silent here as they are there, and those of one country are asked where the declaration came to it.
    pub(super) fn check_content(
        &self,
        folded: &Folded,
        content: &Declaration,
        form: Form,
    ) -> Result<CheckedContent, Error> {
        let lodged = Told::of(folded).lodged;
        let responsible = match lodged {
            Some(lodged) if lodged.media_type == "application/xml" => {
                responsible_in(&self.kept_bytes(lodged.kept)?)
            }
            _ => None,
        };
        Ok(self.checker(Sensitivity::Public).check_content(content, form, responsible.as_deref()))
    }

    /// The command that corrects a declaration by what a control found.
    pub(super) fn corrected(
        &self,
        folded: &Folded,
        declaration: &Declaration,
        basis: Basis,
    ) -> Result<Command, Error> {
        let before = standing(folded)?;
        if before.functional_reference_id != declaration.functional_reference_id {
            let finding = Finding::error("reference_changed")
                .at(Pointer("functional_reference_id".to_owned()))
                .found(declaration.functional_reference_id.as_deref().unwrap_or_default())
                .expected(before.functional_reference_id.unwrap_or_default())
                .fix("A correction keeps the reference of its trader.");
            return Err(not_corrected(vec![finding]));
        }
        let understood = read(&write_json(declaration), Form::Json);
        let mut findings = understood.findings;
        let after = understood.declaration.unwrap_or_default();
        let checked = self.check_content(folded, &after, Form::Json)?;
        findings.extend(checked.findings);
        if !acceptable(&findings) {
            return Err(not_corrected(findings));
        }
        let changes = places_of_change(&before, &after)
            .into_iter()
            .map(|place| Change { reason_code: CUSTOMS_CORRECTION.to_owned(), place })
            .collect();
        let debt = clearance::duty::declared(&after);
        let declaration = Box::new(after);
        Ok(Command::Correct { basis, changes, declaration, debt, packs: checked.packs })
    }
}

fn not_corrected(findings: Vec<Finding>) -> Error {
    Error::new(
        Kind::Refused,
        "correction_refused",
        "this is not a correction of the declaration",
        "Correct what the findings name. Nothing was recorded.",
    )
    .with_findings(findings)
}

/// Places that differ: members, with the index of lists from 1.
pub(super) fn places_of_change(before: &Declaration, after: &Declaration) -> Vec<Pointer> {
    let value = |declaration: &Declaration| serde_json::to_value(declaration).unwrap_or_default();
    let mut places = Vec::new();
    differ("", &value(before), &value(after), &mut places);
    places
}

fn differ(at: &str, before: &Value, after: &Value, places: &mut Vec<Pointer>) {
    if before == after || places.len() >= CHANGES_MAX {
        return;
    }
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                let of =
                    |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                differ(&below(name), &of(one), &of(other), places);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                let of = |list: &Vec<Value>| list.get(index).cloned().unwrap_or_default();
                differ(&format!("{at}[{}]", index.saturating_add(1)), &of(one), &of(other), places);
            }
        }
        _ => places.push(Pointer(at.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_by_its_place() {
        let read = |text: &str| -> Declaration { serde_json::from_str(text).unwrap() };
        let check = |before: &str, after: &str, expected: &[&str]| {
            let places = places_of_change(&read(before), &read(after));
            let places: Vec<&str> = places.iter().map(|place| place.0.as_str()).collect();
            assert_eq!(places, expected, "{before} {after}");
        };
        check(r#"{"type_code":"IMA"}"#, r#"{"type_code":"IMA"}"#, &[]);
        check(r#"{"type_code":"IMA"}"#, r#"{"type_code":"IMD"}"#, &["type_code"]);
        check(r#"{}"#, r#"{"total_package_quantity":"7"}"#, &["total_package_quantity"]);
        let items =
            |list: &str| format!(r#"{{"goods_shipment":{{"government_agency_goods_item":[{list}]}}}}"#);
        check(
            &items(r#"{"sequence_numeric":1,"commodity":{"description":"nuts"}}"#),
            &items(r#"{"sequence_numeric":1,"commodity":{"description":"bolts"}},{"sequence_numeric":2}"#),
            &[
                "goods_shipment/government_agency_goods_item[1]/commodity/description",
                "goods_shipment/government_agency_goods_item[2]",
            ],
        );
    }
}
