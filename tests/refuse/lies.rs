// SPDX-License-Identifier: Apache-2.0
//! Answers that look right and are not: of somebody else, of something else, or changed on the way.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bend::{Passing, bend};
use crate::common::fault::{At, Fault, Rule};
use crate::common::{GITHUB_IDENTITY, Log, Registry, Stack};
use crate::scene::{Peer, Scene, Watch, each, entries};

/// Changes an answer that is JSON.
fn edit(body: &mut Vec<u8>, change: fn(&mut Value)) {
    let mut value = serde_json::from_slice(body).unwrap();
    change(&mut value);
    *body = value.to_string().into_bytes();
}

/// Another character of the same kind in base64 or hex: `text` decodes to other bytes.
fn flip(text: &mut Value) {
    let old = text.as_str().unwrap();
    let at = old.len() / 2;
    let other = if old.as_bytes()[at] == b'1' { "2" } else { "1" };
    let new = format!("{}{other}{}", &old[..at], &old[at + 1..]);
    *text = new.into();
}

/// The entry in an answer of Rekor v1, whose only member is named after it.
fn v1(value: &mut Value) -> &mut Value {
    value.as_object_mut().unwrap().values_mut().next().unwrap()
}

fn v1_proof(value: &mut Value) -> &mut Value {
    &mut v1(value)["verification"]["inclusionProof"]
}

fn v2_proof(value: &mut Value) -> &mut Value {
    &mut value["inclusionProof"]
}

/// The hashes of a proof, with a leaf more: a log of one entry has an empty proof.
fn more_hashes(hashes: &mut Value, hash: &str) {
    hashes.as_array_mut().unwrap().push(hash.into());
}

/// A checkpoint in which the root is another.
fn other_root(note: &mut Value) {
    let mut lines: Vec<_> = note.as_str().unwrap().lines().map(Value::from).collect();
    flip(&mut lines[2]);
    let lines = lines
        .iter()
        .map(|line| format!("{}\n", line.as_str().unwrap()));
    *note = lines.collect::<String>().into();
}

/// A checkpoint whose signature is another.
fn other_signature(note: &mut Value) {
    let text = note.as_str().unwrap().trim_end();
    let (start, signature) = text.rsplit_once(' ').unwrap();
    let mut signature = Value::from(signature);
    flip(&mut signature);
    *note = format!("{start} {}\n", signature.as_str().unwrap()).into();
}

/// A checkpoint without a signature.
fn unsigned(note: &mut Value) {
    let text = note.as_str().unwrap();
    let end = text.find("\n\n").unwrap();
    *note = text[..end + 2].into();
}

/// Changes the body of an entry.
fn in_body(body: &mut Value, change: fn(&mut Value)) {
    let mut bytes = STANDARD.decode(body.as_str().unwrap()).unwrap();
    edit(&mut bytes, change);
    *body = STANDARD.encode(bytes).into();
}

/// What is changed, how, and the error code.
type Row = (&'static str, Fault, &'static str);

/// Changes the JSON of an answer.
macro_rules! changed {
    ($answer:ident => $change:expr) => {
        Fault::Alter(|body| edit(body, |$answer| $change))
    };
}

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn changed_entries_v1() -> Vec<Row> {
    vec![
        (
            "hash",
            changed!(e => in_body(&mut v1(e)["body"], |body| flip(&mut body["spec"]["payloadHash"]["value"]))),
            "rekor/malformed",
        ),
        (
            "no body",
            changed!(e => v1(e)["body"] = json!("")),
            "rekor/malformed",
        ),
        (
            "log ID",
            changed!(e => flip(&mut v1(e)["logID"])),
            "rekor/unknown-log",
        ),
        (
            "index",
            changed!(e => v1(e)["logIndex"] = json!(7_777_777)),
            "rekor/promise",
        ),
        (
            "time",
            changed!(e => v1(e)["integratedTime"] = json!(1_700_000_000)),
            "rekor/promise",
        ),
        (
            "promise",
            changed!(e => flip(&mut v1(e)["verification"]["signedEntryTimestamp"])),
            "rekor/promise",
        ),
        (
            "no promise",
            changed!(e => v1(e)["verification"]["signedEntryTimestamp"] = json!("")),
            "rekor/malformed",
        ),
        (
            "no proof",
            changed!(e => v1(e)["verification"]["inclusionProof"] = Value::Null),
            "rekor/malformed",
        ),
        (
            "proof",
            changed!(e => flip(&mut v1_proof(e)["hashes"][0])),
            "rekor/inclusion",
        ),
        (
            "a hash more",
            changed!(e => more_hashes(&mut v1_proof(e)["hashes"], ZEROS)),
            "rekor/inclusion",
        ),
        (
            "no hashes",
            changed!(e => v1_proof(e)["hashes"] = json!([])),
            "rekor/inclusion",
        ),
        (
            "proof of another index",
            changed!(e => v1_proof(e)["logIndex"] = json!(0)),
            "rekor/inclusion",
        ),
        (
            "index beyond",
            changed!(e => v1_proof(e)["logIndex"] = json!(7_777_777)),
            "rekor/inclusion",
        ),
        (
            "size",
            changed!(e => v1_proof(e)["treeSize"] = json!(7_777_777)),
            "rekor/checkpoint",
        ),
        (
            "root",
            changed!(e => flip(&mut v1_proof(e)["rootHash"])),
            "rekor/checkpoint",
        ),
        (
            "checkpoint's root",
            changed!(e => other_root(&mut v1_proof(e)["checkpoint"])),
            "rekor/checkpoint",
        ),
        (
            "checkpoint's signature",
            changed!(e => other_signature(&mut v1_proof(e)["checkpoint"])),
            "rekor/checkpoint",
        ),
        (
            "unsigned",
            changed!(e => unsigned(&mut v1_proof(e)["checkpoint"])),
            "rekor/checkpoint",
        ),
        (
            "no checkpoint",
            changed!(e => v1_proof(e)["checkpoint"] = json!("")),
            "rekor/malformed",
        ),
    ]
}

