// SPDX-License-Identifier: Apache-2.0
//! Computes inclusion proofs from the hash tiles of a log (C2SP tlog-tiles), for entries that a log has
//! but does not return.

use std::collections::{BTreeMap, BTreeSet};

use super::merkle::node_hash;

/// Hashes in a whole tile: 256, the nodes of eight levels below one.
const WIDTH: u64 = 256;
const HEIGHT: u32 = 8;

/// A tile: the hashes of every eighth level of the tree, in groups of 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// The level, in tiles: 0 holds leaf hashes.
    pub level: u32,
    /// The number of the tile in its level.
    pub index: u64,
    /// The number of hashes that it has in this tree: 1 to 256.
    pub width: u64,
}

impl Tile {
    /// The path of the tile below the prefix of the log: `tile/<L>/<N>[.p/<W>]`.
    pub fn path(&self) -> String {
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.width < WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{}/{number}{partial}", self.level)
    }

    /// The hashes of a fetched tile; `None` if it has another width.
    pub fn read(&self, bytes: &[u8]) -> Option<Vec<[u8; 32]>> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let whole = rest.is_empty() && u64::try_from(hashes.len()) == Ok(self.width);
        whole.then(|| hashes.to_vec())
    }
}

/// The tiles that are needed for a proof for leaf `index` in a tree of `size` leaves.
pub fn needed(index: u64, size: u64) -> BTreeSet<Tile> {
    let nodes = siblings(index, size).into_iter().flatten();
    nodes.map(|node| node.place(size).0).collect()
}

/// The inclusion proof for leaf `index` in a tree of `size` leaves, siblings from the leaf upwards;
/// `None` when a tile is missing or `index` is not below `size`.
pub fn inclusion_proof(
    index: u64,
    size: u64,
    tiles: &BTreeMap<Tile, Vec<[u8; 32]>>,
) -> Option<Vec<[u8; 32]>> {
    if index >= size {
        return None;
    }
    let siblings = siblings(index, size).into_iter();
    siblings.map(|nodes| subtree(&nodes, size, tiles)).collect()
}

/// A complete node of the tree, above 2^level leaves, counted from the left.
#[derive(Clone, Copy)]
struct Node {
    level: u32,
    index: u64,
}

impl Node {
    /// The tile of the node, and the range of its hashes that make the node.
    fn place(self, size: u64) -> (Tile, u64, u64) {
        let level = self.level / HEIGHT;
        let count = 1 << (self.level % HEIGHT);
        let first = self.index * count;
        let index = first / WIDTH;
        let width = WIDTH.min((size >> (HEIGHT * level)) - index * WIDTH);
        let tile = Tile { level, index, width };
        (tile, first % WIDTH, count)
    }

    fn hash(self, size: u64, tiles: &BTreeMap<Tile, Vec<[u8; 32]>>) -> Option<[u8; 32]> {
        let (tile, first, count) = self.place(size);
        let (first, count) = (usize::try_from(first).ok()?, usize::try_from(count).ok()?);
        let mut hashes = tiles.get(&tile)?.get(first..first + count)?.to_vec();
        while hashes.len() > 1 {
            let (pairs, _) = hashes.as_chunks::<2>();
            hashes = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        hashes.first().copied()
    }
}

/// The siblings of the path from leaf `index` to the root, from the leaf upwards, each as the whole
/// nodes that make it, from left to right (RFC 6962 2.1.1, `PATH`).
fn siblings(index: u64, size: u64) -> Vec<Vec<Node>> {
    let mut found = Vec::new();
    let (mut start, mut end) = (0, size);
    if index >= size {
        return found;
    }
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            found.push(whole_nodes(middle, end));
            end = middle;
        } else {
            found.push(whole_nodes(start, middle));
            start = middle;
        }
    }
    found.reverse();
    found
}

/// The largest power of two that is smaller than `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

/// The leaves from `start` to before `end` as whole nodes. In a split of a tree the left part is a
/// power of two, so every part begins at a multiple of its own whole nodes.
fn whole_nodes(mut start: u64, end: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    while start < end {
        let level = u64::BITS - 1 - (end - start).leading_zeros();
        let index = start >> level;
        nodes.push(Node { level, index });
        start += 1 << level;
    }
    nodes
}

/// The hash of the subtree of `nodes`, of which each but the last has the larger part on its left.
fn subtree(nodes: &[Node], size: u64, tiles: &BTreeMap<Tile, Vec<[u8; 32]>>) -> Option<[u8; 32]> {
    let mut nodes = nodes.iter().rev();
    let mut hash = nodes.next()?.hash(size, tiles)?;
    for node in nodes {
        hash = node_hash(&node.hash(size, tiles)?, &hash);
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Tile, inclusion_proof, needed};
    use crate::log::merkle::{leaf_hash, node_hash, root};

    /// The definition of RFC 6962 2.1, by recursion.
    fn tree_hash(leaves: &[[u8; 32]]) -> [u8; 32] {
        if let [leaf] = leaves {
            return *leaf;
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(half);
        node_hash(&tree_hash(left), &tree_hash(right))
    }

    /// What a log of these leaves serves as `tile`.
    fn serve(leaves: &[[u8; 32]], tile: Tile) -> Vec<u8> {
        let span = 1 << (8 * tile.level);
        let first = usize::try_from(tile.index).unwrap() * 256;
        let nodes = leaves.chunks_exact(span).skip(first);
        let width = usize::try_from(tile.width).unwrap();
        nodes.take(width).flat_map(tree_hash).collect()
    }

    #[test]
    fn proofs_verify() {
        for size in [1_u64, 2, 3, 7, 255, 256, 257, 600] {
            proofs_of(size, &[0, size / 3, size / 2, 255, 256, 511, 512, size - 1]);
        }
    }

    /// The tiles of the third level begin at 65536 leaves.
    #[test]
    fn proofs_of_three_levels_verify() {
        proofs_of(66_000, &[0, 33_000, 65_999]);
    }

    fn proofs_of(size: u64, edges: &[u64]) {
        let leaves: Vec<_> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let expected = tree_hash(&leaves);
        for index in edges.iter().copied().filter(|index| *index < size) {
            let read = |tile: Tile| (tile, tile.read(&serve(&leaves, tile)).unwrap());
            let tiles: BTreeMap<_, _> = needed(index, size).into_iter().map(read).collect();
            let proof = inclusion_proof(index, size, &tiles).unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            assert_eq!(root(leaf, index, size, &proof), Some(expected), "{index}/{size}");
        }
    }

    #[test]
    fn needs_every_tile() {
        assert_eq!(inclusion_proof(5, 300, &BTreeMap::new()), None);
        for index in [3, 4] {
            assert_eq!(inclusion_proof(index, 3, &BTreeMap::new()), None);
            assert!(needed(index, 3).is_empty());
        }
    }

    #[test]
    fn a_tile_has_its_width_and_whole_hashes() {
        let tile = Tile { level: 0, index: 0, width: 2 };
        assert_eq!(tile.read(&[7; 64]), Some(vec![[7; 32]; 2]));
        for length in [0, 32, 63, 65, 96] {
            assert_eq!(tile.read(&vec![7; length]), None, "{length}");
        }
    }

    #[test]
    fn paths() {
        for (level, index, width, path) in [
            (0, 5, 256, "tile/0/005"),
            (1, 1_234_067, 8, "tile/1/x001/x234/067.p/8"),
            (0, 1000, 256, "tile/0/x001/000"),
        ] {
            let tile = Tile { level, index, width };
            assert_eq!(tile.path(), path);
        }
    }
}
