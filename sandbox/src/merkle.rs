// SPDX-License-Identifier: Apache-2.0
//! The Merkle tree of RFC 6962 section 2.1, and its tiles (C2SP tlog-tiles).

use crate::keys::sha256;

/// A node or leaf hash.
pub(crate) type Hash = [u8; 32];

/// The hash of a leaf's bytes. The prefix keeps a node from posing as a leaf.
pub(crate) fn leaf_hash(body: &[u8]) -> Hash {
    sha256(&[&[0], body])
}

fn node_hash(left: Hash, right: Hash) -> Hash {
    sha256(&[&[1], &left, &right])
}

/// Leaf hashes in order, with the hash of every complete subtree.
#[derive(Default)]
pub(crate) struct Tree {
    /// `levels[k][i]` covers the leaves `i * 2^k .. (i + 1) * 2^k`.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Number of leaves.
    pub(crate) fn size(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// Adds a leaf and every subtree that it completes.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(level) else {
                return;
            };
            row.push(hash);
            match row.as_chunks().0.last() {
                Some(&[left, right]) if row.len().is_multiple_of(2) => {
                    hash = node_hash(left, right)
                }
                _ => return,
            }
        }
    }

    /// The root over the first `size` leaves; that of an empty tree is the hash of nothing.
    pub(crate) fn root(&self, size: usize) -> Hash {
        self.subtree(0, size).unwrap_or_else(|| sha256(&[]))
    }

    /// The audit path of leaf `index` in the tree of the first `size` leaves, from leaf to root.
    pub(crate) fn proof(&self, index: usize, size: usize) -> Vec<Hash> {
        let (mut low, mut high) = (0, size);
        let mut path = Vec::new();
        while high - low > 1 {
            let middle = low + split(high - low);
            let sibling = if index < middle {
                let sibling = self.subtree(middle, high);
                high = middle;
                sibling
            } else {
                let sibling = self.subtree(low, middle);
                low = middle;
                sibling
            };
            path.extend(sibling);
        }
        path.reverse();
        path
    }

    /// Hashes `256 * n ..` of tile level `level`, at most `width` of them.
    pub(crate) fn tile(&self, level: usize, n: usize, width: usize) -> Option<Vec<u8>> {
        let row = self.levels.get(level.checked_mul(8)?)?;
        let start = n.checked_mul(256)?;
        Some(row.get(start..start.checked_add(width)?)?.concat())
    }

    /// The hash over the leaves `low .. high`, or None where there are none.
    fn subtree(&self, low: usize, high: usize) -> Option<Hash> {
        let size = high.checked_sub(low).filter(|&size| size > 0)?;
        if size.is_power_of_two() && low.is_multiple_of(size) {
            let level = usize::try_from(size.trailing_zeros()).ok()?;
            return self.levels.get(level)?.get(low / size).copied();
        }
        let middle = low + split(size);
        Some(node_hash(self.subtree(low, middle)?, self.subtree(middle, high)?))
    }
}

/// The largest power of two smaller than `size`, which is at least 2.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The roots of 1 to 8 leaves of RFC 6962's customary test data.
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];

    /// RFC 9162 2.1.3.2.
    fn climb(leaf: Hash, index: usize, size: usize, path: &[Hash]) -> Option<Hash> {
        let (mut node, mut last, mut hash) = (index, size - 1, leaf);
        for sibling in path {
            if last == 0 {
                return None;
            }
            if node % 2 == 1 || node == last {
                hash = node_hash(*sibling, hash);
                while node % 2 == 0 && node != 0 {
                    (node, last) = (node / 2, last / 2);
                }
            } else {
                hash = node_hash(hash, *sibling);
            }
            (node, last) = (node / 2, last / 2);
        }
        (last == 0).then_some(hash)
    }

    #[test]
    fn known_roots_and_every_proof() {
        let mut tree = Tree::default();
        assert_eq!(hex::encode(tree.root(0)), hex::encode(sha256(&[])));
        for leaf in LEAVES {
            tree.push(leaf_hash(&hex::decode(leaf).unwrap()));
        }
        for (size, root) in (1..).zip(ROOTS) {
            assert_eq!(hex::encode(tree.root(size)), root);
            for (index, leaf) in LEAVES.iter().enumerate().take(size) {
                let leaf = leaf_hash(&hex::decode(leaf).unwrap());
                let path = tree.proof(index, size);
                assert_eq!(climb(leaf, index, size, &path), Some(tree.root(size)));
            }
        }
    }

    #[test]
    fn tiles() {
        let mut tree = Tree::default();
        (0u32..300).for_each(|i| tree.push(leaf_hash(&i.to_be_bytes())));
        assert_eq!(tree.tile(0, 0, 256).unwrap().len(), 256 * 32);
        assert_eq!(tree.tile(0, 1, 44).unwrap().len(), 44 * 32);
        assert_eq!(tree.tile(1, 0, 1).unwrap(), tree.root(256));
        assert!(tree.tile(0, 1, 45).is_none());
    }
}
