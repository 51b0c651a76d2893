// SPDX-License-Identifier: Apache-2.0
//! Private deployments whose parts do not fit, and what is left when that is noticed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::fault::{At, Fault, Rule};
use crate::common::{Finished, GITHUB_IDENTITY, Log, Program, Registry};
use crate::entries::changed;
use crate::keyed::Sandbox;
use crate::scene::{Peer, Scene, World as _};

/// A log of Rekor v2 proves no time. What it says nevertheless is in no bundle, which cosign would
/// refuse for a time outside of the certificate.
#[test]
fn a_v2_entry_with_a_made_up_integrated_time() {
    let sandbox = Sandbox::with("");
    let time = changed!(entry => entry["integratedTime"] = json!("1750000000"));
    let rule = Rule::on("POST", At::Any, time);
    let scene = Scene::new(Log::V2, Registry::Fallback).rule(Peer::Rekor, rule);
    let played = scene.play(&sandbox);
    played.signed();
    assert_eq!(played.struck(), 1, "{}", played.run);
    let bundle = played.image.signatures().remove(0).bundle;
    let mut bundle: Value = serde_json::from_slice(&bundle).unwrap();
    let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
    assert_eq!(entry["integratedTime"], Value::Null, "{entry}");

    // One that was kept with such a time is not attached.
    entry["integratedTime"] = json!("1750000000");
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.json");
    std::fs::write(&path, bundle.to_string()).unwrap();
    let attach = Program::ambisign()
        .args(["attach", "--trusted-root", sandbox.var("TRUSTED_ROOT")])
        .arg("--bundle")
        .arg(&path)
        .arg(played.image.reference());
    let run = attach.run().expect(8);
    assert!(run.stderr.contains("code: rekor/outside-validity"), "{run}");
    assert_eq!(played.image.signatures().len(), 1);
}

/// The trusted root of `sandbox` after `change`, in a file of `folder`.
fn changed_root(sandbox: &Sandbox, folder: &TempDir, change: impl FnOnce(&mut Value)) -> PathBuf {
    let root = std::fs::read(sandbox.var("TRUSTED_ROOT")).unwrap();
    let mut root: Value = serde_json::from_slice(&root).unwrap();
    change(&mut root);
    let path = folder.path().join("changed_root.json");
    std::fs::write(&path, root.to_string()).unwrap();
    path
}

/// A verifier of images with the identity of the sandbox's GitHub.
fn verifying(sandbox: &Sandbox, root: &Path) -> Program {
    let issuer = format!("{}/github", sandbox.var("OIDC_URL"));
    Program::ambisign()
        .args(["verify", "--output", "json", "--trusted-root"])
        .arg(root)
        .args(["--certificate-identity", GITHUB_IDENTITY])
        .args(["--certificate-oidc-issuer", &issuer])
}

/// Scaffolding without CT log: the trusted root is the operator's word, and the reader is told.
#[test]
fn no_ct_log_in_a_private_root() {
    const TOLD: &str = "sct: none, the trusted root names no CT log";
    let sandbox = Sandbox::with("certificate-without-sct");
    let folder = TempDir::new().unwrap();
    let root = changed_root(&sandbox, &folder, |root| root["ctlogs"] = json!([]));
    let scene = Scene::new(Log::V1, Registry::Fallback).trusted_root(&root);
    let played = scene.play(&sandbox);
    played.signed();
    let told = |run: &Finished| {
        let document = run.json();
        let warnings = document["warnings"].as_array().unwrap().clone();
        let ours = warnings.iter().find(|one| one["code"] == "trust/no-ct-log");
        assert_eq!(ours.unwrap()["message"], TOLD, "{run}");
        assert!(run.stderr.contains(TOLD), "{run}");
    };
    told(&played.run);
    assert!(
        !played.run.stderr.contains("certificate, SCT"),
        "{}",
        played.run
    );
    let command = played.run.json()["images"][0]["verify_command"].clone();
    let command = command.as_str().unwrap();
    assert!(command.contains("--insecure-ignore-sct"), "{command}");

    // The reader judges by the same rule: with a root that names a log, the promise is missed.
    let image = played.image.reference();
    told(&verifying(&sandbox, &root).arg(&image).run().expect(0));
    let whole = Path::new(sandbox.var("TRUSTED_ROOT")).to_owned();
    let run = verifying(&sandbox, &whole).arg(&image).run().expect(8);
    assert!(run.stderr.contains("it holds no SCT"), "{run}");
}

/// A log that is named and not understood is no word that there is none.
#[test]
fn no_ct_log_is_not_what_an_unknown_kind_of_key_means() {
    let sandbox = Sandbox::with("certificate-without-sct");
    let folder = TempDir::new().unwrap();
    let root = changed_root(&sandbox, &folder, |root| {
        root["ctlogs"][0]["publicKey"]["keyDetails"] = json!("PKIX_OF_THE_FUTURE");
    });
    let scene = Scene::new(Log::V1, Registry::Fallback).trusted_root(&root);
    let played = scene.play(&sandbox);
    played.refused("trust/insufficient", 4);
    played.published_nothing();
    assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{}", played.run);
}
