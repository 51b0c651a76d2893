// SPDX-License-Identifier: Apache-2.0
//! An entry of a transparency log, and verifying that it records a signature.

mod error;
mod form;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::body::{self, Kind};
use super::checkpoint::Checkpoint;
use super::logged::Logged;
use super::merkle;
use crate::pki::window::Window;
use crate::trust::TrustedRoot;
use crate::trust::root::Log;
pub use error::EntryError;

/// An entry of a transparency log whose form was checked. Nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    index: u64,
    log_id: [u8; 32],
    kind: String,
    version: String,
    /// Unix seconds. Without a promise, this proves nothing.
    integrated_time: u64,
    promise: Option<Vec<u8>>,
    proof: Option<Proof>,
    body: Vec<u8>,
}

/// The position of an entry in the tree of its log, with the log's signature on that tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The number of the leaf in the tree; Rekor v1 has several trees.
    pub index: u64,
    /// The number of leaves.
    pub size: u64,
    /// The root hash that the proof leads to.
    pub root: [u8; 32],
    /// The siblings from the leaf upwards.
    pub hashes: Vec<[u8; 32]>,
    /// The signed note with size and root hash.
    pub checkpoint: String,
}

/// An entry that proves that the signature was logged.
#[derive(Clone, Debug)]
pub struct VerifiedEntry {
    version: u32,
    index: Option<u64>,
    tree_index: Option<u64>,
    time: Option<SystemTime>,
    log_id: [u8; 32],
    operator: String,
    window: Window,
}

impl VerifiedEntry {
    /// The major version of Rekor.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The index in the log, if something proves it: the promise of Rekor v1, which a bundle may lack, or
    /// the inclusion proof of Rekor v2.
    pub fn index(&self) -> Option<u64> {
        self.index
    }

    /// The number of the leaf in the tree that the inclusion proof leads to. Rekor v1 has several trees,
    /// and an index over all of them. `None` in the older layout, which has no such proof.
    pub fn tree_index(&self) -> Option<u64> {
        self.tree_index
    }

    /// The time at which the log accepted the entry. Only Rekor v1 proves it, and only with a promise.
    pub fn time(&self) -> Option<SystemTime> {
        self.time
    }

    /// The ID of the log.
    pub fn log_id(&self) -> &[u8; 32] {
        &self.log_id
    }

    /// The operator of the log.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The window in which the log is trusted.
    pub fn window(&self) -> Window {
        self.window
    }
}

impl LogEntry {
    /// Rebuilds an entry of Rekor v2 that its log has but does not return: the proof was computed from
    /// tiles (see [`super::tiles`]), the body is the submitted one.
    pub fn rebuild(log_id: [u8; 32], logged: &Logged<'_>, proof: Proof) -> Option<Self> {
        Some(Self {
            index: proof.index,
            log_id,
            kind: "hashedrekord".to_owned(),
            version: "0.0.2".to_owned(),
            integrated_time: 0,
            promise: None,
            proof: Some(proof),
            body: body::canonical(Kind::HashedRekordV2, logged)?,
        })
    }

    /// The index in the log; with Rekor v1 over all its trees.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The ID of the log.
    pub fn log_id(&self) -> &[u8; 32] {
        &self.log_id
    }

    /// The kind and the version of the body that the entry names.
    pub fn kind_version(&self) -> (&str, &str) {
        (&self.kind, &self.version)
    }

    /// The time at which the log accepted the entry, according to the entry. Only [`LogEntry::verify`]
    /// proves it, and only with a promise.
    pub fn integrated_time(&self) -> Option<SystemTime> {
        match self.integrated_time {
            0 => None,
            seconds => UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
        }
    }

    /// Removes the stated time. Rekor v2 does not prove it, and verifiers of the bundle would compare it
    /// with the validity of the certificate.
    #[must_use]
    pub fn without_time(self) -> Self {
        Self { integrated_time: 0, ..self }
    }

    /// Returns `true` if the entry has a promise (SET).
    pub fn has_promise(&self) -> bool {
        self.promise.is_some()
    }

