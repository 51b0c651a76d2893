// SPDX-License-Identifier: Apache-2.0
//! Rekor v2: hashedrekord 0.0.2 only, a checkpoint at once where the real log waits seconds, and
//! the read API of C2SP tlog-tiles.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};

use crate::http::{Reply, Request, Service, failure, not_found, reply, reply_json, with};
use crate::keys::sha256;
use crate::lie::Lie;
use crate::log::{Log, Verifier, another_body};
use crate::{Error, World, b64, note, unb64};

/// The origin of the log, which is the host of its `baseUrl` in the trusted root.
pub(crate) const ORIGIN: &str = "rekor2.sandbox.test";
/// SubjectPublicKeyInfo of Ed25519 up to the 32 bytes of the key (RFC 8410).
const SPKI: &[u8] = &[0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0];

/// The log.
pub(crate) struct Rekor2 {
    key: Ed25519KeyPair,
    stranger: Ed25519KeyPair,
    log: Mutex<Log>,
    world: World,
}

impl Rekor2 {
    /// An empty log; its keys come from the seed.
    pub(crate) fn new(world: &World) -> Result<Self, Error> {
        let seed = world.seed;
        let (key, stranger) = (seed.ed25519("rekor2")?, seed.ed25519("another rekor2")?);
        let signer = seed.ec("somebody else")?;
        let verifier = Verifier::of(&signer).ok_or_else(|| Error::key("not P-256"))?;
        let log = Log::new(world, || {
            hashedrekord(&sha256(&[b"decoy"]), &signer.sign(b"decoy"), &verifier)
        });
        Ok(Self { key, stranger, log: Mutex::new(log), world: world.clone() })
    }

    /// The SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> Vec<u8> {
        [SPKI, self.key.public_key().as_ref()].concat()
    }

    /// The log ID: the whole of the key's note hash (C2SP signed-note).
    pub(crate) fn id(&self) -> [u8; 32] {
        sha256(&[ORIGIN.as_bytes(), b"\n\x01", self.key.public_key().as_ref()])
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, text: &str) -> String {
        let other = self.world.tell(Lie::CheckpointByAnotherKey);
        let key = if other { &self.stranger } else { &self.key };
        note::signed(text, ORIGIN, &self.id(), key.sign(text.as_bytes()).as_ref())
    }

    fn create(&self, request: &Request) -> Reply {
        let body = request.json().and_then(|ask| self.kept(canonical(&ask)?));
        let Some(body) = body else {
            return failure(400, 3, "invalid hashedrekord request");
        };
        let mut log = self.log();
        match log.add(body, self.world.clock.seconds()) {
            Err(known) => {
                let message = "an equivalent entry already exists in the transparency log";
                with(failure(409, 6, message), "x-log-index", &known.to_string())
            }
            Ok(index) => self.show(&log, index),
        }
    }

    /// The body that goes into the log, which is a lie's if it says so.
    fn kept(&self, body: Vec<u8>) -> Option<Vec<u8>> {
        let digest = b64(&sha256(&[b"another body"]));
        if self.world.tell(Lie::EntryOfAnotherBody) {
            another_body(&body, &["/spec/hashedRekordV002/data/digest"], &digest)
        } else {
            Some(body)
        }
    }

    /// The TransparencyLogEntry, with every unset field, as the real log writes it.
    fn show(&self, log: &Log, index: usize) -> Reply {
        let body = log.entries.get(index).map(|entry| b64(&entry.body));
        let notary = |text: &str| self.note(text);
        let proof = log.prove(index, ORIGIN, &notary, &self.world).map(|proof| {
            let hashes: Vec<String> = proof.hashes.iter().map(|hash| b64(hash)).collect();
            json!({"logIndex": proof.index.to_string(), "rootHash": b64(&proof.root),
                "treeSize": proof.size.to_string(), "hashes": hashes,
                "checkpoint": {"envelope": proof.checkpoint}})
        });
        reply_json(
            201,
            &json!({"logIndex": index.to_string(), "logId": {"keyId": b64(&self.id())},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"}, "integratedTime": "0",
            "inclusionPromise": null, "inclusionProof": proof, "canonicalizedBody": body}),
        )
    }

    /// A tile of hashes, or of entries, by the parts of its path.
    fn tile(&self, kind: &str, path: &[&str]) -> Option<Reply> {
        let (n, width) = tile_number(path)?;
        let log = self.log();
        let bytes = if kind == "entries" {
            let start = n.checked_mul(256)?;
            let entries = log.entries.get(start..start.checked_add(width)?)?;
            let bundle = entries.iter().map(|entry| {
                let length = u16::try_from(entry.body.len()).unwrap_or(u16::MAX);
                [&length.to_be_bytes(), &entry.body[..]].concat()
            });
            bundle.collect::<Vec<_>>().concat()
        } else {
            log.tree.tile(kind.parse().ok()?, n, width)?
        };
        Some(reply(200, "application/octet-stream", bytes))
    }
}

