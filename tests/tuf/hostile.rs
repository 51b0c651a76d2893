// SPDX-License-Identifier: Apache-2.0
//! What a mirror can do that the cases of tuf-conformance do not have: malformed, oversized and endless
//! files at every role, old and hidden ones, and a cache that somebody else wrote.

use std::fs;

use serde_json::{Value, json};

use super::client::{Client, refused, row};
use super::common::Program;
use super::common::fault::{At, Fault, FaultProxy, Rule};
use super::delegations::delegated;
use super::repository::{ROOT, Repository, SNAPSHOT, TARGETS, TIMESTAMP, TOP_LEVEL, day, time};

/// What is kept after a failure at a role of version 2, of a client that knew all of version 1.
fn kept_up_to(role: &str) -> [u64; 4] {
    match role {
        ROOT => [1, 1, 1, 1],
        TIMESTAMP => [2, 1, 1, 1],
        SNAPSHOT => [2, 2, 1, 1],
        _ => [2, 2, 2, 1],
    }
}

/// A client that knows version 1 of all, and a repository that has version 2.
async fn second() -> (Repository, Client) {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
    (repository, client)
}

/// What is wrong with a file, and the file, made from the one that was signed.
type Form = (&'static str, fn(&str) -> Vec<u8>);

const FORMS: [Form; 10] = [
    ("nothing", |_| Vec::new()),
    ("half of it", |file| file.as_bytes()[..file.len() / 2].to_vec()),
    ("a list", |file| format!("[{file}]").into_bytes()),
    ("two documents", |file| format!("{file}{file}").into_bytes()),
    ("not UTF-8", |file| [b"\xff\xfe", file.as_bytes()].concat()),
    ("`signed` twice", |file| {
        file.replacen("\"signed\":", "\"signed\": {}, \"signed\":", 1).into_bytes()
    }),
    ("`version` twice", |file| {
        file.replacen("\"version\":", "\"version\": 1, \"version\":", 1).into_bytes()
    }),
    ("`keyid` twice", |file| {
        file.replacen("\"keyid\":", "\"keyid\": \"00\", \"keyid\":", 1).into_bytes()
    }),
    ("deep", |file| {
        let deep = format!("\"x\": {}{}, ", "[".repeat(1_000), "]".repeat(1_000));
        file.replacen("\"version\":", &format!("{deep}\"version\":"), 1).into_bytes()
    }),
    ("a page for people", |_| b"<!DOCTYPE html><p>Sign in".to_vec()),
];

#[tokio::test]
async fn malformed_files() {
    for role in TOP_LEVEL {
        let (repository, client) = second().await;
        let signed = String::from_utf8(repository.served(role, 2)).unwrap();
        for (what, bend) in FORMS {
            repository.replace(role, 2, bend(&signed));
            assert_eq!(client.refresh().await, refused("tuf/malformed"), "{role}: {what}");
            assert_eq!(client.keeps(), kept_up_to(role), "{role}: {what}");
        }
        repository.replace(role, 2, signed);
        assert_eq!(client.refresh().await.map(row), Ok([2; 4]), "{role}: recovers");
    }
}

/// A member of `signed` and a value that it must not have. The signature is right.
fn members() -> Vec<(&'static str, Value)> {
    vec![
        ("_type", json!("mirrors")),
        ("_type", json!(1)),
        ("expires", json!("")),
        ("expires", json!("tomorrow")),
        ("expires", json!(2_000_000_000)),
        ("expires", json!("2030-13-01T00:00:00Z")),
        ("spec_version", json!("2.0.0")),
        ("spec_version", json!("10")),
        ("spec_version", json!(1)),
        ("version", json!(0)),
        ("version", json!(-2)),
        ("version", json!("2")),
        ("version", json!(null)),
    ]
}

#[tokio::test]
async fn malformed_members() {
    for role in TOP_LEVEL {
        for (member, value) in members() {
            let (mut repository, client) = second().await;
            let signers = repository.signers(role).clone();
            let mut file: Value = serde_json::from_slice(&repository.served(role, 2)).unwrap();
            file["signed"][member] = value.clone();
            file["signatures"] = signers.iter().map(|key| key.sign(&file["signed"])).collect();
            repository.replace(role, 2, file.to_string());
            let case = format!("{role}: {member} = {value}");
            assert_eq!(client.refresh().await, refused("tuf/malformed"), "{case}");
            assert_eq!(client.keeps(), kept_up_to(role), "{case}");
        }
    }
}

#[tokio::test]
async fn oversized_files() {
    let limits =
        [(ROOT, 512 * 1024), (TIMESTAMP, 16 * 1024), (SNAPSHOT, 2_000_000), (TARGETS, 5_000_000)];
    for (role, limit) in limits {
        let (repository, client) = second().await;
        let mut file = repository.served(role, 2);
        file.resize(limit, b' ');
        repository.replace(role, 2, file.clone());
        assert_eq!(client.refresh().await.map(row), Ok([2; 4]), "{role}: just fits");

        let (repository, client) = second().await;
        let mut file = repository.served(role, 2);
        file.resize(limit + 1, b' ');
        repository.replace(role, 2, file);
        assert_eq!(client.refresh().await, refused("tuf/too-large"), "{role}");
        assert_eq!(client.keeps(), kept_up_to(role), "{role}");
    }
}

#[tokio::test]
async fn endless_files() {
    for (role, at) in [
        (ROOT, At::Contains("2.root.json")),
        (TIMESTAMP, At::Contains("timestamp.json")),
        (SNAPSHOT, At::Contains("2.snapshot.json")),
        (TARGETS, At::Contains("2.targets.json")),
    ] {
        let (repository, mut client) = second().await;
        let rule = Rule::on("GET", at, Fault::Endless);
        let service = repository.server.url("metadata/");
        let proxy = FaultProxy::start(service.as_str(), vec![rule]);
        client.source.metadata = proxy.url().parse().unwrap();
        assert_eq!(client.refresh().await, refused("tuf/too-large"), "{role}");
    }
    let mut repository = Repository::new();
    repository.add_target(TARGETS, "target", b"content");
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    let mut client = Client::of(&repository);
    let rule = Rule::on("GET", At::Any, Fault::Endless);
    let service = repository.server.url("targets/");
    let proxy = FaultProxy::start(service.as_str(), vec![rule]);
    client.source.targets = proxy.url().parse().unwrap();
    assert_eq!(client.download_one("target").await, refused("tuf/too-large"));
}

/// What is kept counts if the root that it was signed under is one of the chain.
#[tokio::test]
async fn a_kept_root_of_another_chain() {
    let repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    let mut state = client.state();
    let mut root: Value = serde_json::from_str(state["root"].as_str().unwrap()).unwrap();
    root["signed"]["expires"] = json!(day(29));
    state["root"] = root.to_string().into();
    fs::write(client.folder().join("state.json"), state.to_string()).unwrap();
    assert_eq!(client.warnings().await, ["tuf/cache"]);
    assert!(client.warnings().await.is_empty());
}

/// Root and timestamp are requested at the same time, so the timestamp may be older than a new root.
#[tokio::test]
async fn a_timestamp_that_is_older_than_a_new_root_is_requested_again() {
    const PATH: &str = "metadata/timestamp.json";
    let asked = |repository: &Repository| {
        repository.asked().iter().filter(|path| *path == "timestamp.json").count()
    };
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    let old = repository.served(TIMESTAMP, 1);
    repository.rotate(TIMESTAMP);
    repository.publish(&[ROOT, TIMESTAMP]);
    repository.server.put_once(PATH, old.clone());
    asked(&repository);
    assert_eq!(client.refresh().await.map(row), Ok([2, 2, 1, 1]));
    assert_eq!(asked(&repository), 2);
    // Without a new root it is not the mirror that changed meanwhile.
    repository.server.put_once(PATH, old);
    assert_eq!(client.refresh().await, refused("tuf/signature"));
    assert_eq!(asked(&repository), 1);
}

#[tokio::test]
async fn each_file_says_when_it_ends() {
    let mut repository = Repository::new();
    let files = [(ROOT, 9), (TARGETS, 8), (SNAPSHOT, 7), (TIMESTAMP, 6)];
    for (role, days) in files {
        repository.signed(role)["expires"] = json!(day(days));
    }
    repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
    let expected = files.map(|(role, days)| (format!("{role}.json"), time(days)));
    let found = Client::of(&repository).ends().await;
    assert_eq!(
        found.into_iter().map(|(file, end)| (file.to_owned(), end)).collect::<Vec<_>>(),
        expected
    );
}

/// A mirror that never has anything new stops being believed when its timestamp ends.
#[tokio::test]
async fn a_frozen_mirror() {
    let mut repository = Repository::new();
    repository.signed(TIMESTAMP)["expires"] = json!(day(7));
    repository.publish(&[TIMESTAMP]);
    let mut client = Client::of(&repository);
    for (days, result) in
        [(0, Ok([1, 2, 1, 1])), (6, Ok([1, 2, 1, 1])), (7, refused("tuf/expired"))]
    {
        client.now = time(days);
        assert_eq!(client.refresh().await.map(row), result, "day {days}");
    }
}

/// A mirror that hides the root which took a stolen key away.
#[tokio::test]
async fn a_hidden_root() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    let old = repository.served(TIMESTAMP, 1);
    repository.rotate(TIMESTAMP);
    repository.publish(&[ROOT, TIMESTAMP]);
    client.refresh().await.unwrap();

    repository.server.remove("metadata/2.root.json");
    repository.replace(TIMESTAMP, 1, old);
    assert_eq!(client.refresh().await, refused("tuf/signature"));
    assert_eq!(client.keeps(), [2, 2, 1, 1]);
}

