// SPDX-License-Identifier: Apache-2.0
//! Answers that no service should give, and refusals: of the token endpoint, Fulcio, the timestamp
//! authority and both logs.

use crate::common::fault::Fault::{self, *};
use crate::common::{Log, Registry, Stack};
use crate::place::{Watch, each};
use crate::scene::Peer::{self, Fulcio, Rekor, Token, Tsa};
use crate::scene::Scene;

/// Who answers how, with which error code and exit code it ends.
type Row = (Peer, &'static str, Fault, &'static str, i32);

/// A page, nothing, no end, elsewhere.
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn nonsense() -> Vec<Row> {
    let away = || Redirect("http://127.0.0.1:9/elsewhere".to_owned());
    let json = |body| Status(200, &[("content-type", "application/json")], body);
    let gzip = || Status(200, &[("content-encoding", "gzip")], "x");
    let lost = || Status(302, &[], "");
    vec![
        (Token, "HTML", Html, "github/unreadable", 3),
        (Token, "empty", Empty, "github/unreadable", 3),
        (Token, "endless", Endless, "github/too-large", 5),
        (Token, "redirect", away(), "github/redirected", 5),
        (Token, "nowhere", lost(), "github/redirected", 5),
        (Token, "compressed", gzip(), "github/encoded", 5),
        (Token, "other JSON", json("[1]"), "github/unreadable", 3),
        (Token, "no value", json("{}"), "github/unreadable", 3),
        (Token, "empty value", json(r#"{"value":""}"#), "github/empty", 3),
        (Token, "a number", json(r#"{"value":5}"#), "github/unreadable", 3),
        (Token, "a member twice", json(r#"{"value":"a","value":"b"}"#), "github/unreadable", 3),
        (Token, "deep", json(deep(r#"{"value":"a","x":"#)), "github/unreadable", 3),
        (Token, "no JWT", json(r#"{"value":"abc"}"#), "identity/not-a-jwt", 3),
        (Fulcio, "HTML", Html, "service/mistaken", 4),
        (Fulcio, "empty", Empty, "service/mistaken", 4),
        (Fulcio, "endless", Endless, "fulcio/too-large", 5),
        (Fulcio, "redirect", away(), "fulcio/redirected", 5),
        (Fulcio, "nowhere", lost(), "fulcio/redirected", 5),
        (Fulcio, "compressed", gzip(), "fulcio/encoded", 5),
        (Fulcio, "other JSON", json("[1]"), "service/mistaken", 4),
        (Fulcio, "a member twice", json(TWO_CHAINS), "fulcio/unreadable", 5),
        (Fulcio, "deep", json(deep(r#"{"signedCertificateEmbeddedSct":"#)), "fulcio/unreadable", 5),
        (Fulcio, "no chain", json(NO_CHAIN), "fulcio/unreadable", 5),
        (Fulcio, "no PEM", json(NO_PEM), "fulcio/unreadable", 5),
        (Fulcio, "no certificate", json(NO_CERTIFICATE), "fulcio/malformed", 5),
        (Tsa, "HTML", Html, "service/mistaken", 4),
        (Tsa, "empty", Empty, "service/mistaken", 4),
        (Tsa, "endless", Endless, "timestamp/too-large", 5),
        (Tsa, "redirect", away(), "timestamp/redirected", 5),
        (Tsa, "nowhere", lost(), "timestamp/redirected", 5),
        (Tsa, "compressed", gzip(), "timestamp/encoded", 5),
        (Tsa, "a refusal", Raw(REFUSAL), "timestamp/refused", 5),
        (Rekor, "HTML", Html, "service/mistaken", 4),
        (Rekor, "empty", Empty, "rekor/malformed", 5),
        (Rekor, "endless", Endless, "rekor/too-large", 5),
        (Rekor, "redirect", away(), "rekor/redirected", 5),
        (Rekor, "nowhere", lost(), "rekor/redirected", 5),
        (Rekor, "compressed", gzip(), "rekor/encoded", 5),
        (Rekor, "other JSON", json("[1]"), "rekor/malformed", 5),
        (Rekor, "a member twice", json(r#"{"a":{},"a":{}}"#), "rekor/malformed", 5),
        (Rekor, "deep", json(deep(r#"{"a":"#)), "rekor/malformed", 5),
        (Rekor, "no entry", json("{}"), "rekor/malformed", 5),
        (Rekor, "exists, nowhere", Status(409, &[], ""), "rekor/refused", 75),
    ]
}

/// An object that begins like this, with a thousand lists in each other.
fn deep(start: &str) -> &'static str {
    format!("{start}{}{}}}", "[".repeat(1000), "]".repeat(1000)).leak()
}

/// `PKIStatus` 2, rejection, in an answer of RFC 3161.
const REFUSAL: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n\x30\x05\x30\x03\x02\x01\x02";
const NO_CHAIN: &str = r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":[]}}}"#;
const TWO_CHAINS: &str = r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":["x"]},"chain":{"certificates":["y"]}}}"#;
const NO_PEM: &str = r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":["x"]}}}"#;
const NO_CERTIFICATE: &str = r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":["-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"]}}}"#;

/// What a service says when it means no.
fn refusals() -> Vec<Row> {
    let said = |status| Status(status, &[("content-type", "text/html")], "<html>no</html>");
    let mut rows = Vec::new();
    let json = [("content-type", "application/json")];
    let words = |status| Status(status, json.to_vec().leak(), r#"{"code":3,"message":"no"}"#);
    for status in [400, 401, 403, 404, 405, 410, 413, 422, 451] {
        rows.push((Token, "says no", said(status), "github/refused", 3));
    }
    // Neither a page nor what is about the URL comes from the service.
    for status in [400, 401, 403, 404, 405, 410, 413, 418, 422, 451] {
        for peer in [Tsa, Fulcio, Rekor] {
            rows.push((peer, "is a page", said(status), "service/mistaken", 4));
        }
    }
    for status in [404, 405] {
        for peer in [Tsa, Fulcio, Rekor] {
            rows.push((peer, "is not there", words(status), "service/mistaken", 4));
        }
    }
    for status in [400, 401, 403, 413, 422] {
        rows.push((Tsa, "says no", words(status), "timestamp/refused", 75));
    }
    for status in [400, 401, 403, 413, 415, 422] {
        rows.push((Fulcio, "says no", words(status), "fulcio/refused", 3));
    }
    for status in [406, 409, 410, 418, 451] {
        rows.push((Fulcio, "says no", words(status), "fulcio/rejected", 75));
    }
    for status in [400, 415, 422] {
        rows.push((Rekor, "says no", words(status), "rekor/refused", 1));
    }
    for status in [401, 403, 406, 409, 410, 413, 451] {
        rows.push((Rekor, "says no", words(status), "rekor/refused", 75));
    }
    rows
}

fn each_is_refused(log: Log, rows: &[Row]) {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    each(
        6,
        rows,
        |(peer, name, fault, ..)| format!("{peer:?} {name}: {fault:?}"),
        |(peer, _, fault, code, exit)| {
            let scene = Scene::new(log, Registry::Fallback);
            let played = scene.always(*peer, fault.clone()).play(&stack);
            played.refused(code, *exit);
            assert!(played.struck() > 0, "the fault did not happen: {}", played.run);
            played.left(false);
            if *peer != Rekor {
                played.published_nothing();
            }
        },
    );
    watch.nothing_logged();
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn nonsense_ends_the_run() {
    each_is_refused(Log::V1, &nonsense());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn nonsense_of_a_rekor_v2_log_ends_the_run() {
    let mut rows = nonsense();
    rows.retain(|(peer, ..)| *peer == Rekor);
    let index = Status(409, &[("x-log-index", "0")], "");
    rows.push((Rekor, "exists, garbled", index, "rekor/refused", 75));
    let beyond = Status(409, &[("x-log-index", "-1")], "");
    rows.push((Rekor, "exists, nowhere", beyond, "rekor/refused", 75));
    each_is_refused(Log::V2, &rows);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_refusal_ends_the_run() {
    each_is_refused(Log::V1, &refusals());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_refusal_of_a_rekor_v2_log_ends_the_run() {
    let mut rows = refusals();
    rows.retain(|(peer, ..)| *peer == Rekor);
    each_is_refused(Log::V2, &rows);
}