impl Service for Rekor2 {
    fn name(&self) -> &'static str {
        "rekor2"
    }

    fn answer(&self, request: &Request) -> Reply {
        match (request.method.as_str(), request.parts().as_slice()) {
            ("POST", ["api", "v2", "log", "entries"]) => self.create(request),
            ("GET", ["api", "v2", "checkpoint"]) => {
                let notary = |text: &str| self.note(text);
                let note = self.log().checkpoint(ORIGIN, &notary, &self.world);
                reply(200, "text/plain; charset=utf-8", note)
            }
            ("GET", ["api", "v2", "tile", kind, path @ ..]) => {
                self.tile(kind, path).unwrap_or_else(not_found)
            }
            ("GET", ["healthz"]) => reply_json(200, &json!({"status": "SERVING"})),
            (_, ["api", "v2", "log", "entries"]) => failure(501, 12, "Method Not Allowed"),
            _ => not_found(),
        }
    }
}

/// Number and width of a tile: groups of three digits, all but the last after an `x`, and the width
/// of one that is not full: `x001/x234/067`, `067.p/5`.
fn tile_number(path: &[&str]) -> Option<(usize, usize)> {
    let (digits, width) = match path {
        [digits @ .., last, width] if last.ends_with(".p") => {
            let digits = [digits, &[last.strip_suffix(".p")?]].concat();
            (digits, width.parse().ok().filter(|width| (1..256).contains(width))?)
        }
        digits => (digits.to_vec(), 256),
    };
    let (last, first) = digits.split_last()?;
    let mut n = 0usize;
    let groups = first.iter().map(|group| group.strip_prefix('x')).chain([Some(*last)]);
    for group in groups {
        let group = group.filter(|group| group.len() == 3)?;
        n = n.checked_mul(1000)?.checked_add(group.parse().ok()?)?;
    }
    Some((n, width))
}

/// The object, if it has no member but these: the real log refuses fields that it does not know.
fn only<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Map<String, Value>> {
    value.as_object().filter(|members| members.keys().all(|name| names.contains(&name.as_str())))
}

/// The body that the log keeps of a valid request.
fn canonical(ask: &Value) -> Option<Vec<u8>> {
    let request = only(ask, &["hashedRekordRequestV002"])?.get("hashedRekordRequestV002")?;
    let request = only(request, &["digest", "signature"])?;
    let signature = only(request.get("signature")?, &["content", "verifier"])?;
    let verifier =
        only(signature.get("verifier")?, &["keyDetails", "publicKey", "x509Certificate"])?;
    (verifier.get("keyDetails")? == "PKIX_ECDSA_P256_SHA_256").then_some(())?;
    let raw = |value: &Value| unb64(only(value, &["rawBytes"])?.get("rawBytes")?.as_str()?);
    let verifier = match (verifier.get("x509Certificate"), verifier.get("publicKey")) {
        (Some(certificate), None) => Verifier::new("CERTIFICATE", raw(certificate)?)?,
        (None, Some(key)) => Verifier::new("PUBLIC KEY", raw(key)?)?,
        (None, None) | (Some(_), Some(_)) => return None,
    };
    let digest = unb64(request.get("digest")?.as_str()?)?;
    let signature = unb64(signature.get("content")?.as_str()?)?;
    let good = digest.len() == 32 && verifier.key.verifies_digest(&digest, &signature);
    good.then(|| hashedrekord(&digest, &signature, &verifier))
}

/// JCS (RFC 8785), so the keys are in order here.
fn hashedrekord(digest: &[u8], signature: &[u8], verifier: &Verifier) -> Vec<u8> {
    let (raw, details) = (json!({"rawBytes": b64(&verifier.der)}), "PKIX_ECDSA_P256_SHA_256");
    let verifier = if verifier.label == "CERTIFICATE" {
        json!({"keyDetails": details, "x509Certificate": raw})
    } else {
        json!({"keyDetails": details, "publicKey": raw})
    };
    let signature = json!({"content": b64(signature), "verifier": verifier});
    let data = json!({"algorithm": "SHA2_256", "digest": b64(digest)});
    let spec = json!({"hashedRekordV002": {"data": data, "signature": signature}});
    json!({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Seed;
    use crate::merkle::leaf_hash;

    #[test]
    fn known_canonical_body() {
        let key = Verifier::of(&Seed(1).ec("test").unwrap()).unwrap().key;
        let verifier = Verifier { label: "CERTIFICATE", der: vec![0x30, 3, 2, 1, 5], key };
        let signature = hex::decode("3006020101020102").unwrap();
        let body = hashedrekord(&sha256(&[b"ambisign"]), &signature, &verifier);
        assert_eq!(
            hex::encode(leaf_hash(&body)),
            "e1cf09be2e0d568a299cb55fa8edcc8d409956a47a028505c1f41ab523873823"
        );
    }

    #[test]
    fn tile_numbers() {
        assert_eq!(tile_number(&["x001", "x234", "067"]), Some((1_234_067, 256)));
        assert_eq!(tile_number(&["000.p", "5"]), Some((0, 5)));
        assert_eq!(tile_number(&["001", "234"]), None);
        assert_eq!(tile_number(&["000.p", "256"]), None);
        assert_eq!(tile_number(&[]), None);
    }
}
