//! An amendment applied to a declaration: every pointer is followed, and what stands there in the message takes the
//! place of what stood there in the declaration.

use serde_json::{Map, Value};
use spine::declaration::Declaration;
use spine::{Finding, Pointer};

use super::AmendmentRequest;
use crate::declaration::findings::Findings;
use crate::declaration::names::{Kind, Step, renamed};
use crate::declaration::{Form, Understood, checked};
use crate::wco::{WcoPointer, elements_of, place_of};

/// List of the goods items, which are found by their own numbers.
const ITEMS: &str = "government_agency_goods_item";
/// The number of an item.
const NUMBER: &str = "sequence_numeric";
/// Attributes by which a declaration is known, under their names in JSON and DMS.
const IDENTITY: [&str; 4] = ["FunctionCode", "FunctionalReferenceID", "ID", "TypeCode"];

/// The declaration as it will be. For every amendment, in their order, the place that its pointer names gets what the
/// message has there: an attribute, a class, a new member of a list; where the message has nothing, what stood there
/// is removed; an empty element keeps the place of a member that is to go or to stay. Goods items are found by their numbers, members of other lists by their positions in the declaration
/// as it was, statements on the whole declaration without counting reasons. Then the structure is checked as that of
/// an original.
///
/// No declaration, and at least one error, where an amendment cannot be applied: a pointer leads nowhere
/// (`amendment_points_at_nothing`) or to what a declaration is known by (`amendment_not_allowed`). Warnings tell what
/// no pointer names (`amendment_change_not_named`) and what the platform does not keep (`amendment_not_kept`).
#[must_use]
pub fn amend(declaration: &Declaration, request: &AmendmentRequest) -> Understood {
    let mut findings = Findings::default();
    request.findings.iter().cloned().for_each(|finding| findings.push(finding));
    let (Ok(mut amended), Ok(message)) =
        (serde_json::to_value(declaration), serde_json::to_value(&request.changes))
    else {
        return refused(findings);
    };
    let mut applied = true;
    for amendment in request.amendments.iter().take(AmendmentRequest::AMENDMENTS_MAX) {
        match amendment.pointer.as_ref().map(|pointer| apply(&mut amended, &message, pointer)) {
            Some(Ok(())) => {}
            Some(Err(finding)) => {
                applied &= finding.severity != spine::Severity::Error;
                findings.push(finding);
            }
            None => {
                applied = false;
                findings.push(nothing("no pointer").expected("a pointer to what changes"));
            }
        }
    }
    tell_unnamed(&mut findings, &message, Some(&amended), &Pointer::root());
    sweep(&mut amended);
    match serde_json::from_value::<Declaration>(amended) {
        Ok(amended) if applied => checked(Form::DmsXml, amended, findings),
        _ => refused(findings),
    }
}

/// No declaration; at least one finding says why.
fn refused(findings: Findings) -> Understood {
    let mut findings = findings.into_vec();
    if !findings.iter().any(|finding| finding.severity == spine::Severity::Error) {
        findings.push(nothing("a value of another kind"));
    }
    Understood { declaration: None, findings }
}

fn nothing(found: &str) -> Finding {
    Finding::error("amendment_points_at_nothing")
        .found(found)
        .expected("a place in the declaration, or a new one with its value in the message")
        .fix("Correct section codes, sequence numbers and tag, or send the value that the pointer names.")
}

/// Follows one pointer.
fn apply(amended: &mut Value, message: &Value, pointer: &WcoPointer) -> Result<(), Finding> {
    let at = |finding: Finding| finding.at(place_of(pointer).unwrap_or_default()).found(&pointer.to_string());
    let elements = elements_of(pointer).filter(|elements| !elements.is_empty());
    let elements = elements.ok_or_else(|| at(nothing("")))?;
    if let [(name, _)] = elements.as_slice()
        && IDENTITY.contains(name)
    {
        return Err(at(Finding::error("amendment_not_allowed")
            .expected("anything but reference, number, type and function of the declaration")
            .fix("Cancel the declaration and lodge another one.")));
    }
    let Some(renamed) = renamed(Form::DmsXml, &elements) else {
        return Err(at(Finding::warning("amendment_not_kept")
            .expected("what the platform reads of a declaration")
            .fix("Nothing to do: the change is kept with the message as it was sent.")));
    };
    change(amended, Some(message), &renamed.steps, renamed.kind).ok_or_else(|| at(nothing("")))
}

