// SPDX-License-Identifier: Apache-2.0
//! Rekor v1: hashedrekord 0.0.1 and dsse 0.0.1, answered at once with SET, proof and checkpoint.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::http::{Reply, Request, Service, reply, reply_json, swagger_failure, with};
use crate::keys::{EcKey, sha256};
use crate::lie::Lie;
use crate::log::{Log, Verifier, another_body};
use crate::{Error, World, b64, note, unb64, x509};

/// The first word of the origin line, and the name of the signature line.
const NAME: &str = "rekor.sandbox.test";
/// Entries that an earlier shard is said to hold: the index in the SET is not that in the tree.
const EARLIER: usize = 1000;

/// The log.
pub(crate) struct Rekor1 {
    pub(crate) key: EcKey,
    stranger: EcKey,
    tree_id: u64,
    log: Mutex<Log>,
    world: World,
}

impl Rekor1 {
    /// An empty log; its keys come from the seed.
    pub(crate) fn new(world: &World) -> Result<Self, Error> {
        let seed = world.seed;
        let (key, stranger) = (seed.ec("rekor")?, seed.ec("another rekor")?);
        let tree_id =
            u64::from_be_bytes(seed.bytes("tree").first_chunk().copied().unwrap_or_default()) >> 1;
        let verifier = Verifier::of(&stranger).ok_or_else(|| Error::key("not P-256"))?;
        let log = Log::new(world, || {
            hashedrekord(&sha256(&[b"decoy"]), &stranger.sign(b"decoy"), &verifier)
        });
        Ok(Self { key, stranger, tree_id, log: Mutex::new(log), world: world.clone() })
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn origin(&self) -> String {
        format!("{NAME} - {}", self.tree_id)
    }

    fn note(&self, text: &str) -> String {
        let other = self.world.tell(Lie::CheckpointByAnotherKey);
        let key = if other { &self.stranger } else { &self.key };
        note::signed(text, NAME, &self.key.id(), &key.sign(text.as_bytes()))
    }

    fn entry_id(&self, log: &Log, index: usize) -> String {
        let leaf = log.entries.get(index).map(|entry| hex::encode(entry.leaf));
        format!("{:016x}{}", self.tree_id, leaf.unwrap_or_default())
    }

    fn create(&self, request: &Request) -> Reply {
        let body = request.json().and_then(|ask| self.kept(canonical(&ask)?));
        let Some(body) = body else {
            return swagger_failure(
                400,
                "the entry is not valid, or its signature does not verify",
            );
        };
        let mut log = self.log();
        let added = log.add(body, self.world.clock.seconds());
        let location = |id: &str| format!("/api/v1/log/entries/{id}");
        match added {
            Err(known) => {
                let id = self.entry_id(&log, known);
                let message = format!(
                    "an equivalent entry already exists in the transparency log with UUID {id}"
                );
                with(swagger_failure(409, &message), "location", &location(&id))
            }
            Ok(index) => {
                let id = self.entry_id(&log, index);
                let reply = with(self.show(&log, index, 201), "etag", &id);
                with(reply, "location", &location(&id))
            }
        }
    }

    /// The body that goes into the log, which is a lie's if it says so.
    fn kept(&self, body: Vec<u8>) -> Option<Vec<u8>> {
        let pointers = ["/spec/payloadHash/value", "/spec/data/hash/value"];
        let digest = hex::encode(sha256(&[b"another body"]));
        if self.world.tell(Lie::EntryOfAnotherBody) {
            another_body(&body, &pointers, &digest)
        } else {
            Some(body)
        }
    }

    /// The entry, proven in the tree of this moment.
    fn show(&self, log: &Log, index: usize, status: u16) -> Reply {
        let Some(entry) = log.entries.get(index) else {
            return reply(404, "application/json", "");
        };
        let (body, log_id, global) =
            (b64(&entry.body), hex::encode(self.key.id()), EARLIER + index);
        // JCS (RFC 8785): the keys stand in order, and nothing needs an escape.
        let promise = format!(
            r#"{{"body":"{body}","integratedTime":{},"logID":"{log_id}","logIndex":{global}}}"#,
            entry.time
        );
        let other = self.world.tell(Lie::PromiseByAnotherKey);
        let key = if other { &self.stranger } else { &self.key };
        let mut verification = json!({"signedEntryTimestamp": b64(&key.sign(promise.as_bytes()))});
        let notary = |text: &str| self.note(text);
        let proof = log.prove(index, &self.origin(), &notary, &self.world);
        if let (Some(proof), Some(verification)) = (proof, verification.as_object_mut()) {
            let hashes: Vec<String> = proof.hashes.iter().map(hex::encode).collect();
            let proof = json!({"checkpoint": proof.checkpoint, "hashes": hashes,
                "logIndex": proof.index, "rootHash": hex::encode(proof.root), "treeSize": proof.size});
            verification.insert("inclusionProof".to_owned(), proof);
        }
        let entry = json!({"body": body, "integratedTime": entry.time, "logID": log_id,
            "logIndex": global, "verification": verification});
        reply_json(status, &json!({self.entry_id(log, index): entry}))
    }

    /// By entry ID: the tree's 16 digits and the leaf's 64, or the leaf's alone.
    fn by_id(&self, id: &str) -> Reply {
        let log = self.log();
        let tree = format!("{:016x}", self.tree_id);
        let leaf =
            hex::decode(id.strip_prefix(&tree).filter(|leaf| leaf.len() == 64).unwrap_or(id));
        let index = leaf.ok().and_then(|leaf| log.find(&leaf.try_into().ok()?));
        index
            .map_or_else(|| reply(404, "application/json", ""), |index| self.show(&log, index, 200))
    }

    fn by_index(&self, index: &str) -> Reply {
        let index = index.parse().ok().and_then(|global: usize| global.checked_sub(EARLIER));
        self.show(&self.log(), index.unwrap_or(usize::MAX), 200)
    }

    fn info(&self) -> Reply {
        let log = self.log();
        let (size, notary) = (log.tree.size(), |text: &str| self.note(text));
        reply_json(
            200,
            &json!({"rootHash": hex::encode(log.tree.root(size)), "treeSize": size,
            "signedTreeHead": log.checkpoint(&self.origin(), &notary, &self.world),
            "treeID": self.tree_id.to_string(), "inactiveShards": []}),
        )
    }
}

impl Service for Rekor1 {
    fn name(&self) -> &'static str {
        "rekor"
    }

