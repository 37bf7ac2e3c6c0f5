//! Hashes of leaves and nodes (RFC 6962, section 2.1).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Most leaves of a tree: what every implementation can count (Go's counts are signed).
pub const TREE_SIZE_MAX: u64 = u64::MAX >> 1;

/// Told apart from [`NODE_PREFIX`], so that no node can be passed off as a leaf.
const LEAF_PREFIX: [u8; 1] = [0x00];
const NODE_PREFIX: [u8; 1] = [0x01];

/// SHA-256 of a leaf, a node or a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TreeHash([u8; Self::BYTES]);

impl TreeHash {
    /// Bytes of a hash.
    pub const BYTES: usize = 32;

    /// The hash of these 32 bytes' value.
    #[must_use]
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The root of a tree without leaves: SHA-256 of nothing.
    #[must_use]
    pub fn of_empty_tree() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The hash in exactly 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Standard base64 with padding (RFC 4648, section 4): 44 characters.
    #[must_use]
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads [`TreeHash::to_base64`], and nothing that only resembles it.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        if text.len() != 44 {
            return None;
        }
        Self::from_slice(&STANDARD.decode(text).ok()?)
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_base64())
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_base64())
    }
}

/// The hash of an entry as a leaf.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> TreeHash {
    TreeHash(Sha256::new().chain_update(LEAF_PREFIX).chain_update(entry).finalize().into())
}

/// The hash of the node over two subtrees.
#[must_use]
pub fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    let hash = Sha256::new().chain_update(NODE_PREFIX).chain_update(left.0).chain_update(right.0);
    TreeHash(hash.finalize().into())
}

/// The hashes one level up: of every complete pair; an odd last one has no parent yet.
pub(crate) fn parents(level: &[TreeHash]) -> Vec<TreeHash> {
    let (pairs, _) = level.as_chunks::<2>();
    pairs.iter().map(|[left, right]| node_hash(left, right)).collect()
}

/// The root over these hashes as leaves; for none, that of the empty tree.
#[must_use]
pub fn root_of(leaves: &[TreeHash]) -> TreeHash {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        let odd = (level.len() % 2 == 1).then(|| level.last().copied()).flatten();
        level = parents(&level);
        // Without a sibling a subtree moves up as it is: the split of RFC 6962 falls on powers of two.
        level.extend(odd);
    }
    level.first().copied().unwrap_or_else(TreeHash::of_empty_tree)
}