/// Puts what stands at the steps in `message` there in `target`; nothing where neither has anything.
fn change(target: &mut Value, message: Option<&Value>, steps: &[Step<'_>], kind: Kind) -> Option<()> {
    let ((name, position), rest) = steps.split_first()?;
    let target = target.as_object_mut()?;
    let message = message.and_then(|message| message.get(*name));
    let in_list = !rest.is_empty() && (position.is_some() || is_list(target, message, name));
    if in_list || (rest.is_empty() && kind == Kind::List) {
        return change_list(target, message, name, *position, rest, kind);
    }
    if !rest.is_empty() {
        if message.is_none() && !target.contains_key(*name) {
            return None;
        }
        let below = target.entry((*name).to_owned()).or_insert_with(|| Value::Object(Map::new()));
        return change(below, message, rest, kind);
    }
    match message {
        Some(message) => {
            target.insert((*name).to_owned(), message.clone());
            Some(())
        }
        None => target.remove(*name).map(drop),
    }
}

fn is_list(target: &Map<String, Value>, message: Option<&Value>, name: &str) -> bool {
    target.get(name).or(message).is_some_and(Value::is_array)
}

/// The same within a list.
fn change_list(
    target: &mut Map<String, Value>,
    message: Option<&Value>,
    name: &str,
    position: Option<u32>,
    rest: &[Step<'_>],
    kind: Kind,
) -> Option<()> {
    let sent = message.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let kept = target.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new())).as_array_mut()?;
    // Without a number it can only be the one that there is.
    let number = match position {
        Some(number) => number,
        None if sent.len().max(kept.len()) == 1 => number_of(name, kept.iter().chain(sent).next()?)?,
        None => return None,
    };
    // An empty class is an absent one; it keeps the place of a member that is to go, or stays as it is.
    let sent = place_in(name, number, sent).and_then(|at| sent.get(at)).filter(|sent| !is_empty(sent));
    match (place_in(name, number, kept), sent) {
        (Some(at), _) if !rest.is_empty() => change(kept.get_mut(at)?, sent, rest, kind),
        (Some(at), Some(sent)) => {
            *kept.get_mut(at)? = sent.clone();
            Some(())
        }
        // What is removed leaves its place empty, so that the positions behind it stay what they were.
        (Some(at), None) => {
            *kept.get_mut(at)? = Value::Null;
            Some(())
        }
        (None, Some(sent)) => {
            let place = usize::try_from(number).ok()?;
            let next = kept.len().checked_add(1)?;
            if next > length_max(name) || (name != ITEMS && place != next) {
                return None;
            }
            let mut new = if rest.is_empty() { sent.clone() } else { Value::Object(Map::new()) };
            if name == ITEMS {
                new.as_object_mut()?.insert(NUMBER.to_owned(), number.into());
            }
            if !rest.is_empty() {
                change(&mut new, Some(sent), rest, kind)?;
            }
            kept.push(new);
            Some(())
        }
        (None, None) => None,
    }
}

fn length_max(name: &str) -> usize {
    match name {
        ITEMS => Declaration::ITEMS_MAX,
        "transport_equipment" => Declaration::EQUIPMENT_MAX,
        _ => Declaration::LIST_MAX,
    }
}

/// The number by which the first member of a list is named.
fn number_of(name: &str, member: &Value) -> Option<u32> {
    let own = member.get(NUMBER).filter(|_| name == ITEMS);
    own.map_or(Some(1), |own| u32::try_from(own.as_u64()?).ok())
}

/// Is it a class of which nothing is said, or a list without members?
fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Where the member of this number stands in a list: an item with the number, or the member at the position.
fn place_in(name: &str, number: u32, list: &[Value]) -> Option<usize> {
    let at_position = usize::try_from(number).ok()?.checked_sub(1)?;
    let is_there = |at: &usize| list.get(*at).is_some_and(|member| !member.is_null());
    if name != ITEMS {
        return Some(at_position).filter(is_there);
    }
    let own = |member: &Value| member.get(NUMBER).and_then(Value::as_u64);
    let by_number = list.iter().position(|member| own(member) == Some(u64::from(number)));
    let unnumbered = |at: &usize| list.get(*at).is_some_and(|member| own(member).is_none());
    by_number.or_else(|| Some(at_position).filter(is_there).filter(unnumbered))
}

/// Warns of what the message says and the amended declaration does not.
fn tell_unnamed(findings: &mut Findings, message: &Value, amended: Option<&Value>, at: &Pointer) {
    match (message, amended) {
        (Value::Object(sent), Some(Value::Object(kept))) => {
            for (name, sent) in sent {
                let place = at.child(name);
                match (sent, kept.get(name)) {
                    (Value::Array(sent), Some(Value::Array(kept))) => {
                        tell_unnamed_members(findings, name, sent, kept, at);
                    }
                    (sent, kept) => tell_unnamed(findings, sent, kept, &place),
                }
            }
        }
        (sent, Some(kept)) if sent == kept => {}
        (sent, _) if is_empty(sent) => {}
        (sent, _) => {
            let found = match sent {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => String::new(),
            };
            let finding = Finding::warning("amendment_change_not_named")
                .found(&found)
                .expected("an amendment whose pointer names this change")
                .fix("Add an amendment for it, or leave it out: what no pointer names does not change.");
            findings.push(finding.at(at.clone()));
        }
    }
}

fn tell_unnamed_members(findings: &mut Findings, name: &str, sent: &[Value], kept: &[Value], at: &Pointer) {
    for (member, position) in sent.iter().zip(1_u32..) {
        let number = number_of(name, member).filter(|_| name == ITEMS).unwrap_or(position);
        let there = place_in(name, number, kept).and_then(|at| kept.get(at));
        let place = at.item(name, usize::try_from(position).unwrap_or_default());
        tell_unnamed(findings, member, there, &place);
    }
}

/// Takes empty places out of lists, and whatever nothing is left of.
fn sweep(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(sweep);
            members.retain(|_, member| !is_empty(member));
        }
        Value::Array(list) => {
            list.iter_mut().for_each(sweep);
            list.retain(|member| !member.is_null() && !is_empty(member));
        }
        _ => {}
    }
}
