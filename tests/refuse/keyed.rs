// SPDX-License-Identifier: Apache-2.0
//! Lies that take a key: a sandbox tells them, everything else of which is true.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::fault::{At, Fault, Rule, Turn};
use crate::common::{GITHUB_IDENTITY, Log, Registry};
use crate::place::each;
use crate::scene::{Peer, Scene, World};

/// A sandbox in a process of its own; it ends when dropped.
pub(crate) struct Sandbox {
    vars: BTreeMap<String, String>,
    process: Child,
    _dir: TempDir,
}

impl Sandbox {
    /// Starts one whose services tell the lie of this name; an empty one is none.
    pub(crate) fn with(lie: &str) -> Self {
        match lie {
            "" => Self::start(&[]),
            lie => Self::start(&["--lie", lie]),
        }
    }

    pub(crate) fn start(args: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let mut command = Command::new(program());
        command.args(["serve", "--dir"]).arg(dir.path()).args(args);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        // One line for each variable, and a last one when all is up.
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let vars: BTreeMap<_, _> = lines
            .map(Result::unwrap)
            .take_while(|line| !line.starts_with("up;"))
            .filter_map(|line| {
                let (name, value) = line.split_once(' ')?;
                Some((name.to_owned(), value.trim().to_owned()))
            })
            .collect();
        Self { vars, process, _dir: dir }
    }
}