    fn answer(&self, request: &Request) -> Reply {
        match (request.method.as_str(), request.parts().as_slice()) {
            ("POST", ["api", "v1", "log", "entries"]) => self.create(request),
            ("GET", ["api", "v1", "log", "entries"]) => match request.query("logIndex") {
                Some(index) => self.by_index(index),
                None => swagger_failure(422, "logIndex in query is required"),
            },
            ("GET", ["api", "v1", "log", "entries", id]) => self.by_id(id),
            ("GET", ["api", "v1", "log"]) => self.info(),
            ("GET", ["api", "v1", "log", "publicKey"]) => {
                reply(200, "application/x-pem-file", x509::pem("PUBLIC KEY", &self.key.spki()))
            }
            ("GET", ["ping"]) => reply(200, "text/plain", "."),
            _ => swagger_failure(404, "path was not found"),
        }
    }
}

/// The body that the log keeps of a valid request: JCS, so the keys are in order here.
fn canonical(ask: &Value) -> Option<Vec<u8>> {
    let text = |pointer: &str| ask.pointer(pointer).and_then(Value::as_str);
    match (text("/kind")?, text("/apiVersion")?) {
        ("hashedrekord", "0.0.1") => {
            (text("/spec/data/hash/algorithm")? == "sha256").then_some(())?;
            let digest = hex::decode(text("/spec/data/hash/value")?).ok()?;
            let signature = unb64(text("/spec/signature/content")?)?;
            let verifier = verifier(text("/spec/signature/publicKey/content")?)?;
            let good = digest.len() == 32 && verifier.key.verifies_digest(&digest, &signature);
            good.then(|| hashedrekord(&digest, &signature, &verifier))
        }
        ("dsse", "0.0.1") => {
            let verifiers = ask.pointer("/spec/proposedContent/verifiers")?.as_array()?;
            let verifiers: Option<Vec<_>> =
                verifiers.iter().map(|one| verifier(one.as_str()?)).collect();
            dsse(text("/spec/proposedContent/envelope")?, &verifiers?)
        }
        _ => None,
    }
}

