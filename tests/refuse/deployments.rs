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
use crate::scene::{Peer, REQUEST_TOKEN, Scene, World as _};

const PUBLIC_ROOT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/roots/production/trusted_root.json");

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

/// The base of the timestamp authority: its URL without the path.
fn tsa_base(sandbox: &Sandbox) -> String {
    let url = sandbox.var("TSA_URL");
    url.strip_suffix("/api/v1/timestamp").unwrap().to_owned()
}

/// The URL of each service is that of another one, or lacks its path: this is said before there is a
/// certificate, and no second try is advised.
#[test]
fn wrong_url_in_the_signing_config() {
    let sandbox = Sandbox::with("");
    let url = |name: &str| sandbox.var(name).to_owned();
    let below = |name: &str| format!("{}/missing", sandbox.var(name));
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("Fulcio is Rekor v1", Peer::Fulcio, Log::V1, url("REKOR_URL"), "is given for Fulcio, and is a Rekor v1 log"),
        ("Fulcio is Rekor v2", Peer::Fulcio, Log::V2, url("REKOR2_URL"), "is given for Fulcio, and is a Rekor v2 log"),
        ("Fulcio is the TSA", Peer::Fulcio, Log::V1, tsa_base(&sandbox), "is given for Fulcio, and a timestamp authority is at"),
        ("Fulcio without its path", Peer::Fulcio, Log::V1, below("FULCIO_URL"), "is not Fulcio: it answers HTTP 404"),
        ("v1 is Fulcio", Peer::Rekor, Log::V1, url("FULCIO_URL"), "is given for a Rekor v1 log, and is Fulcio"),
        ("v2 is Fulcio", Peer::Rekor, Log::V2, url("FULCIO_URL"), "is given for a Rekor v2 log, and is Fulcio"),
        ("v1 is v2", Peer::Rekor, Log::V1, url("REKOR2_URL"), "is given for a Rekor v1 log, and is a Rekor v2 log"),
        ("v2 is v1", Peer::Rekor, Log::V2, url("REKOR_URL"), "is given for a Rekor v2 log, and is a Rekor v1 log"),
        ("v1 without its path", Peer::Rekor, Log::V1, below("REKOR_URL"), "is not a Rekor v1 log: it answers HTTP 404"),
        ("v2 without its path", Peer::Rekor, Log::V2, below("REKOR2_URL"), "is not a Rekor v2 log: it answers HTTP 404"),
        ("the TSA without its path", Peer::Tsa, Log::V1, tsa_base(&sandbox), "and a timestamp authority is at"),
        ("the TSA is Fulcio", Peer::Tsa, Log::V2, url("FULCIO_URL"), "is given for a timestamp authority, and is Fulcio"),
    ];
    each(
        4,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, peer, log, url, said)| {
            let scene = Scene::new(*log, Registry::Fallback).elsewhere(*peer, url);
            let played = scene.play(&sandbox);
            played.refused("service/mistaken", 4);
            // What asks whether a service is there at all is no entry.
            let entries = played.seen(Peer::Rekor).iter();
            assert!(entries.map(|seen| seen.length).all(|length| length <= 2));
            played.left(false);
            let run = &played.run;
            assert!(run.stderr.contains(said), "no `{said}`: {run}");
            assert!(run.stderr.contains("exit 4; nothing was signed"), "{run}");
            let with_token = played.seen(Peer::Fulcio).iter();
            assert_eq!(with_token.filter(|seen| seen.authorized).count(), 0, "{run}");
        },
    );
}

/// The way out that the message names.
#[test]
fn wrong_url_of_the_tsa_is_told_with_the_right_one() {
    let sandbox = Sandbox::with("");
    let base = tsa_base(&sandbox);
    let scene = Scene::new(Log::V1, Registry::Fallback).elsewhere(Peer::Tsa, &base);
    let played = scene.play(&sandbox);
    played.refused("service/mistaken", 4);
    let said = played.run.stderr.lines();
    let fix = said.clone().find(|line| line.starts_with("ambisign: fix: "));
    let fix = fix.unwrap_or_default();
    assert!(fix.contains("/api/v1/timestamp with `--tsa-url`"), "{fix}");
}

