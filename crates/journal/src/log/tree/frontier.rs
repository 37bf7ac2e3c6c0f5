//! The right edge of a growing tree: all that is needed to go on and to tell the root.

use super::hash::{TREE_SIZE_MAX, TreeHash, node_hash};

/// Roots of the complete subtrees that a tree of some size consists of, the largest first: one for each 1 in the binary
/// form of the size, so at most 63.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<TreeHash>,
}

impl Frontier {
    /// The edge of the empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: TreeHash) {
        // A leaf always fits: it is the smallest complete subtree.
        let fits = self.push_subtree(0, leaf);
        debug_assert!(fits, "a tree has at most {TREE_SIZE_MAX} leaves");
    }

    /// Adds a complete subtree of 2^`level` leaves. False, and nothing is added, where one cannot stand: the size
    /// must be a multiple of its leaves.
    pub fn push_subtree(&mut self, level: u32, root: TreeHash) -> bool {
        let Some(leaves) = 1_u64.checked_shl(level) else { return false };
        let Some(size) = self.size.checked_add(leaves).filter(|size| *size <= TREE_SIZE_MAX) else {
            return false;
        };
        if self.size.trailing_zeros() < level {
            return false;
        }
        let mut merged = root;
        // Every 1 directly above the new leaves in the old size is a peak that now gets its right sibling.
        for _ in 0..(self.size >> level).trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            merged = node_hash(&left, &merged);
        }
        self.peaks.push(merged);
        self.size = size;
        debug_assert_eq!(self.peaks.len(), usize::try_from(size.count_ones()).unwrap_or_default());
        true
    }

    /// The root of the tree as it stands.
    #[must_use]
    pub fn root(&self) -> TreeHash {
        fold_peaks(&self.peaks).unwrap_or_else(TreeHash::of_empty_tree)
    }
}

/// The root over complete subtrees of falling size.
pub(super) fn fold_peaks(peaks: &[TreeHash]) -> Option<TreeHash> {
    let (last, larger) = peaks.split_last()?;
    Some(larger.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}
