//! The tree is that of RFC 6962: the same roots and proofs as another implementation, and nothing false is proven.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use journal::log::LogError;
use journal::log::tree::{
    Frontier, Subtrees, TreeHash, consistency_proof, inclusion_proof, leaf_hash, root_of, root_of_size,
    verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use sha2::Sha256;

/// All leaves in memory; subtrees are computed anew each time.
struct Plain(Vec<TreeHash>);

impl Subtrees for Plain {
    fn subtree(&mut self, level: u32, index: u64) -> Result<TreeHash, LogError> {
        let start = usize::try_from(index << level).unwrap();
        Ok(root_of(&self.0[start..start + (1 << level)]))
    }
}

fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("entry {number}").into_bytes()).collect()
}

fn plain(entries: &[Vec<u8>]) -> Plain {
    Plain(entries.iter().map(|entry| leaf_hash(entry)).collect())
}

fn oracle(entries: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    entries.iter().cloned().for_each(|entry| tree.push(entry));
    tree
}

fn bytes_of(path: &[TreeHash]) -> Vec<u8> {
    path.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

#[test]
fn roots_are_those_of_the_published_test_vectors() {
    // Leaves and roots of the reference implementation of Certificate Transparency.
    let leaves: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let check = |size: usize, root: &str| {
        let hashes: Vec<_> = leaves[..size].iter().map(|leaf| leaf_hash(leaf)).collect();
        assert_eq!(hex::encode(root_of(&hashes).as_bytes()), root, "{size} leaves");
    };
    check(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    check(2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    check(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
    check(4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
    check(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

#[test]
fn every_root_and_proof_of_small_trees_is_that_of_another_implementation() {
    let all = entries(70);
    let mut frontier = Frontier::new();
    for size in 1..=70_u64 {
        let some = &all[..usize::try_from(size).unwrap()];
        frontier.push(leaf_hash(some.last().unwrap()));
        let (mut ours, theirs) = (plain(some), oracle(some));
        let root = root_of_size(&mut ours, size).unwrap();
        assert_eq!(root.as_bytes(), theirs.root().as_bytes().as_slice());
        assert_eq!(frontier.root(), root);
        for index in 0..size {
            let path = inclusion_proof(&mut ours, index, size).unwrap();
            let expected = theirs.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(bytes_of(&path), expected.as_bytes(), "entry {index} of {size}");
            let leaf = leaf_hash(&some[usize::try_from(index).unwrap()]);
            verify_inclusion(leaf, index, size, root, &path).unwrap();
        }
        for old in 1..=size {
            let path = consistency_proof(&mut ours, old, size).unwrap();
            if old < size {
                let added = usize::try_from(size - old).unwrap();
                assert_eq!(bytes_of(&path), theirs.prove_consistency(added).as_bytes(), "{old} to {size}");
            }
            let old_root = root_of_size(&mut ours, old).unwrap();
            verify_consistency(old, old_root, size, root, &path).unwrap();
        }
    }
}

#[test]
fn the_empty_tree_is_the_beginning_of_every_tree_and_has_one_root() {
    let empty = TreeHash::of_empty_tree();
    let mut ours = plain(&entries(5));
    let root = root_of_size(&mut ours, 5).unwrap();
    assert_eq!(consistency_proof(&mut ours, 0, 5).unwrap(), []);
    verify_consistency(0, empty, 5, root, &[]).unwrap();
    verify_consistency(0, empty, 0, empty, &[]).unwrap();
    for (old, old_root, new, new_root, path) in
        [(0, root, 5, root, vec![]), (0, empty, 0, root, vec![]), (0, empty, 5, root, vec![root])]
    {
        assert_eq!(
            verify_consistency(old, old_root, new, new_root, &path).unwrap_err().code(),
            "log_not_proven"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_larger_tree_agrees_with_another_implementation_and_no_altered_proof_holds(
        size in 1_u64..700,
        index in any::<prop::sample::Index>(),
        old in any::<prop::sample::Index>(),
        spoiled in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let all = entries(size);
        let (mut ours, theirs) = (plain(&all), oracle(&all));
        let root = root_of_size(&mut ours, size).unwrap();
        prop_assert_eq!(root.as_bytes().to_vec(), theirs.root().as_bytes().to_vec());
        let place = index.index(all.len());
        let index = u64::try_from(place).unwrap();
        let mut path = inclusion_proof(&mut ours, index, size).unwrap();
        prop_assert_eq!(bytes_of(&path), theirs.prove_inclusion(place).as_bytes().to_vec());
        let leaf = leaf_hash(&all[place]);
        prop_assert!(verify_inclusion(leaf, index, size, root, &path).is_ok());
        prop_assert!(verify_inclusion(leaf_hash(b"another"), index, size, root, &path).is_err());
        prop_assert!(verify_inclusion(leaf, index + 1, size, root, &path).is_err());
        prop_assert!(verify_inclusion(leaf, index, size, TreeHash::of_empty_tree(), &path).is_err());
        let old = u64::try_from(old.index(all.len())).unwrap() + 1;
        let old_root = root_of_size(&mut ours, old).unwrap();
        let mut growth = consistency_proof(&mut ours, old, size).unwrap();
        prop_assert!(verify_consistency(old, old_root, size, root, &growth).is_ok());
        prop_assert!(verify_consistency(old, leaf, size, root, &growth).is_err() || old_root == leaf);
        for proof in [&mut path, &mut growth] {
            let mut longer = proof.clone();
            longer.push(root);
            prop_assert!(verify_inclusion(leaf, index, size, root, &longer).is_err());
            prop_assert!(verify_consistency(old, old_root, size, root, &longer).is_err());
            if !proof.is_empty() {
                let place = spoiled.index(proof.len());
                let mut bytes = *proof[place].as_bytes();
                bytes[usize::from(bit) * 4] ^= 1 << bit;
                proof[place] = TreeHash::new(bytes);
            }
        }
        prop_assert!(path.is_empty() || verify_inclusion(leaf, index, size, root, &path).is_err());
        prop_assert!(growth.is_empty() || verify_consistency(old, old_root, size, root, &growth).is_err());
    }

    #[test]
    fn no_proof_makes_a_verifier_panic(
        sizes in (any::<u64>(), any::<u64>(), any::<u64>()),
        path in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let path: Vec<_> = path.into_iter().map(TreeHash::new).collect();
        let root = TreeHash::of_empty_tree();
        prop_assert!(verify_inclusion(root, sizes.0, sizes.1, root, &path).is_err());
        let _ = verify_consistency(sizes.0, root, sizes.1, root, &path);
        let mut frontier = Frontier::new();
        for level in [sizes.0 % 70, sizes.1 % 70, sizes.2 % 70] {
            let before = frontier.clone();
            let added = frontier.push_subtree(u32::try_from(level).unwrap(), root);
            prop_assert!(added || frontier == before);
        }
    }
}
