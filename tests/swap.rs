// SPDX-License-Identifier: Apache-2.0
//! The word `cosign` swapped for `ambisign`: each line that cosign's documentation signs with, as a
//! shell runs it, and each flag that cosign has.

#![cfg(test)]

mod common;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ambisign::cli::cosign::{FLAGS, Takes};
use tempfile::TempDir;

use common::{Cosign, Finished, GITHUB_IDENTITY, Image, Log, Program, Registry, Stack};

const LINES: &str = include_str!("swap/lines.txt");

/// What other people call their images; each is replaced by one of the stack.
const IMAGES: [&str; 3] = [
    "ghcr.io/user/alpine@sha256:a19367999603840546b8612572e338ec076c6d1f2fec61760a9e11410f546733",
    "ghcr.io/jdoe/somerepo/testcosign",
    "gcr.io/user-vmtest2/demo",
];

/// One line of the list.
struct Line {
    page: &'static str,
    expected: &'static str,
    command: &'static str,
}

fn lines() -> Vec<Line> {
    let mut page = "";
    let mut found = Vec::new();
    for line in LINES.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("== ") {
            page = name;
        } else if let Some((expected, command)) = line.split_once(" | ") {
            found.push(Line { page, expected, command });
        }
    }
    found
}

/// A folder in which the lines find what they name.
fn folder(stack: &Stack, image: &Image) -> TempDir {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    for file in ["README.md", "artifact", "to_be_signed.txt"] {
        std::fs::write(at(file), file).unwrap();
    }
    std::fs::write(at("cosignImagerefs"), image.reference()).unwrap();
    std::fs::copy(Log::V2.signing_config(stack), at("custom.signingconfig.json")).unwrap();
    let token = stack.token("github", &[]);
    std::fs::write(at("gcloud"), format!("#!/bin/sh\necho {token}\n")).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(at("gcloud"), executable).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ambisign"), at("ambisign")).unwrap();
    folder
}

/// Runs `command` with the word swapped, in `folder`, as a job that is set up by variables alone.
fn swapped(stack: &Stack, image: &Image, command: &str, folder: &Path) -> Finished {
    let repository = image.reference();
    let repository = repository.split_once('/').unwrap().0;
    let own = IMAGES
        .into_iter()
        .fold(command.to_owned(), |line, theirs| line.replace(theirs, &image.reference()));
    let own = own
        .replace("gcr.io/my-new-repo", &format!("{repository}/signatures/all"))
        .replace("<url>", stack.var("TSA_URL"))
        .replace("cosign sign", "ambisign sign");
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let token = stack.token("github", &[]);
    let config = Log::V2.signing_config(stack).to_owned();
    let mut program = Program::new("/bin/sh")
        .args(["-c", own.as_str()])
        .dir(folder)
        .env("PATH", path)
        .env("AMBISIGN_TRUSTED_ROOT", stack.var("TRUSTED_ROOT"))
        .env("AMBISIGN_SIGNING_CONFIG", &config)
        .env("SIGSTORE_ID_TOKEN", &token)
        .env("OIDC_TOKEN", &token)
        .env("signingconfig", &config)
        .env("trustedroot", stack.var("TRUSTED_ROOT"));
    for name in ["IMAGE", "IMAGE_DIGEST", "IMAGE_URI_DIGEST", "demoimage", "images"] {
        program = program.env(name, image.reference());
    }
    for name in ["TAG", "GIT_HASH", "GIT_VERSION"] {
        program = program.env(name, "v1");
    }
    program.run()
}

/// That the bundle in `file` is of `artifact`, by cosign.
fn verified(stack: &Stack, folder: &Path, file: &str, artifact: &str) {
    Cosign::Three
        .program(stack)
        .args(["verify-blob", "--bundle", file, "--trusted-root"])
        .arg(stack.var("TRUSTED_ROOT"))
        .args(["--certificate-identity", GITHUB_IDENTITY])
        .args(["--certificate-oidc-issuer", &stack.issuer("github"), artifact])
        .dir(folder)
        .run()
        .expect(0);
}

