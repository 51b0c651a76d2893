// SPDX-License-Identifier: Apache-2.0
//! Private deployments whose parts do not fit, and what is left when that is noticed.

use serde_json::{Value, json};

use crate::common::fault::{At, Fault, Rule};
use crate::common::{Log, Program, Registry};
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
    let folder = tempfile::tempdir().unwrap();
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
