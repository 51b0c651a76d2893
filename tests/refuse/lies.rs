// SPDX-License-Identifier: Apache-2.0
//! Answers that look right and are not: of somebody else, of something else, or changed on the way.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::bend::{Passing, bend};
use crate::common::fault::{At, Fault, Rule, Turn};
use crate::common::{GITHUB_IDENTITY, Log, Registry, Stack};
use crate::entries::{Row, changed};
use crate::place::{Watch, each};
use crate::scene::{Peer, Scene};

/// The leaf of an answer of Fulcio, in DER, changed.
fn leaf(answer: &mut Value, change: fn(&mut Vec<u8>)) {
    let pem = &mut answer["signedCertificateEmbeddedSct"]["chain"]["certificates"][0];
    let lines = pem.as_str().unwrap().lines();
    let text: String = lines.filter(|line| !line.starts_with('-')).collect();
    let mut der = STANDARD.decode(text).unwrap();
    change(&mut der);
    let text = STANDARD.encode(der).into_bytes();
    let lines = text.chunks(64).map(|line| std::str::from_utf8(line).unwrap());
    let lines: Vec<_> = lines.collect();
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    *pem = format!("{begin}\n{}\n{end}\n", lines.join("\n")).into();
}

/// The serial number follows two headers of four bytes, the version and its own header.
const SERIAL: usize = 4 + 4 + 5 + 2 + 4;

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn changed_answers() -> Vec<(Peer, Row)> {
    let chain = "fulcio/untrusted-chain";
    vec![
        (Peer::Fulcio, ("serial", changed!(a => leaf(a, |der| der[SERIAL] ^= 1)), chain)),
        (Peer::Fulcio, ("signature", changed!(a => leaf(a, |der| *der.last_mut().unwrap() ^= 1)), chain)),
        (Peer::Fulcio, ("cut", changed!(a => leaf(a, |der| der.truncate(300))), "fulcio/malformed")),
        (Peer::Fulcio, ("longer", changed!(a => leaf(a, |der| der.push(0))), "fulcio/malformed")),
        (Peer::Fulcio, ("its CA", changed!(a => ca_first(a)), "fulcio/profile")),
        (Peer::Tsa, ("signature", Fault::Alter(|der| *der.last_mut().unwrap() ^= 1), "timestamp/signature")),
        (Peer::Tsa, ("cut", Fault::Alter(|der| der.truncate(200)), "timestamp/malformed")),
        (Peer::Tsa, ("longer", Fault::Alter(|der| der.push(0)), "timestamp/malformed")),
    ]
}

/// The certificate of the authority in the place of the one that it issued.
fn ca_first(answer: &mut Value) {
    let chain = &mut answer["signedCertificateEmbeddedSct"]["chain"]["certificates"];
    chain.as_array_mut().unwrap().remove(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_changed_certificate_or_timestamp() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    each(
        6,
        &changed_answers(),
        |(peer, (name, ..))| format!("{peer:?} {name}"),
        |(peer, (_, fault, code))| {
            let scene = Scene::new(Log::V1, Registry::Fallback);
            let played = scene.always(*peer, fault.clone()).play(&stack);
            played.refused(code, 5);
            played.published_nothing();
        },
    );
    watch.nothing_logged();
}

/// In a query of RFC 3161 as ours the nonce ends before `certReq`, three bytes before the end; the
/// hash ends before the nonce's header.
const NONCE_END: usize = 3;
const HASH_END: usize = NONCE_END + 8 + 2;

fn flip_from_end(body: &mut [u8], after: usize) {
    // What asks whether there is an authority has no body.
    if let Some(at) = body.len().checked_sub(after + 1) {
        body[at] ^= 1;
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_answer_to_another_question() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    let fulcio = stack.var("FULCIO_URL");
    let tsa = stack.var("TSA_URL");
    let other_job = stack
        .token("github", &["job_workflow_ref=acme/app/.github/workflows/pr.yml@refs/pull/1/merge"]);
    let own = stack.token("github", &[]);
    // Its signature is never looked at: Fulcio is given another one.
    let public = stack.token("github", &["iss=https://token.actions.githubusercontent.com"]);
    let earlier = Arc::new(Mutex::new(None::<Vec<u8>>));
    let another_key = move |request: &mut Passing| {
        if !request.start.starts_with("POST") {
            return;
        }
        let mut earlier = earlier.lock().unwrap();
        let old = earlier.replace(request.body.clone());
        request.body = old.unwrap_or_else(|| request.body.clone());
    };
    let another_key = bend(fulcio, another_key);
    let another_key =
        || Scene::new(Log::V1, Registry::Fallback).elsewhere(Peer::Fulcio, &another_key);
    // The first certificate is for its own key, and its request is the one of the second run.
    let no = Fault::Status(403, &[], r#"{"code":403,"message":"no"}"#);
    let no = Rule::on("POST", At::Any, no).turn(Turn::After(1));
    let first = another_key().rule(Peer::Tsa, no);
    first.play(&stack).refused("timestamp/refused", 75);
    let instead = |token: &str| {
        let token = token.to_owned();
        bend(fulcio, move |request| request.authorize(&token))
    };
    let (own, other_job) = (instead(&own), instead(&other_job));
    let nonce = bend(tsa, |query| flip_from_end(&mut query.body, NONCE_END));
    let data = bend(tsa, |query| flip_from_end(&mut query.body, HASH_END));
    let scene = || Scene::new(Log::V1, Registry::Fallback);
    // Fulcio's configuration would say that it does not know this issuer.
    let silent = || {
        let no = Fault::Status(404, &[], "");
        Rule::on("GET", At::Contains("configuration"), no)
    };
    let known = || scene().token(&public).rule(Peer::Fulcio, silent());
    let wanted = || scene().arg("--require-identity").arg(GITHUB_IDENTITY);
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        (another_key(), "fulcio/key-mismatch", 5),
        (known().elsewhere(Peer::Fulcio, &own), "fulcio/identity-mismatch", 5),
        (known().elsewhere(Peer::Fulcio, &other_job), "fulcio/identity-mismatch", 5),
        (wanted().elsewhere(Peer::Fulcio, &other_job), "fulcio/identity-mismatch", 5),
        (scene().elsewhere(Peer::Tsa, &nonce), "timestamp/nonce", 5),
        (scene().elsewhere(Peer::Tsa, &data), "timestamp/imprint", 5),
    ];
    for (scene, code, exit) in rows {
        let played = scene.play(&stack);
        played.refused(code, exit);
        played.published_nothing();
    }
    watch.nothing_logged();
}
