//! Pointers of the WCO Data Model: the way to a class or attribute of a declaration as document section codes and a
//! tag, such as `42A/67A[1]/68A[2]/23A/65A#128` for the net mass of the second goods item.
//!
//! - Positions count from 1, as those of [`spine::Pointer`] do, in findings of both forms and of schemas.
//! - A goods item is named by its own sequence number, which [`WcoPointer::with_item_numbers`] puts in place of its
//!   position; whatever else repeats is named by its position.
//! - `GoodsShipment` is always the first, and an office of exit is named below it: so do the answers that
//!   administrations have published, although the schema has the office beside the shipment.

mod classes;

use std::fmt;

use serde::{Deserialize, Serialize};
use spine::Pointer;
use spine::declaration::Declaration;
use spine::tree::{NodeId, Tree};

use crate::declaration::Form;
use crate::declaration::names::{Step, parse_step, renamed};
use classes::{CLASSES, Class};

/// Steps of the longest pointer that is read or made; the deepest attribute of a declaration has half of them.
pub const STEPS_MAX: usize = 16;

/// Section code of the declaration.
const DECLARATION: &str = "42A";
/// Section code of the goods shipment.
const SHIPMENT: &str = "67A";
/// Section code of a goods item.
const ITEM: &str = "68A";
/// Section code of the office of exit.
const EXIT_OFFICE: &str = "56A";
/// Name of the element in which a declaration stands.
const ROOT: &str = "Declaration";

/// A place in a declaration, as sections and a tag of the WCO Data Model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WcoPointer {
    /// Classes from the declaration (`42A`) downwards; at most [`STEPS_MAX`].
    pub steps: Vec<WcoStep>,
    /// The attribute of the last class; `None` where the class as a whole is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// One class on the way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WcoStep {
    /// Document section code, such as `68A`.
    pub section: String,
    /// Which one, from 1, where it can repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
}

/// The pointer of a place as findings have it, under the names of either form: with or without the way to the
/// declaration in front, and with or without prefixes of namespaces. An attribute without a tag of its own (a
/// currency, a unit) is the one that it belongs to, and one that the DMS profile lacks is its class. `None` where the
/// place is in no class of a declaration.
#[must_use]
pub fn of_place(place: &Pointer) -> Option<WcoPointer> {
    let mut steps = Vec::new();
    for step in place.0.split('/').filter(|step| !step.is_empty()) {
        if step.starts_with('@') || steps.len() > STEPS_MAX {
            break;
        }
        steps.push(parse_step(step)?);
    }
    let inside = steps.iter().rposition(|(name, _)| *name == ROOT).map_or(0, |at| at.saturating_add(1));
    let steps = steps.get(inside..)?;
    if steps.first().is_some_and(|(name, _)| name.starts_with(|first: char| first.is_ascii_lowercase())) {
        of_steps(&renamed(Form::Json, steps)?.steps, true)
    } else {
        of_steps(steps, renamed(Form::DmsXml, steps).is_some())
    }
}

/// The pointer of elements below the declaration. Where the platform knows the place (`known`), its last element may be
/// an attribute without a tag.
fn of_steps(elements: &[Step<'_>], known: bool) -> Option<WcoPointer> {
    let mut class = class_of_section(DECLARATION)?;
    let mut steps = vec![step(class, None)];
    let mut elements = elements.iter();
    let mut tag = None;
    for (element, position) in elements.by_ref() {
        // One class (`Authentication`) has an attribute of its own name.
        if let Some((_, found)) = class.attributes.iter().find(|(name, _)| name == element) {
            tag = Some((*found).to_owned());
            break;
        }
        match class_of_element(element).filter(|_| steps.len() < STEPS_MAX) {
            Some(next) => class = next,
            None if known => break,
            None => return None,
        }
        if class.section == EXIT_OFFICE && steps.len() == 1 {
            steps.push(WcoStep { section: SHIPMENT.to_owned(), sequence: Some(1) });
        }
        steps.push(step(class, *position));
    }
    // Behind an attribute stands only the string of a date.
    elements.all(|(name, _)| *name == "DateTimeString").then_some(WcoPointer { steps, tag })
}

fn step(class: &Class, position: Option<u32>) -> WcoStep {
    let sequence = match class.section {
        SHIPMENT => Some(1),
        _ if class.repeats => position,
        _ => None,
    };
    WcoStep { section: class.section.to_owned(), sequence }
}

fn class_of_element(element: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.element == element)
}