/// A root of the past under the name of the next, and one that leaves a version out.
#[tokio::test]
async fn roots_that_are_not_the_next() {
    let (repository, client) = second().await;
    repository.replace(ROOT, 2, repository.served(ROOT, 1));
    assert_eq!(client.refresh().await, refused("tuf/mismatch"));
    assert_eq!(client.keeps(), [1, 1, 1, 1]);

    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.signed(ROOT)["version"] = json!(2);
    repository.publish(&[ROOT]);
    assert_eq!(client.refresh().await.map(row), Ok([1; 4]), "3 is not asked for");
}

/// What cannot be used is kept until a run goes well enough to report it.
#[tokio::test]
async fn a_damaged_cache_is_reported_by_the_first_run_that_can() {
    let repository = Repository::new();
    let client = Client::of(&repository);
    client.refresh().await.unwrap();
    let state = client.folder().join("state.json");
    fs::write(&state, "damaged").unwrap();
    let timestamp = repository.server.remove("metadata/timestamp.json");
    assert!(client.refresh().await.is_err());
    assert_eq!(fs::read_to_string(&state).unwrap(), "damaged");
    repository.server.put("metadata/timestamp.json", timestamp);
    assert_eq!(client.warnings().await.len(), 1);
    assert_eq!(client.warnings().await.len(), 0);
}

