//! What two contents of one declaration differ in.

use clearance::{Basis, Change, Command};
use serde_json::Value;
use spine::declaration::Declaration;
use spine::{Finding, Pointer};

use super::commands::Folded;
use super::timeline::Told;
use crate::error::{Error, Kind};

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

/// The command that corrects a declaration by what a control found.
pub(super) fn corrected(folded: &Folded, declaration: &Declaration, basis: Basis) -> Result<Command, Error> {
    let before = standing(folded)?;
    if before.functional_reference_id != declaration.functional_reference_id {
        let finding = Finding::error("reference_changed")
            .at(Pointer("functional_reference_id".to_owned()))
            .found(declaration.functional_reference_id.as_deref().unwrap_or_default())
            .expected(before.functional_reference_id.unwrap_or_default())
            .fix("A correction keeps the reference of its trader.");
        return Err(Error::new(
            Kind::Refused,
            "correction_refused",
            "this is not a correction of the declaration",
            "Correct what the findings name. Nothing was recorded.",
        )
        .with_findings(vec![finding]));
    }
    let changes = places_of_change(&before, declaration)
        .into_iter()
        .map(|place| Change { reason_code: CUSTOMS_CORRECTION.to_owned(), place })
        .collect();
    let debt = clearance::duty::declared(declaration);
    Ok(Command::Correct { basis, changes, declaration: Box::new(declaration.clone()), debt })
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
