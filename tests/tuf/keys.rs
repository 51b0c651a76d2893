// SPDX-License-Identifier: Apache-2.0
//! `test_keys` and `test_updater_key_rotations` of tuf-conformance.

use serde_json::{Value, json};

use super::client::{Client, refused, row};
use super::key::Key;
use super::repository::{ROOT, Repository, SNAPSHOT, TARGETS, TIMESTAMP};

#[tokio::test]
async fn snapshot_does_not_meet_threshold() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.set_threshold(SNAPSHOT, 3);
    repository.add_key(SNAPSHOT, Key::ecdsa());
    repository.add_key(SNAPSHOT, Key::ecdsa());
    repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
    client.refresh().await.unwrap();

    repository.signers(SNAPSHOT).pop();
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/signature"));
    assert_eq!(client.keeps(), [2, 3, 2, 2]);
}

#[tokio::test]
async fn snapshot_has_too_few_keys() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    for _ in 0..4 {
        repository.add_key(SNAPSHOT, Key::ecdsa());
    }
    repository.set_threshold(SNAPSHOT, 6);
    repository.publish(&[ROOT, SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/signature"));
    assert_eq!(client.keeps(), [2, 2, 0, 0]);
}

#[tokio::test]
async fn duplicate_keys() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    let key = Key::ecdsa();
    let nine = vec![key; 9];
    repository.set_keys(SNAPSHOT, &nine, 6);
    repository.publish(&[ROOT, SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/signature"));
    assert_eq!(client.keeps()[2], 0);
}

#[tokio::test]
async fn duplicate_sig_keyids() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.publish_bent(SNAPSHOT, |snapshot| {
        let signatures = snapshot["signatures"].as_array_mut().unwrap();
        signatures.push(signatures[0].clone());
    });
    repository.publish(&[TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/signature"));
    assert_eq!(client.keeps()[2], 0);
}

#[tokio::test]
async fn keytype_and_scheme() {
    let rows = [
        ("rsa/rsassa-pss-sha256", Key::rsa()),
        ("ecdsa/ecdsa-sha2-nistp256", Key::ecdsa()),
        ("ed25519/ed25519", Key::ed25519()),
    ];
    for (name, key) in rows {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        repository.add_key(ROOT, key.clone());
        repository.set_threshold(ROOT, 2);
        repository.publish(&[ROOT]);
        assert_eq!(client.refresh().await.map(row), Ok([2, 1, 1, 1]), "[{name}]");

        // By the same key, over something else.
        let other = key.sign(&json!("something else"));
        repository.publish_bent(ROOT, |root| root["signatures"][1] = other);
        assert_eq!(client.refresh().await, refused("tuf/signature"), "[{name}]");
        assert_eq!(client.keeps(), [2, 1, 1, 1], "[{name}]");
    }
}

#[tokio::test]
async fn invalid_sig_in_valid_metadata() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    let other = repository.signers(TIMESTAMP)[0].sign(&json!("something else"));
    repository.add_key(TIMESTAMP, Key::ecdsa());
    repository.publish(&[ROOT]);

    for (version, wrong) in [(2, other["sig"].clone()), (3, json!(""))] {
        repository.publish_bent(TIMESTAMP, |timestamp| {
            timestamp["signatures"][0]["sig"] = wrong.clone();
        });
        assert_eq!(client.refresh().await.map(row), Ok([2, version, 1, 1]), "{wrong}");
    }
}

/// A key under two IDs: what a threshold counts are keys.
#[tokio::test]
async fn one_key_with_two_ids() {
    let two_forms = || {
        let key = Key::ecdsa();
        [key.clone(), key.with("comment", json!("the same key"))]
    };
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.set_keys(TIMESTAMP, &two_forms(), 2);
    repository.publish(&[ROOT, TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/malformed"));
    assert_eq!(client.keeps(), [1, 0, 0, 0]);

    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.delegate(TARGETS, "delegated", &["*"]);
    let keys = two_forms();
    let delegations = &mut repository.signed(TARGETS)["delegations"];
    for key in &keys {
        delegations["keys"][key.id()] = key.public().clone();
    }
    delegations["roles"][0]["keyids"] = json!([keys[0].id(), keys[1].id()]);
    delegations["roles"][0]["threshold"] = json!(2);
    *repository.signers("delegated") = keys.to_vec();
    repository.publish_all();
    assert_eq!(client.refresh().await, refused("tuf/malformed"));
}

/// Below the signature algorithms, keys are taken in several forms, in each of which one could count
/// once more.
#[tokio::test]
async fn one_key_in_two_forms() {
    for key in [Key::ecdsa(), Key::ed25519(), Key::rsa()] {
        for other in key.in_other_forms() {
            let mut repository = Repository::new();
            let client = Client::of(&repository);
            repository.set_keys(TIMESTAMP, &[key.clone(), other], 2);
            repository.publish(&[ROOT, TIMESTAMP]);
            let found = client.refresh().await;
            assert_eq!(found, refused("tuf/signature"), "{}", key.public());
        }
    }
}

/// A kind of key that came after this client: others may sign in its place, and it counts for nothing.
#[tokio::test]
async fn keys_of_a_kind_that_is_not_known() {
    let unknown = Key::ed25519().with("keytype", json!("ml-dsa"));
    let unknown = unknown.with("scheme", json!("ml-dsa-65"));
    let wrong = Key::ecdsa().with("keyval", json!({"public": "no PEM"}));
    for (threshold, result) in [(1, Ok([2, 2, 2, 1])), (2, refused("tuf/key-kind"))] {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        let keys = [unknown.clone(), wrong.clone(), Key::ecdsa()];
        repository.set_keys(SNAPSHOT, &keys, threshold);
        repository.publish(&[ROOT, SNAPSHOT, TIMESTAMP]);
        assert_eq!(client.refresh().await.map(row), result, "{threshold}");
    }
}

/// A mirror that is signed with P-384 keys alone says so, and not that nobody signed.
#[tokio::test]
async fn a_tuf_key_on_p384_is_named_as_not_supported() {
    for role in [SNAPSHOT, TIMESTAMP] {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        repository.set_keys(role, &[Key::p384()], 1);
        repository.publish(&[ROOT, SNAPSHOT, TIMESTAMP]);
        let said = client.error().await;
        assert!(said.starts_with("tuf/key-kind: "), "{said}");
        assert!(said.contains("ecdsa with scheme ecdsa-sha2-nistp384"), "{said}");
        assert!(!said.contains("valid signatures"), "{said}");
    }
}

/// The same of a role to which targets or another delegated role delegate: that was said to have "0
/// valid signatures".
#[tokio::test]
async fn a_tuf_key_of_a_delegated_role_on_p384_is_named_as_not_supported() {
    let ml_dsa = Key::ed25519().with("keytype", json!("ml-dsa"));
    let ml_dsa = ml_dsa.with("scheme", json!("ml-dsa-65"));
    for (key, kind) in [
        (Key::p384(), "ecdsa with scheme ecdsa-sha2-nistp384"),
        (ml_dsa, "ml-dsa with scheme ml-dsa-65"),
    ] {
        for (parent, child) in [(TARGETS, "A"), ("A", "B")] {
            let mut repository = Repository::new();
            let client = Client::of(&repository);
            repository.delegate(TARGETS, "A", &["*"]);
            repository.delegate("A", "B", &["*"]);
            repository.add_target("B", "file", b"content");
            repository.rekey(parent, child, &key);
            repository.publish_all();
            let said = client.error_of("file").await;
            assert!(said.starts_with("tuf/key-kind: "), "{said}");
            assert!(said.contains(&format!("`1.{child}.json`")), "{said}");
            assert!(said.contains(kind) && !said.contains("valid signatures"), "{said}");
        }
    }
    // Another key that is known does in its place.
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.delegate(TARGETS, "A", &["*"]);
    repository.add_target("A", "file", b"content");
    repository.rekey(TARGETS, "A", &Key::ed25519());
    repository.publish_all();
    assert_eq!(client.download_one("file").await.unwrap(), b"content");
}

/// An ID is a name: it need not be the digest of the key, but two of them must differ.
#[tokio::test]
async fn ids_of_keys_are_names() {
    let rename = |repository: &mut Repository, id: &str| {
        let key = repository.signers(TIMESTAMP)[0].clone();
        let root = repository.signed(ROOT);
        root["keys"].as_object_mut().unwrap().remove(&key.id());
        root["keys"][id] = key.public().clone();
        root["roles"][TIMESTAMP]["keyids"] = json!([id]);
    };
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    rename(&mut repository, "abcd");
    repository.publish(&[ROOT]);
    repository.publish_bent(TIMESTAMP, |file| file["signatures"][0]["keyid"] = json!("abcd"));
    assert_eq!(client.refresh().await.map(row), Ok([2, 2, 1, 1]));

    repository.signed(ROOT)["keys"]["ABCD"] = Key::ecdsa().public().clone();
    repository.publish(&[ROOT]);
    assert_eq!(client.refresh().await, refused("tuf/malformed"));
    assert_eq!(client.keeps()[0], 2);
}

/// Ten keys, each known by its number.
struct Pool(Vec<Key>);

impl Pool {
    fn new() -> Self {
        Self((0..10).map(|_| Key::ecdsa()).collect())
    }

    /// `0 2 4`, or a span as in `0-4`.
    fn keys(&self, numbers: &str) -> Vec<Key> {
        let span = |word: &str| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            self.0[first.parse().unwrap()..=last.parse().unwrap()].to_vec()
        };
        numbers.split_whitespace().flat_map(span).collect()
    }

    /// `KEYS/THRESHOLD by SIGNERS`: who may sign for a role and who does.
    fn apply(&self, repository: &mut Repository, role: &str, step: &str) {
        let (allowed, signers) = step.split_once(" by ").unwrap();
        let (keys, threshold) = allowed.split_once('/').unwrap();
        repository.set_keys(role, &self.keys(keys), threshold.parse().unwrap());
        *repository.signers(role) = self.keys(signers);
    }
}

/// The name of a case, its roots in order, and whether the last of them is accepted.
const ROOT_ROTATIONS: [(&str, &[&str], bool); 15] = [
    ("1-of-1-key-rotation", &["1/1 by 1", "2/1 by 2 1", "2/1 by 2"], true),
    (
        "1-of-1-key-rotation-unused-signatures",
        &["1/1 by 3 1 4", "2/1 by 3 2 1 4", "2/1 by 3 2 4"],
        true,
    ),
    (
        "3-of-5-sign-with-different-keycombos",
        &["0-4/3 by 0 2 4", "0-4/3 by 0 4 1", "0-4/3 by 0 1 3", "0-4/3 by 0 1 3"],
        true,
    ),
    ("3-of-5-one-key-rotated", &["0-4/3 by 0 2 4", "0 1 3 4 5/3 by 0 4 1"], true),
    (
        "3-of-5-one-key-rotated-with-intermediate-step",
        &["0-4/3 by 0 2 4", "0 1 3 4 5/3 by 0 2 4 5", "0 1 3 4 5/3 by 0 4 5"],
        true,
    ),
    (
        "3-of-5-all-keys-rotated-with-intermediate-step",
        &["0-4/3 by 0 2 4", "5-9/3 by 0 2 4 5 6 7", "5-9/3 by 5 6 7"],
        true,
    ),
    ("1-of-3-threshold-increase-to-2-of-3", &["1-3/1 by 1", "1-3/2 by 1 2"], true),
    ("2-of-3-threshold-decrease-to-1-of-3", &["1-3/2 by 1 2", "1-3/1 by 1 2", "1-3/1 by 1"], true),
    ("1-of-2-threshold-increase-to-2-of-2", &["1/1 by 1", "1 2/2 by 1 2"], true),
    ("1-of-1-key-rotation-fail-not-signed-with-old-key", &["1/1 by 1", "2/1 by 2 3 4"], false),
    ("1-of-1-key-rotation-fail-not-signed-with-new-key", &["1/1 by 1", "2/1 by 1 3 4"], false),
    (
        "3-of-5-one-key-rotate-fails-not-signed-with-3-new-keys",
        &["0-4/3 by 0 2 4", "0 1 3 4 5/3 by 0 2 4"],
        false,
    ),
    (
        "3-of-5-one-key-rotate-fails-not-signed-with-3-old-keys",
        &["0-4/3 by 0 2 4", "0 1 3 4 5/3 by 0 4 5"],
        false,
    ),
    (
        "1-of-3-threshold-bump-to-2-of-3-fails-new-threshold-not-reached",
        &["1-3/1 by 1", "1-3/2 by 2"],
        false,
    ),
    (
        "2-of-3-threshold-decr-to-1-of-3-fails-old-threshold-not-eached",
        &["1-3/2 by 1 2", "1-3/1 by 1"],
        false,
    ),
];

#[tokio::test]
async fn root_rotation() {
    let pool = Pool::new();
    for (name, roots, accepted) in ROOT_ROTATIONS {
        let mut repository = Repository::new();
        repository.signed(ROOT)["version"] = json!(0);
        for step in roots {
            pool.apply(&mut repository, ROOT, step);
            repository.publish(&[ROOT]);
        }
        let client = Client::of(&repository);
        let latest = u64::try_from(roots.len()).unwrap();
        let result = client.refresh().await.map(row);
        if accepted {
            assert_eq!(result, Ok([latest, 1, 1, 1]), "root_rotation[{name}]");
            assert_eq!(client.keeps(), [latest, 1, 1, 1], "root_rotation[{name}]");
        } else {
            assert_eq!(result, refused("tuf/signature"), "root_rotation[{name}]");
            assert_eq!(client.keeps(), [latest - 1, 0, 0, 0], "root_rotation[{name}]");
        }
    }
}

/// The name of a case, who may sign and does, and whether that is accepted.
const OTHER_ROTATIONS: [(&str, &str, bool); 10] = [
    ("1-of-1-key-rotation", "2/1 by 2", true),
    ("1-of-1-key-rotation-unused-signatures", "1/1 by 3 1 4", true),
    ("1-of-1-key-rotation-fail-not-signed-with-new-key", "2/1 by 1 3 4", false),
    (
        "3-of-5-one-key-signature-wrong-not-signed-with-3-expected-keys",
        "0 1 3 4 5/3 by 0 2 4",
        false,
    ),
    ("2-of-5-one-key-signature-mising-threshold-not-reached", "0 1 3 4 5/3 by 0 4", false),
    ("3-of-5-sign-first-combo", "0-4/3 by 0 2 4", true),
    ("3-of-5-sign-second-combo", "0-4/3 by 0 4 1", true),
    ("3-of-5-sign-third-combo", "0-4/3 by 0 1 3", true),
    ("3-of-5-sign-fourth-combo", "0-4/3 by 1 2 3", true),
    ("3-of-5-sign-fifth-combo", "0-4/3 by 2 3 4", true),
];

#[tokio::test]
async fn non_root_rotations() {
    let pool = Pool::new();
    for (name, step, accepted) in OTHER_ROTATIONS {
        for role in [TIMESTAMP, SNAPSHOT, TARGETS] {
            let mut repository = Repository::new();
            let client = Client::of(&repository);
            pool.apply(&mut repository, role, step);
            repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
            let result = client.refresh().await.map(row);
            let case = format!("non_root_rotations[{name}], {role}");
            if accepted {
                assert_eq!(result, Ok([2; 4]), "{case}");
                let served = String::from_utf8(repository.served(role, 2)).unwrap();
                assert_eq!(client.state()[role], Value::String(served), "{case}");
            } else {
                assert_eq!(result, refused("tuf/signature"), "{case}");
                let kept = [TIMESTAMP, SNAPSHOT, TARGETS].iter().position(|kept| *kept == role);
                assert_eq!(client.keeps()[1 + kept.unwrap()], 0, "{case}");
            }
        }
    }
}
