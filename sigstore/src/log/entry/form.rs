// SPDX-License-Identifier: Apache-2.0
//! Reads and writes log entries as JSON.

use super::{LogEntry, Proof};
use crate::log::merkle::{self, LONGEST_PROOF};
use crate::log::{EntryError, wire};
use crate::protojson::{Base64, Int64};

impl LogEntry {
    /// Reads the JSON form in bundles and in answers of Rekor v2.
    ///
    /// # Errors
    /// [`EntryError::Malformed`].
    pub fn from_json(json: &[u8]) -> Result<Self, EntryError> {
        let wire: wire::Entry = ambisign_host::json::parse(json).map_err(malformed)?;
        Self::from_wire(wire)
    }

    /// Reads the answer of Rekor v1 to a submission or a look-up: one entry under its ID, which ends
    /// with the hash of the leaf. Proof, checkpoint and promise are required.
    ///
    /// # Errors
    /// [`EntryError::Malformed`].
    pub fn from_v1(json: &[u8]) -> Result<Self, EntryError> {
        let answer: wire::Answer = ambisign_host::json::parse(json).map_err(malformed)?;
        let mut entries = answer.into_iter();
        let (Some((id, entry)), None) = (entries.next(), entries.next()) else {
            return Err(malformed("there is not exactly one entry"));
        };
        if !id.ends_with(&hex::encode(merkle::leaf_hash(&entry.body.0))) {
            return Err(malformed("its ID is not the hash of its body"));
        }
        let head: Head = ambisign_host::json::parse(&entry.body.0).map_err(malformed)?;
        let proof = entry.verification.inclusion_proof;
        let hashes: Result<Vec<_>, _> = proof.hashes.iter().map(|hash| unhex(hash)).collect();
        let promise = entry.verification.signed_entry_timestamp;
        if promise.is_empty() || proof.checkpoint.is_empty() {
            return Err(malformed("it has no promise or no checkpoint"));
        }
        Self::from_wire(wire::Entry {
            log_index: entry.log_index,
            log_id: wire::LogId { key_id: unhex(&entry.log_id)? },
            kind_version: wire::KindVersion { kind: head.kind, version: head.api_version },
            integrated_time: entry.integrated_time,
            inclusion_promise: wire::Promise { signed_entry_timestamp: promise },
            inclusion_proof: Some(wire::Proof {
                log_index: proof.log_index,
                root_hash: unhex(&proof.root_hash)?,
                tree_size: proof.tree_size,
                hashes: hashes?,
                checkpoint: wire::Envelope { envelope: proof.checkpoint },
            }),
            canonicalized_body: entry.body,
        })
    }

    /// Reads the part of an answer of Rekor v1 that cosign stores with a signature in the older layout:
    /// the body, its position in the log, and the promise.
    ///
    /// # Errors
    /// [`EntryError::Malformed`].
    pub fn from_legacy(json: &[u8]) -> Result<Self, EntryError> {
        let kept: wire::StoredEntry = ambisign_host::json::parse(json).map_err(malformed)?;
        let payload = kept.payload;
        let head: Head = ambisign_host::json::parse(&payload.body.0).map_err(malformed)?;
        Self::from_wire(wire::Entry {
            log_index: payload.log_index,
            log_id: wire::LogId { key_id: unhex(&payload.log_id)? },
            kind_version: wire::KindVersion { kind: head.kind, version: head.api_version },
            integrated_time: payload.integrated_time,
            inclusion_promise: wire::Promise {
                signed_entry_timestamp: kept.signed_entry_timestamp,
            },
            inclusion_proof: None,
            canonicalized_body: payload.body,
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
            log_id: wire::LogId { key_id: base64(&self.log_id) },
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
                checkpoint: wire::Envelope { envelope: proof.checkpoint.clone() },
            }),
            canonicalized_body: base64(&self.body),
        }
    }
}

/// The members that every body of Rekor v1 has.
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
    bytes.try_into().map_err(|_length| malformed("a hash does not have 32 bytes"))
}

fn unhex(text: &str) -> Result<Base64, EntryError> {
    let bytes = hex::decode(text).map_err(|_text| malformed("a hash is not hexadecimal"))?;
    Ok(Base64(bytes))
}

