// SPDX-License-Identifier: Apache-2.0
//! TUF metadata, by keys of its own: changed after it was signed, or changed and signed again.
//!
//! Changes after signing that may be accepted: what stands beside `signed`, and signatures of others, as long as
//! enough keys signed. `signed` must have the same value. What is signed again is accepted if enough different keys
//! of the role signed it and it has the form of the role; its content is its signers' business.

use std::sync::LazyLock;

use ambisign_sigstore::trust::tuf::fuzzing;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use serde::Serialize as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::Judged;
use crate::fuzz::holds::{check_error, strict};
use crate::mutate::{mutate, mutate_value};
use crate::random::Random;

/// The roles in the order of [`fuzzing::signed`], with the keys of each and how many must sign.
const ROLES: [(&str, &[usize], usize); 4] = [
    ("root", &[0, 1, 2], 2),
    ("timestamp", &[3], 1),
    ("snapshot", &[4], 1),
    ("targets", &[5, 6], 2),
];

struct Key {
    pair: Ed25519KeyPair,
    id: String,
    public: Value,
}

impl Key {
    fn new(number: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap();
        let public = hex::encode(pair.public_key());
        let public =
            json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}});
        let id = hex::encode(Sha256::digest(canonical(&public).unwrap()));
        Self { pair, id, public }
    }

    fn sign(&self, message: &[u8]) -> Value {
        json!({"keyid": self.id, "sig": hex::encode(self.pair.sign(message))})
    }
}

/// The keys, the root that a client has, and metadata of each role.
struct Repository {
    keys: Vec<Key>,
    anchor: Vec<u8>,
    signed: [Value; 4],
}

static REPOSITORY: LazyLock<Repository> = LazyLock::new(|| {
    let keys: Vec<Key> = (0..7).map(Key::new).collect();
    let known: serde_json::Map<String, Value> =
        keys.iter().map(|key| (key.id.clone(), key.public.clone())).collect();
    let role = |(name, of, threshold): (&str, &[usize], usize)| {
        let ids: Vec<&str> = of.iter().map(|key| keys[*key].id.as_str()).collect();
        (name.to_owned(), json!({"keyids": ids, "threshold": threshold}))
    };
    let roles: serde_json::Map<String, Value> = ROLES.map(role).into_iter().collect();
    let root = |version: u64| {
        json!({"_type": "root", "spec_version": "1.0.31", "version": version,
            "expires": "2027-06-01T12:00:00Z", "consistent_snapshot": true, "keys": known, "roles": roles})
    };
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let file = json!({"version": 7, "length": 512, "hashes": {"sha256": hash}});
    let rest = |kind: &str, member: &str, value: Value| {
        json!({"_type": kind, "spec_version": "1.0.31", "version": 7,
            "expires": "2027-03-08T12:00:00Z", member: value})
    };
    let mut targets = rest(
        "targets",
        "targets",
        json!({"trusted_root.json":
        {"length": 2, "hashes": {"sha256": hash}, "custom": {"sigstore": {"status": "Active"}}}}),
    );
    let child = &keys[6];
    targets["delegations"] = json!({"keys": {child.id.as_str(): child.public},
        "roles": [{"name": "child", "keyids": [child.id], "threshold": 1, "terminating": true,
            "paths": ["child/*"]}]});
    let signed = [
        root(2),
        rest("timestamp", "meta", json!({"snapshot.json": file})),
        rest("snapshot", "meta", json!({"targets.json": file, "child.json": {"version": 1}})),
        targets,
    ];
    let first = root(1);
    let message = canonical(&first).unwrap();
    let signatures: Vec<Value> = keys[..2].iter().map(|key| key.sign(&message)).collect();
    let anchor = json!({"signatures": signatures, "signed": first}).to_string().into_bytes();
    Repository { keys, anchor, signed }
});

/// What is signed (OLPC canonical JSON); nothing for numbers that it does not have.
fn canonical(value: &Value) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let form = olpc_cjson::CanonicalFormatter::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, form);
    value.serialize(&mut writer).ok()?;
    Some(bytes)
}

