// SPDX-License-Identifier: Apache-2.0
//! What the released binary may link: the guard of several invariants of ARCHITECTURE.md.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "asks cargo for the dependency tree, and stops when it has none"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Every target that is released.
const TARGETS: [&str; 4] = [
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
];

/// Packages that must not be there, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    ("ambisign-sandbox", "a certificate authority for tests has no place in a signer"),
    ("dialoguer", "nothing waits for a human"),
    ("inquire", "nothing waits for a human"),
    ("native-tls", "one TLS stack"),
    ("open", "nothing opens a browser unless asked for by name"),
    ("openssl", "one TLS stack"),
    ("openssl-sys", "one TLS stack"),
    ("ring", "one crypto library for TLS and verification"),
    ("rpassword", "nothing waits for a human"),
    ("rsa", "its private-key operations leak timing"),
    ("webbrowser", "nothing opens a browser unless asked for by name"),
];

/// Packages of which one version is enough.
const SINGLE: &[&str] = &["aws-lc-rs", "der", "p256", "reqwest", "rustls", "x509-cert"];

/// The advisory, the package, and a version without the fault: none below it is linked.
const FLOORS: &[(&str, &str, [u32; 3])] = &[
    ("GHSA-5vmp-m5v2-hx47", "tough", [0, 24, 0]),
    ("RUSTSEC-2025-0055", "tracing-subscriber", [0, 3, 20]),
    ("RUSTSEC-2026-0007", "bytes", [1, 11, 1]),
    ("RUSTSEC-2026-0044", "aws-lc-sys", [0, 39, 0]),
    ("RUSTSEC-2026-0104", "rustls-webpki", [0, 103, 13]),
    ("RUSTSEC-2026-0258", "h2", [0, 4, 16]),
];

/// What stands below the program, and packages that would say that it knows what stands beside it or
/// above.
const BELOW: [(&str, &[&str]); 4] = [
    (
        "ambisign-host",
        &[
            "ambisign-providers",
            "ambisign-registry",
            "ambisign-sigstore",
            "clap",
            "oci-client",
            "p256",
            "tough",
        ],
    ),
    (
        "ambisign-providers",
        &[
            "ambisign-registry",
            "ambisign-sigstore",
            "clap",
            "cms",
            "oci-client",
            "p256",
            "tough",
            "x509-cert",
        ],
    ),
    ("ambisign-registry", &["clap"]),
    ("ambisign-sigstore", &["ambisign-providers", "ambisign-registry", "clap", "oci-client"]),
];

#[test]
fn the_signer_links_nothing_forbidden() {
    for target in TARGETS {
        let tree = tree("ambisign", target);
        assert!(tree.contains_key("rustls"), "{target}: the tree is not one");
        for (name, why) in FORBIDDEN {
            assert!(!tree.contains_key(*name), "{target}: `{name}` is linked: {why}");
        }
    }
}

#[test]
fn the_signer_links_one_generation_of_each() {
    for target in TARGETS {
        let tree = tree("ambisign", target);
        for name in SINGLE {
            let versions = tree.get(*name);
            let count = versions.map_or(0, BTreeSet::len);
            assert!(count <= 1, "{target}: several versions of `{name}`: {versions:?}");
        }
    }
}

/// What was wrong in our own dependencies before, for whoever cannot reach the database of advisories.
#[test]
fn rustsec_no_version_is_below_its_floor() {
    let trees = TARGETS.map(|target| tree("ambisign", target));
    let mut found = 0;
    for (advisory, name, floor) in FLOORS {
        for version in trees.iter().filter_map(|tree| tree.get(*name)).flatten() {
            let mut parts = version.trim_start_matches('v').split(['.', '-']);
            let parts = [(); 3].map(|()| parts.next().unwrap().parse().unwrap());
            assert!(parts >= *floor, "{advisory}: {name} {version}");
            found += 1;
        }
    }
    assert!(found > 0, "the trees are none");
}

/// A stand-in for cargo-deny that ends with `fetched` when it fetches the database, and writes down its calls.
fn advisories(fetched: i32, asked_for: Option<&str>) -> (Option<i32>, String, String) {
    let folder = tempfile::TempDir::new().unwrap();
    let (deny, calls) = (folder.path().join("cargo-deny"), folder.path().join("calls"));
    let text = format!(
        "#!/bin/sh\necho \"$@\" >>{}\ncase \"$*\" in *fetch*) echo fatal: no way >&2; exit {fetched} ;; esac\n",
        calls.display()
    );
    std::fs::write(&deny, text).unwrap();
    std::fs::set_permissions(&deny, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/advisories"));
    script.arg(&deny).env_remove("ADVISORIES");
    script.envs(asked_for.map(|value| ("ADVISORIES", value)));
    let output = script.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), said, std::fs::read_to_string(calls).unwrap())
}

#[test]
fn advisories_that_cannot_be_checked_fail_the_gate_of_ci() {
    let (code, said, _) = advisories(1, None);
    assert_eq!(code, Some(0));
    assert!(said.contains("ADVISORIES NOT CHECKED") && said.contains("fatal: no way"), "{said}");
    let (code, said, calls) = advisories(1, Some("required"));
    assert_eq!(code, Some(1));
    assert!(said.contains("ADVISORIES NOT CHECKED"), "{said}");
    assert!(!calls.contains("advisories"), "{calls}");
    let workflow = include_str!("../.github/workflows/ci.yml");
    let (before, _) = workflow.split_once("run: .ci/run").unwrap();
    assert!(before.trim_end().lines().last().unwrap().contains("ADVISORIES: required"));
    assert!(workflow.contains("  schedule:\n"));
}

#[test]
fn both_lock_files_are_compared_with_the_advisories() {
    let (code, _, calls) = advisories(0, Some("required"));
    assert_eq!(code, Some(0));
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let call = format!(
            "--manifest-path {manifest} --config deny.toml check --disable-fetch advisories"
        );
        assert!(calls.contains(&call), "{calls}");
    }
    assert!(include_str!("../deny.toml").contains("\nunmaintained = \"all\"\n"));
}

/// Cargo replaces a lock file that does not fit the manifests, so what was checked would not be what is built.
#[test]
fn the_lock_file_of_the_fuzz_targets_fits() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--depth", "0"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
}

#[test]
fn what_is_below_the_program_stands_alone() {
    for target in TARGETS {
        for (package, others) in BELOW {
            let tree = tree(package, target);
            assert!(tree.contains_key("reqwest"), "{target}: the tree is not one");
            for name in others.iter().chain(&["ambisign"]) {
                assert!(!tree.contains_key(*name), "{target}: `{package}` links `{name}`");
            }
        }
    }
}

/// Cargo unifies features over a workspace, so that one crate would decide for another.
#[test]
fn no_crate_has_features() {
    for manifest in [
        "Cargo.toml",
        "host/Cargo.toml",
        "providers/Cargo.toml",
        "sandbox/Cargo.toml",
        "sigstore/Cargo.toml",
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains("[features]"), "{manifest} has features");
    }
}

/// The packages that `package` links on `target`, with their versions. Build scripts and macros are
/// not linked.
fn tree(package: &str, target: &str) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "-p", package, "--target", target])
        .args(["-e", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {error}");
    let mut tree = BTreeMap::<_, BTreeSet<_>>::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut words = line.split(' ').map(str::to_owned);
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            tree.entry(name).or_default().insert(version);
        }
    }
    tree
}
