// SPDX-License-Identifier: Apache-2.0
//! `test_basic` and `test_expiration` of tuf-conformance.

use std::time::Duration;

use serde_json::json;

use super::client::{Client, refused, row};
use super::key::Key;
use super::repository::{
    ROOT, Repository, SNAPSHOT, TARGETS, TIMESTAMP, TOP_LEVEL, day, past, time,
};

/// A first refresh makes these requests; the first two at the same time.
fn assert_first_requests(mut asked: Vec<String>) {
    assert!(asked.len() >= 2, "{asked:?}");
    asked[..2].sort();
    assert_eq!(asked, ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]);
}

#[tokio::test]
async fn basic_refresh_requests() {
    let repository = Repository::new();
    let client = Client::of(&repository);
    assert_eq!(client.refresh().await.map(row), Ok([1; 4]));
    assert_first_requests(repository.asked());
}

#[tokio::test]
async fn basic_refresh_trusted_data() {
    let repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    for role in TOP_LEVEL {
        let served = String::from_utf8(repository.served(role, 1)).unwrap();
        assert_eq!(client.state()[role], served, "{role}");
    }
}

#[tokio::test]
async fn implicit_refresh() {
    let repository = Repository::new();
    let client = Client::of(&repository);
    assert_eq!(client.download_one("absent").await, refused("tuf/no-target"));
    assert_first_requests(repository.asked());
    assert_eq!(client.keeps(), [1; 4]);
}

#[tokio::test]
async fn invalid_initial_root() {
    let mut repository = Repository::new();
    repository.publish_bent(ROOT, |root| {
        root["signed"].as_object_mut().unwrap().remove("version");
    });
    let root = repository.served(ROOT, 2);
    let client = Client::new(&repository.server, root, time(0));
    assert_eq!(client.refresh().await, refused("tuf/anchor"));
    assert!(repository.asked().is_empty());
    assert_eq!(client.keeps()[1..], [0; 3]);
}

#[tokio::test]
async fn unsigned_initial_root() {
    let mut repository = Repository::new();
    let other = Key::ecdsa().sign(&json!("something else"))["sig"].clone();
    repository.publish_bent(ROOT, |root| root["signatures"][0]["sig"] = other);
    let root = repository.served(ROOT, 2);
    let client = Client::new(&repository.server, root, time(0));
    assert_eq!(client.refresh().await, refused("tuf/anchor"));
    assert!(repository.asked().is_empty());
    assert_eq!(client.keeps()[1..], [0; 3]);
}

#[tokio::test]
async fn unsigned_metadata() {
    let rows = [
        (ROOT, [1, 0, 0, 0]),
        (TIMESTAMP, [2, 0, 0, 0]),
        (SNAPSHOT, [2, 2, 0, 0]),
        (TARGETS, [2, 2, 2, 0]),
    ];
    for (role, keeps) in rows {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        repository.signers(role).clear();
        repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
        assert_eq!(client.refresh().await, refused("tuf/signature"), "unsigned_metadata[{role}]");
        assert_eq!(client.keeps(), keeps, "unsigned_metadata[{role}]");
    }
}

#[tokio::test]
async fn url_and_metadata_version_mismatch() {
    let rows = [(ROOT, [1, 0, 0, 0]), (SNAPSHOT, [2, 2, 0, 0]), (TARGETS, [2, 2, 2, 0])];
    for (role, keeps) in rows {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP, role]);
        let third = repository.server.remove(&format!("metadata/3.{role}.json"));
        repository.server.put(&format!("metadata/2.{role}.json"), third);
        assert_eq!(client.refresh().await, refused("tuf/mismatch"), "[{role}]");
        assert_eq!(client.keeps(), keeps, "url_and_metadata_version_mismatch[{role}]");
    }
}

#[tokio::test]
async fn timestamp_content_changes() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    let first = client.state()[TIMESTAMP].clone();

    // The same version with other content, which names another snapshot.
    repository.publish(&[SNAPSHOT]);
    repository.signed(TIMESTAMP)["version"] = json!(0);
    repository.publish(&[TIMESTAMP]);
    repository.asked();
    assert_eq!(client.refresh().await.map(row), Ok([1; 4]));
    assert_eq!(client.state()[TIMESTAMP], first);
    let mut asked = repository.asked();
    asked.sort();
    assert_eq!(asked, ["2.root.json", "timestamp.json"]);
}

