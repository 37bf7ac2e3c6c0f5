//! A document as a tree of named nodes: what rules look at, whatever format the bytes had.
//!
//! The tree is an arena: nodes stand in document order, so a node's id is its position and its parent
//! always has a smaller one. Every node knows its pointer (`GOOITEGDS[2]/TRACONCE2[1]`). Names are kept once, as
//! numbers; texts stand one behind the other in one place.

use std::collections::BTreeMap;

use crate::finding::Pointer;
use crate::name_table::{NameNumber, NameTable};

/// Position of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// One node as it is seen: a name, its own text, its place among its parent's children of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node<'t> {
    /// Local name, without namespace prefix.
    pub name: &'t str,
    /// The node's own text with surrounding white space removed; empty for a node with children only.
    pub text: &'t str,
    /// Parent; only the root has none.
    pub parent: Option<NodeId>,
    /// Position from 1 among the siblings of the same name.
    pub position: u32,
}

/// Stands for no node.
const NONE: u32 = u32::MAX;

/// Children of one node with so many different names are listed in [`Tree::wide`].
const HEADS_MAX: u32 = 24;

/// One node as it is kept. The first child of each name is a head: heads of one parent are a chain, so that a name is
/// found without a look at all children.
#[derive(Debug, Clone, Copy)]
struct Entry {
    name: NameNumber,
    parent: u32,
    position: u32,
    /// Place of the text.
    text_from: u32,
    text_to: u32,
    first_child: u32,
    last_child: u32,
    next_sibling: u32,
    next_of_name: u32,
    /// Of a head: the last sibling of its name.
    last_of_name: u32,
    /// Of a head: the next one.
    next_head: u32,
    /// The last head among the children, and how many there are.
    last_head: u32,
    heads: u32,
    /// A bit for each name that a child has, numbers beyond 63 beginning again at 0.
    names_below: u64,
}

impl Entry {
    fn new(name: NameNumber, parent: u32) -> Self {
        Self {
            name,
            parent,
            position: 1,
            text_from: 0,
            text_to: 0,
            first_child: NONE,
            last_child: NONE,
            next_sibling: NONE,
            next_of_name: NONE,
            last_of_name: NONE,
            next_head: NONE,
            last_head: NONE,
            heads: 0,
            names_below: 0,
        }
    }
}

/// A document as an arena of nodes; never empty once built by [`Tree::new`].
#[derive(Debug, Clone)]
pub struct Tree {
    entries: Vec<Entry>,
    names: NameTable,
    texts: String,
    /// Heads of nodes whose children have many names, by parent and name: a document of a million names costs what one
    /// of a few does.
    wide: BTreeMap<(u32, NameNumber), u32>,
    /// What stands below a node stands right behind it.
    in_order: bool,
}

impl Tree {
    /// More nodes than this are refused by every reader.
    pub const NODES_MAX: usize = 2_000_000;

    /// A tree of one root.
    #[must_use]
    pub fn new(root_name: &str) -> Self {
        let mut names = NameTable::default();
        // The first name of a table has room.
        let name = names.number(root_name).unwrap_or(NameNumber(0));
        Self {
            entries: vec![Entry::new(name, NONE)],
            names,
            texts: String::new(),
            wide: BTreeMap::new(),
            in_order: true,
        }
    }

    /// Makes room for so many nodes and so many bytes of text, if they are not too many.
    pub fn reserve(&mut self, nodes: usize, text_bytes: usize) {
        self.entries.reserve(nodes.min(Self::NODES_MAX));
        self.texts.reserve(text_bytes);
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never true; here because `len` is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The node, if `id` belongs to this tree.
    #[inline]
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<Node<'_>> {
        let entry = self.entry(id.0)?;
        Some(Node {
            name: self.names.name(entry.name),
            text: self.text_of(entry),
            parent: self.id(entry.parent),
            position: entry.position,
        })
    }

    /// The node's own text; empty for an id of another tree.
    #[inline]
    #[must_use]
    pub fn text(&self, id: NodeId) -> &str {
        self.entry(id.0).map_or("", |entry| self.text_of(entry))
    }

