// SPDX-License-Identifier: Apache-2.0
//! `test_rollback` of tuf-conformance.

use serde_json::json;

use super::client::{Client, refused, row};
use super::repository::{ROOT, Repository, SNAPSHOT, TARGETS, TIMESTAMP};

/// The next version of `role` will be this one.
fn go_to(repository: &mut Repository, role: &str, version: u64) {
    repository.signed(role)["version"] = json!(version - 1);
}

/// The last requests are for the root and the timestamp, which are asked for together.
fn assert_nothing_beyond_the_timestamp(repository: &Repository) {
    let mut asked = repository.asked();
    asked.sort();
    let root = "2.root.json";
    assert_eq!(asked, [root, "timestamp.json"]);
}

#[tokio::test]
async fn new_timestamp_version_rollback() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.publish(&[TIMESTAMP]);
    assert_eq!(client.refresh().await.map(row), Ok([1, 2, 1, 1]));

    go_to(&mut repository, TIMESTAMP, 1);
    repository.publish(&[TIMESTAMP]);
    repository.asked();
    assert_eq!(client.refresh().await, refused("tuf/rolled-back"));
    assert_eq!(client.keeps(), [1, 2, 1, 1]);
    assert_nothing_beyond_the_timestamp(&repository);
}

#[tokio::test]
async fn snapshot_rollback() {
    for (name, pins) in [("basic", false), ("with hashes", true)] {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        repository.pins = pins;
        repository.publish(&[SNAPSHOT, TIMESTAMP]);
        client.refresh().await.unwrap();

        go_to(&mut repository, SNAPSHOT, 1);
        repository.publish(&[SNAPSHOT, TIMESTAMP]);
        repository.asked();
        assert_eq!(client.refresh().await, refused("tuf/rolled-back"), "[{name}]");
        assert_eq!(client.keeps(), [1, 2, 2, 1], "snapshot_rollback[{name}]");
        assert_nothing_beyond_the_timestamp(&repository);
    }
}

#[tokio::test]
async fn targets_role_removal() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.delegate(TARGETS, "delegated", &["delegated/*"]);
    repository.publish(&["delegated", TARGETS, SNAPSHOT, TIMESTAMP]);
    client.refresh().await.unwrap();

    forget(&mut repository, "delegated");
    repository.publish(&[SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/rolled-back"));
    assert_eq!(client.keeps()[2], 2);
}

/// Lets the next snapshot not list a role.
fn forget(repository: &mut Repository, role: &str) {
    let meta = repository.signed(SNAPSHOT)["meta"].as_object_mut().unwrap();
    meta.remove(&format!("{role}.json")).unwrap();
}

#[tokio::test]
async fn targets_fast_forward_recovery() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.delegate(TARGETS, "delegated", &["delegated/*"]);
    go_to(&mut repository, TARGETS, 100);
    repository.publish(&["delegated", TARGETS, SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await.map(row), Ok([1, 2, 2, 100]));

    repository.rotate(SNAPSHOT);
    go_to(&mut repository, TARGETS, 1);
    forget(&mut repository, "delegated");
    repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await.map(row), Ok([2, 3, 3, 1]));
    assert_eq!(client.keeps(), [2, 3, 3, 1]);
}

#[tokio::test]
async fn new_snapshot_fast_forward_recovery() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    go_to(&mut repository, SNAPSHOT, 100);
    repository.publish(&[SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await.map(row), Ok([1, 2, 100, 1]));

    repository.rotate(SNAPSHOT);
    repository.rotate(TIMESTAMP);
    go_to(&mut repository, SNAPSHOT, 1);
    repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await.map(row), Ok([2, 3, 1, 2]));
    assert_eq!(client.keeps(), [2, 3, 1, 2]);
}

#[tokio::test]
async fn new_timestamp_fast_forward_recovery() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    go_to(&mut repository, TIMESTAMP, 100);
    repository.publish(&[TIMESTAMP]);
    assert_eq!(client.refresh().await.map(row), Ok([1, 100, 1, 1]));

    repository.rotate(TIMESTAMP);
    go_to(&mut repository, TIMESTAMP, 1);
    repository.publish(&[ROOT, TIMESTAMP]);
    assert_eq!(client.refresh().await.map(row), Ok([2, 1, 1, 1]));
    assert_eq!(client.keeps(), [2, 1, 1, 1]);
}

#[tokio::test]
async fn targets_rollback() {
    for (name, pins) in [("basic", false), ("with hashes", true)] {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        repository.pins = pins;
        repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
        client.refresh().await.unwrap();

        go_to(&mut repository, TARGETS, 1);
        repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
        assert_eq!(client.refresh().await, refused("tuf/rolled-back"), "[{name}]");
        assert_eq!(client.keeps()[2..], [2, 2], "targets_rollback[{name}]");
    }
}

/// That the keys of the timestamp or the snapshot were replaced is no damage of what was kept.
#[tokio::test]
async fn a_recovery_is_not_odd() {
    for role in [TIMESTAMP, SNAPSHOT] {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        client.refresh().await.unwrap();
        repository.rotate(role);
        repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
        assert!(client.warnings().await.is_empty(), "{role}");
    }
}

/// Also of a snapshot that was named and never seen.
#[tokio::test]
async fn snapshot_rollback_by_the_timestamp_alone() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    repository.publish(&[SNAPSHOT, TIMESTAMP]);
    repository.server.remove("metadata/2.snapshot.json");
    assert_eq!(client.refresh().await, refused("tuf/status"));
    assert_eq!(client.keeps(), [1, 2, 1, 1]);

    repository.signed(TIMESTAMP)["meta"]["snapshot.json"]["version"] = json!(1);
    repository.publish(&[TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/rolled-back"));
    assert_eq!(client.keeps(), [1, 2, 1, 1]);
}
