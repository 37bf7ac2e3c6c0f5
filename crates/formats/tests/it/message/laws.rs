//! What holds for any declarations and any bytes.

use formats::declaration::{Form, read};
use formats::message::{Amendment, AmendmentRequest, Message, RequestHead, amend, read_message};
use formats::wco::of_place;
use proptest::prelude::*;
use serde_json::Value;
use spine::declaration::Declaration;
use spine::{Pointer, Severity};

use super::{amendment, example, request};
use crate::declaration::laws::declaration;
use crate::support::assert_helpful;

/// A declaration as it stands after its checks, with what the two compared ones share.
fn canonical(mut declaration: Declaration) -> Declaration {
    declaration.functional_reference_id = Some("LRN-1".to_owned());
    declaration.type_code = Some("IMA".to_owned());
    for (item, number) in declaration.goods_shipment.government_agency_goods_item.iter_mut().zip(1..) {
        item.sequence_numeric = Some(number);
    }
    let mut declaration = serde_json::to_value(&declaration).unwrap();
    drop_empty_members(&mut declaration);
    read(&serde_json::to_vec(&declaration).unwrap(), Form::Json).declaration.unwrap()
}

/// An empty class is an absent one.
fn drop_empty_members(value: &mut Value) {
    let is_empty = |value: &Value| *value == serde_json::json!({}) || *value == serde_json::json!([]);
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(drop_empty_members);
            members.retain(|_, member| !is_empty(member));
        }
        Value::Array(list) => {
            list.iter_mut().for_each(drop_empty_members);
            list.retain(|member| !is_empty(member));
        }
        _ => {}
    }
}

/// Places at which two declarations differ: attributes, and members of lists that only one of them has.
fn differences(before: Option<&Value>, after: Option<&Value>, at: &Pointer, found: &mut Vec<Pointer>) {
    let empty = Value::Object(serde_json::Map::new());
    let is_money = |value: &Value| value.get("amount").is_some();
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Array(_)), _) | (_, Some(Value::Array(_))) => {
            let members = |list: Option<&Value>| list.and_then(Value::as_array).cloned().unwrap_or_default();
            let (before, after) = (members(before), members(after));
            let (parent, name) = at.0.rsplit_once('/').unwrap_or(("", &at.0));
            for position in 1..=before.len().max(after.len()) {
                let place = Pointer(parent.to_owned()).item(name, position);
                match (before.get(position - 1), after.get(position - 1)) {
                    (Some(one), Some(other)) => differences(Some(one), Some(other), &place, found),
                    _ => found.push(place),
                }
            }
        }
        (one, other)
            if [one, other].into_iter().flatten().all(|value| value.is_object() && !is_money(value)) =>
        {
            let (one, other) = (one.unwrap_or(&empty), other.unwrap_or(&empty));
            let names: std::collections::BTreeSet<_> =
                [one, other].into_iter().flat_map(|value| value.as_object().unwrap().keys()).collect();
            for name in names {
                differences(one.get(name), other.get(name), &at.child(name), found);
            }
        }
        _ => found.push(at.clone()),
    }
}

fn places(before: &Declaration, after: &Declaration) -> Vec<Pointer> {
    let (before, after) = (serde_json::to_value(before).unwrap(), serde_json::to_value(after).unwrap());
    let mut found = Vec::new();
    differences(Some(&before), Some(&after), &Pointer::root(), &mut found);
    found
}

/// Is this the place of a class as a whole: of an attribute that the DMS profile lacks?
fn is_whole_class(place: &Pointer) -> bool {
    of_place(place).unwrap().tag.is_none() && !place.0.ends_with(']')
}

/// The places without those in a class that changes as a whole.
fn outermost(places: Vec<Pointer>) -> Vec<Pointer> {
    let class = |place: &Pointer| place.0.rsplit_once('/').map(|(class, _)| format!("{class}/")).unwrap();
    let whole: Vec<String> = places.iter().filter(|place| is_whole_class(place)).map(class).collect();
    let is_inside = |place: &Pointer| whole.iter().any(|class| place.0.starts_with(class));
    places.into_iter().filter(|place| is_whole_class(place) || !is_inside(place)).collect()
}

