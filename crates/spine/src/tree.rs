//! A document as a tree of named nodes: what rules look at, whatever format the bytes had.
//!
//! The tree is an arena: nodes stand in document order, so a node's id is its position and its parent
//! always has a smaller one. Every node knows its pointer (`GOOITEGDS[2]/TRACONCE2[1]`).

use std::collections::BTreeMap;

use crate::finding::Pointer;

/// Position of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// One node: a name, its own text, its place among its parent's children of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Local name, without namespace prefix.
    pub name: Box<str>,
    /// The node's own text with surrounding white space removed; empty for a node with children only.
    pub text: Box<str>,
    /// Parent; only the root has none.
    pub parent: Option<NodeId>,
    /// Position from 1 among the siblings of the same name.
    pub position: u32,
    /// Children in document order.
    pub children: Vec<NodeId>,
}

/// A document as an arena of nodes; never empty once built by [`Tree::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    nodes: Vec<Node>,
    /// Every name once, numbered as it came.
    names: BTreeMap<Box<str>, u32>,
    /// A node's children of each name, so that a rule finds `HEAHEA` beside a thousand items at once, and adding the
    /// millionth sibling costs what the first did.
    named: BTreeMap<(NodeId, u32), Vec<NodeId>>,
}

impl Tree {
    /// More nodes than this are refused by every reader.
    pub const NODES_MAX: usize = 2_000_000;

    /// A tree of one root.
    #[must_use]
    pub fn new(root_name: &str) -> Self {
        Self {
            nodes: vec![Node {
                name: root_name.into(),
                text: "".into(),
                parent: None,
                position: 1,
                children: Vec::new(),
            }],
            names: BTreeMap::new(),
            named: BTreeMap::new(),
        }
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true; here because `len` is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node, if `id` belongs to this tree.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(id.0).ok()?)
    }

    /// Adds a child; `None` if the parent is unknown or the tree is full.
    pub fn add(&mut self, parent: NodeId, name: &str, text: &str) -> Option<NodeId> {
        if self.nodes.len() >= Self::NODES_MAX {
            return None;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).ok()?);
        self.nodes.get_mut(usize::try_from(parent.0).ok()?)?.children.push(id);
        let number = match self.names.get(name) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.names.len()).ok()?;
                self.names.insert(name.into(), number);
                number
            }
        };
        let siblings = self.named.entry((parent, number)).or_default();
        siblings.push(id);
        let position = u32::try_from(siblings.len()).ok()?;
        self.nodes.push(Node {
            name: name.into(),
            text: text.trim().into(),
            parent: Some(parent),
            position,
            children: Vec::new(),
        });
        Some(id)
    }

    /// Replaces a node's own text.
    pub fn set_text(&mut self, id: NodeId, text: &str) {
        if let Some(node) = usize::try_from(id.0).ok().and_then(|at| self.nodes.get_mut(at)) {
            node.text = text.trim().into();
        }
    }

    /// Children called `name`, in document order; found without a look at the others.
    pub fn children_named(&self, id: NodeId, name: &str) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        let children = self.names.get(name).and_then(|number| self.named.get(&(id, *number)));
        children.map_or(&[][..], Vec::as_slice).iter().copied()
    }

    /// Every node under the root reached by the names of `path`, in document order.
    #[must_use]
    pub fn at_path(&self, path: &[&str]) -> Vec<NodeId> {
        let mut reached = vec![self.root()];
        for name in path {
            reached = reached.iter().flat_map(|id| self.children_named(*id, name)).collect();
        }
        reached
    }

    /// A copy of what stands at a node and below it, as a tree of its own: its pointers count from there.
    #[must_use]
    pub fn below(&self, id: NodeId) -> Option<Self> {
        let top = self.node(id)?;
        let mut copy = Self::new(&top.name);
        copy.set_text(copy.root(), &top.text);
        let mut open: Vec<(NodeId, NodeId)> =
            top.children.iter().rev().map(|child| (*child, copy.root())).collect();
        // The last one put down is the next in document order.
        while let Some((from, parent)) = open.pop() {
            let own = self.node(from)?;
            let to = copy.add(parent, &own.name, &own.text)?;
            open.extend(own.children.iter().rev().map(|child| (*child, to)));
        }
        Some(copy)
    }

    /// The node's place below the root, each step with its position: `GOOITEGDS[2]/TRACONCE2[1]`.
    #[must_use]
    pub fn pointer(&self, id: NodeId) -> Pointer {
        let mut steps = Vec::new();
        let mut current = self.node(id);
        while let Some(node) = current {
            let Some(parent) = node.parent else { break };
            steps.push(format!("{}[{}]", node.name, node.position));
            current = self.node(parent);
        }
        steps.reverse();
        Pointer(steps.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_names_every_step_with_its_position() {
        let mut tree = Tree::new("CC315A");
        let first = tree.add(tree.root(), "GOOITEGDS", "").unwrap();
        let second = tree.add(tree.root(), "GOOITEGDS", "").unwrap();
        tree.add(first, "IteNumGDS7", "1").unwrap();
        let number = tree.add(second, "IteNumGDS7", " 2 ").unwrap();
        assert_eq!(tree.pointer(number).0, "GOOITEGDS[2]/IteNumGDS7[1]");
        assert_eq!(&*tree.node(number).unwrap().text, "2");
        assert_eq!(tree.at_path(&["GOOITEGDS", "IteNumGDS7"]).len(), 2);
    }

    #[test]
    fn a_part_of_a_tree_is_a_tree_with_places_of_its_own() {
        let mut tree = Tree::new("MetaData");
        tree.add(tree.root(), "Declaration", "first").unwrap();
        let second = tree.add(tree.root(), "Declaration", "second").unwrap();
        for number in ["1", "2"] {
            let item = tree.add(second, "Item", "").unwrap();
            tree.add(item, "Number", number).unwrap();
        }
        let part = tree.below(second).unwrap();
        assert_eq!((&*part.node(part.root()).unwrap().text, part.len()), ("second", 5));
        let told: Vec<_> = part
            .at_path(&["Item", "Number"])
            .into_iter()
            .map(|id| (part.pointer(id).0, part.node(id).unwrap().text.to_string()))
            .collect();
        let expected = [("Item[1]/Number[1]", "1"), ("Item[2]/Number[1]", "2")];
        assert_eq!(told, expected.map(|(place, text)| (place.to_owned(), text.to_owned())));
        assert_eq!(tree.below(NodeId(99)), None);
    }
}