/// The trusted root is not that of the services, in each way that was seen: nothing is asked for.
#[test]
fn the_root_does_not_fit_the_services() {
    let sandbox = Sandbox::with("");
    let folder = TempDir::new().unwrap();
    let public: Value = serde_json::from_slice(&std::fs::read(PUBLIC_ROOT).unwrap()).unwrap();
    let root: Value =
        serde_json::from_slice(&std::fs::read(sandbox.var("TRUSTED_ROOT")).unwrap()).unwrap();
    let changed = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut root = root.clone();
        change(&mut root);
        let path = folder.path().join(name);
        std::fs::write(&path, root.to_string()).unwrap();
        path
    };
    let reversed = |root: &mut Value| {
        let chain = &mut root["certificateAuthorities"][0]["certChain"]["certificates"];
        chain.as_array_mut().unwrap().reverse();
    };
    let other_key = |root: &mut Value| {
        let other = public["tlogs"][0].clone();
        root["tlogs"] = json!([other]);
    };
    let other_key_with_this_id = |root: &mut Value| {
        root["tlogs"][0]["publicKey"]["rawBytes"] =
            public["tlogs"][0]["publicKey"]["rawBytes"].clone();
    };
    let wrong_id = |root: &mut Value| {
        for log in root["tlogs"].as_array_mut().unwrap() {
            log["logId"]["keyId"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        }
    };
    let other_name = |root: &mut Value| {
        for log in root["tlogs"].as_array_mut().unwrap() {
            log["baseUrl"] = json!("https://elsewhere.example");
        }
    };
    let over = |root: &mut Value| {
        let mut later = root["certificateAuthorities"][0].clone();
        root["certificateAuthorities"][0]["validFor"]["end"] = json!("2020-01-01T00:00:00Z");
        later["certChain"] = public["certificateAuthorities"][1]["certChain"].clone();
        root["certificateAuthorities"].as_array_mut().unwrap().push(later);
    };
    let authorities = |root: &mut Value| {
        root["certificateAuthorities"] = public["certificateAuthorities"].clone();
    };
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("the public root on a private stack", Log::V1, PathBuf::from(PUBLIC_ROOT), "trust/other-authority", "sigstore"),
        ("another authority", Log::V1, changed("authority", &authorities), "trust/other-authority", "sandbox"),
        ("a reversed CA chain", Log::V1, changed("reversed", &reversed), "trust/unusable-authority", "does not begin with the certificate that issues"),
        ("an authority whose time is over", Log::V1, changed("over", &over), "trust/unusable-authority", "`validFor`"),
        ("another Rekor key", Log::V1, changed("key", &other_key), "trust/other-log", "and the trusted root has c0d23d6a"),
        ("another Rekor key with this ID", Log::V1, changed("id", &other_key_with_this_id), "trust/other-log", "does not verify with the key of this ID"),
        ("a wrong v1 log ID", Log::V1, changed("id1", &wrong_id), "trust/other-log", "and the trusted root has 00000000, 00000000"),
        ("a wrong v2 log ID", Log::V2, changed("id2", &wrong_id), "trust/other-log", "and the trusted root has 00000000, 00000000"),
        ("another name of a v2 log", Log::V2, changed("name", &other_name), "trust/other-log", "has the host \"elsewhere.example\""),
    ];
    each(
        4,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, log, root, code, said)| {
            let scene = Scene::new(*log, Registry::Fallback).trusted_root(root);
            let played = scene.play(&sandbox);
            played.refused(code, 4);
            played.published_nothing();
            played.left(false);
            let run = &played.run;
            assert!(run.stderr.contains(said), "no `{said}`: {run}");
            assert!(run.stderr.contains("exit 4; nothing was signed"), "{run}");
            assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{run}");
            assert_eq!(played.asked(Peer::Tsa, "POST"), 0, "{run}");
            let told = doctor(&sandbox, *log, root).expect(4);
            assert!(told.stdout.contains(code) && told.stdout.contains(said), "{told}");
        },
    );
}

