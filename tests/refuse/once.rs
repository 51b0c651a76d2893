// SPDX-License-Identifier: Apache-2.0
//! What is temporary, once, at any call of a run, is survived: one log entry, one signature, which a
//! stranger verifies.
//!
//! The calls are not listed here: a run in which all is well is recorded, and each call of it fails
//! once in each way.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::fault::{At, Fault, Rule, Seen, Turn};
use crate::common::{GITHUB_IDENTITY, Image, Log, Registry, Stack};
use crate::place::{each, entries};
use crate::played::Played;
use crate::scene::{Peer, Scene};

/// A call of a run: the `nth` one of its kind.
#[derive(Clone, Copy, Debug)]
struct Call {
    peer: Peer,
    method: &'static str,
    /// What is in its path.
    part: &'static str,
    nth: usize,
}

/// The kinds of calls to a registry, by method and a part of the path.
const REGISTRY: &[(&str, &str)] = &[
    ("GET", "/blobs/sha256:"),
    ("GET", "/manifests/latest"),
    ("GET", "/manifests/sha256-"),
    ("GET", "/manifests/sha256:"),
    ("GET", "/referrers/"),
    ("HEAD", "/blobs/sha256:"),
    ("HEAD", "/manifests/latest"),
    ("POST", "/blobs/uploads/"),
    ("PUT", "/blobs/uploads/"),
    ("PUT", "/manifests/sha256-"),
    ("PUT", "/manifests/sha256:"),
];

/// The kinds of calls to the others.
const OTHERS: &[(&str, &str)] = &[("GET", ""), ("POST", "")];

