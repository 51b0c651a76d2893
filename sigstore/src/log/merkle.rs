// SPDX-License-Identifier: Apache-2.0
//! Merkle trees of logs (RFC 6962 2.1).

use sha2::{Digest as _, Sha256};

/// The longest inclusion proof of a tree whose size fits 64 bits.
pub const LONGEST_PROOF: usize = 64;

/// The hash of a leaf. Leaves and nodes have different prefixes, so that a node cannot pose as a leaf
/// (RFC 6962 2.1).
pub fn leaf_hash(body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(body).finalize().into()
}

/// The hash of an inner node.
pub fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let hash = Sha256::new().chain_update([1]);
    hash.chain_update(left).chain_update(right).finalize().into()
}

/// The root of the tree of `size` leaves in which `leaf` has the number `index`, computed from the
/// inclusion proof `hashes`, which lists siblings from the leaf upwards (RFC 9162 2.1.3.2); `None` if
/// the length of the proof does not fit such a tree.
pub fn root(leaf: [u8; 32], index: u64, size: u64, hashes: &[[u8; 32]]) -> Option<[u8; 32]> {
    if index >= size {
        return None;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in hashes {
        if last == 0 {
            return None;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // The right edge of the tree is higher than its last leaf suggests.
            while node % 2 == 0 && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node /= 2;
        last /= 2;
    }
    (last == 0).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::{leaf_hash, node_hash, root};

    const OTHER: &str = "20127871bb98506fcb2eb26ab0f726a97fd0407c0314098a4418e31f40ab74a6";

    #[test]
    fn two_leaves() {
        let other = leaf_hash(b"other");
        assert_eq!(hex::encode(other), OTHER);
        let leaf = "e1cf09be2e0d568a299cb55fa8edcc8d409956a47a028505c1f41ab523873823";
        let leaf = <[u8; 32]>::try_from(hex::decode(leaf).unwrap()).unwrap();
        let expected = "81d5bf515e01e1f2fd4c13001c0e75a66d9b4fc86fc939cf7f5b4a163a2584f2";
        let found = root(leaf, 1, 2, &[other]).unwrap();
        assert_eq!(hex::encode(found), expected);
        assert_eq!(found, node_hash(&other, &leaf));
        assert_ne!(root(leaf, 0, 2, &[other]), Some(found));
    }

    #[test]
    fn refuses_proofs_of_another_length() {
        let leaf = leaf_hash(b"x");
        assert_eq!(root(leaf, 0, 1, &[]), Some(leaf));
        for (index, size, hashes) in [(0, 0, 0), (1, 1, 0), (0, 1, 1), (0, 2, 0), (2, 3, 2)] {
            assert_eq!(root(leaf, index, size, &vec![leaf; hashes]), None);
        }
    }
}