/// A root with name constraints fits its services, but not every identity: that is known before the
/// certificate is asked for where the name in it is.
#[test]
fn name_constraints_are_named_before_a_certificate_is_asked_for() {
    let sandbox = Sandbox::with("authority-with-name-constraints");
    let token = unsigned(&json!({"iss": "https://accounts.google.com", "sub": "1",
        "aud": "sigstore", "exp": 4_000_000_000_u64,
        "email": "joe@example.test", "email_verified": true}));
    let scene = Scene::new(Log::V1, Registry::Fallback).token(&token);
    let played = scene.play(&sandbox);
    played.refused("trust/name-constraints", 4);
    played.published_nothing();
    let run = &played.run;
    assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{run}");
    let said = "may issue a certificate for \"joe@example.test\": the name constraints of an authority \
                do not permit a name below it";
    assert!(run.stderr.contains(said), "no `{said}`: {run}");
    let root = Path::new(sandbox.var("TRUSTED_ROOT"));
    let told = prepared_doctor(&sandbox, Log::V1, root).env("SIGSTORE_ID_TOKEN", &token);
    let told = told.run().expect(4);
    assert!(told.stdout.contains("code: trust/name-constraints"), "{told}");
    let allowed = unsigned(&json!({"iss": "https://accounts.google.com", "sub": "1",
        "aud": "sigstore", "exp": 4_000_000_000_u64,
        "email": "joe@other.test", "email_verified": true}));
    let told = prepared_doctor(&sandbox, Log::V1, root).env("SIGSTORE_ID_TOKEN", &allowed).run();
    assert!(!told.stdout.contains("trust/name-constraints"), "{told}");
}

/// `doctor` by the services of `sandbox` and this trusted root, without an image.
fn doctor(sandbox: &Sandbox, log: Log, root: &Path) -> Finished {
    prepared_doctor(sandbox, log, root)
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", sandbox.var("GITHUB_TOKEN_URL"))
        .run()
}

fn prepared_doctor(sandbox: &Sandbox, log: Log, root: &Path) -> Program {
    let config = sandbox.var(match log {
        Log::V1 => "SIGNING_CONFIG_V1",
        Log::V2 => "SIGNING_CONFIG_V2",
    });
    Program::ambisign().args(["doctor", "--signing-config", config, "--trusted-root"]).arg(root)
}

/// Of a timestamp authority only a timestamp shows whether the trusted root has it.
#[test]
fn the_root_does_not_fit_the_timestamp_authority() {
    let sandbox = Sandbox::with("");
    let whole = Path::new(sandbox.var("TRUSTED_ROOT")).to_owned();
    let well = doctor(&sandbox, Log::V1, &whole).expect(0);
    let said = "the trusted root verifies a timestamp of random bytes";
    assert!(well.stdout.contains(said), "{well}");

    let folder = TempDir::new().unwrap();
    let public: Value = serde_json::from_slice(&std::fs::read(PUBLIC_ROOT).unwrap()).unwrap();
    let root = changed_root(&sandbox, &folder, |root| {
        root["timestampAuthorities"] = public["timestampAuthorities"].clone();
    });
    let told = doctor(&sandbox, Log::V1, &root).expect(5);
    assert!(told.stdout.contains("timestamp/untrusted-chain"), "{told}");
}

/// Services that show nothing about themselves are in nobody's way.
#[test]
fn the_root_cannot_be_compared_where_only_posts_are_let_through() {
    let sandbox = Sandbox::with("");
    let closed = || Fault::Status(403, &[("content-type", "text/html")], "<html>no</html>");
    for log in Log::ALL {
        let mut scene = Scene::new(log, Registry::Fallback);
        for peer in [Peer::Fulcio, Peer::Rekor, Peer::Tsa] {
            scene = scene.rule(peer, Rule::on("GET", At::Any, closed()));
        }
        scene.play(&sandbox).signed();
    }
}

/// A token with these claims that nobody signed: it is judged before anybody looks at its signature.
fn unsigned(claims: &Value) -> String {
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