#[tokio::test]
async fn basic_metadata_hash_support() {
    let mut repository = Repository::new();
    repository.pins = true;
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    let client = Client::of(&repository);
    assert_eq!(client.refresh().await.map(row), Ok([1, 2, 2, 2]));
}

/// The hash that `parent` gives of `child` is wrong in the third versions.
async fn hash_mismatch(parent: &str, child: &str, keeps: [u64; 4]) {
    let mut repository = Repository::new();
    repository.pins = true;
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    let client = Client::of(&repository);
    client.refresh().await.unwrap();

    for role in [TARGETS, SNAPSHOT, TIMESTAMP] {
        if role == parent {
            let meta = &mut repository.signed(parent)["meta"][format!("{child}.json")];
            meta["hashes"]["sha256"] = json!("00".repeat(32));
        }
        repository.publish(&[role]);
    }
    assert_eq!(client.refresh().await, refused("tuf/mismatch"));
    assert_eq!(client.keeps(), keeps);
}

#[tokio::test]
async fn targets_hash_mismatch() {
    hash_mismatch(SNAPSHOT, TARGETS, [1, 3, 3, 2]).await;
}

#[tokio::test]
async fn snapshot_hash_mismatch() {
    hash_mismatch(TIMESTAMP, SNAPSHOT, [1, 3, 2, 2]).await;
}

/// A length is a limit (TUF 5.5.2), also where no hash is given.
#[tokio::test]
async fn metadata_length() {
    for (longer, result) in
        [(1, Ok([1, 2, 2, 1])), (0, Ok([1, 2, 2, 1])), (-1, refused("tuf/mismatch"))]
    {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        repository.publish(&[SNAPSHOT]);
        let length = i64::try_from(repository.served(SNAPSHOT, 2).len()).unwrap();
        repository.signed(TIMESTAMP)["meta"]["snapshot.json"]["length"] = json!(length + longer);
        repository.publish(&[TIMESTAMP]);
        assert_eq!(client.refresh().await.map(row), result, "{longer}");
    }
}

#[tokio::test]
async fn metadata_bytes_match() {
    let repository = Repository::new();
    let client = Client::of(&repository);
    let mut timestamp = repository.served(TIMESTAMP, 1);
    timestamp.push(b' ');
    repository.server.put("metadata/timestamp.json", timestamp.clone());
    client.refresh().await.unwrap();
    assert_eq!(client.state()[TIMESTAMP], String::from_utf8(timestamp).unwrap());
}

#[tokio::test]
async fn custom_fields() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    repository.signed(ROOT)["custom-field"] = json!("value");
    repository.add_key(ROOT, Key::ecdsa().with("extra-field", json!({"b": 2, "a": [1, "é"]})));
    repository.signed(ROOT)["roles"][ROOT]["another-field"] = json!({"y": null, "x": true});
    repository.set_threshold(ROOT, 2);
    repository.publish(&[ROOT]);
    assert_eq!(client.refresh().await.map(row), Ok([2, 1, 1, 1]));
    assert_eq!(client.keeps(), [2, 1, 1, 1]);
}

#[tokio::test]
async fn deprecated_keyid_hash_algorithms() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    let key = Key::ecdsa().with("keyid_hash_algorithms", json!("md5"));
    repository.set_keys(SNAPSHOT, &[key], 1);
    repository.publish(&[ROOT, SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await.map(row), Ok([2, 2, 2, 1]));
    assert_eq!(client.keeps(), [2, 2, 2, 1]);
}

/// A file is missing from the mirror.
async fn missing(file: &str, keeps: [u64; 4]) {
    let mut repository = Repository::new();
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    repository.server.remove(&format!("metadata/{file}"));
    let client = Client::of(&repository);
    assert_eq!(client.refresh().await, refused("tuf/status"));
    assert_eq!(client.keeps(), keeps);
    if file != "timestamp.json" {
        assert_eq!(repository.asked().last().map(String::as_str), Some(file));
    }
}

#[tokio::test]
async fn snapshot_404() {
    missing("2.snapshot.json", [1, 2, 0, 0]).await;
}

#[tokio::test]
async fn targets_404() {
    missing("2.targets.json", [1, 2, 2, 0]).await;
}

#[tokio::test]
async fn timestamp_404() {
    missing("timestamp.json", [1, 0, 0, 0]).await;
}

