// SPDX-License-Identifier: Apache-2.0
//! Texts about tokens that people could not use, because they did not say where the token comes from or
//! named a way that does not exist there.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::fault::{At, Fault, FaultProxy, Rule};
use crate::common::{Finished, Log, Program, Registry};
use crate::deployments::unsigned;
use crate::keyed::Sandbox;
use crate::place::each;
use crate::scene::{Peer, Scene, World as _};

/// A token of the sandbox's GitHub that Fulcio would get, with `changes` to its claims.
fn token(sandbox: &Sandbox, changes: &[(&str, Value)]) -> String {
    let issuer = format!("{}/github", sandbox.var("OIDC_URL"));
    let mut claims = json!({"iss": issuer, "aud": "sigstore", "sub": "repo:acme/app:ref:refs/heads/main",
        "exp": 4_000_000_000_u64});
    for (name, value) in changes {
        claims[name] = value.clone();
    }
    unsigned(&claims)
}

/// A token in a variable that is over, for another audience, or refused by Fulcio: the error names the
/// variable and the provider that reads it.
#[test]
fn texts_a_token_of_a_variable_names_the_variable_and_the_provider() {
    let sandbox = Sandbox::with("");
    let over = token(&sandbox, &[("exp", json!(1_700_000_000_u64))]);
    let other = token(&sandbox, &[("aud", json!("pypi"))]);
    let unknown = token(&sandbox, &[("iss", json!("https://issuer.example"))]);
    let forged = token(&sandbox, &[]);
    let gitlab = &[("GITLAB_CI", "true")][..];
    let fix = |name: &str| format!("mint the token for `{name}` in the step that signs");
    let from = |provider: &str, name: &str| format!("from `{name}` (provider {provider})");
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("SIGSTORE_ID_TOKEN", &over, &[][..], "identity/expired", "envvar", fix("SIGSTORE_ID_TOKEN")),
        ("SIGSTORE_IDENTITY_TOKEN", &over, &[], "identity/expired", "envvar", fix("SIGSTORE_IDENTITY_TOKEN")),
        ("AMBISIGN_IDENTITY_TOKEN", &over, &[], "identity/expired", "identity-token", fix("AMBISIGN_IDENTITY_TOKEN")),
        ("SIGSTORE_ID_TOKEN", &over, gitlab, "identity/expired", "gitlab", fix("SIGSTORE_ID_TOKEN")),
        ("SIGSTORE_ID_TOKEN", &other, &[], "identity/audience", "envvar", "`--audience pypi`".to_owned()),
        ("AMBISIGN_IDENTITY_TOKEN", &unknown, &[], "fulcio/refused", "identity-token", "use a Fulcio that accepts".to_owned()),
        ("SIGSTORE_ID_TOKEN", &forged, &[], "fulcio/refused", "envvar", "look at the token's expiry and claims".to_owned()),
    ];
    each(
        4,
        &rows,
        |(name, _, _, code, provider, _)| format!("{name} {code} {provider}"),
        |(name, token, more, code, provider, fix)| {
            let mut scene = Scene::new(Log::V1, Registry::Fallback).env(name, token).canary(token);
            for (name, value) in *more {
                scene = scene.env(name, value);
            }
            let played = scene.play(&sandbox);
            played.refused(code, 3);
            played.published_nothing();
            let run = &played.run;
            let error = run.stderr.lines().find(|line| line.starts_with("ambisign: error: "));
            let said = from(provider, name);
            assert!(error.is_some_and(|line| line.contains(&said)), "no `{said}`: {run}");
            assert!(run.stderr.contains(fix), "no `{fix}`: {run}");
            let document = run.json();
            let message = document["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains(&said), "no `{said}`: {document}");
        },
    );
}

/// A token in a file that a flag or the platform names: the error names the file.
#[test]
fn texts_a_token_of_a_file_names_the_file() {
    let sandbox = Sandbox::with("");
    let over = token(&sandbox, &[("exp", json!(1_700_000_000_u64))]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, &over).unwrap();
    let path = path.to_str().unwrap();
    let scene = Scene::new(Log::V1, Registry::Fallback).canary(&over);
    let played = scene.env("AMBISIGN_IDENTITY_TOKEN_FILE", path).play(&sandbox);
    played.refused("identity/expired", 3);
    let said = format!("from the token file `{path}` (provider identity-token)");
    assert!(played.run.stderr.contains(&said), "{}", played.run);
    // A value that is neither is the variable's, and not that of a flag that nobody gave.
    let scene = Scene::new(Log::V1, Registry::Fallback).canary("c4n4ry-c4n4ry");
    let played = scene.env("AMBISIGN_IDENTITY_TOKEN", "c4n4ry-c4n4ry").play(&sandbox);
    played.refused("file/neither", 3);
    let said = "the value of `AMBISIGN_IDENTITY_TOKEN` is neither";
    assert!(played.run.stderr.contains(said), "{}", played.run);
}