    /// The position of the entry in the tree.
    pub fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }

    /// The canonical body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Like [`LogEntry::verify`], for an entry that this run submitted: the whole body must equal the
    /// computed one, including the hash of the envelope (gate G9).
    ///
    /// # Errors
    /// Those of [`LogEntry::verify`].
    pub fn verify_submitted(
        &self,
        logged: &Logged<'_>,
        root: &TrustedRoot,
    ) -> Result<VerifiedEntry, EntryError> {
        let why = "it differs from the submitted one";
        let expected = Kind::parse(&self.kind, &self.version)
            .and_then(|kind| body::canonical(kind, logged))
            .ok_or(EntryError::Body { why })?;
        if expected != self.body {
            return Err(EntryError::Body { why });
        }
        self.verify(logged, root)
    }

    /// Verifies that a log of `root` has an entry for `logged` (gate G9; client specification 4.5):
    /// the body is for this signature, the log signed a tree, and the entry is in that tree. If there is
    /// a promise, it verifies, and its time is within the validity of log and certificate.
    ///
    /// Entries without a proof are refused, even if they have a promise.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        &self,
        logged: &Logged<'_>,
        root: &TrustedRoot,
    ) -> Result<VerifiedEntry, EntryError> {
        let (log, kind) = self.compare(logged, root)?;
        let tree_index = self.verify_inclusion(log, kind.rekor())?;
        let time = match (kind.rekor(), &self.promise) {
            (1, Some(promise)) => Some(self.verify_time(log, promise, logged)?),
            (_, None) => {
                self.verify_stated_time(logged)?;
                None
            }
            // Rekor v2 makes no promises, so this entry is not from it.
            (_, Some(_)) => return Err(EntryError::Promise),
        };
        let is_index_proven = kind.rekor() != 1 || self.promise.is_some();
        Ok(VerifiedEntry {
            index: Some(self.index).filter(|_| is_index_proven),
            tree_index: Some(tree_index),
            ..self.verified(log, kind, time)
        })
    }

    /// Like [`LogEntry::verify`], for an entry without a proof, as in the older `.sig` layout. The log's
    /// promise (SET) takes its place, so it must be present and verify.
    ///
    /// # Errors
    /// Those of [`LogEntry::verify`].
    pub fn verify_promised(
        &self,
        logged: &Logged<'_>,
        root: &TrustedRoot,
    ) -> Result<VerifiedEntry, EntryError> {
        let (log, kind) = self.compare(logged, root)?;
        let (1, Some(promise)) = (kind.rekor(), &self.promise) else {
            return Err(EntryError::Promise);
        };
        let time = self.verify_time(log, promise, logged)?;
        // The log signs the index with the promise.
        Ok(VerifiedEntry { index: Some(self.index), ..self.verified(log, kind, Some(time)) })
    }

    /// The log of the entry and the kind of its body, which must be for `logged`.
    fn compare<'r>(
        &self,
        logged: &Logged<'_>,
        root: &'r TrustedRoot,
    ) -> Result<(&'r Log, Kind), EntryError> {
        let unknown = || EntryError::UnknownLog { id: hex::encode(self.log_id) };
        let log = root.log(&self.log_id).ok_or_else(unknown)?;
        let kind = Kind::parse(&self.kind, &self.version)
            .ok_or(EntryError::Body { why: "its kind is not known" })?;
        body::compare(kind, &self.body, logged).map_err(|why| EntryError::Body { why })?;
        Ok((log, kind))
    }

    /// Without a place in the log, which callers add as far as it is proven.
    fn verified(&self, log: &Log, kind: Kind, time: Option<SystemTime>) -> VerifiedEntry {
        VerifiedEntry {
            version: kind.rekor(),
            index: None,
            tree_index: None,
            time,
            log_id: self.log_id,
            operator: log.operator().to_owned(),
            window: log.window(),
        }
    }

    /// The proof must lead to the root that the log signed. The copy of the root in the proof is not
    /// signed and must be equal to it. Returns the proven number of the leaf.
    fn verify_inclusion(&self, log: &Log, version: u32) -> Result<u64, EntryError> {
        let inclusion = |why| EntryError::Inclusion { why };
        let broken = |why| EntryError::Checkpoint { why };
        let proof = self.proof.as_ref().ok_or_else(|| inclusion("it has no proof"))?;
        if proof.checkpoint.is_empty() {
            return Err(broken("it is empty"));
        }
        let checkpoint = Checkpoint::parse(&proof.checkpoint)
            .ok_or_else(|| broken("it lacks origin, size, root hash or signatures"))?;
        let name = if version == 1 {
            // In Rekor v1, the number of the tree follows the name.
            checkpoint.origin.split(' ').next().map(str::to_owned)
        } else {
            log.origin().filter(|origin| origin == checkpoint.origin)
        };
        let name = name.ok_or_else(|| broken("it belongs to another log"))?;
        if !checkpoint.is_signed_by(log, &name, version) {
            return Err(broken("the log did not sign it"));
        }
        if checkpoint.size != proof.size || checkpoint.root != proof.root {
            return Err(broken("it belongs to another tree than the proof"));
        }
        if version != 1 && proof.index != self.index {
            return Err(inclusion("the proof is for another index"));
        }
        let leaf = merkle::leaf_hash(&self.body);
        match merkle::root(leaf, proof.index, checkpoint.size, &proof.hashes) {
            Some(root) if root == checkpoint.root => Ok(proof.index),
            Some(_) | None => Err(inclusion("the proof does not lead to the root of the tree")),
        }
    }

    /// A time without a promise proves nothing, but if it is outside the certificate's validity, it
    /// contradicts it. cosign refuses such entries.
    fn verify_stated_time(&self, logged: &Logged<'_>) -> Result<(), EntryError> {
        match self.integrated_time() {
            Some(time) if !logged.verifier.is_valid_at(time) => {
                Err(EntryError::OutsideValidity { what: "signing certificate" })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The signed entry timestamp: body, time, log and index (Rekor `pkg/verify`, RFC 8785).
    fn verify_time(
        &self,
        log: &Log,
        promise: &[u8],
        logged: &Logged<'_>,
    ) -> Result<SystemTime, EntryError> {
        let payload = format!(
            r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}}"#,
            STANDARD.encode(&self.body),
            self.integrated_time,
            hex::encode(self.log_id),
            self.index,
        );
        if !log.verify_of_v1(payload.as_bytes(), promise) {
            return Err(EntryError::Promise);
        }
        let time = self.integrated_time().ok_or(EntryError::Promise)?;
        if !log.window().contains(time) {
            return Err(EntryError::OutsideValidity { what: "log" });
        }
        if !logged.verifier.is_valid_at(time) {
            let what = "signing certificate";
            return Err(EntryError::OutsideValidity { what });
        }
        Ok(time)
    }
}

#[cfg(test)]
mod tests;
