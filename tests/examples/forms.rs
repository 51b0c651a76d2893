// SPDX-License-Identifier: Apache-2.0
//! The form of the examples: what all have in common, and the schemas of their platforms.

use std::path::Path;

use crate::common::Program;
use crate::example::{DIGEST, Example, folder};
use crate::place::stack;

/// The examples of this program's image. Those of GitHub use the action.
const ALL: [&str; 8] = [
    "Jenkinsfile",
    "buildkite.yml",
    "circleci.yml",
    "cloudbuild-impersonation.yaml",
    "cloudbuild.yaml",
    "gitlab-ci.yml",
    "kubernetes.yaml",
    "shell.sh",
];

#[test]
fn every_example_has_its_image_its_permissions_and_its_verify_line() {
    let version = env!("CARGO_PKG_VERSION");
    for name in ALL {
        let example = Example::read(name);
        let mut lines = example.text.lines();
        let licence = lines.any(|line| line.ends_with("SPDX-License-Identifier: Apache-2.0"));
        assert!(licence, "{name}");
        let image = format!("ghcr.io/OWNER/ambisign:{version}");
        let mut found = example.text.matches("ghcr.io/OWNER/ambisign").count();
        for part in example.text.split(&image).skip(1) {
            let rest = part.trim_start_matches("-shell").trim_start_matches("-nonroot");
            assert!(rest.starts_with(&format!("@sha256:{}", "0".repeat(64))), "{name}: {part}");
            found -= 1;
        }
        assert_eq!(found, 0, "an image without version or digest in {name}");
        assert!(example.text.contains(&image), "{name}");
        for command in example.told("cosign") {
            assert!(command.ends_with(DIGEST), "{name}: {command}");
        }
        assert!(!example.told("cosign").is_empty(), "{name}");
        let granted =
            ["Permissions:", "Once for a "].iter().any(|words| example.text.contains(words));
        assert!(granted, "{name} says what to grant");
        assert!(!example.text.contains("docker.io/"), "{name}");
    }
}

/// A dotenv report lets one job set the variables of another, and some decide who gets the token.
#[test]
fn results_travel_in_files() {
    for name in ALL {
        let example = Example::read(name);
        let mut commands = example.text.lines().filter(|line| !line.trim_start().starts_with('#'));
        assert!(
            !commands.any(|line| line.contains("dotenv") || line.contains("BASH_ENV")),
            "{name}"
        );
        assert!(example.text.contains("--images-file"), "{name}");
    }
}

/// Others can move a tag between push and signature, so no example asks a registry what a tag means. What
/// `docker inspect` says is what its engine pushed.
#[test]
fn no_example_reads_a_digest_back_by_tag() {
    let asks = [
        "buildx imagetools inspect",
        "crane digest",
        "docker manifest inspect",
        "docker pull",
        "oras resolve",
        "regctl",
        "skopeo inspect",
    ];
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let found: Vec<_> = asks.iter().filter(|ask| text.contains(**ask)).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
    // What is joined to an index is named by digest too.
    let text = std::fs::read_to_string(folder().join("github-multi-arch.yml")).unwrap();
    assert!(text.contains("}}@${{ steps.push.outputs.digest }}\n"), "{text}");
    assert!(text.contains("cat pushed/* | xargs docker buildx imagetools create --metadata-file"));
}

#[test]
fn every_example_is_in_the_table() {
    let table = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || table.contains(&format!("]({name})")), "{name}");
    }
    for name in ALL {
        assert!(folder().join(name).is_file(), "{name}");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_platforms_schemas_accept_the_examples() {
    let cache = Path::new(stack().var("REALSTACK_BIN")).parent().unwrap();
    let program = || Program::new(cache.join("check-jsonschema/bin/check-jsonschema"));
    for (schema, names) in [
        ("vendor.buildkite", &["buildkite.yml"][..]),
        ("vendor.circle-ci", &["circleci.yml"]),
        ("vendor.cloudbuild", &["cloudbuild.yaml", "cloudbuild-impersonation.yaml"]),
        ("vendor.gitlab-ci", &["gitlab-ci.yml"]),
    ] {
        let check = program().args(["--builtin-schema", schema]).args(names);
        check.env("HOME", "/nonexistent").dir(folder()).run().expect(0);
        // The schema refuses something.
        let check = program().args(["--builtin-schema", schema, "--default-filetype", "yaml", "-"]);
        check.stdin("steps: 7\nstages: 7\nversion: true\n").run().expect(1);
    }
}
