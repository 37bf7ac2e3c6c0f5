//! Another reader of XML beside ours: the same tree of every document that is well-formed, and no tree of any other.

use std::collections::HashMap;

use formats::{XmlBounds, read_xml};
use proptest::prelude::*;
use roxmltree::{Document, Node, NodeType, ParsingOptions};
use spine::tree::{NodeId, Tree};

/// What the other reader makes of it: tree and namespaces, as `formats::xml` says what becomes of each part.
fn theirs(text: &str) -> Option<(Tree, Vec<String>)> {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).ok()?;
    let root = document.root_element();
    let mut tree = Tree::new(root.tag_name().name());
    let mut namespaces: Vec<String> = Vec::new();
    let mut places: HashMap<roxmltree::NodeId, NodeId> = HashMap::new();
    for node in root.descendants().filter(Node::is_element) {
        let place = match node.parent_element() {
            Some(parent) => tree.add(*places.get(&parent.id()).unwrap(), node.tag_name().name(), "").unwrap(),
            None => tree.root(),
        };
        let namespace = node.tag_name().namespace().unwrap_or_default();
        if !namespace.is_empty() && !namespaces.iter().any(|known| known == namespace) {
            namespaces.push(namespace.to_owned());
        }
        for attribute in node.attributes().filter(|attribute| attribute.namespace().is_none()) {
            tree.add(place, &format!("@{}", attribute.name()), attribute.value()).unwrap();
        }
        let texts = node.children().filter(|child| child.node_type() == NodeType::Text);
        tree.set_text(place, &texts.filter_map(|child| child.text()).collect::<String>());
        places.insert(node.id(), place);
    }
    Some((tree, namespaces))
}

/// Rules of XML 1.0 that the other reader does not hold everybody to.
const LAX: [&str; 4] = [
    "a name begins with a letter and has one colon at the most",
    "a processing instruction has a name",
    "the XML declaration stands at the very beginning",
    "an XML declaration of version 1.0",
];

/// Names and texts of a tree. The other reader sometimes leaves the end of a line as it is where references stand in the
/// same text: there, every end of a line is taken for the same.
fn plain(tree: &Tree, text: &str) -> Vec<(String, Option<NodeId>, String)> {
    let lax = text.contains('\r') && text.contains('&');
    let nodes = (0..u32::try_from(tree.len()).unwrap()).map(|id| tree.node(NodeId(id)).unwrap());
    let own = |text: &str| if lax { text.replace('\r', "\n").trim().to_owned() } else { text.to_owned() };
    nodes.map(|node| (node.name.to_owned(), node.parent, own(node.text))).collect()
}

fn check(text: &str) {
    let ours = read_xml(text.as_bytes(), XmlBounds::default());
    match (ours, theirs(text)) {
        (Ok(ours), Some((tree, namespaces))) => {
            assert_eq!(plain(&ours.tree, text), plain(&tree, text), "{text}");
            assert_eq!(ours.namespaces, namespaces, "{text}");
            let mixed = (0..u32::try_from(tree.len()).unwrap()).map(NodeId).find(|id| {
                let elements =
                    tree.children(*id).any(|child| !tree.node(child).unwrap().name.starts_with('@'));
                elements && !tree.text(*id).is_empty()
            });
            let told = ours.findings.first().map(|finding| finding.pointer.clone());
            assert_eq!(told, mixed.map(|id| tree.pointer(id)), "{text}");
        }
        (Err(finding), theirs) => {
            assert!(finding.code.starts_with("xml_") || text.is_empty(), "{text}: {finding}");
            let alone = theirs.is_some() && !LAX.iter().any(|rule| finding.expected.contains(rule));
            assert!(!alone, "only we refuse it: {text}: {finding}");
        }
        (Ok(_), None) => panic!("only we read it: {text}"),
    }
}

/// Content of an element, some of it with elements within.
fn content() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just(" \n ".to_owned()),
        Just("\r\n".to_owned()),
        Just("a\rb".to_owned()),
        Just("&#13;&#x41;&lt;".to_owned()),
        Just("<![CDATA[<1>]] ]]>".to_owned()),
        Just("<!-- - -->".to_owned()),
        Just("<?p <x>?>".to_owned()),
        "[ a-z]{0,9}",
        "\\PC{0,6}".prop_map(|text| text.replace(['<', '&'], "").replace("]]>", "")),
    ];
    let attributes = prop_oneof![
        4 => Just(String::new()),
        1 => Just(" c='1'".to_owned()),
        1 => Just(" c=\"&#10;x&amp;\" d = ' a\tb\r\n'".to_owned()),
        1 => Just(" xmlns='urn:1'".to_owned()),
        1 => Just(" xmlns='' xml:lang='en'".to_owned()),
        1 => Just(" xmlns:p='urn:2' p:c='1' c='2'".to_owned()),
        1 => Just(" xmlns:q='urn:3' xmlns:p='urn:2' q:c='>' p:c='/>'".to_owned()),
    ];
    let name = prop_oneof![
        "[abc]",
        Just("ID".to_owned()),
        Just("p:a".to_owned()),
        Just("q:b".to_owned()),
        Just("é-1".to_owned())
    ];
    text.prop_recursive(4, 40, 6, move |inner| {
        (name.clone(), attributes.clone(), proptest::collection::vec(inner, 0..6)).prop_map(
            |(name, attributes, inner)| match inner.concat() {
                inner if inner.is_empty() => format!("<{name}{attributes}/>"),
                inner => format!("<{name}{attributes}\n>{inner}</{name} >"),
            },
        )
    })
}

/// A document with the prefixes of its names bound, here and there.
fn document() -> impl Strategy<Value = String> {
    let head =
        prop_oneof![Just(""), Just("<?xml version=\"1.0\" standalone='yes'?>\n<!-- -->"), Just("\n<?p?>"),];
    let bound = prop_oneof![4 => Just(" xmlns:p='urn:p' xmlns:q='urn:1'"), 1 => Just(" xmlns:p='urn:p'")];
    (head, bound, proptest::collection::vec(content(), 0..8))
        .prop_map(|(head, bound, inner)| format!("{head}<r{bound}>{}</r>\n<!---->", inner.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn both_make_the_same_tree_of_a_document(text in document()) {
        check(&text);
    }

    #[test]
    fn both_refuse_a_document_that_was_broken(text in document(), at in any::<prop::sample::Index>(), with in "[<>&;/='\" a!\\]\\[-]{0,2}") {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        let mut broken = text.clone();
        broken.insert_str(at, &with);
        check(&broken);
        let rest: String = text[at..].chars().skip(1).collect();
        check(&format!("{}{with}{rest}", &text[..at]));
        check(&text[..at]);
    }

    #[test]
    fn both_say_the_same_of_any_markup(
        text in "(<a>|</a>|<b x='1'>|</b>|<c/>|text|&amp;|&#65;|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?p|\\?>|<\\?xml|\"|>){0,12}",
    ) {
        check(&text);
        check(&format!("<r>{text}</r>"));
    }
}
