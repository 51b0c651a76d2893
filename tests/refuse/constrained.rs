// SPDX-License-Identifier: Apache-2.0
//! A Fulcio whose authority may not issue for everyone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::common::{Finished, Log, Program, Registry};
use crate::keyed::Sandbox;
use crate::scene::{Peer, Scene, World as _};

/// A token of a provider whose certificates are known beforehand. It is judged before anything looks at
/// its signature.
fn token_of(email: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": "https://accounts.google.com", "sub": "1", "aud": "sigstore",
        "exp": 4_000_000_000_u64, "email": email, "email_verified": true});
    format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(&claims))
}

fn doctor(sandbox: &Sandbox, token: &str) -> Finished {
    Program::ambisign()
        .args(["doctor", "--signing-config", sandbox.var("SIGNING_CONFIG_V1")])
        .args(["--trusted-root", sandbox.var("TRUSTED_ROOT")])
        .env("SIGSTORE_ID_TOKEN", token)
        .run()
}

/// A root with name constraints fits its services, but not every identity: that is known before the
/// certificate is asked for where the name in it is.
#[test]
fn name_constraints_are_named_before_a_certificate_is_asked_for() {
    let sandbox = Sandbox::with("authority-with-name-constraints");
    let token = token_of("joe@example.test");
    let played = Scene::new(Log::V1, Registry::Fallback).token(&token).play(&sandbox);
    played.refused("trust/name-constraints", 4);
    played.published_nothing();
    let run = &played.run;
    assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{run}");
    let said = "may issue a certificate for \"joe@example.test\": the name constraints of an authority \
                do not permit a name below it";
    assert!(run.stderr.contains(said), "no `{said}`: {run}");
    let told = doctor(&sandbox, &token).expect(4);
    assert!(told.stdout.contains("code: trust/name-constraints"), "{told}");
    let told = doctor(&sandbox, &token_of("joe@other.test"));
    assert!(!told.stdout.contains("trust/name-constraints"), "{told}");
}
