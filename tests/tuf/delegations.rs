// SPDX-License-Identifier: Apache-2.0
//! `test_updater_delegation_graphs` and `test_quoting_issues` of tuf-conformance, and what else can be
//! wrong with a delegated role.

use serde_json::json;

use super::client::{Client, refused};
use super::key::Key;
use super::repository::{Repository, SNAPSHOT, TARGETS, TIMESTAMP, encoded, past};

/// The name of a case; its delegations as `PARENT CHILD [PATHS] [terminating]`, where no paths mean
/// all; the roles that a search for a target which is nowhere asks for, in order.
const GRAPHS: [(&str, &[&str], &str); 12] = [
    ("basic-delegation", &["targets A"], "A"),
    ("single-level-delegations", &["targets A", "targets B"], "A B"),
    ("two-level-delegations", &["targets A", "targets B", "B C"], "A B C"),
    ("two-level-test-DFS-order-of-traversal", &["targets A", "targets B", "A C", "A D"], "A C D B"),
    (
        "three-level-delegation-test-DFS-order-of-traversal",
        &["targets A", "targets B", "A C", "C D"],
        "A C D B",
    ),
    (
        "two-level-terminating-ignores-all-but-roles-descendants",
        &["targets A", "targets B", "A C terminating", "A D"],
        "A C",
    ),
    (
        "three-level-terminating-ignores-all-but-roles-descendants",
        &["targets A", "targets B", "A C terminating", "C D"],
        "A C D",
    ),
    (
        "two-level-ignores-all-branches-not-matching-paths",
        &["targets A *.py", "targets B", "A C"],
        "B",
    ),
    (
        "three-level-ignores-all-branches-not-matching-paths",
        &["targets A", "targets B", "A C *.py", "C D"],
        "A B",
    ),
    ("cyclic-graph", &["targets A", "targets B", "B C", "C D", "D B"], "A B C D"),
    ("two-roles-delegating-to-a-third", &["targets A", "targets B", "B C", "A C"], "A C B"),
    (
        "two-roles-delegating-to-a-third-different-paths",
        &["targets A", "targets B", "B C", "A C *.py"],
        "A B C",
    ),
];

/// Adds `PARENT CHILD [PATHS] [terminating]`.
fn delegate(repository: &mut Repository, delegation: &str) {
    let mut words: Vec<&str> = delegation.split_whitespace().collect();
    let terminating = words.pop_if(|word| *word == "terminating").is_some();
    let (parent, child, paths) = (words[0], words[1], &words[2..]);
    let paths = if paths.is_empty() { &["*"] } else { paths };
    if terminating {
        repository.delegate_terminating(parent, child, paths);
    } else {
        repository.delegate(parent, child, paths);
    }
}

/// The delegated roles that were asked for since the last call, by name.
fn roles_asked(repository: &Repository) -> String {
    let asked = repository.asked();
    let names = asked.iter().filter_map(|path| {
        let (_version, name) = path.strip_suffix(".json")?.split_once('.')?;
        let delegated = !["root", "snapshot", "targets"].contains(&name);
        delegated.then_some(name)
    });
    names.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn graph_traversal() {
    for (name, delegations, order) in GRAPHS {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        for delegation in delegations {
            delegate(&mut repository, delegation);
        }
        repository.publish_all();
        let result = client.download_one("missingpath").await;
        assert_eq!(result, refused("tuf/no-target"), "graph_traversal[{name}]");
        assert_eq!(roles_asked(&repository), order, "graph_traversal[{name}]");
    }
}

/// The name of a case, the target, whether it is found, and the roles that are asked for.
const SEARCHES: [(&str, &str, bool, &str); 9] = [
    ("no delegations", "targetfile", true, ""),
    ("targetpath matches wildcard", "README.md", true, "A"),
    ("targetpath with separators x", "releases/x/x_v1", true, "B C"),
    ("targetpath with separators y", "releases/y/y_v1.zip", true, "B D"),
    ("targetpath is not delegated by all roles in the chain", "releases/z/z_v1.zip", false, "B"),
    ("wildcard does not match path separator", "releases/README.md", false, ""),
    ("targetpath matches question mark wildcard", "foo-1.tgz", true, "A"),
    ("targetpath does not match question mark wildcard", "foo-alpha.tgz", false, ""),
    ("targetpath matching is case sensitive", "README.MD", false, ""),
];

#[tokio::test]
async fn targetfile_search() {
    let mut repository = Repository::new();
    for delegation in [
        "targets A *.doc *.md foo-?.tgz",
        "targets B releases/*/*",
        "B C releases/x/*",
        "B D releases/y/*.zip",
    ] {
        delegate(&mut repository, delegation);
    }
    for (role, name) in [
        (TARGETS, "targetfile"),
        ("A", "README.md"),
        ("C", "releases/x/x_v1"),
        ("D", "releases/y/y_v1.zip"),
        ("D", "releases/z/z_v1.zip"),
        ("A", "releases/README.md"),
        ("A", "foo-1.tgz"),
        ("A", "foo-alpha.tgz"),
        ("A", "README.MD"),
    ] {
        repository.add_target(role, name, name.as_bytes());
    }
    repository.publish_all();
    for (case, name, found, order) in SEARCHES {
        repository.asked();
        let result = Client::of(&repository).download_one(name).await;
        let wanted = if found { Ok(name.into()) } else { refused("tuf/no-target") };
        assert_eq!(result, wanted, "targetfile_search[{case}]");
        assert_eq!(roles_asked(&repository), order, "targetfile_search[{case}]");
    }
}

#[tokio::test]
async fn cached_role_is_verified_against_current_delegator() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    for delegation in [
        "targets parent-a team-a/*",
        "targets parent-b team-b/*",
        "parent-a release team-a/*",
        "parent-b release team-b/*",
    ] {
        delegate(&mut repository, delegation);
    }
    // Signed with the key that the first parent knows, and not with that of the second.
    repository.signers("release").truncate(1);
    repository.add_target("release", "team-a/file", b"trusted");
    repository.add_target("release", "team-b/file", b"malicious");
    repository.publish_all();
    let results = client.download(&["team-a/file", "team-b/file"]).await;
    assert_eq!(results, [Ok(b"trusted".to_vec()), refused("tuf/signature")]);
    // What was kept of the one helps no more in another process.
    assert_eq!(client.download_one("team-b/file").await, refused("tuf/signature"));
}

