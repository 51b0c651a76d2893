// SPDX-License-Identifier: Apache-2.0
//! No token and no password in any output at `-v`, not even when a server repeats it.
//!
//! Every run of these tests looks for the secrets that it was given; here the servers do their worst.

use crate::common::fault::{At, Fault, Fault::*, FaultProxy, Rule, Turn};
use crate::common::{Log, Registry, Stack, closed_url};
use crate::place::each;
use crate::scene::{Peer, Scene};

const PASSWORD: &str = "canary-registry-password";
const PAIR: &str = "robot:canary-registry-password";
const TOKEN: &str = "canary-registry-token";
const ACCESS: &str = "canary-access-token";

/// How it logs in, how the registry misbehaves, the error code and the exit code.
type Row = (&'static str, fn() -> Scene, Vec<Rule>, &'static str, i32);

fn scene() -> Scene {
    Scene::new(Log::V1, Registry::Fallback).seconds(8)
}

/// The services of Sigstore repeat what they were sent.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_service_that_repeats_the_identity_token() {
    let stack = Stack::shared();
    let token = stack.token("github", &[]);
    let rows = [
        (Peer::Fulcio, 400, "fulcio/refused", 3),
        (Peer::Fulcio, 401, "fulcio/refused", 3),
        (Peer::Fulcio, 418, "fulcio/rejected", 75),
        (Peer::Fulcio, 429, "fulcio/unreachable", 75),
        (Peer::Fulcio, 500, "fulcio/unreachable", 75),
        (Peer::Fulcio, 200, "service/mistaken", 4),
        (Peer::Tsa, 400, "timestamp/refused", 75),
        (Peer::Tsa, 503, "timestamp/unreachable", 75),
        (Peer::Rekor, 400, "rekor/refused", 1),
        (Peer::Rekor, 404, "service/mistaken", 4),
        (Peer::Rekor, 503, "rekor/unreachable", 75),
        (Peer::Rekor, 201, "rekor/malformed", 5),
    ];
    each(
        6,
        &rows,
        |(peer, status, ..)| format!("{peer:?} {status}"),
        |(peer, status, code, exit)| {
            let scene = scene().token(&token);
            let played = scene.always(*peer, EchoAs(*status)).play(&stack);
            played.refused(code, *exit);
        },
    );
}

