// SPDX-License-Identifier: Apache-2.0
use std::time::{Duration, SystemTime};

use ambisign_host::{Class, Explain, Token};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Identity, IdentityError, Prediction, TokenPlace, require, unchanged};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn token(claims: &Value) -> Token {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "RS256"});
    Token::new(&format!("{}.{}.c2ln", part(&header), part(claims))).unwrap()
}

fn claims() -> Value {
    json!({"iss": "https://issuer.example", "sub": "s", "aud": "sigstore",
           "exp": 1_795_000_300, "iat": 1_795_000_000})
}

fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[claim] = value;
    claims
}

fn code(token: Token) -> String {
    match Identity::parse(token, "sigstore", now()) {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().into_owned(),
    }
}

#[test]
fn judges_claims() {
    for (claims, expected) in [
        (claims(), "ok"),
        (with("aud", json!(["other", "sigstore"])), "ok"),
        (with("exp", json!(1_795_000_300.5)), "ok"),
        (with("iss", json!("http://127.0.0.1:23000/github")), "ok"),
        (with("aud", json!("Sigstore")), "identity/audience"),
        (with("aud", json!(null)), "identity/audience"),
        (with("exp", json!(1_794_999_999)), "identity/expired"),
        (with("exp", json!(1_795_000_029)), "identity/expired"),
        (with("exp", json!(1_795_000_030)), "ok"),
        (with("exp", json!("soon")), "identity/missing-claim"),
        (with("nbf", json!(1_795_000_060)), "ok"),
        (with("nbf", json!(1_795_000_061)), "identity/not-yet-valid"),
        (with("iat", json!(1_795_000_061)), "identity/not-yet-valid"),
        (with("sub", json!("")), "identity/missing-claim"),
        (with("iss", json!("http://issuer.example")), "identity/issuer"),
        (with("iss", json!("https://user@issuer.example")), "identity/issuer"),
        (with("iss", json!("htTps://a.example")), "identity/issuer"),
        (with("iss", json!(" https://a.example")), "identity/issuer"),
        (with("iss", json!("https://a.exa\tmple")), "identity/issuer"),
        (with("iss", json!("https://a.example/b c")), "identity/issuer"),
        (with("iss", json!("https://a.example/b\u{1}c")), "identity/issuer"),
        (with("iss", json!("https://a.example/?b")), "identity/issuer"),
        (with("iss", json!("https://a.example/#b")), "identity/issuer"),
        (with("iss", json!(format!("https://{}", "a".repeat(505)))), "identity/issuer"),
    ] {
        assert_eq!(code(token(&claims)), expected, "{claims}");
    }
}

