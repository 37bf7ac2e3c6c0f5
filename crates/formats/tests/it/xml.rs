//! Messages as trees: what becomes of each part of XML, and what is refused before it costs anything.

use formats::{XmlBounds, XmlDocument, read_xml};
use spine::tree::{NodeId, Tree};

use crate::support::assert_helpful;

fn read(bytes: &[u8]) -> XmlDocument {
    read_xml(bytes, XmlBounds::default()).unwrap_or_else(|finding| panic!("{finding}"))
}

/// The tree on one line: `a(b="1" c(d="2"))`.
fn outline(tree: &Tree, id: NodeId) -> String {
    let node = tree.node(id).unwrap();
    let text = if node.text.is_empty() { String::new() } else { format!("={:?}", node.text) };
    let children: Vec<String> = tree.children(id).map(|child| outline(tree, child)).collect();
    if children.is_empty() {
        format!("{}{text}", node.name)
    } else {
        format!("{}{text}({})", node.name, children.join(" "))
    }
}

/// Document | tree
const TREES: [(&str, &str); 9] = [
    ("<a/>", "a"),
    ("<a> 1 </a>", "a=\"1\""),
    ("<a><b>1</b><b>2</b><c/></a>", "a(b=\"1\" b=\"2\" c)"),
    ("<x:a xmlns:x='urn:1'><x:b>1</x:b></x:a>", "a(b=\"1\")"),
    ("<a><v currencyID='EUR'>5</v></a>", "a(v=\"5\"(@currencyID=\"EUR\"))"),
    ("<a xmlns:xsi='urn:xsi' xsi:schemaLocation='here' xml:lang='en'>1</a>", "a=\"1\""),
    ("<a>1<!-- one -->2<?p i?><![CDATA[<3>]]></a>", "a=\"12<3>\""),
    ("<a>Caf&#233; &amp; Co &lt;1&gt;</a>", "a=\"Café & Co <1>\""),
    ("<!-- head --><?xml-stylesheet href='x'?>\n<a>\n  <b>\n 1\n </b>\n</a>\n<!-- end -->", "a(b=\"1\")"),
];

#[test]
fn elements_texts_and_attributes_become_nodes() {
    for (text, expected) in TREES {
        let document = read(text.as_bytes());
        assert_eq!(outline(&document.tree, document.tree.root()), expected);
        assert_eq!(document.findings, []);
    }
}

#[test]
fn namespaces_are_told_and_text_between_elements_is_warned_of() {
    let text = "<MetaData xmlns='urn:1'><Declaration xmlns='urn:2'>or <ID>1</ID><ID>2</ID></Declaration>\
                <Declaration xmlns='urn:2'/></MetaData>";
    let document = read(text.as_bytes());
    assert_eq!(document.namespaces, ["urn:1", "urn:2"]);
    let [finding] = document.findings.as_slice() else { panic!("{:?}", document.findings) };
    assert_eq!(
        (finding.code.as_str(), finding.pointer.0.as_str(), finding.found.as_str()),
        ("xml_text_between_elements", "Declaration[1]", "or")
    );
    assert_eq!(document.tree.pointer(NodeId(3)).0, "Declaration[1]/ID[2]");
}

#[test]
fn encodings_by_mark_declaration_and_shape() {
    let declared = |name: &str| format!("<?xml version=\"1.0\" encoding='{name}'?><a>Zürich 象</a>");
    let utf_16 = |text: &str, mark: bool, little: bool| -> Vec<u8> {
        let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if little { u16::to_le_bytes(unit) } else { u16::to_be_bytes(unit) }).collect()
    };
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (declared("UTF-8").into_bytes(), "UTF-8"),
        ([b"\xEF\xBB\xBF", declared("utf-8").as_bytes()].concat(), "UTF-8"),
        (b"<a>Z\xC3\xBCrich \xE8\xB1\xA1</a>".to_vec(), "UTF-8"),
        (utf_16(&declared("UTF-16"), true, true), "UTF-16LE"),
        (utf_16(&declared("UTF-16"), true, false), "UTF-16BE"),
        (utf_16(&declared("UTF-16"), false, true), "UTF-16LE"),
        (utf_16(&declared("UTF-16"), false, false), "UTF-16BE"),
        (encoding_rs::GB18030.encode(&declared("GB18030")).0.into_owned(), "gb18030"),
        // A program that writes bytes and calls them UTF-16.
        (declared("UTF-16").into_bytes(), "UTF-8"),
    ];
    for (bytes, encoding) in cases {
        let document = read(&bytes);
        assert_eq!(document.encoding, encoding);
        assert_eq!(outline(&document.tree, document.tree.root()), "a=\"Zürich 象\"");
    }
    let latin = read(b"<?xml version='1.0' encoding='iso-8859-1'?><a>Z\xFCrich \x80</a>");
    assert_eq!(outline(&latin.tree, latin.tree.root()), "a=\"Zürich €\"");
}

