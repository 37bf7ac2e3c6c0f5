//! Any bytes as a message: refused with a reason, or a tree whose nodes all have places.
#![no_main]

use formats::{XmlBounds, read_xml};
use libfuzzer_sys::fuzz_target;
use spine::tree::NodeId;

fuzz_target!(|bytes: &[u8]| {
    match read_xml(bytes, XmlBounds::default()) {
        Ok(document) => {
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
