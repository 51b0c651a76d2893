// SPDX-License-Identifier: Apache-2.0
//! Hostile tokens, in the variable, in a file and from the token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tempfile::TempDir;

use crate::common::fault::Fault;
use crate::common::{Log, Registry, Stack};
use crate::place::{Watch, each};
use crate::scene::{Peer, Scene};

/// A token, with the error code that it ends with. The exit code is 3.
type Row = (&'static str, String, &'static str);

/// A token that is no token of the stack: its signature is one word.
fn made(header: &str, claims: &str) -> String {
    let [header, claims, signature] =
        [header, claims, "canary-signature"].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}.{signature}")
}

const RS256: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

/// Claims that are well, but for `change`.
fn claims(change: &str) -> String {
    let changed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(change).unwrap();
    let mut claims = serde_json::json!({
        "iss": "https://token.actions.githubusercontent.com", "aud": "sigstore", "sub": "repo:a/b",
        "iat": 1_700_000_000_u64, "exp": 4_000_000_000_u64,
        "job_workflow_ref": "a/b/.github/workflows/c.yml@refs/heads/main",
    });
    claims.as_object_mut().unwrap().extend(changed);
    claims.to_string()
}

fn with(change: &str) -> String {
    made(RS256, &claims(change))
}

/// What is no JSON Web Token in its compact form.
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn shapeless() -> Vec<Row> {
    let code = "identity/not-a-jwt";
    let good = with("{}");
    let long = with(&format!(r#"{{"x":"{}"}}"#, "x".repeat(20_000)));
    let dots = format!("{good}{}", ".".repeat(50_000));
    let twice = format!(
        r#"{{"aud":"sigstore",{}"#,
        claims("{}").trim_start_matches('{')
    );
    vec![
        ("a word", "canary-password".to_owned(), code),
        ("too long", long, code),
        ("many dots", dots, code),
        ("two parts", "canary-eyJh.canary-eyJp".to_owned(), code),
        ("five parts", format!("{good}.a.b"), code),
        ("empty parts", "..".to_owned(), code),
        ("no signature", format!("{}.", good.rsplit_once('.').unwrap().0), code),
        ("with `Bearer`", format!("Bearer {good}"), code),
        ("in quotes", format!("\"{good}\""), code),
        ("in two lines", good.replacen('.', ".\n", 1), code),
        ("in JSON", format!(r#"{{"value":"{good}"}}"#), code),
        ("padded", format!("{good}=="), code),
        ("not JSON", made("header", "claims"), code),
        ("a list", made(RS256, "[]"), code),
        ("a claim twice", made(RS256, &twice), code),
        ("no algorithm", made(r#"{"typ":"JWT"}"#, &claims("{}")), code),
        ("algorithm none", made(r#"{"alg":"none"}"#, &claims("{}")), code),
        ("deep", made(RS256, &"[".repeat(9_000)), code),
    ]
}

/// What has the form of a token, and cannot be used.
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn unusable() -> Vec<Row> {
    vec![
        ("another audience", with(r#"{"aud":"sts.amazonaws.com"}"#), "identity/audience"),
        ("audience in capitals", with(r#"{"aud":"Sigstore"}"#), "identity/audience"),
        ("other audiences", with(r#"{"aud":["a","b"]}"#), "identity/audience"),
        ("no audience", with(r#"{"aud":null}"#), "identity/audience"),
        ("expired", with(r#"{"exp":1700000600}"#), "identity/expired"),
        ("expired long ago", with(r#"{"exp":-1}"#), "identity/missing-claim"),
        ("no expiry", with(r#"{"exp":null}"#), "identity/missing-claim"),
        ("expiry in words", with(r#"{"exp":"tomorrow"}"#), "identity/missing-claim"),
        ("from the future", with(r#"{"nbf":3999999999}"#), "identity/not-yet-valid"),
        ("issued in the future", with(r#"{"iat":3999999999}"#), "identity/not-yet-valid"),
        ("no issuer", with(r#"{"iss":null}"#), "identity/issuer"),
        ("issuer without TLS", with(r#"{"iss":"http://issuer.example"}"#), "identity/issuer"),
        ("issuer with a query", with(r#"{"iss":"https://a.example/?b"}"#), "identity/issuer"),
        ("issuer with a password", with(r#"{"iss":"https://a:b@c.example"}"#), "identity/issuer"),
        ("no sub", with(r#"{"sub":null}"#), "identity/missing-claim"),
        ("empty sub", with(r#"{"sub":""}"#), "identity/missing-claim"),
        ("no workflow", with(r#"{"job_workflow_ref":null}"#), "identity/missing-claim"),
        ("no e-mail", with(r#"{"iss":"https://accounts.google.com"}"#), "identity/missing-claim"),
        ("e-mail not verified", with(UNVERIFIED), "identity/email-not-verified"),
        ("of an unknown issuer", with(r#"{"iss":"https://issuer.example"}"#), "fulcio/refused"),
    ]
}

const UNVERIFIED: &str =
    r#"{"iss":"https://accounts.google.com","email":"a@b.example","email_verified":false}"#;

/// What the stack's own issuer signed, and Fulcio would not have.
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn signed(stack: &Stack) -> Vec<Row> {
    let token = |claims: &[&str]| stack.token("github", claims);
    let forged = token(&[]);
    let (start, signature) = forged.rsplit_once('.').unwrap();
    let (first, rest) = signature.split_at(40);
    let forged = format!("{start}.{}{rest}", first.chars().rev().collect::<String>());
    vec![
        ("for somebody else", token(&["--aud=pypi"]), "identity/audience"),
        ("expired", token(&["--ttl=-5"]), "identity/expired"),
        ("nearly expired", token(&["--ttl=20"]), "identity/expired"),
        ("without sub", token(&["sub=null"]), "identity/missing-claim"),
        ("of an unknown issuer", token(&["iss=http://127.0.0.1:9/other"]), "fulcio/refused"),
        ("without a claim that Fulcio needs", token(&["sha=null"]), "fulcio/refused"),
        ("forged", forged, "fulcio/refused"),
    ]
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_hostile_token_in_the_variable() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    let mut rows = shapeless();
    rows.extend(unusable());
    rows.extend(signed(&stack));
    each(
        6,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(name, token, code)| {
            let scene = Scene::new(Log::V1, Registry::Fallback).token(token);
            let played = scene.play(&stack);
            played.refused(code, 3);
            played.published_nothing();
            // Only Fulcio may judge what its configuration does not tell: nothing else leaves the
            // machine.
            let is_told = *name == "of an unknown issuer";
            let asked = usize::from(*code == "fulcio/refused" && !is_told);
            assert_eq!(played.asked(Peer::Fulcio, "POST"), asked, "{}", played.run);
            assert_eq!(played.seen(Peer::Token).len(), 0, "{}", played.run);
        },
    );
    watch.nothing_logged();
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_hostile_token_from_the_token_endpoint() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    let mut rows = shapeless();
    rows.extend(unusable());
    rows.extend(signed(&stack));
    rows.push(("empty", String::new(), "github/empty"));
    rows.push(("white space", " \n".to_owned(), "github/empty"));
    // More than a token endpoint answers ends before anybody looks at the token.
    rows.retain(|(_, token, _)| token.len() < 50_000);
    each(
        6,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, token, code)| {
            let answer = serde_json::json!({ "value": token }).to_string();
            let scene = Scene::new(Log::V1, Registry::Fallback).canary(token);
            let fault = Fault::Status(200, &[], answer.leak());
            let played = scene.always(Peer::Token, fault).play(&stack);
            played.refused(code, 3);
            played.published_nothing();
        },
    );
    watch.nothing_logged();
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_hostile_token_file() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    let dir = TempDir::new().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let other = stack.token("github", &["--aud=pypi"]);
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("absent", dir.path().join("absent").display().to_string(), "file/unreadable"),
        ("a folder", dir.path().display().to_string(), "file/unreadable"),
        ("empty", file("empty", b""), "file/empty"),
        ("white space", file("white", b" \n\t\n"), "file/empty"),
        ("not text", file("binary", b"canary\xff\xfe\x00"), "file/unreadable"),
        ("large", file("large", &[b'a'; 70_000]), "file/unreadable"),
        ("no token", file("word", b"canary-password\n"), "identity/not-a-jwt"),
        ("endless", "/dev/zero".to_owned(), "file/unreadable"),
        ("for somebody else", file("other", other.as_bytes()), "identity/audience"),
    ];
    each(
        6,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, path, code)| {
            let scene = Scene::new(Log::V1, Registry::Fallback).canary(&other);
            let scene = scene.canary("canary-password").arg("--identity-token-file").arg(path);
            let played = scene.play(&stack);
            played.refused(code, 3);
            played.published_nothing();
            assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{}", played.run);
        },
    );
    watch.nothing_logged();
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_empty_variable_is_no_other_identity() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows: &[(&str, &str, &str, i32)] = &[
        ("SIGSTORE_ID_TOKEN", "", "env-var/empty", 3),
        ("SIGSTORE_ID_TOKEN", "  \n", "env-var/empty", 3),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "", "github/partial", 3),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "", "github/partial", 3),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "not a URL", "github/partial", 3),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://evil.example/token", "github/host", 3),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://token.actions.githubusercontent.com/", "github/host", 3),
    ];
    each(
        4,
        rows,
        |(name, value, ..)| format!("{name}={value}"),
        |(name, value, code, exit)| {
            let scene = Scene::new(Log::V1, Registry::Fallback).env(name, value);
            let played = scene.play(&stack);
            played.refused(code, *exit);
            played.published_nothing();
            assert_eq!(played.seen(Peer::Token).len(), 0, "{}", played.run);
        },
    );
    watch.nothing_logged();
}
