// SPDX-License-Identifier: Apache-2.0
//! `test_file_download` of tuf-conformance. What a process gives back is what the suite finds in the
//! folder of targets.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::client::{Client, refused};
use super::repository::{ROOT, Repository, SNAPSHOT, TARGETS, TIMESTAMP};

const NAME: &str = "target_file.txt";
const CONTENT: &[u8] = b"target file contents";

/// A repository with one target.
fn repository_with(name: &str) -> Repository {
    let mut repository = Repository::new();
    repository.add_target(TARGETS, name, CONTENT);
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    repository
}

/// What was asked for of targets since the last call.
fn targets_asked(repository: &Repository) -> Vec<String> {
    let asked = repository.asked().into_iter();
    asked.filter(|path| path.starts_with("targets/")).collect()
}

#[tokio::test]
async fn client_downloads_expected_file() {
    let repository = repository_with(NAME);
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    assert!(targets_asked(&repository).is_empty());
    assert_eq!(client.download_one(NAME).await, Ok(CONTENT.to_vec()));
}

#[tokio::test]
async fn client_downloads_expected_file_in_sub_dir() {
    let name = "path/to/a/target_file.txt";
    let repository = repository_with(name);
    let client = Client::of(&repository);
    assert_eq!(client.download_one(name).await, Ok(CONTENT.to_vec()));
    let asked = targets_asked(&repository);
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("targets/path/to/a/"), "{asked:?}");
    assert!(asked[0].ends_with(".target_file.txt"), "{asked:?}");
}

#[tokio::test]
async fn repository_substitutes_target_file() {
    let mut repository = repository_with(NAME);
    repository.add_target(TARGETS, "another", b"content");
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    let client = Client::of(&repository);
    assert_eq!(client.download_one(NAME).await, Ok(CONTENT.to_vec()));

    // Once of the right length, once of another one.
    repository.substitute(TARGETS, NAME, b"malicious data 12345");
    repository.substitute(TARGETS, "another", b"malicious data");
    assert_eq!(client.download_one(NAME).await, Ok(CONTENT.to_vec()), "kept before");
    assert_eq!(client.download_one("another").await, refused("tuf/mismatch"));
    assert_eq!(client.download_one("another").await, refused("tuf/mismatch"), "again");

    let fresh = Client::of(&repository);
    assert_eq!(fresh.download_one(NAME).await, refused("tuf/mismatch"));
}

#[tokio::test]
async fn multiple_changes_to_target() {
    let mut repository = repository_with(NAME);
    let client = Client::of(&repository);
    assert_eq!(client.download_one(NAME).await, Ok(CONTENT.to_vec()));
    for round in 0..11 {
        let (changed, new) = (format!("changed {round}"), format!("new-{round}"));
        repository.add_target(TARGETS, NAME, changed.as_bytes());
        repository.add_target(TARGETS, &new, new.as_bytes());
        repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
        if round % 5 != 0 {
            continue;
        }
        assert_eq!(client.download_one(NAME).await, Ok(changed.clone().into_bytes()));
        assert_eq!(client.download_one(&new).await, Ok(new.clone().into_bytes()));
        repository.substitute(TARGETS, NAME, b"malicious");
        repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
        assert_eq!(client.download_one(NAME).await, Ok(changed.into_bytes()));
    }
}

/// What the newest metadata does not list is not kept.
#[tokio::test]
async fn what_is_no_longer_listed_is_not_kept() {
    let mut repository = repository_with(NAME);
    repository.delegate(TARGETS, "role", &["other"]);
    repository.add_target("role", "other", b"content");
    repository.publish_all();
    let client = Client::of(&repository);
    assert_eq!(client.download(&[NAME, "other"]).await.len(), 2);
    let kept = |client: &Client, member: &str| client.state()[member].as_object().unwrap().len();
    assert_eq!((kept(&client, "files"), kept(&client, "delegated")), (2, 1));
    repository.add_target(TARGETS, NAME, b"changed");
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    client.refresh().await.unwrap();
    assert_eq!((kept(&client, "files"), kept(&client, "delegated")), (1, 1));
}

#[tokio::test]
async fn download_with_hash_algorithms() {
    let rows: [(&str, &[&str]); 3] =
        [("hashes0", &["sha256"]), ("hashes1", &["sha512"]), ("hashes2", &["sha256", "sha512"])];
    for (name, algorithms) in rows {
        let mut repository = Repository::new();
        repository.add_target_with(TARGETS, NAME, CONTENT, algorithms);
        repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
        let client = Client::of(&repository);
        for _ in 0..2 {
            let result = client.download_one(NAME).await;
            assert_eq!(result, Ok(CONTENT.to_vec()), "[{name}]");
        }
        assert_eq!(targets_asked(&repository).len(), 1, "[{name}]");

        repository.substitute(TARGETS, NAME, b"malicious contents!!");
        let fresh = Client::of(&repository);
        assert_eq!(fresh.download_one(NAME).await, refused("tuf/mismatch"), "[{name}]");
    }
}

/// Of several hashes each must be right, and one that is none is no hash.
#[tokio::test]
async fn wrong_hashes_of_a_target() {
    let (short, wrong) = ("00".repeat(31), "00".repeat(64));
    let sha256 = hex::encode(Sha256::digest(CONTENT));
    let rows = [
        (json!({"sha256": sha256, "sha512": wrong}), "tuf/mismatch"),
        (json!({"sha256": sha256, "sha512": 1}), "tuf/mismatch"),
        (json!({"sha256": short}), "tuf/mismatch"),
        (json!({"sha256": "", "sha512": wrong}), "tuf/mismatch"),
        (json!({"sha256": ""}), "tuf/mismatch"),
        (json!({"sha512": "../../etc"}), "tuf/malformed"),
        (json!({"sha512": sha256}), "tuf/malformed"),
        (json!({}), "tuf/malformed"),
    ];
    for (hashes, code) in rows {
        let mut repository = Repository::new();
        repository.add_target(TARGETS, NAME, CONTENT);
        repository.signed(TARGETS)["targets"][NAME]["hashes"] = hashes.clone();
        repository.substitute(TARGETS, NAME, CONTENT);
        repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
        let client = Client::of(&repository);
        assert_eq!(client.download_one(NAME).await, refused(code), "{hashes}");
    }
}

/// Without consistent snapshots no name has a version or a hash in it.
#[tokio::test]
async fn inconsistent_snapshots() {
    let mut repository = Repository::new();
    repository.add_target(TARGETS, "folder/file", CONTENT);
    repository.signed(ROOT)["consistent_snapshot"] = json!(false);
    repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
    for role in [SNAPSHOT, TARGETS] {
        let file = repository.server.remove(&format!("metadata/2.{role}.json"));
        repository.server.put(&format!("metadata/{role}.json"), file);
    }
    repository.server.put("targets/folder/file", CONTENT);
    let client = Client::of(&repository);
    assert_eq!(client.download_one("folder/file").await, Ok(CONTENT.to_vec()));
}

#[tokio::test]
async fn download_with_unknown_hash_algorithm() {
    let mut repository = Repository::new();
    repository.add_target_with(TARGETS, NAME, CONTENT, &["unknown-hash"]);
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    let client = Client::of(&repository);
    assert_eq!(client.download_one(NAME).await, refused("tuf/malformed"));
}

#[tokio::test]
async fn artifact_cache() {
    let repository = repository_with(NAME);
    let client = Client::of(&repository);
    for _ in 0..2 {
        assert_eq!(client.download_one(NAME).await, Ok(CONTENT.to_vec()));
    }
    assert_eq!(targets_asked(&repository).len(), 1);
}
