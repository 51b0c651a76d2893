// SPDX-License-Identifier: Apache-2.0
//! Identity tokens, and what token services and Fulcio answer.

use std::collections::BTreeMap;

use ambisign_host::{Answer, Token};
use ambisign_sigstore::certificate::SigningCertificate;
use ambisign_sigstore::fulcio;
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::preflight;
use ambisign_sigstore::trust::Service;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::super::holds::{check_error, strict};
use super::super::vectors;
use super::now;

/// Answers of Fulcio.
pub fn fulcio_answer(bytes: &[u8]) {
    if let Some(leaf) = fulcio::fuzzing::leaf(bytes) {
        strict(bytes);
        let _profile = SigningCertificate::parse(&leaf);
    }
    if fulcio::fuzzing::issuers(bytes).is_some() {
        strict(bytes);
    }
    if fulcio::fuzzing::message(bytes).is_some() {
        strict(bytes);
    }
    self_description(bytes);
}

/// The self-descriptions of services: any bytes match the trusted root or are reported.
fn self_description(bytes: &[u8]) {
    let answer = Answer {
        url: "https://service.example/".parse().expect("a URL"),
        status: Default::default(),
        headers: Default::default(),
        body: bytes.to_vec(),
        from: None,
    };
    let vector = vectors::named("happy-path-v0.3");
    let url = answer.url.clone();
    if let Err(error) = preflight::authority(&answer, &vector.root, (&url, now())) {
        check_error(&error);
    }
    for version in [1, 2] {
        let log = Service { url: url.clone(), version, operator: String::new() };
        if let Err(error) = preflight::head(&answer, &log, &vector.root) {
            check_error(&error);
        }
    }
}

/// Answers of token services, in the shapes of all providers.
pub fn provider_answer(bytes: &[u8]) {
    let answer = Answer {
        url: "https://token.example/".parse().expect("a URL"),
        status: Default::default(),
        headers: Default::default(),
        body: bytes.to_vec(),
        from: None,
    };
    let Some(body) = answer.json::<BTreeMap<String, Value>>() else {
        return;
    };
    strict(bytes);
    // Whatever a provider calls the member with the token.
    for member in body.values() {
        if let Value::String(token) = member {
            identity(token);
        }
    }
}

/// Identity tokens: as they are, or made of claims where a first byte says so.
pub fn token(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, claims)) => {
            let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            let token = format!("{}.{}.c2ln", part(br#"{"alg":"RS256"}"#), part(claims));
            if identity(&token) {
                strict(claims);
            }
        }
        _ => {
            identity(&String::from_utf8_lossy(bytes));
        }
    }
}

/// Whether it is a token of ours.
fn identity(token: &str) -> bool {
    let Some(token) = Token::new(token) else {
        return false;
    };
    assert_eq!(format!("{token:?}"), "Token(***)");
    match Identity::parse(token, "sigstore", now()) {
        Err(error) => {
            check_error(&error);
            false
        }
        Ok(identity) => {
            assert!(identity.audiences().iter().any(|audience| audience == "sigstore"));
            assert!(identity.issuer().starts_with("http") && !identity.sub().is_empty());
            if let Err(error) = identity.guard_privacy(true, false) {
                check_error(&error);
            }
            true
        }
    }
}
