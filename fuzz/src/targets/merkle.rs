// SPDX-License-Identifier: Apache-2.0
//! Inclusion proofs.

use std::collections::BTreeMap;

use ambisign_sigstore::log::{merkle, tiles};

use super::super::bend::Choices;

/// Inclusion proofs: the root is that of the tree, computed leaf by leaf, and tiles give the same
/// proof; another proof gives another root.
pub fn merkle(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let size = choices.below(4096) + 1;
    let index = choices.below(size);
    let leaves: Vec<_> = (0..size).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
    let (mut proof, root) = naive(index, &leaves);
    let (at, of) = (number(index), number(size));
    assert_eq!(merkle::root(leaves[index], at, of, &proof), Some(root));
    let served = |tile: tiles::Tile| {
        let span = 1 << (8 * tile.level);
        let first = usize::try_from(tile.index).expect("small") * 256;
        let width = usize::try_from(tile.width).expect("small");
        let nodes = leaves.chunks_exact(span).skip(first).take(width);
        (tile, nodes.map(tree).collect::<Vec<_>>())
    };
    let needed: BTreeMap<_, _> = tiles::needed(at, of).into_iter().map(served).collect();
    assert_eq!(tiles::inclusion_proof(at, of, &needed), Some(proof.clone()));
    // A lie.
    let place = choices.below(proof.len() + 1);
    match choices.below(4) {
        0 if place < proof.len() => drop(proof.remove(place)),
        1 => proof.insert(place, root),
        2 if place < proof.len() => proof[place][choices.below(32)] ^= 1 << choices.below(8),
        _ => {
            let other = choices.below(size);
            let found = merkle::root(leaves[index], number(other), of, &proof);
            return assert!(other == index || found != Some(root), "{other} for {index}");
        }
    }
    assert_ne!(merkle::root(leaves[index], at, of, &proof), Some(root));
    // Trees of impossible sizes.
    let wild: Vec<u64> =
        bytes.chunks(8).map(|eight| eight.iter().fold(0, |n, b| n << 8 | u64::from(*b))).collect();
    if let [index, size, ..] = wild.as_slice() {
        let _any = merkle::root(leaves[0], *index, *size, &proof);
        for tile in tiles::needed(*index, *size) {
            assert!((1..=256).contains(&tile.width) && tile.path().starts_with("tile/"));
        }
        assert_eq!(
            tiles::inclusion_proof(*index, *size, &BTreeMap::new()).unwrap_or_default(),
            Vec::<[u8; 32]>::new()
        );
    }
}

fn number(small: usize) -> u64 {
    u64::try_from(small).expect("small")
}

fn split(leaves: &[[u8; 32]]) -> (&[[u8; 32]], &[[u8; 32]]) {
    leaves.split_at(leaves.len().next_power_of_two() / 2)
}

fn tree(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = split(leaves);
            merkle::node_hash(&tree(left), &tree(right))
        }
    }
}

/// Proof and root, as RFC 6962 2.1 defines them.
fn naive(index: usize, leaves: &[[u8; 32]]) -> (Vec<[u8; 32]>, [u8; 32]) {
    if let [leaf] = leaves {
        return (Vec::new(), *leaf);
    }
    let (left, right) = split(leaves);
    let (mut proof, sibling, root);
    if index < left.len() {
        let (below, hash) = naive(index, left);
        (proof, sibling) = (below, tree(right));
        root = merkle::node_hash(&hash, &sibling);
    } else {
        let (below, hash) = naive(index - left.len(), right);
        (proof, sibling) = (below, tree(left));
        root = merkle::node_hash(&sibling, &hash);
    }
    proof.push(sibling);
    (proof, root)
}
