//! The Merkle tree of RFC 6962, section 2.1 (the same tree as RFC 9162, section 2.1, with SHA-256): hashes of leaves
//! and nodes, the right edge of a growing tree, and proofs made and verified.
//!
//! Nothing here knows files: whoever makes a proof hands in a [`Subtrees`], which tells the hashes of complete
//! subtrees. Verifying needs the proof alone.

mod frontier;
mod hash;
mod proofs;

pub use frontier::Frontier;
pub(crate) use hash::parents;
pub use hash::{TREE_SIZE_MAX, TreeHash, leaf_hash, node_hash, root_of};
pub use proofs::{
    PROOF_HASHES_MAX, Subtrees, consistency_proof, inclusion_proof, root_from_inclusion, root_of_size,
    verify_consistency, verify_inclusion,
};