fn changed_entries_v2() -> Vec<Row> {
    vec![
        (
            "digest",
            changed!(e => in_body(&mut e["canonicalizedBody"], |body| flip(&mut body["spec"]["hashedRekordV002"]["data"]["digest"]))),
            "rekor/body",
        ),
        (
            "no body",
            changed!(e => e["canonicalizedBody"] = json!("")),
            "rekor/malformed",
        ),
        (
            "log ID",
            changed!(e => flip(&mut e["logId"]["keyId"])),
            "rekor/unknown-log",
        ),
        (
            "no proof",
            changed!(e => e["inclusionProof"] = Value::Null),
            "rekor/inclusion",
        ),
        (
            "proof",
            changed!(e => flip(&mut v2_proof(e)["hashes"][0])),
            "rekor/inclusion",
        ),
        (
            "no hashes",
            changed!(e => v2_proof(e)["hashes"] = json!([])),
            "rekor/inclusion",
        ),
        (
            "proof of another index",
            changed!(e => v2_proof(e)["logIndex"] = json!("0")),
            "rekor/inclusion",
        ),
        (
            "size",
            changed!(e => v2_proof(e)["treeSize"] = json!("7777777")),
            "rekor/checkpoint",
        ),
        (
            "root",
            changed!(e => flip(&mut v2_proof(e)["rootHash"])),
            "rekor/checkpoint",
        ),
        (
            "checkpoint's root",
            changed!(e => other_root(&mut v2_proof(e)["checkpoint"]["envelope"])),
            "rekor/checkpoint",
        ),
        (
            "checkpoint's signature",
            changed!(e => other_signature(&mut v2_proof(e)["checkpoint"]["envelope"])),
            "rekor/checkpoint",
        ),
        (
            "unsigned",
            changed!(e => unsigned(&mut v2_proof(e)["checkpoint"]["envelope"])),
            "rekor/checkpoint",
        ),
        (
            "no checkpoint",
            changed!(e => v2_proof(e)["checkpoint"] = Value::Null),
            "rekor/checkpoint",
        ),
    ]
}

/// Runs in which the log commits and its answer is then changed.
fn each_changed_entry_is_refused(log: Log, rows: &[Row]) {
    let stack = Stack::alone();
    let before = entries(&stack, log);
    each(
        6,
        rows,
        |(name, ..)| format!("{log:?} {name}"),
        |(_, fault, code)| {
            let rule = Rule::on("POST", At::Any, fault.clone());
            let scene = Scene::new(log, Registry::Fallback).rule(Peer::Rekor, rule);
            let played = scene.play(&stack);
            played.refused(code, 5);
            played.left(false);
            let said = played.run.stderr.lines().last().unwrap_or_default();
            assert!(said.contains("the log may have an entry"), "{}", played.run);
        },
    );
    let grown = entries(&stack, log) - before;
    assert_eq!(grown, u64::try_from(rows.len()).unwrap(), "log entries");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_changed_entry_of_rekor_v1() {
    each_changed_entry_is_refused(Log::V1, &changed_entries_v1());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_changed_entry_of_rekor_v2() {
    each_changed_entry_is_refused(Log::V2, &changed_entries_v2());
}

/// The entry of an earlier signature: the log says that it has it, and where.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_entry_of_another_signature() {
    let stack = Stack::alone();
    for (log, url, code) in [
        (Log::V1, "REKOR_URL", "rekor/body"),
        (Log::V2, "REKOR2_URL", "rekor/inclusion"),
    ] {
        let before = entries(&stack, log);
        let earlier = Arc::new(Mutex::new(None));
        let url = bend(stack.var(url), move |request| {
            if request.start.starts_with("POST") {
                let mut earlier = earlier.lock().unwrap();
                let body = earlier.get_or_insert_with(|| request.body.clone());
                request.body.clone_from(body);
            }
        });
        let scene = || Scene::new(log, Registry::Fallback).elsewhere(Peer::Rekor, &url);
        scene().play(&stack).signed();
        let played = scene().play(&stack);
        played.refused(code, 5);
        played.left(false);
        assert_eq!(entries(&stack, log) - before, 1, "log entries");
    }
}

/// The leaf of an answer of Fulcio, in DER, changed.
fn leaf(answer: &mut Value, change: fn(&mut Vec<u8>)) {
    let pem = &mut answer["signedCertificateEmbeddedSct"]["chain"]["certificates"][0];
    let lines = pem.as_str().unwrap().lines();
    let text: String = lines.filter(|line| !line.starts_with('-')).collect();
    let mut der = STANDARD.decode(text).unwrap();
    change(&mut der);
    let text = STANDARD.encode(der).into_bytes();
    let lines = text
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap());
    let lines: Vec<_> = lines.collect();
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    *pem = format!("{begin}\n{}\n{end}\n", lines.join("\n")).into();
}