/// The roles as which `bytes` are accepted.
fn accepted(bytes: &[u8]) -> Vec<usize> {
    let judged = fuzzing::signed(&REPOSITORY.anchor, bytes).unwrap();
    let mut found = Vec::new();
    for (role, judged) in judged.iter().enumerate() {
        match judged {
            Ok(()) => found.push(role),
            Err(error) => check_error(error),
        }
    }
    found
}

pub(crate) fn metadata(random: &mut Random) -> Judged {
    let role = random.below(ROLES.len());
    if random.once_in(2) { after_signing(role, random) } else { signed_again(role, random) }
}

fn after_signing(role: usize, random: &mut Random) -> Judged {
    let repository = &*REPOSITORY;
    let file = |role: usize| {
        let (_, keys, _) = ROLES[role];
        let message = canonical(&repository.signed[role]).unwrap();
        let signatures: Vec<_> =
            keys.iter().map(|key| repository.keys[*key].sign(&message)).collect();
        json!({"signatures": signatures, "signed": repository.signed[role]})
    };
    let (document, other) = (file(role), file(random.below(ROLES.len())));
    let (kind, bytes) = mutate(&document, &other, random);
    let found = accepted(&bytes);
    let changed: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let is_same = |role: &usize| changed["signed"] == repository.signed[*role];
    if !found.is_empty() {
        strict(&bytes);
    }
    let finding = found.iter().any(|role| !is_same(role));
    let finding = finding.then(|| format!("accepted: {}", String::from_utf8_lossy(&bytes)));
    Judged { kind, is_accepted: Some(!found.is_empty()), finding }
}

fn signed_again(role: usize, random: &mut Random) -> Judged {
    let repository = &*REPOSITORY;
    let other = &repository.signed[random.below(ROLES.len())];
    let (kind, signed) = mutate_value(&repository.signed[role], other, random);
    let Some(message) = canonical(&signed) else {
        return Judged { kind, is_accepted: Some(false), finding: None };
    };
    // Mostly the keys of the role; sometimes too few, one of them twice, or others.
    let (_, own, _) = ROLES[role];
    let signers: Vec<usize> = match random.below(4) {
        0 => vec![own[0]; 2],
        1 => (0..2).map(|_| random.below(repository.keys.len())).collect(),
        _ => own.to_vec(),
    };
    let signatures: Vec<_> =
        signers.iter().map(|key| repository.keys[*key].sign(&message)).collect();
    let bytes = json!({"signatures": signatures, "signed": signed}).to_string().into_bytes();
    let found = accepted(&bytes);
    if !found.is_empty() {
        strict(&bytes);
    }
    let wrong = found.iter().find_map(|role| odd(*role, &signed, &signers));
    let finding = wrong.map(|why| format!("{why}: {}", String::from_utf8_lossy(&bytes)));
    Judged { kind, is_accepted: Some(!found.is_empty()), finding }
}

/// Why `signed` by these keys is not metadata of the role.
fn odd(role: usize, signed: &Value, signers: &[usize]) -> Option<&'static str> {
    let (name, keys, threshold) = ROLES[role];
    let version = signed["version"].as_u64().unwrap_or_default();
    let expires = signed["expires"].as_str().unwrap_or_default();
    let specification = signed["spec_version"].as_str().unwrap_or_default();
    let enough = keys.iter().filter(|key| signers.contains(key)).count() >= threshold;
    let members: &[&str] = match name {
        "root" => &["keys", "roles"],
        "targets" => &["targets"],
        _ => &["meta"],
    };
    [
        (!enough, "too few of its keys signed"),
        (signed["_type"] != name, "the type is another"),
        (version == 0, "the version is not a positive number"),
        (name == "root" && version != 2, "the version is not the next"),
        (humantime::parse_rfc3339_weak(expires).is_err(), "the end is not a time"),
        (!specification.starts_with("1."), "the specification is another"),
        (members.iter().any(|name| !signed[*name].is_object()), "a member is missing"),
    ]
    .into_iter()
    .find_map(|(is_odd, why)| is_odd.then_some(why))
}
