//! Declarations of the DMS profile of the WCO Data Model 3.6 as XML: found in what was sent, and written.

use jiff::civil::Date;
use rust_decimal::Decimal;
use spine::Finding;
use spine::declaration::Declaration;
use spine::quantity::Money;
use spine::tree::{NodeId, Tree};

use super::shape::{Class, Measure, Name, Rule, Visit};
use crate::xml::{XmlBounds, XmlDocument};
use crate::xml_writer::XmlWriter;

/// Namespace of the envelope.
pub(crate) const METADATA: &str = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2";
/// Namespace of the declaration.
const DECLARATION: &str = "urn:wco:datamodel:WCO:DEC-DMS:2";
/// Namespace of the strings within dates.
const DATES: &str = "urn:wco:datamodel:WCO:Declaration_DS:DMS:2";

/// Bounds of a declaration; 999 full items need a tenth of them.
pub(crate) const BOUNDS: XmlBounds = XmlBounds {
    bytes_max: super::BYTES_MAX,
    depth_max: 32,
    nodes_max: 500_000,
    attributes_max: 64,
    namespaces_max: 64,
};

/// A declaration without an envelope.
pub(super) const ROOT: &str = "Declaration";
/// Where a declaration stands below the root of a message: alone, in its envelope, or in a request of a service.
const PLACES: [&[&str]; 3] =
    [&["Declaration"], &["MetaData", "Declaration"], &["requestDetail", "MetaData", "Declaration"]];

/// Names that lead from the root to the one declaration of a document.
pub(super) fn path_in(document: &XmlDocument) -> Option<&'static [&'static str]> {
    let tree = &document.tree;
    if tree.node(tree.root()).is_some_and(|node| node.name == ROOT) {
        return Some(&[]);
    }
    PLACES.into_iter().find(|path| tree.at_path(path).len() == 1)
}

/// Element of the envelope that names the country whose administration is asked.
const RESPONSIBLE: &str = "ResponsibleCountryCode";
/// The same as an attribute of the declaration.
pub(super) const RESPONSIBLE_ATTRIBUTE: &str = "@ResponsibleCountryCode";

/// The one declaration of a document as a tree of its own. What its envelope says of the country that is responsible
/// stands in it as its attribute, so that rules of one country need not be asked of messages to another.
pub(super) fn part_in(document: &XmlDocument) -> Option<Tree> {
    let (tree, base) = (&document.tree, path_in(document)?);
    let mut part = tree.below(*tree.at_path(base).first()?)?;
    if let Some((_, envelope)) = base.split_last() {
        let beside: Vec<&str> = envelope.iter().copied().chain([RESPONSIBLE]).collect();
        if let [country] = tree.at_path(&beside).as_slice() {
            part.add(part.root(), RESPONSIBLE_ATTRIBUTE, tree.text(*country));
        }
    }
    Some(part)
}

/// The declaration in a document, and what is odd about the document. The error says why there is none.
pub(crate) fn locate(document: &XmlDocument) -> Result<(NodeId, Option<Finding>), Finding> {
    let tree = &document.tree;
    let root = tree.root();
    let is_root = tree.node(root).is_some_and(|node| node.name == ROOT);
    let found: Vec<NodeId> = if is_root {
        vec![root]
    } else {
        PLACES.iter().map(|path| tree.at_path(path)).find(|found| !found.is_empty()).unwrap_or_default()
    };
    match found.as_slice() {
        [] => Err(Finding::error("declaration_not_found")
            .found(tree.node(root).map_or("", |node| node.name))
            .expected("MetaData with a Declaration in it (WCO DMS 3.6)")
            .fix("Send the declaration in its envelope, MetaData.")),
        [one] => {
            let known = document.namespaces.iter().any(|namespace| namespace == DECLARATION);
            let odd = (!known).then(|| {
                Finding::warning("namespace_unexpected")
                    .found(document.namespaces.first().map_or("", String::as_str))
                    .expected(format!("Declaration in the namespace {DECLARATION}"))
                    .fix("State the namespace; the declaration is read by the names of its elements.")
            });
            Ok((*one, odd))
        }
        many => Err(Finding::error("declarations_several")
            .found(&many.len().to_string())
            .expected("one declaration in a message")
            .fix("Send every declaration on its own.")),
    }
}

/// Writes a declaration in its envelope.
pub(super) fn write(declaration: &Declaration) -> String {
    let mut writer = Writer { xml: XmlWriter::new(), position: 0 };
    let namespaces = format!(" xmlns:md=\"{METADATA}\" xmlns=\"{DECLARATION}\" xmlns:ds=\"{DATES}\"");
    writer.xml.open_with("md:MetaData", &namespaces);
    writer.xml.line("md:WCODataModelVersionCode", "", "3.6");
    writer.xml.line("md:WCOTypeName", "", "DEC");
    writer.xml.open("Declaration");
    // A visitor may fill what it is shown; this one only looks, at a copy.
    declaration.clone().visit(&mut writer);
    writer.xml.close("Declaration");
    writer.xml.close("md:MetaData");
    writer.xml.finish()
}

/// The visitor that writes what it is shown; absent values are no elements.
struct Writer {
    xml: XmlWriter,
    /// Position in its list of the class being written.
    position: usize,
}

impl Visit for Writer {
    fn constant(&mut self, name: Name, value: &'static str) {
        self.xml.line(name.dms, "", value);
    }

    fn sequence(&mut self, name: Name) {
        self.xml.line(name.dms, "", &self.position.to_string());
    }

    fn text(&mut self, name: Name, _: Rule, slot: &mut Option<String>) {
        if let Some(text) = slot {
            self.xml.at_path(name.dms, text);
        }
    }

    fn number(&mut self, name: Name, _: Measure, slot: &mut Option<Decimal>) {
        if let Some(number) = slot {
            self.xml.line(name.dms, "", &number.to_string());
        }
    }

    fn count(&mut self, name: Name, slot: &mut Option<u32>) {
        if let Some(count) = slot {
            self.xml.line(name.dms, "", &count.to_string());
        }
    }

    fn day(&mut self, name: Name, slot: &mut Option<Date>) {
        if let Some(day) = slot {
            self.xml.open(name.dms);
            self.xml.line("ds:DateTimeString", " formatCode=\"102\"", &day.strftime("%Y%m%d").to_string());
            self.xml.close(name.dms);
        }
    }

    fn money(&mut self, name: Name, slot: &mut Option<Money>) {
        if let Some(Money { amount, currency }) = slot {
            let attribute = format!(" currencyID=\"{}\"", currency.code());
            self.xml.line(name.dms, &attribute, &amount.to_string());
        }
    }

    fn class<T: Class>(&mut self, name: Name, slot: &mut T) {
        if *slot != T::default() {
            self.xml.open(name.dms);
            slot.visit(self);
            self.xml.close(name.dms);
        }
    }

    fn classes<T: Class>(&mut self, name: Name, _: usize, slot: &mut Vec<T>) {
        for (class, position) in slot.iter_mut().zip(1..) {
            self.xml.open(name.dms);
            self.position = position;
            class.visit(self);
            self.xml.close(name.dms);
        }
    }
}