/// Document | code | place
const REFUSED: [(&[u8], &str, &str); 17] = [
    (b"", "file_empty", ""),
    (b"ISA*00*", "xml_not_well_formed", "line[1]/column[1]"),
    (b"<a>\n <b>1</c>\n</a>", "xml_not_well_formed", "line[2]/column[6]"),
    (b"<a>\n <b>1", "xml_not_well_formed", "line[2]/column[6]"),
    (b"<a/>\nheaders=List()", "xml_not_well_formed", "line[2]/column[1]"),
    (b"<a/><b/>", "xml_not_well_formed", "line[1]/column[5]"),
    (b"<a x='1' x='2'/>", "xml_not_well_formed", "line[1]/column[10]"),
    (b"<x:a/>", "xml_not_well_formed", "line[1]/column[2]"),
    (b"<a>&nbsp;</a>", "xml_not_well_formed", "line[1]/column[4]"),
    (b"<a>\x01</a>", "xml_not_well_formed", "line[1]/column[4]"),
    (b"<a>Z\xFCrich</a>", "xml_encoding_broken", "line[1]/column[5]"),
    (b"<?xml version='1.0' encoding='klingon'?><a/>", "xml_encoding_unknown", "line[1]"),
    (b"<?xml version='1.0' encoding='gb18030'?><a>\xFF\xFF</a>", "xml_encoding_broken", ""),
    (
        b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "xml_document_type",
        "line[1]/column[1]",
    ),
    (b"<!DOCTYPE a>\n<a/>", "xml_document_type", "line[1]/column[1]"),
    (
        b"<?xml version='1.0'?>\n<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><l>&b;</l>",
        "xml_document_type",
        "line[2]/column[1]",
    ),
    (b"<a>\n<!ELEMENT b ANY></a>", "xml_document_type", "line[2]/column[1]"),
];

#[test]
fn what_is_no_message_is_refused_with_its_place() {
    for (bytes, code, place) in REFUSED {
        let finding = read_xml(bytes, XmlBounds::default()).unwrap_err();
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!((finding.code.as_str(), finding.pointer.0.as_str()), (code, place), "{shown}: {finding}");
        assert_helpful(&finding);
    }
}

#[test]
fn what_would_cost_more_than_its_bytes_is_refused_before_it_is_parsed() {
    let bounds = XmlBounds { bytes_max: 1_000_000, nodes_max: 10_000, ..XmlBounds::default() };
    let nest = |tag: &dyn Fn(usize) -> String, depth: usize| -> String {
        (0..depth).map(tag).chain((0..depth).map(|_| "</a>".to_owned())).collect()
    };
    let cases = [
        ("xml_too_large", format!("<a>{}</a>", " ".repeat(1_000_000))),
        ("xml_too_deep", nest(&|_| "<a>".to_owned(), 100_000)),
        ("xml_too_many_nodes", format!("<a>{}</a>", "<b/>".repeat(10_001))),
        ("xml_too_many_nodes", format!("<a>{}</a>", "<b c='' d=''/>".repeat(4_000))),
        (
            "xml_too_many_attributes",
            format!("<a {}/>", (0..65).map(|n| format!("x{n}='' ")).collect::<String>()),
        ),
        ("xml_too_many_namespaces", nest(&|n| format!("<a xmlns:n{n}='urn:{n}'>"), 65)),
    ];
    for (code, text) in cases {
        let finding = read_xml(text.as_bytes(), bounds).unwrap_err();
        assert_eq!(finding.code, code);
        assert_helpful(&finding);
    }
}

#[test]
fn what_is_just_within_the_bounds_is_read() {
    let bounds = XmlBounds { depth_max: 3, nodes_max: 4, attributes_max: 1, ..XmlBounds::default() };
    let text = "<a><b><c x='1'/></b><!-- <d><d><d><d> --><![CDATA[<d><d>]]></a>";
    assert_eq!(read_xml(text.as_bytes(), bounds).unwrap().tree.len(), 4);
    // A tag's end within a quoted value ends nothing.
    let quoted = "<a><b x='/>'><c/></b></a>";
    assert_eq!(read_xml(quoted.as_bytes(), bounds).unwrap().tree.len(), 4);
}