#[tokio::test]
async fn delegation_not_in_snapshot() {
    let mut repository = Repository::new();
    let client = Client::of(&repository);
    repository.delegate(TARGETS, "delegated", &["delegated/*"]);
    repository.publish(&["delegated", TARGETS]);
    let meta = repository.signed(SNAPSHOT)["meta"].as_object_mut().unwrap();
    meta.remove("delegated.json").unwrap();
    repository.publish(&[SNAPSHOT, TIMESTAMP]);
    client.refresh().await.unwrap();
    repository.asked();

    let result = client.download_one("delegated/file").await;
    assert_eq!(result, refused("tuf/malformed"));
    let mut asked = repository.asked();
    asked.sort();
    assert_eq!(asked, ["2.root.json", "timestamp.json"]);
    assert!(client.state()["delegated"].as_object().unwrap().is_empty());
}

#[tokio::test]
async fn unusual_role_name() {
    for name in ["?", "#", "/delegatedrole", "../delegatedrole"] {
        let mut repository = Repository::new();
        let client = Client::of(&repository);
        repository.delegate(TARGETS, name, &["*"]);
        repository.publish_all();
        let result = client.download_one("nonexistent target").await;
        assert_eq!(result, refused("tuf/no-target"), "unusual_role_name[{name}]");
        assert_eq!(roles_asked(&repository), encoded(name), "unusual_role_name[{name}]");

        // The name is a key in the one file that there is, and no path.
        assert!(client.state()["delegated"][name].is_string(), "[{name}]");
        let files = client.folder().read_dir().unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["lock", "state.json"], "unusual_role_name[{name}]");
        assert!(!client.folder().with_file_name("delegatedrole.json").exists());
    }
}

/// A repository with a target `file` of the role `delegated`, in version 2.
pub(crate) fn delegated() -> Repository {
    let mut repository = Repository::new();
    repository.pins = true;
    repository.delegate(TARGETS, "delegated", &["*"]);
    repository.add_target("delegated", "file", b"content");
    repository.publish_all();
    repository.publish_all();
    repository
}

/// An error code and what leads to it.
type Wrong = (&'static str, fn(&mut Repository));

#[tokio::test]
async fn wrong_delegated_roles() {
    let rows: [Wrong; 4] = [
        ("tuf/signature", |repository| {
            let key = Key::ecdsa();
            *repository.signers("delegated") = vec![key];
            repository.publish_all();
        }),
        ("tuf/expired", |repository| {
            repository.signed("delegated")["expires"] = json!(past());
            repository.publish_all();
        }),
        ("tuf/mismatch", |repository| {
            let first = repository.served("delegated", 1);
            repository.replace("delegated", 2, first);
        }),
        ("tuf/too-large", |repository| {
            let mut file = repository.served("delegated", 2);
            file.resize(5_000_001, b' ');
            repository.replace("delegated", 2, file);
        }),
    ];
    for (code, change) in rows {
        let mut repository = delegated();
        change(&mut repository);
        let client = Client::of(&repository);
        assert!(client.refresh().await.is_ok(), "{code}: nobody needs it");
        assert_eq!(client.download_one("file").await, refused(code));
        assert!(client.state()["delegated"].as_object().unwrap().is_empty(), "{code}");
    }
}

#[tokio::test]
async fn too_many_delegated_roles() {
    for (count, code) in [(32, "tuf/no-target"), (33, "tuf/too-many")] {
        let mut repository = Repository::new();
        for number in 0..count {
            repository.delegate(TARGETS, &format!("role{number}"), &["*"]);
        }
        repository.publish_all();
        let client = Client::of(&repository);
        assert_eq!(client.download_one("file").await, refused(code), "{count}");
    }
}

/// A pattern which other clients read in other ways.
#[tokio::test]
async fn unclear_paths_of_a_delegation() {
    for pattern in ["[ab]*", "{a,b}", "a\\*"] {
        let mut repository = Repository::new();
        repository.delegate(TARGETS, "delegated", &["c", pattern]);
        repository.publish_all();
        let client = Client::of(&repository);
        assert_eq!(client.download_one("c").await, refused("tuf/malformed"), "{pattern}");
    }
}

/// Roles by number (TAP 15), which the client does not know: nobody else may speak in their place.
#[tokio::test]
async fn succinct_delegations() {
    let mut repository = Repository::new();
    let key = Key::ecdsa();
    repository.signed(TARGETS)["delegations"] = json!({
        "keys": {key.id(): key.public()},
        "succinct_roles": {"keyids": [key.id()], "threshold": 1, "bit_length": 4, "name_prefix": "bin"},
    });
    repository.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    let client = Client::of(&repository);
    assert_eq!(client.refresh().await, refused("tuf/malformed"));
}