/// What happens once.
fn faults() -> [(&'static str, Fault); 8] {
    let status = |status| Fault::Status(status, &[("content-type", "text/html")], "<html>");
    [
        ("408", status(408)),
        ("429, Retry-After 1", Fault::RetryAfter(1)),
        ("500", status(500)),
        ("502", status(502)),
        ("503", status(503)),
        ("504", status(504)),
        ("reset before", Fault::ResetBefore),
        ("reset after", Fault::CommitThenReset),
    ]
}

impl Call {
    /// The calls of a run, with how often each kind came.
    fn of(played: &Played) -> Vec<Self> {
        let mut counts = BTreeMap::new();
        let all = Peer::ALL
            .iter()
            .flat_map(|peer| played.seen(*peer).iter().map(move |seen| (*peer, seen)));
        all.map(|(peer, seen)| {
            let (method, part) = kind(peer, seen);
            let nth = counts.entry((peer, method, part)).or_insert(0);
            *nth += 1;
            Self { peer, method, part, nth: *nth }
        })
        .collect()
    }

    fn fails(self, scene: Scene, fault: Fault) -> Scene {
        let rule = Rule::on(self.method, At::Contains(self.part), fault);
        scene.rule(self.peer, rule.turn(Turn::Nth(self.nth)))
    }
}

fn kind(peer: Peer, seen: &Seen) -> (&'static str, &'static str) {
    let kinds = match peer {
        Peer::Registry => REGISTRY,
        Peer::Fulcio | Peer::Rekor | Peer::Token | Peer::Tsa => OTHERS,
    };
    let is = |(method, part): &&(&str, &str)| seen.method == *method && seen.path.contains(*part);
    let found = kinds.iter().find(is);
    *found.unwrap_or_else(|| panic!("a new kind of call: {} {}", seen.method, seen.path))
}

fn survives_once(log: Log, registry: Registry, scene: fn(Log, Registry) -> Scene) {
    let stack = Stack::alone();
    let before = entries(&stack, log);
    // The first run of a registry leaves blobs that later ones find.
    scene(log, registry).play(&stack).signed();
    let good = scene(log, registry).play(&stack);
    good.signed();
    let rows: Vec<_> = Call::of(&good)
        .into_iter()
        .flat_map(|call| faults().map(|(name, fault)| (call, name, fault)))
        .collect();
    let signed = std::sync::Mutex::new(vec![good.image]);
    each(
        6,
        &rows,
        |(call, name, _)| format!("{call:?}: {name}"),
        |(call, _, fault)| {
            let played = call.fails(scene(log, registry), fault.clone()).play(&stack);
            assert_eq!(played.struck(), 1, "the fault did not happen: {}", played.run);
            played.signed();
            signed.lock().unwrap().push(played.image);
        },
    );
    let grown = entries(&stack, log) - before;
    assert_eq!(grown, u64::try_from(rows.len() + 2).unwrap(), "log entries");
    verified(&stack, &signed.into_inner().unwrap());
}

/// cosign finds and accepts the signature of each image.
fn verified(stack: &Stack, images: &[Image]) {
    let issuer = format!("{}/github", stack.var("OIDC_URL"));
    for some in images.chunks(40) {
        let cosign = stack
            .program("cosign")
            .args(["verify", "--output", "json", "--trusted-root"])
            .args([stack.var("TRUSTED_ROOT"), "--certificate-identity"])
            .args([GITHUB_IDENTITY, "--certificate-oidc-issuer", &issuer])
            .args(some.iter().map(Image::reference));
        cosign.run().expect(0);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn one_fault_by_tag_rekor_v1_and_a_registry_without_referrers() {
    survives_once(Log::V1, Registry::Fallback, |log, registry| Scene::new(log, registry).by_tag());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn one_fault_by_digest_rekor_v2_and_a_registry_with_referrers() {
    survives_once(Log::V2, Registry::Referrers, Scene::new);
}

/// The way back to an entry whose answer was lost is not free of faults either.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_lost_log_entry_is_found_again_through_faults() {
    let stack = Stack::alone();
    let rows = [
        (Log::V1, "/api/v1/log/entries/", 1),
        (Log::V2, "/api/v2/checkpoint", 1),
        (Log::V2, "/api/v2/tile/", 1),
    ];
    for (log, part, entry) in rows {
        let before = entries(&stack, log);
        let lost = Rule::on("POST", At::Any, Fault::CommitThenReset).turn(Turn::Nth(1));
        let busy = Fault::Status(503, &[("retry-after", "0")], "busy");
        let busy = Rule::on("GET", At::Contains(part), busy).turn(Turn::Nth(1));
        let scene = Scene::new(log, Registry::Fallback).rule(Peer::Rekor, lost);
        let played = scene.rule(Peer::Rekor, busy).play(&stack);
        played.signed();
        assert_eq!(played.struck(), 2, "{}", played.run);
        assert_eq!(entries(&stack, log) - before, entry, "{log:?}");
        verified(&stack, &[played.image]);
    }
}

/// Slow is no fault.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_slow_service_is_waited_for() {
    let stack = Stack::shared();
    each(
        5,
        &Peer::ALL,
        |peer| format!("{peer:?}"),
        |peer| {
            let slow = Fault::Slow(Duration::from_secs(2));
            // The first timestamp is of random bytes, and nobody waits for it.
            let nth = if *peer == Peer::Tsa { 2 } else { 1 };
            let rule = Rule::on("POST", At::Any, slow.clone()).turn(Turn::Nth(nth));
            let scene = Scene::new(Log::V2, Registry::Fallback);
            let played = match peer {
                Peer::Token => scene.always(*peer, slow),
                Peer::Fulcio | Peer::Registry | Peer::Rekor | Peer::Tsa => scene.rule(*peer, rule),
            };
            let played = played.play(&stack);
            assert_eq!(played.struck(), 1, "{}", played.run);
            played.signed();
        },
    );
}

/// A log of tiles answers with its next checkpoint; a client of it gave up after the shorter of two
/// times that it had mixed up.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn sigstore_js_config_a_log_that_takes_19_seconds() {
    let stack = Stack::shared();
    let slow = Rule::on("POST", At::Any, Fault::Slow(Duration::from_secs(19)));
    let scene = Scene::new(Log::V2, Registry::Fallback).rule(Peer::Rekor, slow);
    let played = scene.play(&stack);
    played.signed();
    assert_eq!(played.asked(Peer::Rekor, "POST"), 1, "{}", played.run);
}
