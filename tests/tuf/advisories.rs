// SPDX-License-Identifier: Apache-2.0
//! What went wrong in TUF clients before, by the advisory.

use serde_json::json;

use super::client::{Client, refused, row};
use super::key::Key;
use super::repository::{ROOT, Repository, SNAPSHOT, TARGETS, TIMESTAMP};

/// CVE-2025-2885: versions of roots were not compared with the ones that were asked for.
#[tokio::test]
async fn ghsa_5vmp_m5v2_hx47_root_versions() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.publish(&[ROOT, ROOT, ROOT]);
    repository.replace(ROOT, 2, repository.served(ROOT, 4));
    assert_eq!(client.refresh().await, refused("tuf/mismatch"));
    assert_eq!(client.keeps()[0], 1);
}

/// CVE-2025-2886: a terminating delegation did not end the search.
#[tokio::test]
async fn ghsa_v4wr_j3w6_mxqc_terminating_delegations() {
    let mut repository = Repository::new();
    repository.delegate_terminating(TARGETS, "first", &["file"]);
    repository.delegate("first", "below", &["file"]);
    repository.delegate(TARGETS, "second", &["*"]);
    repository.add_target("second", "file", b"malicious");
    repository.add_target("second", "other", b"other");
    repository.publish_all();
    let client = Client::of(&repository);
    assert_eq!(client.download_one("file").await, refused("tuf/no-target"));
    assert_eq!(client.download_one("other").await, Ok(b"other".to_vec()));
}

/// CVE-2025-2887: delegated roles could go back, and be left out.
#[tokio::test]
async fn ghsa_q6r9_r9pw_4cf7_rollback_of_delegated_roles() {
    let mut repository = Repository::new();
    repository.delegate(TARGETS, "delegated", &["*"]);
    repository.publish_all();
    repository.publish_all();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();

    repository.signed("delegated")["version"] = json!(0);
    repository.publish_all();
    assert_eq!(client.refresh().await, refused("tuf/rolled-back"));
    let meta = repository.signed(SNAPSHOT)["meta"].as_object_mut().unwrap();
    meta.remove("delegated.json").unwrap();
    repository.publish(&[SNAPSHOT, TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/rolled-back"));
    // Each of the timestamps was right, and is what the next one is compared with.
    assert_eq!(client.keeps(), [1, 5, 3, 3]);
}

/// CVE-2025-2888: a timestamp was kept although the snapshot that it names was a rollback, and the
/// next update was refused for it.
#[tokio::test]
async fn ghsa_76g3_38jv_wxh4_timestamp_of_a_rollback() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.publish(&[SNAPSHOT, TIMESTAMP]);
    client.refresh().await.unwrap();

    let good = repository.signed(TIMESTAMP).clone();
    repository.signed(TIMESTAMP)["version"] = json!(9);
    repository.signed(TIMESTAMP)["meta"]["snapshot.json"]["version"] = json!(1);
    repository.publish(&[TIMESTAMP]);
    assert_eq!(client.refresh().await, refused("tuf/rolled-back"));
    assert_eq!(client.keeps(), [1, 2, 2, 1]);

    *repository.signed(TIMESTAMP) = good;
    repository.publish(&[TIMESTAMP]);
    assert_eq!(client.refresh().await.map(row), Ok([1, 3, 2, 1]));
}

/// Roles that delegate to each other sent a client round and round.
#[tokio::test]
async fn ghsa_j8x2_777p_23fc_cyclic_delegations() {
    let mut repository = Repository::new();
    repository.delegate(TARGETS, "a", &["*"]);
    repository.delegate("a", "b", &["*"]);
    repository.delegate("b", "a", &["*"]);
    repository.delegate("b", "b", &["*"]);
    repository.add_target("b", "file", b"content");
    repository.publish_all();
    let client = Client::of(&repository);
    let results = client.download(&["missing", "file"]).await;
    assert_eq!(results, [refused("tuf/no-target"), Ok(b"content".to_vec())]);
}

/// RUSTSEC-2020-0024, and CVE-2026-6966 later: one key counted for a threshold as often as it signed.
#[tokio::test]
async fn ghsa_5q2r_92f9_4m49_unique_signatures() {
    for role in [ROOT, TIMESTAMP, SNAPSHOT, TARGETS] {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        // A key whose signatures over the same bytes differ.
        let key = Key::ecdsa();
        repository.set_keys(role, &[key.clone(), Key::ecdsa()], 2);
        *repository.signers(role) = vec![key.clone(), key];
        repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
        assert_eq!(client.refresh().await, refused("tuf/signature"), "{role}");
    }
}

/// CVE-2026-6967: metadata of delegated roles was taken without what the snapshot says of it.
#[tokio::test]
async fn delegated_metadata_is_held_to_the_snapshot() {
    let mut repository = Repository::new();
    repository.pins = true;
    repository.delegate(TARGETS, "delegated", &["*"]);
    repository.add_target("delegated", "file", b"content");
    repository.publish_all();
    let mut longer = repository.served("delegated", 1);
    longer.push(b'\n');
    repository.replace("delegated", 1, longer);
    let client = Client::of(&repository);
    assert_eq!(client.download_one("file").await, refused("tuf/mismatch"));
}

/// GHSA-x3r5-q6mj-m485 (tough), GHSA-jqc5-w2xx-5vq4 (go-tuf), GHSA-fcv2-xgw5-pqxf (sigstore): names of
/// targets and roles became paths of files. Here they become keys in one file.
#[tokio::test]
async fn ghsa_x3r5_q6mj_m485_names_are_no_paths() {
    let names =
        ["../../escaped", "/escaped", "a/../../escaped", "..", "%2e%2e/escaped", "a\\..\\b"];
    for name in names {
        let mut repository = Repository::new();
        repository.delegate(TARGETS, name, &["*", "*/*", "*/*/*", "*/*/*/*"]);
        repository.publish_all();
        let client = Client::of(&repository);
        let inside = client.folder().join("inside");
        let client = client.in_folder(&inside);
        let _refused = client.download(&["file", name]).await;
        // Beside the folder of the cache there is nothing, and in it what is always there.
        let listed = |folder: &std::path::Path| {
            let entries = folder.read_dir().unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(listed(client.folder()), ["inside"], "{name}");
        assert_eq!(listed(&inside), ["lock", "state.json"], "{name}");
    }
}
