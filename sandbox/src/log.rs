// SPDX-License-Identifier: Apache-2.0
//! What both Rekor versions share: entries in a Merkle tree, proofs and checkpoints of them.

use std::collections::HashMap;

use crate::World;
use crate::keys::{EcKey, PublicKey};
use crate::lie::Lie;
use crate::merkle::{Hash, Tree, leaf_hash};
use crate::{note, x509};

/// One entry.
pub(crate) struct Entry {
    /// The canonical body.
    pub(crate) body: Vec<u8>,
    pub(crate) leaf: Hash,
    /// When it was added, in seconds since 1970.
    pub(crate) time: u64,
}

/// Entries in the order in which they came.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Entry>,
    pub(crate) tree: Tree,
    known: HashMap<Hash, usize>,
}

/// The inclusion proof of one entry in the tree of this moment.
pub(crate) struct Proof {
    pub(crate) index: usize,
    pub(crate) size: usize,
    pub(crate) root: Hash,
    pub(crate) hashes: Vec<Hash>,
    pub(crate) checkpoint: String,
}

/// Who signs a checkpoint: its text gives the note.
pub(crate) type Notary<'a> = &'a dyn Fn(&str) -> String;

impl Log {
    /// A log; where a lie needs somebody else's entry, it holds `decoy` from the start.
    pub(crate) fn new(world: &World, decoy: impl FnOnce() -> Vec<u8>) -> Self {
        let mut log = Self::default();
        if world.tell(Lie::ProofOfAnotherLeaf) {
            let _ = log.add(decoy(), world.clock.seconds());
        }
        log
    }

    /// Adds an entry and returns its index. If the log already has the entry, its index is the error.
    pub(crate) fn add(&mut self, body: Vec<u8>, time: u64) -> Result<usize, usize> {
        let (leaf, index) = (leaf_hash(&body), self.entries.len());
        if let Some(known) = self.known.get(&leaf) {
            return Err(*known);
        }
        self.known.insert(leaf, index);
        self.tree.push(leaf);
        self.entries.push(Entry { body, leaf, time });
        Ok(index)
    }

    /// The index of the entry with this leaf hash.
    pub(crate) fn find(&self, leaf: &Hash) -> Option<usize> {
        self.known.get(leaf).copied()
    }

    /// The checkpoint of this moment.
    pub(crate) fn checkpoint(&self, origin: &str, notary: Notary<'_>, world: &World) -> String {
        let size = self.tree.size();
        let mut note = notary(&note::checkpoint(origin, size, self.tree.root(size)));
        if world.tell(Lie::CheckpointTruncated) {
            let end = note.find("\n\n").unwrap_or(0);
            note.truncate(end + 1);
        }
        note
    }

    /// The proof of entry `index`, unless the lies say that there is none.
    pub(crate) fn prove(
        &self,
        index: usize,
        origin: &str,
        notary: Notary<'_>,
        world: &World,
    ) -> Option<Proof> {
        let size = self.tree.size();
        let proven = if world.tell(Lie::ProofOfAnotherLeaf) { 0 } else { index };
        (!world.tell(Lie::ProofMissing)).then(|| Proof {
            index,
            size,
            root: self.tree.root(size),
            hashes: self.tree.proof(proven, size),
            checkpoint: self.checkpoint(origin, notary, world),
        })
    }
}

/// The body that is logged in the place of `body`: the digest that stands at one of `pointers` is
/// another one. Nothing else differs, so that only who compares the digest sees it.
pub(crate) fn another_body(body: &[u8], pointers: &[&str], digest: &str) -> Option<Vec<u8>> {
    let mut body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let pointer = pointers.iter().find(|pointer| body.pointer(pointer).is_some())?;
    *body.pointer_mut(pointer)? = digest.into();
    Some(body.to_string().into_bytes())
}

/// What a client gave to verify a signature with.
pub(crate) struct Verifier {
    /// `CERTIFICATE` or `PUBLIC KEY`.
    pub(crate) label: &'static str,
    pub(crate) der: Vec<u8>,
    pub(crate) key: PublicKey,
}

impl Verifier {
    /// From DER of this PEM label.
    pub(crate) fn new(label: &'static str, der: Vec<u8>) -> Option<Self> {
        let spki = if label == "CERTIFICATE" { x509::parts(&der)?.spki } else { &der };
        let key = PublicKey::from_spki(spki)?;
        Some(Self { label, der, key })
    }

    /// From PEM; of several certificates the first.
    pub(crate) fn from_pem(text: &str) -> Option<Self> {
        ["CERTIFICATE", "PUBLIC KEY"]
            .into_iter()
            .find_map(|label| Self::new(label, x509::from_pem(label, text)?))
    }

    /// The key alone, for the decoy entries.
    pub(crate) fn of(key: &EcKey) -> Option<Self> {
        Self::new("PUBLIC KEY", key.spki())
    }
}