fn class_of_section(section: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.section == section)
}

/// The place of a pointer below the declaration, under the names of the DMS form. `None` where a section or tag is
/// unknown, or the pointer does not begin at the declaration.
#[must_use]
pub fn place_of(pointer: &WcoPointer) -> Option<Pointer> {
    let steps = elements_of(pointer)?;
    Some(steps.into_iter().fold(Pointer::root(), |place, (name, position)| {
        match position.and_then(|position| usize::try_from(position).ok()) {
            Some(position) => place.item(name, position),
            None => place.child(name),
        }
    }))
}

/// Elements below the declaration that a pointer leads through.
pub(crate) fn elements_of(pointer: &WcoPointer) -> Option<Vec<Step<'static>>> {
    let (first, mut rest) = pointer.steps.split_first()?;
    if first.section != DECLARATION || rest.len() >= STEPS_MAX {
        return None;
    }
    if let [shipment, office, ..] = rest
        && (shipment.section.as_str(), office.section.as_str()) == (SHIPMENT, EXIT_OFFICE)
    {
        rest = rest.get(1..)?;
    }
    let mut last = class_of_section(DECLARATION)?;
    let mut elements = Vec::with_capacity(rest.len().saturating_add(1));
    for step in rest {
        last = class_of_section(&step.section)?;
        elements.push((last.element, step.sequence.filter(|_| last.repeats)));
    }
    if let Some(tag) = &pointer.tag {
        let (attribute, _) = last.attributes.iter().find(|(_, known)| known == tag)?;
        elements.push((attribute, None));
    }
    Some(elements)
}

/// The pointer that the `Pointer` elements below a node are together; `None` where there is none, or more than a
/// declaration has levels.
pub(crate) fn pointer_in(tree: &Tree, at: NodeId) -> Option<WcoPointer> {
    let children = tree.children_named(at, "Pointer");
    if children.len() == 0 || children.len() > STEPS_MAX {
        return None;
    }
    let text = |of: NodeId, name: &str| {
        let text = tree.text(tree.children_named(of, name).next()?);
        Some(text.to_owned()).filter(|text| !text.is_empty())
    };
    let mut pointer = WcoPointer { steps: Vec::with_capacity(children.len()), tag: None };
    for step in children {
        let sequence = text(step, "SequenceNumeric").and_then(|sequence| sequence.parse().ok());
        let section = text(step, "DocumentSectionCode").unwrap_or_default();
        pointer.steps.push(WcoStep { section, sequence });
        pointer.tag = text(step, "TagID");
    }
    Some(pointer)
}

impl WcoPointer {
    /// The pointer with goods items named by their sequence numbers instead of their positions in `declaration`.
    #[must_use]
    pub fn with_item_numbers(mut self, declaration: &Declaration) -> Self {
        for step in self.steps.iter_mut().filter(|step| step.section == ITEM) {
            let position = step.sequence.and_then(|position| usize::try_from(position).ok()?.checked_sub(1));
            let item = position.and_then(|position| declaration.items().get(position));
            if let Some(number) = item.and_then(|item| item.sequence_numeric) {
                step.sequence = Some(number);
            }
        }
        self
    }
}