    /// The node's parent, which only the root lacks.
    #[inline]
    #[must_use]
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.id(self.entry(id.0)?.parent)
    }

    /// The names of all nodes.
    #[must_use]
    pub fn names(&self) -> &NameTable {
        &self.names
    }

    /// The number of a name, known from now on, for [`Tree::add_numbered`]; `None` if there is no room for it.
    pub fn number_of(&mut self, name: &str) -> Option<NameNumber> {
        self.names.number(name)
    }

    /// Adds a child; `None` if the parent is unknown or the tree is full.
    pub fn add(&mut self, parent: NodeId, name: &str, text: &str) -> Option<NodeId> {
        let name = self.names.number(name)?;
        let id = self.add_numbered(parent, name)?;
        self.set_text(id, text);
        Some(id)
    }

    /// The same with the number of its name, and without a text.
    pub fn add_numbered(&mut self, parent: NodeId, name: NameNumber) -> Option<NodeId> {
        if self.entries.len() >= Self::NODES_MAX {
            return None;
        }
        let id = u32::try_from(self.entries.len()).ok()?;
        self.in_order = self.in_order && self.is_open(parent.0);
        let head = self.head(parent.0, name);
        let mut entry = Entry::new(name, parent.0);
        let above = self.entry_mut(parent.0)?;
        let (last_child, last_head) = (above.last_child, above.last_head);
        above.last_child = id;
        if last_child == NONE {
            above.first_child = id;
        }
        if head == NONE {
            above.last_head = id;
            above.heads = above.heads.saturating_add(1);
            above.names_below |= bit(name);
            let heads = above.heads;
            entry.last_of_name = id;
            if let Some(before) = self.entry_mut(last_head) {
                before.next_head = id;
            }
            self.remember_wide(parent.0, heads, name, id);
        } else {
            let last =
                self.entry_mut(head).map_or(NONE, |head| std::mem::replace(&mut head.last_of_name, id));
            if let Some(last) = self.entry_mut(last) {
                last.next_of_name = id;
                entry.position = last.position.saturating_add(1);
            }
        }
        if let Some(before) = self.entry_mut(last_child) {
            before.next_sibling = id;
        }
        self.entries.push(entry);
        Some(NodeId(id))
    }

    /// Is a node the last one, or above it?
    fn is_open(&self, id: u32) -> bool {
        let mut current = u32::try_from(self.entries.len().saturating_sub(1)).unwrap_or(NONE);
        while current > id
            && let Some(entry) = self.entry(current)
        {
            current = entry.parent;
        }
        current == id
    }

    /// Lists a new head where its parent has many.
    fn remember_wide(&mut self, parent: u32, heads: u32, name: NameNumber, id: u32) {
        if heads <= HEADS_MAX {
            return;
        }
        if heads == HEADS_MAX.saturating_add(1) {
            let mut head = self.entry(parent).map_or(NONE, |entry| entry.first_child);
            while head != id
                && let Some(entry) = self.entry(head).copied()
            {
                self.wide.insert((parent, entry.name), head);
                head = entry.next_head;
            }
        }
        self.wide.insert((parent, name), id);
    }

    /// The first child of a name.
    #[inline]
    fn head(&self, parent: u32, name: NameNumber) -> u32 {
        let Some(above) = self.entry(parent) else { return NONE };
        if above.names_below & bit(name) == 0 {
            return NONE;
        }
        if above.heads > HEADS_MAX {
            return self.wide.get(&(parent, name)).copied().unwrap_or(NONE);
        }
        let mut head = above.first_child;
        while let Some(entry) = self.entry(head) {
            if entry.name == name {
                return head;
            }
            head = entry.next_head;
        }
        NONE
    }

    /// Replaces a node's own text.
    pub fn set_text(&mut self, id: NodeId, text: &str) {
        let text = text.trim();
        let from = u32::try_from(self.texts.len());
        let to = u32::try_from(self.texts.len().saturating_add(text.len()));
        // Readers refuse documents long before their texts have more than four thousand million bytes.
        let (Ok(text_from), Ok(text_to)) = (from, to) else { return };
        if let Some(at) = usize::try_from(id.0).ok()
            && let Some(entry) = self.entries.get_mut(at)
        {
            (entry.text_from, entry.text_to) = (text_from, text_to);
            self.texts.push_str(text);
        }
    }

    /// Children in document order.
    #[must_use]
    pub fn children(&self, id: NodeId) -> Children<'_> {
        Children { tree: self, next: self.entry(id.0).map_or(NONE, |entry| entry.first_child) }
    }

    /// Children called `name`, in document order; found without a look at the others.
    #[inline]
    #[must_use]
    pub fn children_named(&self, id: NodeId, name: &str) -> Named<'_> {
        self.names.find(name).map_or_else(|| self.no_children(), |name| self.children_numbered(id, name))
    }

    /// The same by the number of the name.
    #[inline]
    #[must_use]
    pub fn children_numbered(&self, id: NodeId, name: NameNumber) -> Named<'_> {
        let next = self.head(id.0, name);
        let last = self.entry(next).and_then(|head| self.entry(head.last_of_name));
        Named { tree: self, next, left: last.map_or(0, |last| last.position) }
    }

    /// An empty list of children.
    #[inline]
    #[must_use]
    pub fn no_children(&self) -> Named<'_> {
        Named { tree: self, next: NONE, left: 0 }
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
        let top = *self.entry(id.0)?;
        if self.in_order && self.wide.is_empty() {
            return self.part(id.0, self.end_of(id.0));
        }
        let mut copy = Self::new(self.names.name(top.name));
        copy.set_text(copy.root(), self.text_of(&top));
        let mut open: Vec<(NodeId, NodeId)> = Vec::new();
        let mut next = self.children(id).map(|child| (child, copy.root())).collect::<Vec<_>>();
        open.extend(next.drain(..).rev());
        // The last one put down is the next in document order.
        while let Some((from, parent)) = open.pop() {
            let own = self.node(from)?;
            let to = copy.add(parent, own.name, own.text)?;
            next.extend(self.children(from).map(|child| (child, to)));
            open.extend(next.drain(..).rev());
        }
        Some(copy)
    }

    /// The id behind the last node below this one, in a tree whose nodes stand in document order.
    fn end_of(&self, id: u32) -> u32 {
        let mut current = id;
        while let Some(entry) = self.entry(current) {
            if entry.next_sibling != NONE {
                return entry.next_sibling;
            }
            current = entry.parent;
        }
        u32::try_from(self.entries.len()).unwrap_or(NONE)
    }

    /// The nodes from one to another as they are, ids counted from the first.
    fn part(&self, from: u32, to: u32) -> Option<Self> {
        let range = usize::try_from(from).ok()?..usize::try_from(to).ok()?;
        let moved = |id: u32| if id == NONE { NONE } else { id.saturating_sub(from) };
        let mut entries = Vec::with_capacity(range.len());
        entries.extend(self.entries.get(range)?.iter().map(|entry| Entry {
            parent: moved(entry.parent),
            first_child: moved(entry.first_child),
            last_child: moved(entry.last_child),
            next_sibling: moved(entry.next_sibling),
            next_of_name: moved(entry.next_of_name),
            last_of_name: moved(entry.last_of_name),
            next_head: moved(entry.next_head),
            last_head: moved(entry.last_head),
            ..*entry
        }));
        let root = entries.first_mut()?;
        *root = Entry {
            parent: NONE,
            position: 1,
            next_sibling: NONE,
            next_of_name: NONE,
            last_of_name: NONE,
            next_head: NONE,
            ..*root
        };
        let (names, texts) = (self.names.clone(), self.texts.clone());
        Some(Self { entries, names, texts, wide: BTreeMap::new(), in_order: true })
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

    #[inline]
    fn entry(&self, id: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(id).ok()?)
    }

    #[inline]
    fn entry_mut(&mut self, id: u32) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(id).ok()?)
    }

    #[inline]
    fn id(&self, id: u32) -> Option<NodeId> {
        (id != NONE).then_some(NodeId(id))
    }

    #[inline]
    fn text_of(&self, entry: &Entry) -> &str {
        let at = |byte: u32| usize::try_from(byte).unwrap_or(usize::MAX);
        self.texts.get(at(entry.text_from)..at(entry.text_to)).unwrap_or_default()
    }
}