/// `ambisign sign` in an environment of `env`, of an image that nobody asks for.
fn signing(env: &[(&str, &str)], args: &[&str]) -> Finished {
    let digest = "0".repeat(64);
    let mut program = Program::ambisign().args(["sign", "--output", "json"]).args(args);
    for (name, value) in env {
        program = program.env(name, value);
    }
    program.arg(format!("127.0.0.1:9/acme/app@sha256:{digest}")).run()
}

/// It ended with `exit` and `code`, and its fix has each of these parts.
#[track_caller]
fn fixed(run: &Finished, (code, exit): (&str, i32), parts: &[&str]) {
    let fix = run.stderr.lines().find_map(|line| line.strip_prefix("ambisign: fix: "));
    let fix = fix.unwrap_or_default();
    let last = format!("ambisign: code: {code}; exit {exit}; nothing was signed or uploaded");
    assert_eq!(run.stderr.lines().last(), Some(last.as_str()), "{run}");
    assert_eq!(run.code, Some(exit), "{run}");
    for part in parts {
        assert!(fix.contains(part), "no `{part}`: {run}");
    }
}

/// Nobody runs a pod with `docker run`: it gets a token as a projected volume.
#[test]
fn texts_a_pod_without_a_mounted_token_is_told_of_the_projected_volume() {
    let pod = [("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("KUBERNETES_SERVICE_PORT", "443")];
    let file = "/var/run/sigstore/cosign/oidc-token";
    for (args, code) in [
        (&[][..], "provider/no-identity"),
        (&["--oidc-provider", "filesystem"], "provider/not-detected"),
        (&["--oidc-provider", "kubernetes-file"], "provider/not-detected"),
    ] {
        let run = signing(&pod, args);
        let parts = ["projected", "`serviceAccountToken`", "audience `sigstore`", file];
        fixed(&run, (code, 3), &parts);
        assert!(!run.stderr.contains("docker run"), "{run}");
    }
    let run = signing(&pod, &["--audience", "trusted-artifact-signer"]);
    fixed(&run, ("provider/no-identity", 3), &["audience `trusted-artifact-signer`"]);
}

/// The credentials of identity federation, as google-github-actions/auth leaves them, cannot be used to
/// impersonate an account: the fix names the command that can, with this account.
#[test]
fn texts_external_account_with_a_service_account_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("credentials.json");
    let file = json!({"type": "external_account", "audience": "//iam.googleapis.com/x",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {"url": "https://token.example", "headers": {"Authorization": "c4n4ry"}}});
    std::fs::write(&path, file.to_string()).unwrap();
    let account = "signer@acme.iam.gserviceaccount.com";
    let env = [
        ("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap()),
        ("GOOGLE_SERVICE_ACCOUNT_NAME", account),
    ];
    let run = signing(&env, &[]);
    let command = "`gcloud auth print-identity-token --include-email --audiences=sigstore";
    let named = format!("--impersonate-service-account={account}`");
    fixed(&run, ("adc/unsupported", 3), &["`SIGSTORE_ID_TOKEN`", command, &named]);
    assert!(run.stderr.contains("is of type \"external_account\""), "{run}");
    assert!(!run.stderr.contains("c4n4ry"), "{run}");
}

/// A metadata server that knows no account: neither the machine nor an account that it should
/// impersonate signs.
#[test]
fn texts_a_google_machine_without_a_service_account() {
    const FLAVOR: &[(&str, &str)] = &[("metadata-flavor", "Google")];
    let rule = Rule::on("GET", At::Any, Fault::Status(404, FLAVOR, "Not Found"));
    let metadata = FaultProxy::start("127.0.0.1:9", vec![rule]);
    let host = metadata.host();
    let machine = ("GCE_METADATA_HOST", host.as_str());
    let account = ("GOOGLE_SERVICE_ACCOUNT_NAME", "signer@acme.iam.gserviceaccount.com");
    let sandbox = Sandbox::with("");
    for env in [&[machine][..], &[machine, account]] {
        // The scene's own job would come first.
        let mut scene = Scene::new(Log::V1, Registry::Fallback);
        for name in ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"] {
            scene = scene.without(name);
        }
        for (name, value) in env {
            scene = scene.env(name, value);
        }
        let played = scene.play(&sandbox);
        played.refused("gce/no-service-account", 3);
        played.published_nothing();
        let run = &played.run;
        assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{run}");
        let said = "this Google machine has no service account attached";
        assert!(run.stderr.contains(said), "{run}");
        let fix = "attach a service account to the machine, the instance template or the pod";
        assert!(run.stderr.contains(fix), "{run}");
    }
}

/// Older versions of cosign name keys one by one. A run does not ask the public mirror in their place.
#[test]
fn issue_15_variables_of_cosigns_older_flows() {
    for name in
        ["SIGSTORE_ROOT_FILE", "SIGSTORE_REKOR_PUBLIC_KEY", "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE"]
    {
        let run = signing(&[(name, "/etc/sigstore/key.pem")], &[]);
        let parts = ["`ambisign trust create`", "`--trusted-root`", "unset the variable"];
        fixed(&run, ("settings/older-trust", 2), &parts);
        assert!(run.stderr.contains(&format!("`{name}`")), "{run}");
    }
}