#[tokio::test]
async fn a_chain_of_roots_without_end() {
    let mut repository = Repository::new();
    let [client, another] = [Client::of(&repository), Client::of(&repository)];
    for _ in 0..64 {
        repository.publish(&[ROOT]);
    }
    assert_eq!(client.refresh().await.map(row), Ok([65, 1, 1, 1]));
    repository.publish(&[ROOT]);
    assert_eq!(another.refresh().await, refused("tuf/too-many"));
}

/// Whatever happens to a root in the middle of the chain, only a status that says so ends it: an answer
/// that is lost is not one that there is no newer root.
#[tokio::test]
async fn a_connection_that_ends_in_the_middle_of_the_chain() {
    fn half(bytes: &mut Vec<u8>) {
        bytes.truncate(bytes.len() / 2);
    }
    let status = |status| Fault::Status(status, &[("content-type", "text/html")], "<html>");
    let rows = [
        (Fault::ResetBefore, refused("tuf/unreachable")),
        (Fault::CommitThenReset, refused("tuf/unreachable")),
        (Fault::Truncate(100), refused("tuf/unreachable")),
        (Fault::Truncate(0), refused("tuf/unreachable")),
        (Fault::Raw(b"SSH-2.0\r\n"), refused("tuf/unreachable")),
        (status(429), refused("tuf/unreachable")),
        (status(500), refused("tuf/unreachable")),
        (status(503), refused("tuf/unreachable")),
        (status(204), refused("tuf/status")),
        (status(401), refused("tuf/status")),
        (Fault::Alter(half), refused("tuf/malformed")),
        (Fault::Alter(Vec::clear), refused("tuf/malformed")),
        (Fault::Html, refused("tuf/malformed")),
        (Fault::Endless, refused("tuf/too-large")),
        // The mirror says that there is no version 3; the timestamp is signed by a key of version 4.
        (status(404), refused("tuf/signature")),
        (status(403), refused("tuf/signature")),
    ];
    let mut repository = Repository::new();
    let first = repository.served(ROOT, 1);
    repository.publish(&[ROOT, ROOT]);
    repository.rotate(TIMESTAMP);
    repository.publish(&[ROOT, TIMESTAMP]);
    let repository = &repository;
    let plays = rows.map(|(fault, expected)| {
        let first = first.clone();
        Box::pin(async move {
            let mut client = Client::new(&repository.server, first, time(0));
            let what = format!("{fault:?}");
            let rule = Rule::on("GET", At::Contains("3.root.json"), fault);
            let service = repository.server.url("metadata/");
            let proxy = FaultProxy::start(service.as_str(), vec![rule]);
            client.source.metadata = proxy.url().parse().unwrap();
            assert_eq!(client.refresh().await, expected, "{what}");
            assert!(proxy.seen().iter().any(|seen| seen.rule.is_some()), "{what}");
            // The same client, when the mirror is well again.
            client.source.metadata = service;
            assert_eq!(client.refresh().await.map(row), Ok([4, 2, 1, 1]), "{what}");
        })
    });
    futures_util::future::join_all(plays).await;
}

