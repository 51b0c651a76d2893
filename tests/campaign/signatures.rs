// SPDX-License-Identifier: Apache-2.0
//! Signatures in bundles and in the older layout.
//!
//! Changes to a bundle that may be accepted are those of `fuzz/src/meaning.rs`. In the older layout they are:
//!
//! 1. The JSON of an annotation may be written differently or have unknown members.
//! 2. A timestamp may be missing, or its frame may differ, because the log's promise proves a time.
//! 3. Annotations that say nothing, and a chain of certificates, are not read.
//! 4. The certificate may be written differently (RFC 7468), and base64 is what it decodes to.
//!
//! The payload must be the same, byte for byte, and so must everything that is shown about the signature.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::statement::SIGN;
use ambisign_sigstore::trust::TrustedRoot;
use ambisign_sigstore::verify::policy::Signer;
use ambisign_sigstore::verify::{self, Accepted, Policy, SignedBy};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::Judged;
use crate::fuzz::bend::{self, Choices};
use crate::fuzz::holds::check_error;
use crate::fuzz::{meaning, targets, vectors};
use crate::mutate::mutate;
use crate::random::Random;

/// A bundle that was accepted before. [`targets::judge`] panics where it is accepted and something matters.
pub(crate) fn bundle(random: &mut Random) -> Judged {
    let (kind, (vector, bytes)) = if random.once_in(3) {
        ("changes of the fuzz target", bend::bent(&mut Choices(&random.choices())))
    } else {
        let all = vectors::all();
        let (vector, other) = (random.one_of(all), random.one_of(all));
        let (kind, bytes) = mutate(&vector.json, &other.json, random);
        (kind, (vector, bytes))
    };
    Judged { kind, is_accepted: Some(targets::judge(vector, bytes)), finding: None }
}

/// Two signatures of one image, of cosign 2 and 3.
struct Case {
    root: TrustedRoot,
    image: Digest,
    policy: Policy,
    layers: Vec<Value>,
    facts: Vec<Facts>,
}

static CASE: LazyLock<Case> = LazyLock::new(|| {
    let case: Value = serde_json::from_slice(&vectors::read("own/legacy/layers.json")).unwrap();
    let [san, issuer] = ["identity", "issuer"].map(|name| case[name].as_str().unwrap());
    let policy = Policy {
        predicate_types: vec![SIGN.to_owned()],
        ..Policy::of(Signer::exactly(san, issuer))
    };
    let root = TrustedRoot::parse(&vectors::read("own/legacy/trusted_root.json")).unwrap();
    let image = Digest::parse(case["digest"].as_str().unwrap()).unwrap();
    let layers = case["layers"].as_array().unwrap().clone();
    let mut case = Case { root, image, policy, layers, facts: Vec::new() };
    let facts = |layer: &Value| Facts::of(&case, &Layer::read(layer).unwrap()).unwrap();
    case.facts = case.layers.iter().map(facts).collect();
    case
});

/// The payload and its annotations.
struct Layer {
    payload: String,
    annotations: BTreeMap<String, String>,
}

impl Layer {
    fn read(json: &Value) -> Option<Self> {
        let payload = json["payload"].as_str()?.to_owned();
        let annotations = serde_json::from_value(json["annotations"].clone()).ok()?;
        Some(Self { payload, annotations })
    }
}

/// The annotation with the signature, in base64.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// What is proven and shown, without the timestamps.
struct Facts {
    payload: String,
    signature: Option<Vec<u8>>,
    shown: String,
    timestamps: Vec<Option<Vec<Vec<u8>>>>,
}

impl Facts {
    fn of(case: &Case, layer: &Layer) -> Result<Self, verify::Error> {
        let parts = (layer.payload.as_bytes(), &layer.annotations);
        let found = verify::legacy(parts, &case.root, &case.image, &case.policy)?;
        let stamps = found.timestamps().iter();
        Ok(Self {
            payload: layer.payload.clone(),
            signature: layer.annotations.get(SIGNATURE).and_then(|text| STANDARD.decode(text).ok()),
            shown: shown(&found),
            timestamps: stamps.map(|stamp| meaning::signed(stamp.der())).collect(),
        })
    }

    fn covers(&self, other: &Self) -> bool {
        let stamps = &other.timestamps;
        self.payload == other.payload
            && self.signature == other.signature
            && self.shown == other.shown
            && stamps.iter().all(|stamp| stamp.is_some() && self.timestamps.contains(stamp))
    }
}

fn shown(found: &Accepted) -> String {
    let certificate = match found.signed_by() {
        SignedBy::Certificate(certificate) => certificate.der().to_vec(),
        SignedBy::Key(_) => Vec::new(),
    };
    let entries = found.entries().iter();
    let entries = entries.map(|entry| {
        let indexes = (entry.index(), entry.tree_index());
        (entry.version(), indexes, entry.time(), *entry.log_id(), entry.operator().to_owned())
    });
    let entries: Vec<_> = entries.collect();
    let claims = (found.predicate_type(), found.annotations());
    format!("{} {certificate:?} {claims:?} {entries:?}", found.artifact())
}

/// A signature in the older layout.
pub(crate) fn legacy(random: &mut Random) -> Judged {
    let case = &*CASE;
    let (layer, other) = (random.one_of(&case.layers), random.one_of(&case.layers));
    let (kind, bytes) = mutate(layer, other, random);
    let changed = serde_json::from_slice(&bytes).ok();
    let Some(changed) = changed.and_then(|json: Value| Layer::read(&json)) else {
        return Judged { kind, is_accepted: Some(false), finding: None };
    };
    match Facts::of(case, &changed) {
        Ok(facts) => {
            let is_known = case.facts.iter().any(|known| known.covers(&facts));
            let finding = || String::from_utf8_lossy(&bytes).into_owned();
            Judged { kind, is_accepted: Some(true), finding: (!is_known).then(finding) }
        }
        Err(error) => {
            check_error(&error);
            Judged { kind, is_accepted: Some(false), finding: None }
        }
    }
}
