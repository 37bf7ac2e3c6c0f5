//! The same place under the names of either form.

use jiff::civil::Date;
use rust_decimal::Decimal;
use spine::declaration::Declaration;
use spine::quantity::Money;

use super::Form;
use super::shape::{Class, Measure, Name, Rule, Visit};

/// A step of a place: a name, and a position from 1 where one is stated.
pub(crate) type Step<'a> = (&'a str, Option<u32>);

/// Name without its prefix, and position.
pub(crate) fn parse_step(step: &str) -> Option<Step<'_>> {
    let (name, position) = match step.strip_suffix(']') {
        Some(step) => {
            let (name, position) = step.split_once('[')?;
            (name, Some(position.parse().ok().filter(|position| *position > 0)?))
        }
        None => (step, None),
    };
    Some((name.rsplit(':').next()?, position))
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A single value; an amount with its currency is one.
    Attribute,
    /// A class.
    Class,
    /// A list of classes, or one of them where the last step has a position.
    List,
}

/// A place that the platform reads, under the names of the other form than the one it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renamed {
    /// Steps from the declaration; a class of one attribute is two steps in the DMS form and one in JSON.
    pub(crate) steps: Vec<Step<'static>>,
    pub(crate) kind: Kind,
}

/// The place that these steps from the declaration mean in the other form; `None` where the platform reads nothing.
/// Steps below an amount (`amount`, `currency`) mean the amount.
pub(crate) fn renamed(from: Form, steps: &[Step<'_>]) -> Option<Renamed> {
    let mut search = Search { from, wanted: steps, taken: Vec::new(), kind: None, closed: false };
    if steps.is_empty() {
        return Some(Renamed { steps: Vec::new(), kind: Kind::Class });
    }
    Declaration::default().visit(&mut search);
    Some(Renamed { steps: search.taken, kind: search.kind? })
}

/// The visitor that looks for a place. It goes down where the next step leads and nowhere else.
struct Search<'s> {
    from: Form,
    wanted: &'s [Step<'s>],
    taken: Vec<Step<'static>>,
    kind: Option<Kind>,
    /// The next step was found; whatever is shown now stands beside it.
    closed: bool,
}

impl Search<'_> {
    /// Takes the step if `name` is what is wanted next. A part of a path of elements means the whole of it.
    fn take(&mut self, name: Name) -> bool {
        if self.closed {
            return false;
        }
        let spelled = self.from.spelled(name);
        let mut wanted = self.wanted.iter();
        let mut position = None;
        let mut matched: usize = 0;
        for part in spelled.split('/') {
            match wanted.next() {
                Some((step, at)) if *step == part => {
                    position = at.or(position);
                    matched = matched.saturating_add(1);
                }
                None if matched > 0 => break,
                _ => return false,
            }
        }
        self.wanted = self.wanted.get(matched..).unwrap_or_default();
        self.closed = true;
        let other = match self.from {
            Form::Json => name.dms,
            Form::DmsXml => name.json,
        };
        let parts = other.split('/');
        self.taken.extend(parts.map(|part| (part, None)));
        if let Some(last) = self.taken.last_mut() {
            last.1 = position;
        }
        true
    }

    fn attribute(&mut self, name: Name) {
        if self.take(name) && self.wanted.is_empty() {
            self.kind = Some(Kind::Attribute);
        }
    }

    fn below<T: Class>(&mut self, name: Name, kind: Kind) {
        if !self.take(name) {
            return;
        }
        if self.wanted.is_empty() {
            self.kind = Some(kind);
        } else {
            self.closed = false;
            T::default().visit(self);
            self.closed = true;
        }
    }
}

impl Visit for Search<'_> {
    fn constant(&mut self, _: Name, _: &'static str) {}

    fn sequence(&mut self, _: Name) {}

    fn text(&mut self, name: Name, _: Rule, _: &mut Option<String>) {
        self.attribute(name);
    }

    fn number(&mut self, name: Name, _: Measure, _: &mut Option<Decimal>) {
        self.attribute(name);
    }

    fn count(&mut self, name: Name, _: &mut Option<u32>) {
        self.attribute(name);
    }

    fn day(&mut self, name: Name, _: &mut Option<Date>) {
        self.attribute(name);
    }

    fn money(&mut self, name: Name, _: &mut Option<Money>) {
        if self.take(name) && self.wanted.len() <= 1 {
            self.kind = Some(Kind::Attribute);
        }
    }

    fn class<T: Class>(&mut self, name: Name, _: &mut T) {
        self.below::<T>(name, Kind::Class);
    }

    fn classes<T: Class>(&mut self, name: Name, _: usize, _: &mut Vec<T>) {
        self.below::<T>(name, Kind::List);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_one_form_is_the_same_place_of_the_other() {
        let check = |json: &[Step<'static>], dms: &[Step<'static>], kind: Kind| {
            assert_eq!(renamed(Form::Json, json), Some(Renamed { steps: dms.to_vec(), kind }));
            assert_eq!(renamed(Form::DmsXml, dms), Some(Renamed { steps: json.to_vec(), kind }));
        };
        check(&[], &[], Kind::Class);
        check(&[("exit_office", None)], &[("ExitOffice", None), ("ID", None)], Kind::Attribute);
        let (shipment, item) = (("goods_shipment", None), ("government_agency_goods_item", Some(2)));
        let (dms_shipment, dms_item) = (("GoodsShipment", None), ("GovernmentAgencyGoodsItem", Some(2)));
        check(&[shipment, item], &[dms_shipment, dms_item], Kind::List);
        check(
            &[shipment, item, ("commodity", None), ("goods_measure", None)],
            &[dms_shipment, dms_item, ("Commodity", None), ("GoodsMeasure", None)],
            Kind::Class,
        );
    }

    #[test]
    fn a_part_of_a_path_means_the_whole_and_an_amount_takes_its_parts_in() {
        let json = |steps: &[Step<'static>]| renamed(Form::DmsXml, steps).map(|renamed| renamed.steps);
        assert_eq!(json(&[("ExitOffice", None)]), Some(vec![("exit_office", None)]));
        let dms = |steps: &[Step<'static>]| renamed(Form::Json, steps).map(|renamed| renamed.steps);
        let invoice = vec![("InvoiceAmount", None)];
        assert_eq!(dms(&[("invoice_amount", None), ("currency", None)]), Some(invoice));
        assert_eq!(dms(&[("invoice_amount", None), ("currency", None), ("x", None)]), None);
        assert_eq!(dms(&[("declarant", None), ("nothing", None)]), None);
    }
}