/// A threshold that nobody needs to reach.
#[tokio::test]
async fn a_threshold_of_zero() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.set_threshold(TIMESTAMP, 0);
    repository.publish(&[ROOT]);
    assert_eq!(client.refresh().await, refused("tuf/malformed"));
    assert_eq!(client.keeps()[0], 1);
}

/// A role that the root does not speak of has no keys.
#[tokio::test]
async fn a_role_that_is_not_in_the_root() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    let roles = repository.signed(ROOT)["roles"].as_object_mut().unwrap();
    roles.remove(SNAPSHOT).unwrap();
    repository.publish(&[ROOT]);
    assert_eq!(client.refresh().await, refused("tuf/signature"));
}

/// Metadata of two moments together: each is signed, and they do not fit.
#[tokio::test]
async fn mixed_metadata() {
    let (mut repository, client) = second().await;
    repository.publish(&[TARGETS, SNAPSHOT]);
    repository.replace(SNAPSHOT, 2, repository.served(SNAPSHOT, 3));
    assert_eq!(client.refresh().await, refused("tuf/mismatch"));
    assert_eq!(client.keeps(), [2, 2, 1, 1]);
}

/// What is kept saves requests, and is believed no more than the mirror is.
#[tokio::test]
async fn a_cache_of_somebody_else() {
    let mut repository = delegated();
    repository.add_target(TARGETS, "top", b"top");
    repository.publish_all();
    let client = Client::of(&repository);
    assert!(client.download_one("top").await.is_ok());
    assert!(client.download_one("file").await.is_ok());

    // Another repository, with keys of its own, and another target under the same hash.
    let mut other = Repository::new();
    other.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
    let mut state = client.state();
    for role in TOP_LEVEL {
        state[role] = json!(String::from_utf8(other.served(role, 2)).unwrap());
    }
    state["roots"] = json!({"2": state[ROOT]});
    for file in state["files"].as_object_mut().unwrap().values_mut() {
        *file = json!("bWFsaWNpb3Vz");
    }
    fs::write(client.folder().join("state.json"), state.to_string()).unwrap();
    assert_eq!(client.warnings().await, ["tuf/cache"]);
    assert_eq!(client.refresh().await.map(row), Ok([1, 4, 4, 4]));
    assert_eq!(client.download_one("top").await, Ok(b"top".to_vec()));
    assert_eq!(client.download_one("file").await, Ok(b"content".to_vec()));

    for damaged in ["", "{", "[]", "{\"form\": 2}"] {
        fs::write(client.folder().join("state.json"), damaged).unwrap();
        assert_eq!(client.refresh().await.map(row), Ok([1, 4, 4, 4]), "`{damaged}`");
    }
}

/// Names of targets that are no names of files. Whoever lists them has signed them.
#[tokio::test]
async fn odd_names_of_targets() {
    let long = "x/".repeat(5_000);
    for name in [
        "", ".", "..", "/", "//", "a/..", "/..", "../a", "a//b", "a/./b", "a/", "\0", "\u{202e}",
        "?", "#", "%", "%2F", "a\\b", "C:\\a", " ", &long,
    ] {
        let mut repository = Repository::new();
        let any = json!({"length": 1, "hashes": {"sha256": "00".repeat(32)}});
        repository.signed(TARGETS)["targets"][name] = any;
        repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
        let client = Client::of(&repository);
        let result = client.download_one(name).await;
        let codes = ["tuf/malformed", "tuf/no-target", "tuf/status"];
        assert!(codes.map(refused).contains(&result), "{name:?}: {result:?}");
    }
}

/// Whoever can write into the folder of the cache stops no run: it keeps nothing, and says so.
#[tokio::test]
async fn what_cannot_be_kept_stops_nothing() {
    let (repository, pipe) = (Repository::new(), "/usr/bin/mkfifo");
    for (command, name, kept) in [
        (pipe, "lock", false),
        (pipe, "state.new", true),
        ("/bin/mkdir", "lock", false),
        ("/bin/mkdir", "state.new", false),
        ("/bin/mkdir", "other", true),
    ] {
        let client = Client::of(&repository);
        let path = client.folder().join(name);
        Program::new(command).arg(&path).run().expect(0);
        let folder = client.keeps_in().await;
        let expected = kept.then(|| client.folder().to_owned());
        assert_eq!(folder, expected, "{command} {name}");
    }
}
