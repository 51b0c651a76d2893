// SPDX-License-Identifier: Apache-2.0
//! Private deployments whose parts do not fit, and what is left when that is noticed.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::fault::{At, Fault, Rule};
use crate::common::{Finished, GITHUB_IDENTITY, Log, Program, Registry};
use crate::entries::changed;
use crate::keyed::Sandbox;
use crate::place::each;
use crate::scene::{Peer, Scene, World};

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

/// The trusted root of `world` after `change`, in a file of `folder`.
pub(crate) fn changed_root(
    world: &impl World,
    folder: &TempDir,
    change: impl FnOnce(&mut Value),
) -> PathBuf {
    let root = std::fs::read(world.var("TRUSTED_ROOT")).unwrap();
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
    assert!(!played.run.stderr.contains("certificate, SCT"), "{}", played.run);
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

/// A token with these claims that nobody signed: it is judged before anybody looks at its signature.
pub(crate) fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "RS256"});
    format!("{}.{}.c2ln", part(&header), part(claims))
}

/// RHTAS has the client ID of Keycloak as audience.
#[test]
fn audience_of_ones_own_trusted_artifact_signer() {
    let sandbox = Sandbox::with("");
    let token = unsigned(&json!({"iss": "https://sso.example/realms/trusted-artifact-signer",
        "sub": "s", "aud": "trusted-artifact-signer", "exp": 4_000_000_000_u64}));
    let scene = Scene::new(Log::V1, Registry::Fallback).token(&token);
    let played = scene.play(&sandbox);
    played.refused("identity/audience", 3);
    played.published_nothing();
    let said = "pass `--audience trusted-artifact-signer`";
    assert!(played.run.stderr.contains(said), "{}", played.run);
}

/// A job's own token that is over the moment it is made: the clock is ahead, and there is nothing more
/// to ask for.
#[test]
fn clock_ahead_of_the_token_endpoint() {
    let sandbox = Sandbox::with("");
    let token = unsigned(&json!({"iss": "https://token.actions.githubusercontent.com",
        "sub": "s", "aud": "sigstore", "exp": 1_700_000_000_u64}));
    let body: &'static str = json!({"value": token}).to_string().leak();
    let answer = Fault::Status(200, &[("content-type", "application/json")], body);
    let scene = Scene::new(Log::V1, Registry::Fallback).always(Peer::Token, answer);
    let played = scene.canary(&token).play(&sandbox);
    played.refused("identity/expired", 3);
    played.published_nothing();
    let run = &played.run;
    assert!(run.stderr.contains("set the clock of the machine"), "{run}");
    assert!(!run.stderr.contains("let ambisign ask"), "{run}");
}

/// What Fulcio says is shown, and what its configuration says is claimed only when it was read.
#[test]
fn fulcios_own_words() {
    const MISSING: &str = r#"{"code":3,"message":"value <sha> not present in either claims or defaults. {\n\t\"ExtensionName\": \"GithubWorkflowSHA\"\n}","details":[]}"#;
    const TOKEN: &str =
        r#"{"code":3,"message":"There was an error processing the identity token","details":[]}"#;
    const FIREWALL: &str = "<!DOCTYPE html><html><head><title>x</title></head><body><h1>Access \
        denied</h1><p>Category: unknown</p></body></html>";
    let sandbox = Sandbox::with("");
    let json_type = &[("content-type", "application/json")];
    let post = |status, body| Rule::on("POST", At::Any, Fault::Status(status, json_type, body));
    let accepts = "by its configuration Fulcio accepts the issuer and audience";
    let silent = || Rule::on("GET", At::Contains("configuration"), Fault::Status(404, &[], ""));
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("a missing claim", vec![post(400, MISSING)], "fulcio/refused", 3, "value <sha> not present in either claims or defaults", accepts),
        ("the configuration accepts it", vec![post(400, TOKEN)], "fulcio/refused", 3, accepts, "e-mail"),
        ("the configuration is not shown", vec![post(400, TOKEN), silent()], "fulcio/refused", 3, "compare issuer, audience", accepts),
        ("HTML of a firewall", vec![post(403, FIREWALL)], "service/mistaken", 4, "HTTP 403 with `Access denied Category: unknown`", accepts),
    ];
    each(
        4,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, rules, code, exit, said, not_said)| {
            let scene = rules.iter().cloned();
            let scene = scene.fold(Scene::new(Log::V1, Registry::Fallback), |scene, rule| {
                scene.rule(Peer::Fulcio, rule)
            });
            let played = scene.play(&sandbox);
            played.refused(code, *exit);
            played.published_nothing();
            let run = &played.run;
            assert!(run.stderr.contains(said), "no `{said}`: {run}");
            assert!(!run.stderr.contains(not_said), "`{not_said}`: {run}");
        },
    );
}

/// Fulcio makes certificates of e-mail addresses, and the token has none: seen without a request.
#[test]
fn fulcios_own_words_issuer_type_email_without_an_address() {
    let sandbox = Sandbox::with("");
    let email = changed!(told => {
        for one in told["issuers"].as_array_mut().unwrap() {
            one["issuerType"] = json!("email");
        }
    });
    let rule = Rule::on("GET", At::Contains("configuration"), email);
    let scene = Scene::new(Log::V1, Registry::Fallback).rule(Peer::Fulcio, rule);
    let played = scene.play(&sandbox);
    played.refused("fulcio/refused", 3);
    played.published_nothing();
    let run = &played.run;
    assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{run}");
    assert!(run.stderr.contains("has no verified address"), "{run}");
    assert!(run.stderr.contains("exit 3; nothing was signed"), "{run}");
}
