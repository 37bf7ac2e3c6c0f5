//! A declaration as the tree that rules look at, whichever form it came in, and places of that tree in JSON.

use jiff::civil::Date;
use rust_decimal::Decimal;
use spine::Pointer;
use spine::declaration::Declaration;
use spine::quantity::Money;
use spine::tree::{NodeId, Tree};

use super::Form;
use super::names::{Kind, Step, parse_step, renamed};
use super::shape::{Class, Measure, Name, Rule, Visit, names};

/// The declaration as a tree: the same as [`super::part_in`] gives of its DMS form, without a text between.
/// `responsible` is the country whose administration is asked, where a message named one.
#[must_use]
pub fn tree_of(declaration: &Declaration, responsible: Option<&str>) -> Tree {
    let tree = Tree::new(super::dms::ROOT);
    let mut planter = Planter { at: vec![tree.root()], tree, position: 0 };
    // A visitor may fill what it is shown; this one only looks, at a copy.
    declaration.clone().visit(&mut planter);
    let mut tree = planter.tree;
    if let Some(country) = responsible {
        tree.add(tree.root(), super::dms::RESPONSIBLE_ATTRIBUTE, country);
    }
    tree
}

/// The country that the tree of a declaration names as responsible.
#[must_use]
pub fn responsible_country(tree: &Tree) -> Option<&str> {
    let country = tree.children_named(tree.root(), super::dms::RESPONSIBLE_ATTRIBUTE).next()?;
    tree.node(country).map(|node| node.text)
}

/// Can a [`Declaration`] have something at this path of elements, as `GoodsShipment/Consignee/ID`?
#[must_use]
pub fn can_hold(path: &str) -> bool {
    let steps: Vec<Step<'_>> = path.split('/').map(|step| (step, None)).collect();
    path == names::FUNCTION_CODE.dms || renamed(Form::DmsXml, &steps).is_some()
}

/// A place of the DMS form under the names of the JSON form: `GoodsShipment[1]/Destination[1]/CountryCode[1]` is
/// `goods_shipment/destination`. Of a place that no declaration has, as much as there is of it.
#[must_use]
pub fn place_in_json(place: &Pointer) -> Pointer {
    let steps = place.0.split('/').map_while(parse_step).collect::<Vec<Step<'_>>>();
    let mut json = Pointer::root();
    let mut known = 0_usize;
    for upto in 1..=steps.len() {
        let Some(found) = steps.get(..upto).and_then(|steps| renamed(Form::DmsXml, steps)) else { break };
        let new = found.steps.get(known..).unwrap_or_default();
        known = found.steps.len();
        json = new.iter().fold(json, |place, (name, position)| {
            // Only lists are counted in JSON.
            let position = position.filter(|_| found.kind == Kind::List);
            match position.and_then(|position| usize::try_from(position).ok()) {
                Some(position) => place.item(name, position),
                None => place.child(name),
            }
        });
    }
    json
}

/// The visitor that makes nodes of what it is shown; absent values are none.
struct Planter {
    tree: Tree,
    /// The classes being shown, from the declaration on.
    at: Vec<NodeId>,
    /// Position in its list of the class being shown.
    position: usize,
}

impl Planter {
    /// Adds elements below the class being shown, the last of them with a text. A full tree gets no more of them.
    fn add(&mut self, path: &str, text: &str) -> Option<NodeId> {
        let mut parent = *self.at.last()?;
        let (above, name) = path.rsplit_once('/').map_or((None, path), |(above, name)| (Some(above), name));
        for step in above.into_iter().flat_map(|above| above.split('/')) {
            parent = self.tree.add(parent, step, "")?;
        }
        self.tree.add(parent, name, text)
    }

    /// An attribute of an element.
    fn attribute(&mut self, of: Option<NodeId>, name: &str, text: &str) {
        if let Some(of) = of {
            self.tree.add(of, name, text);
        }
    }

    fn below<T: Class>(&mut self, name: Name, class: &mut T) {
        if let Some(node) = self.add(name.dms, "") {
            self.at.push(node);
            class.visit(self);
            self.at.pop();
        }
    }
}

impl Visit for Planter {
    fn constant(&mut self, name: Name, value: &'static str) {
        self.add(name.dms, value);
    }

    fn sequence(&mut self, name: Name) {
        let position = self.position.to_string();
        self.add(name.dms, &position);
    }

    fn text(&mut self, name: Name, _: Rule, slot: &mut Option<String>) {
        if let Some(text) = slot {
            self.add(name.dms, text);
        }
    }

    fn number(&mut self, name: Name, _: Measure, slot: &mut Option<Decimal>) {
        if let Some(number) = slot {
            self.add(name.dms, &number.to_string());
        }
    }

    fn count(&mut self, name: Name, slot: &mut Option<u32>) {
        if let Some(count) = slot {
            self.add(name.dms, &count.to_string());
        }
    }

    fn day(&mut self, name: Name, slot: &mut Option<Date>) {
        if let Some(day) = slot
            && let Some(parent) = self.add(name.dms, "")
        {
            let written = self.tree.add(parent, "DateTimeString", &day.strftime("%Y%m%d").to_string());
            self.attribute(written, "@formatCode", "102");
        }
    }

    fn money(&mut self, name: Name, slot: &mut Option<Money>) {
        if let Some(Money { amount, currency }) = slot {
            let node = self.add(name.dms, &amount.to_string());
            self.attribute(node, names::CURRENCY.dms, currency.code());
        }
    }

    fn class<T: Class>(&mut self, name: Name, slot: &mut T) {
        if *slot != T::default() {
            self.below(name, slot);
        }
    }

    fn classes<T: Class>(&mut self, name: Name, _: usize, slot: &mut Vec<T>) {
        for (class, position) in slot.iter_mut().zip(1..) {
            self.position = position;
            self.below(name, class);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_the_tree_are_places_of_the_json_form() {
        let check = |dms: &str, json: &str| assert_eq!(place_in_json(&Pointer(dms.to_owned())).0, json);
        check("", "");
        check("TypeCode[1]", "type_code");
        check("ExitOffice[1]/ID[1]", "exit_office");
        check("GoodsShipment[1]/Destination[1]/CountryCode[1]", "goods_shipment/destination");
        check("AuthorisationHolder[2]/CategoryCode[1]", "authorisation_holder[2]/category_code");
        check(
            "GoodsShipment[1]/GovernmentAgencyGoodsItem[3]/Commodity[1]/GoodsMeasure[1]/NetNetWeightMeasure[1]",
            "goods_shipment/government_agency_goods_item[3]/commodity/goods_measure/net_net_weight_measure",
        );
        check("InvoiceAmount[1]/@currencyID[1]", "invoice_amount");
        check("Warehouse[1]/ID[1]", "");
    }

    #[test]
    fn what_a_declaration_can_hold_is_its_shape() {
        for (path, there) in [
            ("FunctionCode", true),
            ("GoodsShipment/GovernmentAgencyGoodsItem/GovernmentProcedure/CurrentCode", true),
            ("GoodsShipment/Destination/CountryCode", true),
            ("GoodsShipment/GovernmentAgencyGoodsItem/Destination", false),
            ("GoodsShipment/Warehouse/ID", false),
            ("AcceptanceDateTime", false),
            ("@ResponsibleCountryCode", false),
        ] {
            assert_eq!(can_hold(path), there, "{path}");
        }
    }
}
