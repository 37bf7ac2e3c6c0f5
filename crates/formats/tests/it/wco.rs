//! Pointers of the WCO Data Model against the schema that names its classes and attributes.

use std::fs;

use formats::wco::{of_place, place_of};
use formats::{XmlBounds, read_xml};
use spine::Pointer;
use spine::tree::{NodeId, Tree};

use crate::support::cases;

/// A schema as a tree, and how many classes and attributes were compared.
struct Walk {
    schema: Tree,
    classes: u32,
    attributes: u32,
}

impl Walk {
    fn attribute(&self, node: NodeId, name: &str) -> Option<&str> {
        let child = self.schema.children_named(node, name).next()?;
        self.schema.node(child).map(|node| node.text)
    }

    /// The identifier in an element's annotation.
    fn identifier(&self, element: NodeId) -> Option<&str> {
        let annotations = self.schema.children_named(element, "annotation");
        let documentations = annotations.flat_map(|id| self.schema.children_named(id, "documentation"));
        let mut identifiers = documentations.flat_map(|id| self.schema.children_named(id, "WCOID"));
        self.schema.node(identifiers.next()?).map(|node| node.text)
    }

    /// Elements of a content model, whatever groups they stand in.
    fn elements(&self, model: NodeId, found: &mut Vec<NodeId>) {
        for child in self.schema.children(model) {
            match self.schema.node(child).unwrap().name {
                "element" => found.push(child),
                "sequence" | "choice" | "complexContent" | "extension" => self.elements(child, found),
                _ => {}
            }
        }
    }

    fn walk(&mut self, element: NodeId, place: &Pointer, above: &str) {
        let mut children = Vec::new();
        let named = self.attribute(element, "@type").map(str::to_owned);
        let types = self.schema.at_path(&["complexType"]);
        let by_name =
            types.into_iter().find(|id| named.is_some() && self.attribute(*id, "@name") == named.as_deref());
        let own = self.schema.children_named(element, "complexType").next();
        if let Some(model) = own.or(by_name) {
            self.elements(model, &mut children);
        }
        let pointer = of_place(place).unwrap_or_else(|| panic!("{place}")).to_string();
        let identifier = self.identifier(element).map(str::to_owned);
        if children.is_empty() {
            self.attributes += 1;
            // The schema has no identifier for what kind of code a classification is.
            let tag = identifier.as_deref().unwrap_or("337");
            assert_eq!(pointer, format!("{above}#{tag}"), "{place}");
        } else {
            self.classes += 1;
            let section = pointer.rsplit('/').next().unwrap().split('[').next();
            assert_eq!(section, identifier.as_deref(), "{place}");
        }
        assert_eq!(place_of(&of_place(place).unwrap()).as_ref(), Some(place), "{pointer}");
        for child in children {
            let name = self.attribute(child, "@name").unwrap().to_owned();
            let many = self.attribute(child, "@maxOccurs").is_some_and(|most| most != "1");
            let place = if many { place.item(&name, 3) } else { place.child(&name) };
            self.walk(child, &place, &pointer);
        }
    }
}

#[test]
fn every_class_and_attribute_of_the_schema_has_the_identifier_of_its_annotation() {
    let Some(folder) = cases("messages/cds-wco-dms/xsd") else {
        println!("skipped: identifiers of the schema (set TIDEWAITER_CASES to the folder of external data)");
        return;
    };
    let schema = fs::read(folder.join("wco/declaration/WCO_DEC_2_DMS.xsd")).unwrap();
    let schema = read_xml(&schema, XmlBounds::default()).unwrap().tree;
    let root = schema.at_path(&["element"]).remove(0);
    let mut walk = Walk { schema, classes: 0, attributes: 0 };
    walk.walk(root, &Pointer::root(), "");
    println!(
        "{} classes and {} attributes have the identifiers of the schema",
        walk.classes, walk.attributes
    );
    assert!(walk.classes > 100 && walk.attributes > 300);
}
