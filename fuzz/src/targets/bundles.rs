// SPDX-License-Identifier: Apache-2.0
//! Bundles, statements, and signatures in the older layout.

use std::collections::BTreeMap;

use ambisign_sigstore::bundle::Bundle;
use ambisign_sigstore::content::Content as Signed;
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::dsse::{self, Envelope};
use ambisign_sigstore::lookalike::Lookalike;
use ambisign_sigstore::verify::policy::Signer;
use ambisign_sigstore::verify::{self, Policy};
use serde_json::Value;

use super::super::bend::{self, Choices};
use super::super::holds::{check_error, strict, text};
use super::super::meaning;
use super::super::vectors::{self, Vector};

/// A bundle keeps its meaning when it is read and written again.
pub fn bundle(bytes: &[u8]) {
    match Bundle::parse(bytes) {
        Err(error) => check_error(&error),
        Ok(bundle) => {
            strict(bytes);
            let written = bundle.to_json().expect("JSON");
            let again = Bundle::parse(&written).expect("what was written");
            assert_eq!(again, bundle);
            assert_eq!(again.to_json().expect("JSON"), written);
            if let Err(error) = vectors::named("happy-path-v0.3").verify(bytes.to_vec()) {
                check_error(&error);
            }
            if let Signed::Envelope(envelope) = bundle.content() {
                assert_eq!(
                    taken_apart(&envelope.pae()).as_ref(),
                    Some(envelope_parts(envelope)).as_ref()
                );
            }
        }
    }
}

fn envelope_parts(envelope: &Envelope) -> (Vec<u8>, Vec<u8>) {
    (envelope.payload_type.clone().into_bytes(), envelope.payload.clone())
}

/// Type and payload of a pre-authentication encoding, by the lengths that it names.
fn taken_apart(pae: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let length: usize = text(&bytes[..space])?.parse().ok()?;
        bytes[space + 1..].split_at_checked(length)
    }
    let (kind, rest) = part(pae.strip_prefix(b"DSSEv1 ")?)?;
    let (payload, rest) = part(rest.strip_prefix(b" ")?)?;
    rest.is_empty().then(|| (kind.to_vec(), payload.to_vec()))
}

/// Changes a valid bundle. If it still verifies, only parts that no signature covers may differ.
pub fn mutated_bundle(bytes: &[u8]) {
    let (vector, changed) = bend::bent(&mut Choices(bytes));
    judge(vector, changed);
}

/// Whether `changed`, made from `vector`, is believed; it must not be where something matters.
pub fn judge(vector: &Vector, changed: Vec<u8>) -> bool {
    match vector.verify(changed.clone()) {
        Ok(verified) => {
            strict(&changed);
            let why = meaning::difference(vector, &verified);
            assert_eq!(why, None, "{}: {:?}", vector.name, bend::places_of(vector, &changed));
            true
        }
        Err(error) => {
            check_error(&error);
            false
        }
    }
}

/// Files to sign: whatever is an encoding of an envelope, or a payload for some reader of JSON, is found.
pub fn lookalike(mut bytes: &[u8]) {
    let whole = bytes;
    let (digest, found) = Lookalike::of_reader(&mut bytes).expect("bytes can be read");
    assert_eq!(digest, Digest::of(whole));
    if taken_apart(whole).is_some() {
        assert_eq!(found, Some(Lookalike::Envelope));
    }
    let json: Value = serde_json::from_slice(whole).unwrap_or_default();
    if json.pointer("/critical/image/docker-manifest-digest").is_some() {
        assert_eq!(found, Some(Lookalike::Payload));
    }
}

/// Statements in envelopes.
pub fn statement(bytes: &[u8]) {
    let envelope = Envelope {
        payload_type: dsse::IN_TOTO.to_owned(),
        payload: bytes.to_vec(),
        signature: Vec::new(),
    };
    let artifact = Digest::of(b"artifact");
    match verify::fuzzing::is_about(&envelope, &artifact) {
        Err(error) => check_error(&error),
        Ok(about) => {
            strict(bytes);
            assert!(!about || text(bytes).is_some_and(|text| text.contains("sha256")));
        }
    }
}

/// A signature in the older layout, as JSON with `payload` and `annotations`: none is real.
pub fn legacy_signature(bytes: &[u8]) {
    let Ok(Value::Object(mut parts)) = serde_json::from_slice(bytes) else {
        return;
    };
    let payload = parts.remove("payload");
    let payload = payload.as_ref().and_then(Value::as_str).unwrap_or_default();
    let annotations = parts.remove("annotations").unwrap_or_default();
    let Ok(annotations) = serde_json::from_value::<BTreeMap<String, String>>(annotations) else {
        return;
    };
    let vector = vectors::named("happy-path-v0.3");
    let policy = Policy::of(Signer::exactly("a", "b"));
    let layer = (payload.as_bytes(), &annotations);
    let judged = verify::legacy(layer, &vector.root, &vector.artifact, &policy);
    check_error(&judged.expect_err("a forged signature verifies"));
}