impl fmt::Display for WcoPointer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, position) in self.steps.iter().zip(0_usize..) {
            let before = if position == 0 { "" } else { "/" };
            write!(out, "{before}{}", step.section)?;
            if let Some(sequence) = step.sequence {
                write!(out, "[{sequence}]")?;
            }
        }
        self.tag.as_ref().map_or(Ok(()), |tag| write!(out, "#{tag}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_both_forms_are_pointers_and_pointers_are_places() {
        let check = |place: &str, pointer: &str| {
            let found = of_place(&Pointer(place.to_owned())).map(|pointer| pointer.to_string());
            assert_eq!(found.as_deref().unwrap_or("none"), pointer, "{place}");
        };
        check("", "42A");
        check("goods_shipment/government_agency_goods_item[2]/commodity", "42A/67A[1]/68A[2]/23A");
        check(
            "GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/GoodsMeasure/NetNetWeightMeasure",
            "42A/67A[1]/68A[2]/23A/65A#128",
        );
        check(
            "/p:MetaData[1]/Declaration[1]/p1:GoodsShipment[1]/p1:GovernmentAgencyGoodsItem[3]/p1:SequenceNumeric[1]",
            "42A/67A[1]/68A[3]#006",
        );
        check("functional_reference_id", "42A#D026");
        check("exit_office", "42A/67A[1]/56A#G005");
        check("authorisation_holder[1]/id", "42A/17C[1]#R144");
        check("goods_shipment/consignment/goods_location/country_code", "42A/67A[1]/28A/64A/04A#242");
        check("invoice_amount/currency", "42A#109");
        check("InvoiceAmount/@currencyID", "42A#109");
        check("GoodsShipment/Invoice/IssueDateTime/DateTimeString", "42A/67A[1]/78A#D015");
        check("GoodsShipment/GovernmentAgencyGoodsItem", "42A/67A[1]/68A");
        check("line[3]/column[5]", "none");
        check("declarant/function_code", "42A/57B");
        check("Declarant/FunctionCode", "42A/57B");
        check("goods_shipment/colour", "none");
        check("GoodsShipment/Colour", "none");
        check("GoodsShipment/GovernmentAgencyGoodsItem[0]", "none");
    }

    #[test]
    fn the_way_back_takes_what_traders_write() {
        let check = |steps: &[(&str, Option<u32>)], tag: Option<&str>, place: Option<&str>| {
            let steps = steps
                .iter()
                .map(|(section, sequence)| WcoStep { section: (*section).to_owned(), sequence: *sequence });
            let pointer = WcoPointer { steps: steps.collect(), tag: tag.map(str::to_owned) };
            assert_eq!(place_of(&pointer), place.map(|place| Pointer(place.to_owned())), "{pointer}");
        };
        check(&[("42A", Some(1))], Some("228"), Some("GoodsItemQuantity"));
        let measure =
            [("42A", Some(1)), ("67A", Some(1)), ("68A", Some(7)), ("23A", Some(1)), ("65A", Some(1))];
        let net = "GoodsShipment/GovernmentAgencyGoodsItem[7]/Commodity/GoodsMeasure/NetNetWeightMeasure";
        check(&measure, Some("128"), Some(net));
        check(&[("42A", None), ("67A", None), ("56A", None)], Some("G005"), Some("ExitOffice/ID"));
        check(&[("67A", None)], None, None);
        check(&[("42A", None), ("99Z", None)], None, None);
        check(&[("42A", None)], Some("999"), None);
        check(&[], None, None);
    }

    #[test]
    fn items_are_named_by_their_own_numbers() {
        let mut declaration = Declaration::default();
        for number in [Some(1000), None] {
            let item = spine::declaration::GovernmentAgencyGoodsItem {
                sequence_numeric: number,
                ..Default::default()
            };
            declaration.goods_shipment.government_agency_goods_item.push(item);
        }
        for (position, pointer) in [(1, "68A[1000]"), (2, "68A[2]"), (3, "68A[3]")] {
            let place =
                Pointer::root().child("goods_shipment").item("government_agency_goods_item", position);
            let named = of_place(&place).unwrap().with_item_numbers(&declaration);
            assert_eq!(named.to_string(), format!("42A/67A[1]/{pointer}"));
        }
    }
}