#[test]
fn refuses_what_is_no_token_and_never_shows_it() {
    let twice = URL_SAFE_NO_PAD.encode(r#"{"iss":"https://a","iss":"https://b"}"#);
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    for text in [
        "Bearer canary".to_owned(),
        "{\"value\":\"canary\"}".to_owned(),
        "canary.canary.canary".to_owned(),
        format!("{header}.{twice}.c2ln"),
        format!("{none}.{body}.c2ln"),
        format!("{header}.{body}."),
        format!("{header}.{body}.c2ln.c2ln.c2ln"),
        "canary.".repeat(3_000),
    ] {
        let error = Identity::parse(Token::new(&text).unwrap(), "sigstore", now()).unwrap_err();
        assert_eq!(error.code(), "identity/not-a-jwt", "{text}");
        assert!(!error.to_string().contains("canary"));
    }
}

/// `GITHUB_REPOSITORY` named one repository, and the token was of another.
#[test]
fn a_token_of_another_job_ends_the_run() {
    let mut claims = with("repository", json!("acme/app"));
    claims["run_id"] = json!("7");
    claims["runner_id"] = json!(12);
    let identity = Identity::parse(token(&claims), "sigstore", now()).unwrap();
    let is_of = |claim, expected: &str| identity.is_of_job((claim, "VARIABLE"), expected);
    assert!(is_of("repository", "Acme/App").is_ok() && is_of("run_id", "7").is_ok());
    assert!(is_of("runner_id", "12").is_ok());
    assert!(is_of("not_there", "x").is_ok());
    for (claim, expected) in [("repository", "acme/web"), ("run_id", "8"), ("runner_id", "1")] {
        let error = is_of(claim, expected).unwrap_err();
        assert_eq!((&*error.code(), error.class()), ("identity/other-job", Class::Identity));
        let text = error.to_string();
        assert!(text.contains(expected) && text.contains("`VARIABLE`"), "{text}");
    }
}

#[test]
fn guards_private_repositories() {
    let claims = with("repository_visibility", json!("internal"));
    let identity = Identity::parse(token(&claims), "sigstore", now()).unwrap();
    assert!(matches!(identity.guard_privacy(true, false), Err(IdentityError::Private { .. })));
    let published = identity.guard_privacy(true, true);
    assert_eq!(published.unwrap().as_deref(), Some("internal"));
    assert_eq!(identity.guard_privacy(false, false).unwrap(), None);
}

#[test]
fn only_what_is_called_public_is_public() {
    let guarded = |pairs: &[(&str, Value)]| {
        let mut claims = claims();
        for (claim, value) in pairs {
            claims[*claim] = value.clone();
        }
        let identity = Identity::parse(token(&claims), "sigstore", now()).unwrap();
        identity.guard_privacy(true, false).is_err()
    };
    let (github, gitlab) = ("repository_visibility", "project_visibility");
    for value in [
        json!("private"),
        json!("internal"),
        json!("Public"),
        json!(" public"),
        json!(""),
        json!(false),
        json!(0),
        json!(["public"]),
        json!({"public": true}),
    ] {
        assert!(guarded(&[(github, value.clone())]), "{value}");
        assert!(guarded(&[(gitlab, value.clone())]), "{value}");
        let one = (github, json!("public"));
        assert!(guarded(&[one, (gitlab, value.clone())]), "{value}");
    }
    assert!(!guarded(&[(github, json!("public"))]));
    assert!(!guarded(&[(gitlab, json!("public"))]));
    assert!(!guarded(&[(github, Value::Null)]));
    assert!(!guarded(&[]));
}

fn identity(claims: &Value) -> Identity {
    Identity::parse(token(claims), "sigstore", now()).unwrap()
}

#[test]
fn a_token_has_a_longest_form() {
    let good = token(&claims());
    let padded = |length: usize| {
        let text = good.expose().to_owned();
        let text = text.clone() + &"A".repeat(length - text.len());
        code(Token::new(&text).unwrap())
    };
    let longest = 16 * 1024;
    // The signature is base64url, which has no length of this remainder.
    let whole = (longest - good.expose().len() + 4) % 4 != 1;
    assert_eq!(padded(longest), if whole { "ok" } else { "identity/not-a-jwt" });
    assert_eq!(padded(longest - 4), padded(longest));
    for length in 1..=4 {
        assert_eq!(padded(longest + length), "identity/not-a-jwt");
    }
}

#[test]
fn says_what_the_token_says() {
    let told = identity(&with("email", json!("joe@example.test")));
    assert_eq!((told.issuer(), told.sub()), ("https://issuer.example", "s"));
    assert_eq!(told.audiences(), ["sigstore"]);
    assert_eq!(told.expires(), Some(now() + Duration::from_secs(300)));
    assert_eq!(told.issued(), Some(now()));
    assert_eq!(told.repository(), None);
    assert_eq!(told.place().map(TokenPlace::name), None);
    let placed = told.of_place(Some(TokenPlace::new("`TOKEN`".to_owned(), "token")));
    assert_eq!(placed.place().map(TokenPlace::name), Some("`TOKEN`"));
    // GitHub's alone, which name the workflow as well.
    let mut claims = with("repository", json!("acme/app"));
    assert_eq!(identity(&claims).repository(), None);
    claims["job_workflow_ref"] = json!("acme/app/.github/workflows/x.yml@refs/heads/main");
    assert_eq!(identity(&claims).repository(), Some("acme/app"));
}

#[test]
fn an_address_is_verified_by_its_issuer() {
    for (verified, is_verified) in [
        (json!(true), true),
        (json!("true"), true),
        (json!("TRUE"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!(1), false),
        (Value::Null, false),
    ] {
        let mut claims = with("email", json!("joe@example.test"));
        claims["email_verified"] = verified.clone();
        assert_eq!(identity(&claims).has_email(false), is_verified, "{verified}");
        assert!(identity(&claims).has_email(true), "{verified}");
        claims["email"] = Value::Null;
        assert!(!identity(&claims).has_email(true));
    }
}

/// A certificate is for the token if its name and issuer are those that were predicted. Where nothing is
/// predicted, the user named them, or the token has them.
#[test]
fn a_certificate_is_for_the_token_or_refused() {
    const EMAIL: &str = "joe@example.test";
    const GOOGLE: &str = "https://accounts.google.com";
    const OTHER: &str = "https://issuer.example";
    let mut known = with("email", json!(EMAIL));
    (known["iss"], known["email_verified"]) = (json!(GOOGLE), json!(true));
    let known = identity(&known);
    assert!(matches!(known.prediction(), Prediction::Known { .. }));
    assert_eq!(known.expected_name(), Some(EMAIL));
    let unknown = || identity(&with("email", json!(EMAIL)));
    assert_eq!(unknown().expected_name(), None);
    let named = unknown().insisting(Some("eve"), Some("https://other.example"));
    assert_eq!(named.expected_name(), Some("eve"));
    let (unknown, expected) = (unknown(), Some(EMAIL.to_owned()));
    for (identity, san, issuer, differs) in [
        (&known, EMAIL, GOOGLE, None),
        (&known, "eve@example.test", GOOGLE, Some(("identity", expected))),
        (&known, EMAIL, OTHER, Some(("issuer", Some(GOOGLE.to_owned())))),
        (&unknown, EMAIL, OTHER, None),
        (&unknown, "eve", OTHER, Some(("identity", None))),
        (&unknown, EMAIL, "https://other.example", Some(("issuer", None))),
        (&named, "eve", "https://other.example", None),
        (&named, EMAIL, OTHER, None),
        (&named, "mallory", OTHER, Some(("identity", None))),
        (&named, "eve", GOOGLE, Some(("issuer", None))),
    ] {
        let found = identity.vouches_for(san, issuer).err();
        let found = found.map(|found| (found.what, found.expected));
        assert_eq!(found, differs, "{san} {issuer}");
    }
    for (san, issuer, what) in [
        (None, None, None),
        (Some(EMAIL), Some(GOOGLE), None),
        (Some("eve"), None, Some("identity")),
        (None, Some(OTHER), Some("issuer")),
    ] {
        let found = known.require(san, issuer).err();
        let is_of = |error: &IdentityError| {
            let IdentityError::NotRequired { what, .. } = error else { panic!("{error}") };
            *what
        };
        assert_eq!(found.as_ref().map(is_of), what, "{san:?} {issuer:?}");
        assert_eq!(require((EMAIL, GOOGLE), (san, issuer)).is_err(), what.is_some());
        // What is not predicted is compared when the certificate is there.
        assert!(unknown.require(san, issuer).is_ok());
    }
}

#[test]
fn an_identity_stays_the_same_during_a_run() {
    let first = ("joe", "https://issuer.example");
    for (now, what) in [
        (first, None),
        (("eve", first.1), Some("identity")),
        ((first.0, "https://other.example"), Some("issuer")),
    ] {
        let found = unchanged(now, first).err();
        let is_of = |error: &IdentityError| {
            let IdentityError::Changed { what, .. } = error else { panic!("{error}") };
            *what
        };
        assert_eq!(found.as_ref().map(is_of), what, "{now:?}");
    }
}