impl World for Sandbox {
    fn var(&self, name: &str) -> &str {
        let value = self.vars.get(name);
        value.unwrap_or_else(|| panic!("the sandbox has no `{name}`"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The sandbox's program, beside the program under test. `cargo test --workspace` has built it;
/// `cargo test` of this package alone has not.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let beside = Path::new(env!("CARGO_BIN_EXE_ambisign"));
        let path = beside.with_file_name("ambisign-sandbox");
        if !path.exists() {
            let mut build = Command::new(env!("CARGO"));
            build.args(["build", "--locked", "--package", "ambisign-sandbox"]);
            if !cfg!(debug_assertions) {
                build.arg("--release");
            }
            let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
            assert!(status.unwrap().success() && path.exists(), "no {}", path.display());
        }
        path
    })
}

/// The lie, the log that is used, the error code, and whether the log is asked before it shows.
type Row = (&'static str, Log, &'static str, bool);

#[rustfmt::skip] // One row a line, or the table cannot be read.
const LIES: &[Row] = &[
    ("certificate-for-another-key", Log::V1, "fulcio/key-mismatch", false),
    ("certificate-by-another-ca", Log::V1, "fulcio/untrusted-chain", false),
    ("authority-with-name-constraints", Log::V1, "fulcio/untrusted-chain", false),
    ("certificate-expired", Log::V1, "fulcio/outside-validity", false),
    ("certificate-without-sct", Log::V1, "fulcio/sct", false),
    ("sct-by-unknown-log", Log::V1, "fulcio/sct", false),
    ("sct-of-another-certificate", Log::V1, "fulcio/sct", false),
    ("sct-of-the-past", Log::V1, "fulcio/sct", false),
    ("timestamp-with-another-nonce", Log::V1, "timestamp/nonce", false),
    ("timestamp-of-other-data", Log::V1, "timestamp/imprint", false),
    ("timestamp-by-unknown-authority", Log::V1, "trust/other-timestamp-authority", false),
    ("timestamp-outside-certificate", Log::V1, "timestamp/outside-validity", false),
    ("entry-of-another-body", Log::V1, "rekor/body", true),
    ("entry-of-another-body", Log::V2, "rekor/body", true),
    ("promise-by-another-key", Log::V1, "rekor/promise", true),
    ("proof-of-another-leaf", Log::V1, "rekor/inclusion", true),
    ("proof-of-another-leaf", Log::V2, "rekor/inclusion", true),
    ("proof-missing", Log::V1, "rekor/malformed", true),
    ("proof-missing", Log::V2, "rekor/inclusion", true),
    ("checkpoint-truncated", Log::V1, "rekor/checkpoint", true),
    ("checkpoint-truncated", Log::V2, "rekor/checkpoint", true),
    ("checkpoint-by-another-key", Log::V1, "trust/other-log", false),
    ("checkpoint-by-another-key", Log::V2, "trust/other-log", false),
];

#[test]
fn a_lie_of_a_service_is_noticed() {
    each(
        4,
        LIES,
        |(lie, log, ..)| format!("{lie} {log:?}"),
        |(lie, log, code, logged)| {
            let sandbox = Sandbox::with(lie);
            let played = Scene::new(*log, Registry::Fallback).play(&sandbox);
            // What the services tell about themselves is trust material.
            let exit = if code.starts_with("trust/") { 4 } else { 5 };
            played.refused(code, exit);
            played.left(false);
            assert_eq!(played.asked(Peer::Rekor, "POST") > 0, *logged, "{}", played.run);
            if !logged {
                played.published_nothing();
            }
        },
    );
}

/// A private Fulcio has rules of its own, and makes certificates of what the token claims by them.
#[test]
fn an_unknown_prediction_does_not_accept_another_identity_or_issuer() {
    for (lie, flag, named) in [
        ("certificate-for-another-name", "--require-identity", "mallory@example.test"),
        ("certificate-of-another-issuer", "--require-issuer", "https://issuer.example.test"),
    ] {
        let sandbox = Sandbox::with(lie);
        let scene = || Scene::new(Log::V1, Registry::Fallback);
        let played = scene().play(&sandbox);
        played.refused("fulcio/identity-mismatch", 5);
        played.published_nothing();
        let said =
            [named, "claims nothing of the kind", "a certificate may have been issued", flag];
        for said in said {
            assert!(played.run.stderr.contains(said), "{said}: {}", played.run);
        }
        // The fix that it names works.
        scene().arg(flag).arg(named).play(&sandbox).signed();
    }
}

/// What is refused below is signed without the lie.
#[test]
fn a_certificate_for_somebody_else_is_noticed_by_who_insists() {
    for (lie, flag) in [
        ("certificate-for-another-name", "--require-identity"),
        ("certificate-of-another-issuer", "--require-issuer"),
    ] {
        let insists = |sandbox: &Sandbox| {
            let issuer = format!("{}/github", sandbox.var("OIDC_URL"));
            let wanted = match flag {
                "--require-identity" => GITHUB_IDENTITY,
                _ => &issuer,
            };
            let scene = Scene::new(Log::V1, Registry::Fallback);
            scene.arg(flag).arg(wanted).play(sandbox)
        };
        insists(&Sandbox::with("")).signed();
        let sandbox = Sandbox::with(lie);
        let played = insists(&sandbox);
        played.refused("fulcio/identity-mismatch", 5);
        played.published_nothing();
        // Whom the claims name, and the run does not insist on.
        let sandbox = Sandbox::with("");
        let scene = Scene::new(Log::V1, Registry::Fallback);
        let played = scene.arg(flag).arg("https://other.example").play(&sandbox);
        played.refused("identity/not-required", 3);
        played.published_nothing();
    }
}

/// Timestamps that take most of the certificate's life, the first time or every time.
#[test]
fn no_log_is_asked_when_the_certificate_may_end_before_it_answers() {
    let sandbox = Sandbox::start(&["--life", "12"]);
    // The first timestamp is of random bytes, before the certificate.
    let turns = [Turn::Nth(2), Turn::After(1)];
    each(
        2,
        &turns,
        |turn| format!("{turn:?}"),
        |turn| {
            let slow = Fault::Slow(Duration::from_secs(9));
            let rule = Rule::on("POST", At::Any, slow).turn(*turn);
            let scene = Scene::new(Log::V1, Registry::Fallback).rule(Peer::Tsa, rule);
            let played = scene.play(&sandbox);
            // A new certificate and a new timestamp, once.
            assert_eq!(played.asked(Peer::Fulcio, "POST"), 2, "{}", played.run);
            assert_eq!(played.asked(Peer::Tsa, "POST"), 3, "{}", played.run);
            if matches!(turn, Turn::After(_)) {
                played.refused("timestamp/late", 75);
                played.published_nothing();
                let said = played.run.stderr.lines().last().unwrap_or_default();
                let exists = "a certificate was issued, nothing was logged or attached";
                assert!(said.ends_with(exists), "{}", played.run);
                return;
            }
            played.signed();
            // The report shows the certificate that signed.
            let bundle = played.image.signatures().remove(0).bundle;
            let bundle: Value = serde_json::from_slice(&bundle).unwrap();
            let signed = &bundle["verificationMaterial"]["certificate"]["rawBytes"];
            let told = played.run.json()["images"][0]["certificate"]["pem"].clone();
            let told = told.as_str().unwrap().lines();
            let told: String = told.filter(|line| !line.starts_with("-----")).collect();
            assert_eq!(told, signed.as_str().unwrap(), "{}", played.run);
        },
    );
}

/// What the rows above are compared with.
#[test]
fn without_a_lie_all_is_well() {
    let sandbox = Sandbox::with("");
    for log in Log::ALL {
        for registry in Registry::ALL {
            Scene::new(log, registry).play(&sandbox).signed();
        }
    }
}
