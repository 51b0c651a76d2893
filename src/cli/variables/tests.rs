// SPDX-License-Identifier: Apache-2.0
//! The table of variables, compared with the sources that read them.

use std::collections::BTreeSet;
use std::path::Path;

use ambisign_host::Env;
use regex_lite::Regex;

use super::{Role, VARIABLES};

/// The crates whose sources are searched.
const SOURCES: [&str; 5] = ["host/src", "providers/src", "registry/src", "sigstore/src", "src"];

/// The file with the variables that are passed on to programs, and are not read.
const PASSED_ON: &str = "passed_on.rs";

/// Variables that are named only so that no child process sees them.
const NOT_READ: [&str; 2] = ["ACTIONS_RUNTIME_TOKEN", "BUILDKITE_AGENT_ACCESS_TOKEN"];

/// Words in capitals that are no variables: values in documents and protocols, and placeholders of the help.
#[rustfmt::skip] // Words, and nothing to say about each.
const WORDS: [&str; 57] = [
    "ACCESS_KEY", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "ACCOUNT", "ALL", "AMBISIGN_PORT", "ANY", "API_KEY",
    "ARTIFACTS", "AUDIENCE", "AWS", "CARGO_PKG_VERSION", "CERTIFICATE", "CODE", "DIGEST", "DIR", "DURATION", "EVENT", "EXACT",
    "EXPLICIT", "FALSE", "FILE", "FOLDER", "FORMAT", "HOST", "IDENTITY", "ID_TOKEN", "IMAGE", "IMPLICIT", "JSON",
    "JWT", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "NAME", "NAME_UNKNOWN", "OWNER", "PASSWORD", "REF", "REGEXP", "REPOSITORY", "RS256",
    "SCT", "SECRET", "SERVICE_DISABLED", "SHA", "SHELL", "SIGINT", "SIGTERM", "SOCKS5", "SPIRE", "TAGS", "TOKEN",
    "TRUE", "URI", "URL", "VERSION", "WHAT", "WORKFLOW",
];

/// The beginnings of further such words: keys and digests of the trusted root.
const BEGINNINGS: [&str; 3] = ["PKCS1_", "PKIX_", "SHA2_"];

#[test]
fn lists_each_name_once() {
    let names: BTreeSet<_> = VARIABLES.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), VARIABLES.len());
}

/// A variable that has no row has nobody who said what it decides: `--public-instance` would miss it.
#[test]
fn every_variable_that_the_sources_name_has_a_row_that_says_what_it_decides() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let literal = Regex::new(r#""([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)""#).unwrap();
    let (mut named, mut missing) = (BTreeSet::new(), BTreeSet::new());
    for folder in SOURCES {
        scan(&root.join(folder), &literal, &mut named);
    }
    for name in &named {
        let is_row = VARIABLES.iter().any(|row| row.name == *name);
        let is_word = WORDS.contains(&name.as_str())
            || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning));
        assert!(!is_row || !is_word, "{name} is a variable and a word");
        if !is_row && !is_word && !NOT_READ.contains(&name.as_str()) {
            missing.insert(name);
        }
    }
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    let idle: Vec<_> =
        WORDS.iter().chain(&NOT_READ).filter(|word| !named.contains(**word)).collect();
    assert!(idle.is_empty(), "in no source: {idle:?}");
}

/// Collects the literals in capitals of the code below `folder`, without its tests.
fn scan(folder: &Path, literal: &Regex, named: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("tests") {
                scan(&path, literal, named);
            }
            continue;
        }
        if path.ends_with("tests.rs") || path.ends_with(PASSED_ON) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for found in literal.captures_iter(code) {
            if found[1].len() > 1 && !["GET", "HEAD", "PUT", "POST"].contains(&&found[1]) {
                named.insert(found[1].to_owned());
            }
        }
    }
}

/// What an auditor found that `--public-instance` missed, and its siblings.
#[test]
fn a_variable_that_names_a_server_says_so() {
    let role = |name: &str| VARIABLES.iter().find(|row| row.name == name).unwrap().role;
    for name in
        ["ACTIONS_ID_TOKEN_REQUEST_URL", "CI_REGISTRY", "CI_SERVER_HOST", "GITHUB_SERVER_URL"]
    {
        assert_eq!(role(name), Role::Binds, "{name}");
    }
    for name in ["GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"] {
        assert_eq!(role(name), Role::Decides, "{name}");
    }
    // A URL in the example names a server. These are not asked, or have TLS behind them.
    let harmless = [
        "AMBISIGN_OIDC_ISSUER",
        "AMBISIGN_REQUIRE_ISSUER",
        "CF_OIDC_REQUEST_URL",
        "CI_SERVER_URL",
        "ECS_CONTAINER_METADATA_URI_V4",
        "GITHUB_API_URL",
        "JENKINS_URL",
    ];
    for row in VARIABLES.iter().filter(|row| row.example.contains("://")) {
        let known = matches!(row.role, Role::Binds | Role::Decides | Role::Routes);
        assert!(
            known || harmless.contains(&row.name) || row.name.starts_with("SPIFFE"),
            "{}",
            row.name
        );
    }
}

#[test]
fn a_usual_value_decides_nothing() {
    let row = VARIABLES.iter().find(|row| row.name == "GCE_METADATA_HOST").unwrap();
    let given = |value: &str| row.is_given(&Env::from_iter([(row.name, value)]));
    assert!(given("127.0.0.1:8080") && given(row.example));
    assert!(!given("") && !given("metadata.google.internal") && !row.is_given(&Env::default()));
}