fn verifier(content: &str) -> Option<Verifier> {
    Verifier::from_pem(&String::from_utf8(unb64(content)?).ok()?)
}

pub(crate) fn hashedrekord(digest: &[u8], signature: &[u8], verifier: &Verifier) -> Vec<u8> {
    let key = b64(x509::pem(verifier.label, &verifier.der).as_bytes());
    let hash = json!({"algorithm": "sha256", "value": hex::encode(digest)});
    let signature = json!({"content": b64(signature), "publicKey": {"content": key}});
    let spec = json!({"data": {"hash": hash}, "signature": signature});
    json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}).to_string().into_bytes()
}

/// Every signature must be by one of the verifiers, and there is one at least.
pub(crate) fn dsse(envelope: &str, verifiers: &[Verifier]) -> Option<Vec<u8>> {
    let parsed: Value = serde_json::from_str(envelope).ok()?;
    let text = |value: &Value, name: &str| Some(value.get(name)?.as_str()?.to_owned());
    let payload = unb64(&text(&parsed, "payload")?)?;
    let signed = pae(&text(&parsed, "payloadType")?, &payload);
    let mut signatures = Vec::new();
    for one in parsed.get("signatures")?.as_array()? {
        let signature = unb64(&text(one, "sig")?)?;
        let by = verifiers.iter().find(|verifier| verifier.key.verifies(&signed, &signature))?;
        signatures.push((b64(&signature), b64(x509::pem(by.label, &by.der).as_bytes())));
    }
    signatures.sort();
    let signatures: Vec<Value> = signatures
        .into_iter()
        .map(|(signature, verifier)| json!({"signature": signature, "verifier": verifier}))
        .collect();
    let hash =
        |bytes: &[u8]| json!({"algorithm": "sha256", "value": hex::encode(sha256(&[bytes]))});
    let spec = json!({"envelopeHash": hash(envelope.as_bytes()), "payloadHash": hash(&payload),
        "signatures": signatures});
    let body = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec});
    (!signatures.is_empty()).then(|| body.to_string().into_bytes())
}

/// The pre-authentication encoding, which a DSSE signature covers.
pub(crate) fn pae(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Seed;
    use crate::merkle::leaf_hash;

    #[test]
    fn known_pae() {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#,
            "ab".repeat(32)
        );
        let encoded = pae("application/vnd.in-toto+json", statement.as_bytes());
        assert!(encoded.starts_with(b"DSSEv1 28 application/vnd.in-toto+json 213 {"));
        assert_eq!(
            hex::encode(sha256(&[&encoded])),
            "cc06fe7b0e6205ac2e84b149fd7dc7d5d18afcab2d875569c1b9872ff2761c5b"
        );
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn known_canonical_body() {
        let key = Seed(1).ec("test").unwrap();
        let verifier = Verifier {
            label: "CERTIFICATE",
            der: vec![0x30, 3, 2, 1, 5],
            key: Verifier::of(&key).unwrap().key,
        };
        let digest = sha256(&[b"ambisign"]);
        let body = hashedrekord(&digest, &hex::decode("3006020101020102").unwrap(), &verifier);
        assert_eq!(
            hex::encode(leaf_hash(&body)),
            "8782a2acb72eaae2f47f0f6d07c6e4290ea0d8171d29a287dbfa775d6aebe5b4"
        );
    }

    #[test]
    fn a_signature_that_does_not_verify_is_refused() {
        let (key, other) = (Seed(1).ec("test").unwrap(), Seed(2).ec("test").unwrap());
        let verifiers = [Verifier::of(&key).unwrap()];
        let envelope = |key: &EcKey| {
            let sig = b64(&key.sign(&pae("t", b"{}")));
            json!({"payload": b64(b"{}"), "payloadType": "t", "signatures": [{"sig": sig}]})
                .to_string()
        };
        assert!(dsse(&envelope(&key), &verifiers).is_some());
        assert!(dsse(&envelope(&other), &verifiers).is_none());
        assert!(dsse(r#"{"payload":"","payloadType":"t","signatures":[]}"#, &verifiers).is_none());
    }
}