#[tokio::test]
async fn incorrect_metadata_type() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    // One key for both, so that nothing but the type is wrong.
    let key = Key::ecdsa();
    for role in [SNAPSHOT, TIMESTAMP] {
        repository.set_keys(role, std::slice::from_ref(&key), 1);
    }
    repository.publish(&[ROOT, SNAPSHOT, TIMESTAMP]);
    repository.server.put("metadata/timestamp.json", repository.served(SNAPSHOT, 2));
    assert_eq!(client.refresh().await, refused("tuf/malformed"));
    assert_eq!(client.keeps(), [2, 0, 0, 0]);
}

#[tokio::test]
async fn faketime() {
    let mut repository = Repository::new();
    let mut client = Client::of(&repository);
    repository.signed(ROOT)["expires"] = json!(day(7));
    repository.publish(&[ROOT]);
    client.refresh().await.unwrap();
    client.now = time(8);
    assert_eq!(client.refresh().await, refused("tuf/expired"));
}

#[tokio::test]
async fn root_expired() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    repository.publish(&[ROOT]);
    client.refresh().await.unwrap();
    repository.signed(ROOT)["expires"] = json!(past());
    repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/expired"));
    assert_eq!(client.keeps(), [3, 1, 1, 1]);
}

/// The second version of one role is over when it is served.
async fn role_expired(role: &str, keeps: [u64; 4]) {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    repository.signed(role)["expires"] = json!(past());
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/expired"));
    assert_eq!(client.keeps(), keeps);
}

#[tokio::test]
async fn timestamp_expired() {
    role_expired(TIMESTAMP, [1; 4]).await;
}

#[tokio::test]
async fn snapshot_expired() {
    role_expired(SNAPSHOT, [1, 2, 1, 1]).await;
}

#[tokio::test]
async fn targets_expired() {
    role_expired(TARGETS, [1, 2, 2, 1]).await;
}

#[tokio::test]
async fn expired_local_root() {
    let mut repository = Repository::new();
    let mut client = Client::of(&repository);
    repository.signed(ROOT)["expires"] = json!(day(7));
    repository.publish(&[ROOT]);
    client.refresh().await.unwrap();
    repository.signed(ROOT)["expires"] = json!(day(21));
    repository.publish(&[ROOT]);
    client.now = time(18);
    assert_eq!(client.refresh().await.map(row), Ok([3, 1, 1, 1]));
}

#[tokio::test]
async fn expired_local_timestamp() {
    let mut repository = Repository::new();
    let mut client = Client::of(&repository);
    repository.signed(TIMESTAMP)["expires"] = json!(day(7));
    repository.publish(&[TIMESTAMP]);
    client.refresh().await.unwrap();
    repository.signed(TIMESTAMP)["expires"] = json!(day(21));
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    client.now = time(18);
    assert_eq!(client.refresh().await.map(row), Ok([1, 3, 2, 2]));
    assert_eq!(client.keeps(), [1, 3, 2, 2]);
}

/// What is signed is what came, whatever the client makes of it: members that the specification does
/// not have in places where none are foreseen, and other forms of a time.
#[tokio::test]
async fn custom_fields_anywhere() {
    let mut repository = Repository::new();
    repository.pins = true;
    repository.delegate(TARGETS, "delegated", &["*"]);
    repository.add_target("delegated", "file", b"content");
    let custom = json!({"z": [null, true, 1], "a": "é\"\n"});
    for place in ["/delegations", "/delegations/roles/0"] {
        let place = repository.signed(TARGETS).pointer_mut(place).unwrap();
        place["x-custom"] = custom.clone();
    }
    repository.signed("delegated")["targets"]["file"]["x-custom"] = custom.clone();
    repository.publish(&["delegated", TARGETS]);
    repository.signed(SNAPSHOT)["meta"]["targets.json"]["x-custom"] = custom;
    repository.signed(SNAPSHOT)["expires"] = json!("2027-03-20T14:00:00.5+02:00");
    repository.publish(&[SNAPSHOT, TIMESTAMP]);
    let client = Client::of(&repository);
    assert_eq!(client.download_one("file").await, Ok(b"content".to_vec()));
}

/// Metadata is over in the second of its end, as the specification has it (TUF 5.3.10).
#[tokio::test]
async fn metadata_ends_on_the_second() {
    let repository = Repository::new();
    let mut client = Client::of(&repository);
    client.now = time(30) - Duration::from_secs(1);
    assert!(client.refresh().await.is_ok());
    client.now = time(30);
    assert_eq!(client.refresh().await, refused("tuf/expired"));
}