/// The serial number follows two headers of four bytes, the version and its own header.
const SERIAL: usize = 4 + 4 + 5 + 2 + 4;

fn changed_answers() -> Vec<(Peer, Row)> {
    let chain = "fulcio/untrusted-chain";
    vec![
        (
            Peer::Fulcio,
            (
                "serial",
                changed!(a => leaf(a, |der| der[SERIAL] ^= 1)),
                chain,
            ),
        ),
        (
            Peer::Fulcio,
            (
                "signature",
                changed!(a => leaf(a, |der| *der.last_mut().unwrap() ^= 1)),
                chain,
            ),
        ),
        (
            Peer::Fulcio,
            (
                "cut",
                changed!(a => leaf(a, |der| der.truncate(300))),
                "fulcio/malformed",
            ),
        ),
        (
            Peer::Fulcio,
            (
                "longer",
                changed!(a => leaf(a, |der| der.push(0))),
                "fulcio/malformed",
            ),
        ),
        (
            Peer::Fulcio,
            ("its CA", changed!(a => ca_first(a)), "fulcio/profile"),
        ),
        (
            Peer::Tsa,
            (
                "signature",
                Fault::Alter(|der| *der.last_mut().unwrap() ^= 1),
                "timestamp/signature",
            ),
        ),
        (
            Peer::Tsa,
            (
                "cut",
                Fault::Alter(|der| der.truncate(200)),
                "timestamp/malformed",
            ),
        ),
        (
            Peer::Tsa,
            (
                "longer",
                Fault::Alter(|der| der.push(0)),
                "timestamp/malformed",
            ),
        ),
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
    let at = body.len() - after - 1;
    body[at] ^= 1;
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_answer_to_another_question() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    let fulcio = stack.var("FULCIO_URL");
    let tsa = stack.var("TSA_URL");
    let other_job = stack.token(
        "github",
        &["job_workflow_ref=acme/app/.github/workflows/pr.yml@refs/pull/1/merge"],
    );
    let own = stack.token("github", &[]);
    // Its signature is never looked at: Fulcio is given another one.
    let public = stack.token(
        "github",
        &["iss=https://token.actions.githubusercontent.com"],
    );
    let earlier = Arc::new(Mutex::new(None::<Vec<u8>>));
    let another_key = move |request: &mut Passing| {
        let mut earlier = earlier.lock().unwrap();
        let old = earlier.replace(request.body.clone());
        request.body = old.unwrap_or_else(|| request.body.clone());
    };
    let another_key = bend(fulcio, another_key);
    let another_key =
        || Scene::new(Log::V1, Registry::Fallback).elsewhere(Peer::Fulcio, &another_key);
    // The first certificate is for its own key, and its request is the one of the second run.
    let first = another_key().always(Peer::Tsa, Fault::Status(404, &[], ""));
    first.play(&stack).refused("timestamp/refused", 75);
    let instead = |token: &str| {
        let token = token.to_owned();
        bend(fulcio, move |request| request.authorize(&token))
    };
    let scene = || Scene::new(Log::V1, Registry::Fallback);
    let rows = [
        ("key", another_key(), "fulcio/key-mismatch", 5),
        (
            "issuer",
            scene()
                .token(&public)
                .elsewhere(Peer::Fulcio, &instead(&own)),
            "fulcio/identity-mismatch",
            5,
        ),
        (
            "job",
            scene()
                .token(&public)
                .elsewhere(Peer::Fulcio, &instead(&other_job)),
            "fulcio/identity-mismatch",
            5,
        ),
        (
            "required",
            scene()
                .arg("--require-identity")
                .arg(GITHUB_IDENTITY)
                .elsewhere(Peer::Fulcio, &instead(&other_job)),
            "identity/not-required",
            3,
        ),
        (
            "nonce",
            scene().elsewhere(
                Peer::Tsa,
                &bend(tsa, |query| flip_from_end(&mut query.body, NONCE_END)),
            ),
            "timestamp/nonce",
            5,
        ),
        (
            "data",
            scene().elsewhere(
                Peer::Tsa,
                &bend(tsa, |query| flip_from_end(&mut query.body, HASH_END)),
            ),
            "timestamp/imprint",
            5,
        ),
    ];
    for (name, scene, code, exit) in rows {
        println!("{name}");
        let played = scene.play(&stack);
        played.refused(code, exit);
        played.published_nothing();
    }
    watch.nothing_logged();
}
