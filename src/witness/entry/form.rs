// SPDX-License-Identifier: Apache-2.0
//! Log entries from and to JSON.

use super::{LogEntry, Proof};
use crate::protojson::{Base64, Int64};
use crate::witness::EntryError;
use crate::witness::merkle::{self, LONGEST_PROOF};
use crate::witness::wire;

impl LogEntry {
    /// Reads the JSON form of bundles and of Rekor v2's answer.
    ///
    /// # Errors
    /// [`EntryError::Malformed`].
    pub fn from_json(json: &[u8]) -> Result<Self, EntryError> {
        let wire: wire::Entry = crate::json::parse(json).map_err(malformed)?;
        Self::from_wire(wire)
    }

    /// Reads the answer of Rekor v1 to a submission or a look-up: one entry under its ID, which
    /// ends in the hash of the leaf. Proof, checkpoint and promise must be there.
    ///
    /// # Errors
    /// [`EntryError::Malformed`].
    pub fn from_v1(json: &[u8]) -> Result<Self, EntryError> {
        let answer: wire::Answer = crate::json::parse(json).map_err(malformed)?;
        let mut entries = answer.into_iter();
        let (Some((id, entry)), None) = (entries.next(), entries.next()) else {
            return Err(malformed("there is not exactly one entry"));
        };
        if !id.ends_with(&hex::encode(merkle::leaf_hash(&entry.body.0))) {
            return Err(malformed("its ID is not the hash of its body"));
        }
        let head: Head = serde_json::from_slice(&entry.body.0).map_err(malformed)?;
        let proof = entry.verification.inclusion_proof;
        let hashes: Result<Vec<_>, _> = proof.hashes.iter().map(|hash| unhex(hash)).collect();
        let promise = entry.verification.signed_entry_timestamp;
        if promise.is_empty() || proof.checkpoint.is_empty() {
            return Err(malformed("it has no promise or no checkpoint"));
        }
        Self::from_wire(wire::Entry {
            log_index: entry.log_index,
            log_id: wire::LogId {
                key_id: unhex(&entry.log_id)?,
            },
            kind_version: wire::KindVersion {
                kind: head.kind,
                version: head.api_version,
            },
            integrated_time: entry.integrated_time,
            inclusion_promise: wire::Promise {
                signed_entry_timestamp: promise,
            },
            inclusion_proof: Some(wire::Proof {
                log_index: proof.log_index,
                root_hash: unhex(&proof.root_hash)?,
                tree_size: proof.tree_size,
                hashes: hashes?,
                checkpoint: wire::Envelope {
                    envelope: proof.checkpoint,
                },
            }),
            canonicalized_body: entry.body,
        })
    }

    pub(crate) fn from_wire(wire: wire::Entry) -> Result<Self, EntryError> {
        let promise = wire.inclusion_promise.signed_entry_timestamp;
        if wire.canonicalized_body.is_empty() {
            return Err(malformed("it has no body"));
        }
        Ok(Self {
            index: wire.log_index.0,
            log_id: hash(&wire.log_id.key_id)?,
            kind: wire.kind_version.kind,
            version: wire.kind_version.version,
            integrated_time: wire.integrated_time.0,
            promise: (!promise.is_empty()).then_some(promise.0),
            proof: wire.inclusion_proof.map(proof).transpose()?,
            body: wire.canonicalized_body.0,
        })
    }

    pub(crate) fn to_wire(&self) -> wire::Entry {
        let base64 = |bytes: &[u8]| Base64(bytes.to_vec());
        wire::Entry {
            log_index: Int64(self.index),
            log_id: wire::LogId {
                key_id: base64(&self.log_id),
            },
            kind_version: wire::KindVersion {
                kind: self.kind.clone(),
                version: self.version.clone(),
            },
            integrated_time: Int64(self.integrated_time),
            inclusion_promise: wire::Promise {
                signed_entry_timestamp: Base64(self.promise.clone().unwrap_or_default()),
            },
            inclusion_proof: self.proof.as_ref().map(|proof| wire::Proof {
                log_index: Int64(proof.index),
                root_hash: base64(&proof.root),
                tree_size: Int64(proof.size),
                hashes: proof.hashes.iter().map(|hash| base64(hash)).collect(),
                checkpoint: wire::Envelope {
                    envelope: proof.checkpoint.clone(),
                },
            }),
            canonicalized_body: base64(&self.body),
        }
    }
}

/// What every body of Rekor v1 begins with.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    kind: String,
    api_version: String,
}

fn proof(wire: wire::Proof) -> Result<Proof, EntryError> {
    if wire.hashes.len() > LONGEST_PROOF {
        return Err(malformed("its proof is too long"));
    }
    Ok(Proof {
        index: wire.log_index.0,
        size: wire.tree_size.0,
        root: hash(&wire.root_hash)?,
        hashes: wire.hashes.iter().map(hash).collect::<Result<_, _>>()?,
        checkpoint: wire.checkpoint.envelope,
    })
}

fn hash(bytes: &Base64) -> Result<[u8; 32], EntryError> {
    let bytes = bytes.0.as_slice();
    bytes
        .try_into()
        .map_err(|_length| malformed("a hash does not have 32 bytes"))
}

fn unhex(text: &str) -> Result<Base64, EntryError> {
    let bytes = hex::decode(text).map_err(|_text| malformed("a hash is not hexadecimal"))?;
    Ok(Base64(bytes))
}

fn malformed(why: impl std::fmt::Display) -> EntryError {
    EntryError::Malformed {
        why: why.to_string(),
    }
}
