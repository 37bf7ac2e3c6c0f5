//! Who sees everything, forgets nothing, and computes for itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::log::error::LogError;
use crate::log::note::Checkpoint;
use crate::log::tree::{Subtrees, TreeHash, consistency_proof, leaf_hash, root_of, verify_consistency};

/// What is known of one node's log, from outside.
#[derive(Debug, Default)]
pub(super) struct Observer {
    /// Every event that was recorded, in order, as it was recorded first.
    leaves: Vec<TreeHash>,
    /// Roots of the checkpoints that somebody saw.
    seen: BTreeMap<u64, TreeHash>,
    /// What clients were told is recorded.
    pub(super) acknowledged: BTreeSet<u64>,
    /// Entries of the largest checkpoint that was published.
    pub(super) published: u64,
    /// Entries of the largest checkpoint that the witness answered for, and the latest time in its answers.
    pub(super) cosigned: u64,
    pub(super) cosigned_at: u64,
}

impl Observer {
    pub(super) fn recorded(&mut self, entry: &[u8]) {
        self.leaves.push(leaf_hash(entry));
    }

    pub(super) fn head(&self) -> u64 {
        u64::try_from(self.leaves.len()).unwrap_or(u64::MAX)
    }

    /// Takes note of a checkpoint that somebody could see.
    pub(super) fn saw(&mut self, checkpoint: &Checkpoint) -> Result<(), String> {
        let Checkpoint { size, root, .. } = checkpoint;
        if self.seen.get(size) == Some(root) {
            return Ok(());
        }
        let known = usize::try_from(*size).ok().and_then(|size| self.leaves.get(..size));
        let Some(leaves) = known else {
            return Err(format!("a checkpoint of {size} entries, but only {} were recorded", self.head()));
        };
        let expected = root_of(leaves);
        if *root != expected {
            return Err(format!("the log forked: {size} entries have the root {root} instead of {expected}"));
        }
        self.seen.insert(*size, *root);
        Ok(())
    }

    /// Proves that all checkpoints that were seen continue each other.
    pub(super) fn prove_consistency(&self) -> Result<(), String> {
        let mut leaves = Leaves(&self.leaves);
        for ((old, old_root), (new, new_root)) in self.seen.iter().zip(self.seen.iter().skip(1)) {
            consistency_proof(&mut leaves, *old, *new)
                .and_then(|path| verify_consistency(*old, *old_root, *new, *new_root, &path))
                .map_err(|error| format!("checkpoints of {old} and {new} entries contradict: {error}"))?;
        }
        Ok(())
    }
}

/// A tree over leaves in memory.
struct Leaves<'a>(&'a [TreeHash]);

impl Subtrees for Leaves<'_> {
    fn subtree(&mut self, level: u32, index: u64) -> Result<TreeHash, LogError> {
        let width = 1_u64 << level;
        let place = |index: u64| usize::try_from(index.saturating_mul(width)).unwrap_or(usize::MAX);
        let leaves = self.0.get(place(index)..place(index.saturating_add(1)));
        leaves.map(root_of).ok_or_else(|| LogError::not_proven("a tree", "it has no such subtree"))
    }
}
