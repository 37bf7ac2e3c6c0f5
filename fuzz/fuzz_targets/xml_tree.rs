//! Any bytes as a message: refused with a reason, or a tree whose nodes all have places, and whose texts and names another
//! reader of XML finds too.
#![no_main]

use formats::{XmlBounds, XmlText};
use libfuzzer_sys::fuzz_target;
use spine::tree::{NodeId, Tree};

/// Elements with their names and texts, as another reader has them.
fn compare(text: &str, tree: &Tree) {
    let options = roxmltree::ParsingOptions { allow_dtd: false, ..roxmltree::ParsingOptions::default() };
    let document = match roxmltree::Document::parse_with_options(text, options) {
        Ok(document) => document,
        Err(error) => panic!("another reader refuses it: {error}"),
    };
    let nodes = (0..tree.len()).map(|at| tree.node(NodeId(u32::try_from(at).expect("bounded"))).expect("there"));
    let mut ours = nodes.filter(|node| !node.name.starts_with('@'));
    for theirs in document.root_element().descendants().filter(roxmltree::Node::is_element) {
        let own = ours.next().expect("as many elements");
        assert_eq!(own.name, theirs.tag_name().name());
        // The other reader sometimes leaves the end of a line as it is where references stand in the same text.
        if !(text.contains('\r') && text.contains('&')) {
            let texts = theirs.children().filter(|child| child.node_type() == roxmltree::NodeType::Text);
            assert_eq!(own.text, texts.filter_map(|text| text.text()).collect::<String>().trim());
        }
    }
    assert!(ours.next().is_none());
}

fuzz_target!(|bytes: &[u8]| {
    let text = XmlText::decode(bytes, XmlBounds::default());
    match text.as_ref().map_err(Clone::clone).and_then(|text| text.read(&mut ())) {
        Ok(document) => {
            if let Ok(text) = &text {
                compare(text.as_str(), &document.tree);
            }
            for at in 0..document.tree.len() {
                let id = NodeId(u32::try_from(at).expect("bounded"));
                let node = document.tree.node(id).expect("nodes are numbered without gaps");
                assert_eq!(node.parent.is_none(), at == 0);
                assert!(node.parent.is_none_or(|parent| parent < id));
                let found = node.parent.map(|parent| document.tree.children_named(parent, node.name).any(|c| c == id));
                assert!(found.unwrap_or(true));
            }
        }
        Err(finding) => assert!(!finding.code.is_empty() && !finding.how_to_fix.is_empty()),
    }
});