fn is_as_expected(stack: &Stack, line: &Line) {
    let image = stack.push(Registry::Referrers, "swap/app", 1);
    let folder = folder(stack, &image);
    let run = swapped(stack, &image, line.command, folder.path());
    let case = format!("{}: {}: {run}", line.page, line.command);
    let (word, rest) = line.expected.split_once(' ').unwrap_or((line.expected, ""));
    match word {
        "attached" => {
            assert_eq!(run.code, Some(0), "{case}");
            let mut cosign = Cosign::Three.program(stack).args(["verify", "--trusted-root"]);
            if line.command.contains("COSIGN_REPOSITORY") {
                let host = Registry::Referrers.host(stack);
                cosign = cosign.env("COSIGN_REPOSITORY", format!("{host}/signatures/all"));
            }
            let verdict = cosign
                .arg(stack.var("TRUSTED_ROOT"))
                .args(["--certificate-identity", GITHUB_IDENTITY])
                .args(["--certificate-oidc-issuer", &stack.issuer("github")])
                .arg(image.reference())
                .run();
            assert_eq!(verdict.code, Some(0), "{case}\n{verdict}");
        }
        "kept" => {
            assert_eq!(run.code, Some(0), "{case}");
            assert!(image.signatures().is_empty(), "{case}");
            assert!(folder.path().join(rest).exists(), "{case}");
        }
        "blob" => {
            assert_eq!(run.code, Some(0), "{case}");
            let files = ["README.md", "artifact", "to_be_signed.txt"];
            let words = line.command.split_whitespace();
            let mut named = words.filter(|word| files.contains(word));
            verified(stack, folder.path(), rest, named.next().unwrap());
        }
        "help" => {
            assert_eq!(run.code, Some(0), "{case}");
            assert!(run.stdout.contains("Usage:"), "{case}");
        }
        code => {
            assert_eq!(run.code, Some(2), "{case}");
            assert!(run.stderr.contains(&format!("code: {code}; exit 2")), "{case}");
            let fix = run.stderr.split("ambisign: fix: ").nth(1).unwrap();
            assert!(fix.starts_with(rest), "{case}");
        }
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn each_line_of_the_documentation_of_cosign_runs_or_says_what_to_do() {
    let stack = Stack::shared();
    let lines = lines();
    assert!(lines.len() > 35);
    for line in lines {
        is_as_expected(&stack, &line);
    }
}

/// The flags in the help of cosign, without their dashes.
fn helped(stack: &Stack, command: &str) -> BTreeSet<String> {
    let help = Cosign::Three.program(stack).args([command, "--help"]).run().stdout;
    let (_, flags) = help.split_once("\nFlags:\n").unwrap();
    let words = flags.lines().map(str::trim_start);
    let flags = words.filter(|line| line.starts_with('-'));
    let names = flags.filter_map(|line| line.split("--").nth(1));
    let names = names.filter_map(|rest| rest.split(['=', ' ', ':']).next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// A new cosign shows here what it has and we do not know; and one that dropped a flag, too.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_table_knows_each_flag_of_cosign() {
    let stack = Stack::shared();
    for command in ["sign", "sign-blob", "verify", "verify-blob"] {
        let rows = FLAGS.iter().filter(|flag| flag.of.contains(&command));
        let known: BTreeSet<String> = rows.clone().map(|flag| flag.name.to_owned()).collect();
        let helped = helped(&stack, command);
        assert!(helped.len() > 15, "{command}: {helped:?}");
        let lacking: Vec<_> = helped.difference(&known).collect();
        assert!(lacking.is_empty(), "{command}: not in the table: {lacking:?}");
        // Hidden ones are not in the help, and cosign refuses what it does not know at once.
        let given = rows.map(|flag| match flag.takes {
            Takes::Switch => format!("--{}=true", flag.name),
            Takes::Value => format!("--{}={}", flag.name, harmless(flag.name)),
        });
        let run = Cosign::Three.program(&stack).arg(command).args(given).arg("--help").run();
        assert_eq!(run.code, Some(0), "{command}: {run}");
    }
}

/// A value that cosign's own parser accepts.
fn harmless(name: &str) -> &'static str {
    match name {
        "max-workers" => "1",
        "timeout" => "3m",
        "registry-referrers-mode" => "legacy",
        _ => "a=b",
    }
}

#[test]
fn a_secret_on_the_command_line_reaches_nothing() {
    let secret = "canary-5d1f";
    for output in ["text", "json"] {
        for line in [
            vec!["sign", "--registry-password=canary-5d1f", "r.example/a"],
            vec!["sign", "--registry-token", "canary-5d1f", "r.example/a"],
            vec!["verify", "--registry-password", "canary-5d1f", "r.example/a"],
            vec!["sign", "--key", "canary-5d1f", "r.example/a"],
        ] {
            let program = Program::ambisign().args(line);
            let run = program.args(["--output", output]).env("GITHUB_ACTIONS", "true").run();
            let run = run.expect(2);
            common::assert_no_canary(&[secret], &run.outputs());
            let is_secret = run.line.contains("registry");
            assert!(!is_secret || run.stderr.contains("AMBISIGN_REGISTRY_"), "{run}");
            if output == "json" {
                assert_eq!(run.json()["error"]["class"], "usage");
            }
        }
    }
}