fn malformed(why: impl std::fmt::Display) -> EntryError {
    EntryError::Malformed { why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::LogEntry;
    use crate::bundle::Bundle;
    use crate::certificate::SigningCertificate;
    use crate::content::{Content as Signed, ContentRef};
    use crate::digest::Digest;
    use crate::log::{EntryError, Logged, merkle};
    use crate::trust::TrustedRoot;

    const ROOT: &[u8] =
        include_bytes!("../../../../tests/vectors/roots/production/trusted_root.json");
    const BUNDLE: &[u8] = include_bytes!(
        "../../../../tests/vectors/bundle-verify/happy-path-v0.3/bundle.sigstore.json"
    );
    const ARTIFACT: &[u8] = include_bytes!("../../../../tests/vectors/bundle-verify/a.txt");

    fn entry() -> LogEntry {
        Bundle::parse(BUNDLE).unwrap().entries()[0].clone()
    }

    /// The entry as Rekor v1 answers it.
    fn answer() -> Value {
        let entry = entry();
        let proof = entry.proof().unwrap();
        let hex = |bytes: &[u8; 32]| hex::encode(bytes);
        let wire = serde_json::to_value(entry.to_wire()).unwrap();
        let id = format!("0123456789abcdef{}", hex(&merkle::leaf_hash(entry.body())));
        json!({id: {
            "body": wire["canonicalizedBody"], "logID": hex(entry.log_id()),
            "integratedTime": entry.integrated_time, "logIndex": entry.index(),
            "verification": {
                "inclusionProof": {
                    "checkpoint": proof.checkpoint, "logIndex": proof.index,
                    "rootHash": hex(&proof.root), "treeSize": proof.size,
                    "hashes": proof.hashes.iter().map(hex).collect::<Vec<_>>()},
                "signedEntryTimestamp": wire["inclusionPromise"]["signedEntryTimestamp"]}}})
    }

    #[test]
    fn reads_the_answer_of_rekor_v1() {
        assert_eq!(LogEntry::from_v1(answer().to_string().as_bytes()), Ok(entry()));
    }

    #[test]
    fn refuses_other_answers() {
        let changes: [fn(&mut Value); 6] = [
            |entry| entry["body"] = "e30=".into(),
            |entry| entry["logIndex"] = (-1).into(),
            |entry| entry["logID"] = "00".into(),
            |entry| entry["verification"]["signedEntryTimestamp"] = "".into(),
            |entry| entry["verification"]["inclusionProof"]["checkpoint"] = "".into(),
            |entry| entry["verification"]["inclusionProof"]["hashes"][0] = "zz".into(),
        ];
        for change in changes {
            let mut answer = answer();
            let id = answer.as_object().unwrap().keys().next().unwrap().clone();
            change(&mut answer[&id]);
            let found = LogEntry::from_v1(answer.to_string().as_bytes());
            assert!(matches!(found, Err(EntryError::Malformed { .. })), "{found:?}");
        }
        let mut two = answer();
        two["00"] = two.as_object().unwrap().values().next().unwrap().clone();
        for json in ["{}", "[]", &two.to_string()] {
            assert!(LogEntry::from_v1(json.as_bytes()).is_err());
        }
    }

    /// No tree of a size that fits 64 bits has a longer proof.
    #[test]
    fn a_proof_has_at_most_64_hashes() {
        for (count, good) in [(64, true), (65, false)] {
            let mut wire = serde_json::to_value(entry().to_wire()).unwrap();
            let hash = wire["inclusionProof"]["rootHash"].clone();
            wire["inclusionProof"]["hashes"] = vec![hash; count].into();
            let found = LogEntry::from_json(wire.to_string().as_bytes());
            assert_eq!(found.is_ok(), good, "{count}");
        }
    }

    #[test]
    fn reads_the_nulls_of_rekor_v2() {
        let json =
            br#"{"logIndex":"1","logId":{"keyId":"pFUIN6zTTrIPvjPRa+nxsufIiaDuajdu20z+Qv6VvN0="},
            "kindVersion":{"kind":"hashedrekord","version":"0.0.2"},"integratedTime":"0",
            "inclusionPromise":null,"canonicalizedBody":"e30=","inclusionProof":{"logIndex":"1",
            "rootHash":"gdW/UV4B4fL9TBMAHA51pm2bT8hvyTnPf1tKFjolhPI=","treeSize":"2","hashes":null,
            "checkpoint":null}}"#;
        let entry = LogEntry::from_json(json).unwrap();
        assert_eq!((entry.index(), entry.integrated_time()), (1, None));
        assert!(!entry.has_promise());
        let written = serde_json::to_string(&entry.to_wire()).unwrap();
        assert!(!written.contains("integratedTime") && !written.contains("null"), "{written}");
    }

    #[test]
    fn what_was_submitted_is_compared_byte_for_byte() {
        let bundle = Bundle::parse(BUNDLE).unwrap();
        let certificate = SigningCertificate::parse(bundle.certificate().unwrap()).unwrap();
        let Signed::Message { signature, .. } = bundle.content() else {
            panic!("a message");
        };
        let root = TrustedRoot::parse(ROOT).unwrap();
        let verify = |artifact: &[u8]| {
            let logged = Logged {
                verifier: (&certificate).into(),
                content: ContentRef::Message { digest: &Digest::of(artifact), signature },
            };
            let entry = entry();
            let submitted = entry.verify_submitted(&logged, &root);
            (entry.verify(&logged, &root).is_ok(), submitted.is_ok())
        };
        assert_eq!(verify(ARTIFACT), (true, true));
        assert_eq!(verify(b"other"), (false, false));
    }
}
