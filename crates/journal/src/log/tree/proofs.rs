//! Proofs that an entry is in a tree, and that one tree is the beginning of another (RFC 6962, sections 2.1.1 and
//! 2.1.2), and the algorithms that verify them (RFC 9162, sections 2.1.3.2 and 2.1.4.2).

use super::frontier::fold_peaks;
use super::hash::{TREE_SIZE_MAX, TreeHash, node_hash};
use crate::log::error::LogError;

/// Most hashes of a proof: one a level of the tree, and one more for consistency.
pub const PROOF_HASHES_MAX: usize = 64;

/// Tells the hashes of complete subtrees of a tree.
pub trait Subtrees {
    /// The root of the complete subtree over the leaves from `index << level` to `(index + 1) << level`.
    ///
    /// # Errors
    /// Says which stored hash is missing or damaged.
    fn subtree(&mut self, level: u32, index: u64) -> Result<TreeHash, LogError>;
}

/// The root of the tree of `size` leaves.
///
/// # Errors
/// What the source says.
pub fn root_of_size(source: &mut dyn Subtrees, size: u64) -> Result<TreeHash, LogError> {
    if size == 0 { Ok(TreeHash::of_empty_tree()) } else { range_root(source, 0, size) }
}

/// The path from the leaf `index` to the root of the tree of `size` leaves: the leaf's sibling first.
///
/// # Errors
/// An index beyond the size is refused; otherwise what the source says.
pub fn inclusion_proof(source: &mut dyn Subtrees, index: u64, size: u64) -> Result<Vec<TreeHash>, LogError> {
    if index >= size || size > TREE_SIZE_MAX {
        return Err(LogError::not_proven(INCLUSION, format!("entry {index} is not in a tree of {size}")));
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while let Some(middle) = split(start, end) {
        if index < middle {
            path.push(range_root(source, middle, end)?);
            end = middle;
        } else {
            path.push(range_root(source, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `old_size` leaves is the beginning of that of `new_size`. It is empty if the sizes are
/// the same or the old tree is empty.
///
/// # Errors
/// A tree that shrinks is refused; otherwise what the source says.
pub fn consistency_proof(
    source: &mut dyn Subtrees,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<TreeHash>, LogError> {
    if old_size > new_size || new_size > TREE_SIZE_MAX {
        return Err(LogError::not_proven(CONSISTENCY, format!("{old_size} is more than {new_size}")));
    }
    let mut path = Vec::new();
    if old_size == 0 || old_size == new_size {
        return Ok(path);
    }
    let (mut start, mut end) = (0, new_size);
    while old_size != end
        && let Some(middle) = split(start, end)
    {
        if old_size <= middle {
            path.push(range_root(source, middle, end)?);
            end = middle;
        } else {
            path.push(range_root(source, start, middle)?);
            start = middle;
        }
    }
    // Where the old tree is one complete subtree from the first leaf on, its root is known to the verifier.
    if start != 0 {
        path.push(range_root(source, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// The root that an inclusion proof leads to; none if the proof has the wrong length for index and size.
#[must_use]
pub fn root_from_inclusion(leaf: TreeHash, index: u64, size: u64, path: &[TreeHash]) -> Option<TreeHash> {
    if index >= size {
        return None;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut root = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if place % 2 == 1 || place == last {
            root = node_hash(sibling, &root);
            skip_levels_without_sibling(&mut place, &mut last);
        } else {
            root = node_hash(&root, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// Checks that the leaf with this hash is the entry `index` of the tree with `size` leaves and this root.
///
/// # Errors
/// [`LogError::NotProven`].
pub fn verify_inclusion(
    leaf: TreeHash,
    index: u64,
    size: u64,
    root: TreeHash,
    path: &[TreeHash],
) -> Result<(), LogError> {
    let refused = |reason: String| Err(LogError::not_proven(INCLUSION, reason));
    match root_from_inclusion(leaf, index, size, path) {
        Some(found) if found == root => Ok(()),
        Some(found) => {
            refused(format!("entry {index} of {size} leads to the root {found} instead of {root}"))
        }
        None => refused(format!("{} hashes are not a path from entry {index} of {size}", path.len())),
    }
}

/// Checks that the tree with `new_size` leaves and `new_root` begins with the tree with `old_size` leaves and
/// `old_root`.
///
/// # Errors
/// [`LogError::NotProven`].
pub fn verify_consistency(
    old_size: u64,
    old_root: TreeHash,
    new_size: u64,
    new_root: TreeHash,
    path: &[TreeHash],
) -> Result<(), LogError> {
    let refused = |reason: String| Err(LogError::not_proven(CONSISTENCY, reason));
    if old_size > new_size {
        return refused(format!("a tree of {old_size} leaves cannot become one of {new_size}"));
    }
    if old_size == 0 && old_root != TreeHash::of_empty_tree() {
        return refused(format!("the root of no leaves is not {old_root}"));
    }
    if old_size == 0 || old_size == new_size {
        let same = old_size < new_size || old_root == new_root;
        return match (same, path.is_empty()) {
            (true, true) => Ok(()),
            (false, _) => refused(format!("{old_size} leaves have the roots {old_root} and {new_root}")),
            (_, false) => refused("hashes where none are needed".to_owned()),
        };
    }
    match roots_from_consistency(old_size, old_root, new_size, path) {
        Some((old, new)) if old == old_root && new == new_root => Ok(()),
        Some((old, new)) => {
            refused(format!("it leads from {old} to {new} instead of {old_root} to {new_root}"))
        }
        None => refused(format!("{} hashes do not lead from {old_size} to {new_size}", path.len())),
    }
}

/// Both roots that the proof leads to, for 0 < `old_size` < `new_size`.
fn roots_from_consistency(
    old_size: u64,
    old_root: TreeHash,
    new_size: u64,
    path: &[TreeHash],
) -> Option<(TreeHash, TreeHash)> {
    let (mut place, mut last) = (old_size.checked_sub(1)?, new_size.checked_sub(1)?);
    while place % 2 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (first, rest) = if old_size.is_power_of_two() {
        (old_root, path)
    } else {
        path.split_first().map(|(a, b)| (*a, b))?
    };
    let (mut old, mut new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return None;
        }
        if place % 2 == 1 || place == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            skip_levels_without_sibling(&mut place, &mut last);
        } else {
            new = node_hash(&new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old, new))
}

/// On the right edge a subtree moves up, without a sibling, to where it is a right child.
fn skip_levels_without_sibling(place: &mut u64, last: &mut u64) {
    while place.is_multiple_of(2) && *place != 0 {
        *place >>= 1;
        *last >>= 1;
    }
}

/// Where RFC 6962 splits the leaves from `start` to `end`: at the largest power of two below their number.
fn split(start: u64, end: u64) -> Option<u64> {
    let leaves = end.checked_sub(start)?;
    if leaves < 2 {
        return None;
    }
    start.checked_add(1 << (leaves - 1).ilog2())
}

/// The root over the leaves from `start` to `end`, a range of a tree's own splits: `start` is a multiple of every
/// power of two up to the number of leaves.
fn range_root(source: &mut dyn Subtrees, start: u64, end: u64) -> Result<TreeHash, LogError> {
    let leaves = end.saturating_sub(start);
    let mut peaks = Vec::new();
    let mut at = start;
    for level in (0..u64::BITS).rev().filter(|level| (leaves >> level) % 2 == 1) {
        debug_assert_eq!(at % (1 << level), 0, "a complete subtree begins at a multiple of its size");
        peaks.push(source.subtree(level, at >> level)?);
        at = at.saturating_add(1 << level);
    }
    Ok(fold_peaks(&peaks).unwrap_or_else(TreeHash::of_empty_tree))
}

const INCLUSION: &str = "the inclusion proof";
const CONSISTENCY: &str = "the consistency proof";