/// Equal are trees with equal nodes, however their names came to their numbers.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        let ids = (0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)).map(NodeId);
        self.len() == other.len() && ids.into_iter().all(|id| self.node(id) == other.node(id))
    }
}

impl Eq for Tree {}

#[inline]
fn bit(name: NameNumber) -> u64 {
    1 << (name.0 % u64::BITS)
}

/// Children of a node.
#[derive(Debug, Clone, Copy)]
pub struct Children<'t> {
    tree: &'t Tree,
    next: u32,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    #[inline]
    fn next(&mut self) -> Option<NodeId> {
        let entry = self.tree.entry(self.next)?;
        Some(NodeId(std::mem::replace(&mut self.next, entry.next_sibling)))
    }
}

/// Children of a node that have one name.
#[derive(Debug, Clone, Copy)]
pub struct Named<'t> {
    tree: &'t Tree,
    next: u32,
    left: u32,
}

impl Iterator for Named<'_> {
    type Item = NodeId;

    #[inline]
    fn next(&mut self) -> Option<NodeId> {
        let entry = self.tree.entry(self.next)?;
        self.left = self.left.saturating_sub(1);
        Some(NodeId(std::mem::replace(&mut self.next, entry.next_of_name)))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Named<'_> {}

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
        assert_eq!(tree.text(number), "2");
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
        assert_eq!((part.text(part.root()), part.len()), ("second", 5));
        let told: Vec<_> = part
            .at_path(&["Item", "Number"])
            .into_iter()
            .map(|id| (part.pointer(id).0, part.node(id).unwrap().text.to_string()))
            .collect();
        let expected = [("Item[1]/Number[1]", "1"), ("Item[2]/Number[1]", "2")];
        assert_eq!(told, expected.map(|(place, text)| (place.to_owned(), text.to_owned())));
        assert_eq!(tree.below(NodeId(99)), None);
    }

    /// A tree by the plainest means: parent, name, text of every node.
    struct Plain(Vec<(usize, String, String)>);

    impl Plain {
        fn children(&self, of: usize, name: Option<&str>) -> Vec<usize> {
            let all = self.0.iter().enumerate().skip(1);
            let own =
                all.filter(|(_, (parent, own, _))| *parent == of && name.is_none_or(|name| name == own));
            own.map(|(at, _)| at).collect()
        }

        /// Depth first, as a tree of its own.
        fn below(&self, top: usize) -> Tree {
            let mut tree = Tree::new(&self.0[top].1);
            tree.set_text(tree.root(), &self.0[top].2);
            let mut open: Vec<(usize, NodeId)> =
                self.children(top, None).into_iter().rev().map(|child| (child, tree.root())).collect();
            while let Some((at, parent)) = open.pop() {
                let id = tree.add(parent, &self.0[at].1, &self.0[at].2).unwrap();
                open.extend(self.children(at, None).into_iter().rev().map(|child| (child, id)));
            }
            tree
        }
    }

    fn check(adds: &[(usize, usize)], by_depth: bool) {
        let mut plain = Plain(vec![(0, "n0".to_owned(), String::new())]);
        let mut tree = Tree::new("n0");
        let mut path = vec![0];
        for (above, name) in adds {
            // Document order: below the last node, or below one that it stands in.
            let parent = if by_depth {
                path.truncate(path.len() - above % path.len());
                *path.last().unwrap()
            } else {
                above % plain.0.len()
            };
            let (name, text) = (format!("n{name}"), format!("t{}", plain.0.len()));
            let id = tree.add(NodeId(u32::try_from(parent).unwrap()), &name, &text).unwrap();
            path.push(plain.0.len());
            assert_eq!(usize::try_from(id.0).unwrap(), plain.0.len());
            plain.0.push((parent, name, text));
        }
        let ids = |ids: Vec<usize>| -> Vec<NodeId> {
            ids.into_iter().map(|id| NodeId(u32::try_from(id).unwrap())).collect()
        };
        for (at, (parent, name, text)) in plain.0.iter().enumerate() {
            let id = NodeId(u32::try_from(at).unwrap());
            let node = tree.node(id).unwrap();
            assert_eq!((node.name, node.text), (name.as_str(), text.as_str()));
            assert_eq!(node.parent, (at > 0).then(|| NodeId(u32::try_from(*parent).unwrap())));
            assert_eq!(tree.children(id).collect::<Vec<_>>(), ids(plain.children(at, None)));
            for wanted in 0..40 {
                let wanted = format!("n{wanted}");
                let found = tree.children_named(id, &wanted);
                let expected = ids(plain.children(at, Some(&wanted)));
                assert_eq!(found.len(), expected.len());
                for (position, child) in (1..).zip(&expected) {
                    assert_eq!(tree.node(*child).unwrap().position, position);
                }
                assert_eq!(found.collect::<Vec<_>>(), expected);
            }
            let part = tree.below(id).unwrap();
            assert_eq!(part, plain.below(at));
            assert_eq!(part.pointer(part.root()), Pointer::root());
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 60, ..Default::default() })]

        #[test]
        fn a_tree_is_what_was_added_whatever_the_order(
            adds in proptest::collection::vec((0..50_usize, 0..40_usize), 0..80),
            few in proptest::collection::vec((0..4_usize, 0..4_usize), 0..40),
            by_depth: bool,
        ) {
            check(&adds, by_depth);
            check(&few, by_depth);
        }
    }

    #[test]
    fn many_names_below_one_node_are_found_as_few_are() {
        let adds: Vec<(usize, usize)> = (0..90).map(|number| (0, number % 37)).collect();
        check(&adds, false);
    }
}
