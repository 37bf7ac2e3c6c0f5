//! Nodes of a document that a part of a rule comes to, in document order.

use spine::tree::{Named, NodeId};

/// None, one or several; a list is made only where they are no children of one node.
#[derive(Debug, Clone)]
pub(crate) enum Nodes<'a> {
    One(NodeId),
    /// Children of one node that have one name.
    Children(Named<'a>),
    Many(Vec<NodeId>),
}

impl<'a> Nodes<'a> {
    pub(crate) fn none() -> Self {
        Self::Many(Vec::new())
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Children(children) => children.len(),
            Self::Many(nodes) => nodes.len(),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The node, if it is exactly one.
    #[inline]
    pub(crate) fn only(&self) -> Option<NodeId> {
        match self {
            Self::One(node) => Some(*node),
            Self::Children(children) if children.len() == 1 => children.clone().next(),
            Self::Children(_) => None,
            Self::Many(nodes) => match nodes.as_slice() {
                [node] => Some(*node),
                _ => None,
            },
        }
    }
}

impl<'a> IntoIterator for Nodes<'a> {
    type Item = NodeId;
    type IntoIter = NodesIter<'a>;

    fn into_iter(self) -> NodesIter<'a> {
        match self {
            Self::One(node) => NodesIter::One(Some(node).into_iter()),
            Self::Children(children) => NodesIter::Children(children),
            Self::Many(nodes) => NodesIter::Many(nodes.into_iter()),
        }
    }
}

/// Nodes one after the other.
#[derive(Debug)]
pub(crate) enum NodesIter<'a> {
    One(std::option::IntoIter<NodeId>),
    Children(Named<'a>),
    Many(std::vec::IntoIter<NodeId>),
}

impl Iterator for NodesIter<'_> {
    type Item = NodeId;

    #[inline]
    fn next(&mut self) -> Option<NodeId> {
        match self {
            Self::One(node) => node.next(),
            Self::Children(children) => children.next(),
            Self::Many(nodes) => nodes.next(),
        }
    }
}