/// The outermost list that a place stands in; within an item, whose number keeps it apart, one of the item's own.
fn outermost_list(place: &str) -> Option<&str> {
    let items = "goods_shipment/government_agency_goods_item[";
    let inside = match place.strip_prefix(items) {
        Some(rest) => match rest.split_once("]/") {
            Some((number, _)) => items.len() + number.len() + 2,
            None => return Some(items),
        },
        None => 0,
    };
    let begins = place.get(inside..)?.find('[')?;
    place.get(..inside + begins)
}

/// The request whose pointers name these places and whose values are those of `after`.
fn request_for(places: &[Pointer], after: &Declaration) -> AmendmentRequest {
    let amendments = places
        .iter()
        .map(|place| Amendment { reason_code: Some("32".to_owned()), pointer: of_place(place) })
        .collect();
    let changes = Declaration { functional_reference_id: None, type_code: None, ..after.clone() };
    let head = RequestHead {
        reference: "REQ-1".to_owned(),
        mrn: "26NL000396A1B2C3D4".to_owned(),
        submitter: None,
        reasons: Vec::new(),
    };
    AmendmentRequest { head, amendments, changes, findings: Vec::new() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_amendment_made_of_two_declarations_makes_one_into_the_other(
        before in declaration().boxed(),
        after in declaration().boxed(),
    ) {
        let (before, after) = (canonical(before), canonical(after));
        let request = request_for(&outermost(places(&before, &after)), &after);
        prop_assert!(request.amendments.iter().all(|amendment| amendment.pointer.is_some()));
        let amended = amend(&before, &request);
        prop_assert_eq!(amended.declaration, Some(after), "{:?}", amended.findings);
        let told: Vec<_> = amended.findings.iter().filter(|f| f.code.starts_with("amendment_")).collect();
        prop_assert!(told.is_empty(), "{told:?}");
    }

    #[test]
    fn amending_one_thing_changes_that_one_only(
        before in declaration().boxed(),
        after in declaration().boxed(),
        pick in any::<proptest::sample::Index>(),
    ) {
        let (before, after) = (canonical(before), canonical(after));
        let mut places = places(&before, &after);
        places.retain(|place| !is_whole_class(place));
        prop_assume!(!places.is_empty());
        let place = pick.get(&places).clone();
        let amended = amend(&before, &request_for(std::slice::from_ref(&place), &after));
        match &amended.declaration {
            Some(declaration) => {
                let changed = self::places(&before, declaration);
                // What is removed from the midst of a list, or the last that is said of a member, moves up what
                // stands behind it.
                let list = outermost_list(&place.0);
                prop_assert!(
                    changed == [place.clone()]
                        || list.is_some_and(|list| changed.iter().all(|at| at.0.starts_with(list))),
                    "{place}: {changed:?}"
                );
            }
            // A second new member of a list has no place before the first one has.
            None => prop_assert_eq!(amended.findings[0].code.as_str(), "amendment_points_at_nothing"),
        }
    }
}

proptest! {
    #[test]
    fn damaged_messages_are_understood_or_refused_with_a_reason(
        damages in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
    ) {
        let document = "<GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>\
            <AdditionalDocument><ID>7</ID></AdditionalDocument></GovernmentAgencyGoodsItem></GoodsShipment>";
        let pointers = ["42A/67A[1]/68A[1]/02A[1]#D005", "42A#146"];
        let mut bytes = request("COR", &pointers, document).into_bytes();
        for (at, byte) in damages {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        match read_message(&bytes) {
            Ok(Message::Amendment(request)) => {
                let amended = amend(&example(), &request);
                amended.findings.iter().for_each(assert_helpful);
                let refused = amended.findings.iter().any(|finding| finding.severity == Severity::Error);
                prop_assert!(amended.declaration.is_some() || refused);
            }
            Ok(_) => {}
            Err(findings) => {
                prop_assert!(findings.iter().any(|finding| finding.severity == Severity::Error));
                findings.iter().for_each(assert_helpful);
            }
        }
    }
}

#[test]
fn a_request_is_kept_as_it_was_read() {
    let request = amendment(&["42A#146"], "<TotalPackageQuantity>14</TotalPackageQuantity>");
    let kept = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<AmendmentRequest>(&kept).unwrap(), request);
}