/// GitHub's token endpoint repeats the request token, or says the identity token in an odd place.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_token_endpoint_that_repeats_the_request_token() {
    let stack = Stack::shared();
    let token = stack.token("github", &[]);
    let odd = |text: String| Status(200, &[], text.leak());
    let url = format!("https://user:{PASSWORD}@evil.example/{TOKEN}?{ACCESS}");
    let no = |status| Status(status, &[], format!("no: {token}").leak());
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("400", EchoAs(400), "github/refused", 3),
        ("403", EchoAs(403), "github/refused", 3),
        ("429", EchoAs(429), "github/unreachable", 75),
        ("503", EchoAs(503), "github/unreachable", 75),
        ("200", EchoAs(200), "github/unreadable", 3),
        ("bare", odd(token.clone()), "github/unreadable", 3),
        ("elsewhere", odd(format!(r#"{{"token":"{token}"}}"#)), "github/unreadable", 3),
        ("in a list", odd(format!(r#"{{"value":["{token}"]}}"#)), "github/unreadable", 3),
        ("two", odd(format!(r#"{{"value":"{token}{token}"}}"#)), "identity/not-a-jwt", 3),
        ("refused with it", no(404), "github/refused", 3),
        ("busy with it", no(503), "github/unreachable", 75),
        ("redirect with it", Redirect(url), "github/redirected", 5),
    ];
    each(
        6,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, fault, code, exit)| {
            let scene = scene().canary(&token).canary(PASSWORD).canary(TOKEN).canary(ACCESS);
            let played = scene.always(Peer::Token, fault.clone()).play(&stack);
            played.refused(code, *exit);
            played.published_nothing();
        },
    );
}

/// Challenges of a registry.
fn challenge(text: String) -> Fault {
    Status(401, vec![("www-authenticate", &*text.leak())].leak(), "")
}

fn basic() -> Fault {
    challenge("Basic realm=\"registry\"".to_owned())
}

fn bearer(realm: &str) -> Fault {
    challenge(format!("Bearer realm=\"{realm}/token\",service=\"registry\""))
}

fn image(fault: Fault) -> Rule {
    Rule::on("GET", At::Contains("/manifests/sha256:"), fault)
}

fn first_image(fault: Fault) -> Rule {
    image(fault).turn(Turn::Nth(1))
}

fn blob(status: u16) -> Rule {
    Rule::on("PUT", At::Contains("/blobs/uploads/"), EchoAs(status))
}

fn session(status: u16) -> Rule {
    Rule::on("POST", At::Contains("/blobs/uploads/"), EchoAs(status))
}

fn with_token() -> Scene {
    scene().env("AMBISIGN_REGISTRY_TOKEN", TOKEN).canary(TOKEN)
}

fn with_password() -> Scene {
    let scene = scene().env("AMBISIGN_REGISTRY_USERNAME", "robot");
    let scene = scene.env("AMBISIGN_REGISTRY_PASSWORD", PASSWORD);
    scene.canary(PASSWORD).canary(PAIR).canary(ACCESS)
}

/// A token endpoint of a registry.
fn realm(fault: Fault) -> FaultProxy {
    let any = Rule::on("GET", At::Any, fault);
    FaultProxy::start(&closed_url(), vec![any])
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_registry_that_repeats_a_password_or_a_token() {
    let stack = Stack::shared();
    let granted = format!(r#"{{"token":"{ACCESS}","expires_in":300}}"#).leak();
    let grants = realm(Status(200, &[], granted));
    let [refuses, denies, fails, babbles] = [400, 401, 503, 200].map(|s| realm(EchoAs(s)));
    let odd = realm(Status(200, &[], format!(r#"{{"tokens":["{ACCESS}"]}}"#).leak()));
    let two = |first: Fault, then: Rule| vec![first_image(first), then];
    let at = |realm: &FaultProxy| vec![first_image(bearer(&realm.url()))];
    let refused = "registry/refused";
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows: Vec<Row> = vec![
        ("token, 403", with_token, vec![image(EchoAs(403))], "registry/unauthorized", 6),
        ("token, 400", with_token, vec![image(EchoAs(400))], refused, 6),
        ("token, 503", with_token, vec![image(EchoAs(503))], "registry/unreachable", 75),
        ("token, 200", with_token, vec![image(EchoAs(200))], "registry/digest-mismatch", 5),
        ("token, push", with_token, vec![session(403)], "registry/push-denied", 6),
        ("token, blob", with_token, vec![blob(400)], refused, 6),
        ("password, blob", with_password, two(basic(), blob(400)), refused, 6),
        ("password, blob, busy", with_password, two(basic(), blob(503)), "registry/unreachable", 75),
        ("access token, blob", with_password, two(bearer(&grants.url()), blob(400)), refused, 6),
        ("access token, busy", with_password, two(bearer(&grants.url()), blob(500)), "registry/unreachable", 75),
        ("login refused", with_password, at(&refuses), refused, 6),
        ("login denied", with_password, at(&denies), "registry/unauthorized", 6),
        ("login fails", with_password, at(&fails), "registry/unreachable", 75),
        ("login babbles", with_password, at(&babbles), "registry/token", 5),
        ("login odd", with_password, at(&odd), "registry/token", 5),
    ];
    each(
        6,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, scene, rules, code, exit)| {
            let scene =
                rules.iter().fold(scene(), |scene, rule| scene.rule(Peer::Registry, rule.clone()));
            let played = scene.play(&stack);
            assert!(played.struck() > 0, "the fault did not happen: {}", played.run);
            played.refused(code, *exit);
        },
    );
    // All secrets at once, and all is well.
    let scene = with_password().rule(Peer::Registry, first_image(bearer(&grants.url())));
    scene.token(&stack.token("github", &[])).play(&stack).signed();
    assert!(grants.seen().iter().all(|seen| seen.authorized), "the password bought the token");
}

/// The access token of a machine is not one that IAM Credentials accepts.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_access_token_that_is_refused() {
    let stack = Stack::shared();
    let body = format!(r#"{{"access_token":"{ACCESS}","expires_in":3599,"token_type":"Bearer"}}"#);
    let flavor = &[("metadata-flavor", "Google"), ("content-type", "application/json")];
    let token = Status(200, flavor, body.leak());
    let rule = Rule::on("GET", At::Contains("/token"), token);
    let metadata = FaultProxy::start(stack.var("GCE_METADATA"), vec![rule]);
    let scene = scene()
        .arg("--oidc-provider")
        .arg("google-impersonate")
        .env("GOOGLE_SERVICE_ACCOUNT_NAME", "sa@demo.iam.gserviceaccount.com")
        .env("GCE_METADATA_HOST", &metadata.host())
        .env("HTTPS_PROXY", stack.var("PROXY"))
        .env("SSL_CERT_FILE", stack.var("PROXY_CA"))
        .canary(ACCESS);
    let played = scene.play(&stack);
    assert!(metadata.seen().iter().any(|seen| seen.rule.is_some()), "{}", played.run);
    played.refused("impersonation/refused", 3);
    played.published_nothing();
}
