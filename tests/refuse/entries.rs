// SPDX-License-Identifier: Apache-2.0
//! Log entries that look right and are not: of another signature, or with a proof that is none.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bend::bend;
use crate::common::fault::{At, Fault, Rule};
use crate::common::{Log, Registry, Stack};
use crate::place::{each, entries};
use crate::scene::{Peer, Scene};

/// Changes an answer that is JSON.
pub(crate) fn edit(body: &mut Vec<u8>, change: fn(&mut Value)) {
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
    let lines = lines.iter().map(|line| format!("{}\n", line.as_str().unwrap()));
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
pub(crate) type Row = (&'static str, Fault, &'static str);

/// Changes the JSON of an answer.
macro_rules! changed {
    ($answer:ident => $change:expr) => {
        Fault::Alter(|body| crate::entries::edit(body, |$answer| $change))
    };
}
pub(crate) use changed;

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn changed_entries_v1() -> Vec<Row> {
    vec![
        ("hash", changed!(e => in_body(&mut v1(e)["body"], |body| flip(&mut body["spec"]["payloadHash"]["value"]))), "rekor/malformed"),
        ("no body", changed!(e => v1(e)["body"] = json!("")), "rekor/malformed"),
        ("log ID", changed!(e => flip(&mut v1(e)["logID"])), "rekor/unknown-log"),
        ("index", changed!(e => v1(e)["logIndex"] = json!(7_777_777)), "rekor/promise"),
        ("time", changed!(e => v1(e)["integratedTime"] = json!(1_700_000_000)), "rekor/promise"),
        ("promise", changed!(e => flip(&mut v1(e)["verification"]["signedEntryTimestamp"])), "rekor/promise"),
        ("no promise", changed!(e => v1(e)["verification"]["signedEntryTimestamp"] = json!("")), "rekor/malformed"),
        ("no proof", changed!(e => v1(e)["verification"]["inclusionProof"] = Value::Null), "rekor/malformed"),
        ("proof", changed!(e => flip(&mut v1_proof(e)["hashes"][0])), "rekor/inclusion"),
        ("a hash more", changed!(e => more_hashes(&mut v1_proof(e)["hashes"], ZEROS)), "rekor/inclusion"),
        ("no hashes", changed!(e => v1_proof(e)["hashes"] = json!([])), "rekor/inclusion"),
        ("proof of another index", changed!(e => v1_proof(e)["logIndex"] = json!(0)), "rekor/inclusion"),
        ("index beyond", changed!(e => v1_proof(e)["logIndex"] = json!(7_777_777)), "rekor/inclusion"),
        ("size", changed!(e => v1_proof(e)["treeSize"] = json!(7_777_777)), "rekor/checkpoint"),
        ("root", changed!(e => flip(&mut v1_proof(e)["rootHash"])), "rekor/checkpoint"),
        ("checkpoint's root", changed!(e => other_root(&mut v1_proof(e)["checkpoint"])), "rekor/checkpoint"),
        ("checkpoint's signature", changed!(e => other_signature(&mut v1_proof(e)["checkpoint"])), "rekor/checkpoint"),
        ("unsigned", changed!(e => unsigned(&mut v1_proof(e)["checkpoint"])), "rekor/checkpoint"),
        ("no checkpoint", changed!(e => v1_proof(e)["checkpoint"] = json!("")), "rekor/malformed"),
    ]
}

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn changed_entries_v2() -> Vec<Row> {
    vec![
        ("digest", changed!(e => in_body(&mut e["canonicalizedBody"], |body| flip(&mut body["spec"]["hashedRekordV002"]["data"]["digest"]))), "rekor/body"),
        ("no body", changed!(e => e["canonicalizedBody"] = json!("")), "rekor/malformed"),
        ("log ID", changed!(e => flip(&mut e["logId"]["keyId"])), "rekor/unknown-log"),
        ("no proof", changed!(e => e["inclusionProof"] = Value::Null), "rekor/inclusion"),
        ("proof", changed!(e => flip(&mut v2_proof(e)["hashes"][0])), "rekor/inclusion"),
        ("no hashes", changed!(e => v2_proof(e)["hashes"] = json!([])), "rekor/inclusion"),
        ("proof of another index", changed!(e => v2_proof(e)["logIndex"] = json!("0")), "rekor/inclusion"),
        ("size", changed!(e => v2_proof(e)["treeSize"] = json!("7777777")), "rekor/checkpoint"),
        ("root", changed!(e => flip(&mut v2_proof(e)["rootHash"])), "rekor/checkpoint"),
        ("checkpoint's root", changed!(e => other_root(&mut v2_proof(e)["checkpoint"]["envelope"])), "rekor/checkpoint"),
        ("checkpoint's signature", changed!(e => other_signature(&mut v2_proof(e)["checkpoint"]["envelope"])), "rekor/checkpoint"),
        ("unsigned", changed!(e => unsigned(&mut v2_proof(e)["checkpoint"]["envelope"])), "rekor/checkpoint"),
        ("no checkpoint", changed!(e => v2_proof(e)["checkpoint"] = Value::Null), "rekor/checkpoint"),
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
    for (log, url, code) in
        [(Log::V1, "REKOR_URL", "rekor/body"), (Log::V2, "REKOR2_URL", "rekor/inclusion")]
    {
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
