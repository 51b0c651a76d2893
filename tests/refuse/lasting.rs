// SPDX-License-Identifier: Apache-2.0
//! What is temporary for good, at any service, ends in exit 75 within `--timeout`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use crate::common::fault::{At, Fault, Rule, Turn};
use crate::common::{Log, Program, Registry, Stack};
use crate::place::{PUBLIC_ROOT, each, entries};
use crate::scene::{Peer, Scene};

/// The time of each run, in seconds.
const TIMEOUT: u64 = 5;

/// One place in a run that fails for good.
struct Place {
    name: &'static str,
    peer: Peer,
    rule: Rule,
    /// The error code.
    code: &'static str,
    log: Log,
    /// Whether the log has an entry afterwards.
    logged: bool,
}

/// What happens every time.
fn faults() -> Vec<(&'static str, Fault)> {
    let status = |status| Fault::Status(status, &[("content-type", "text/html")], "<html>");
    vec![
        ("408", status(408)),
        ("429, Retry-After 3600", Fault::RetryAfter(3600)),
        ("500", status(500)),
        ("502", status(502)),
        ("503", status(503)),
        ("504", status(504)),
        ("reset", Fault::ResetBefore),
        ("reset after", Fault::CommitThenReset),
        ("no answer", Fault::Hang),
        ("a byte a second", Fault::Drip(Duration::from_secs(1))),
        ("cut off", Fault::Truncate(7)),
        ("not HTTP", Fault::Raw(b"SSH-2.0-OpenSSH_9.2\r\n")),
    ]
}

/// Where everything goes wrong, before anything is public or after it.
fn places(fault: &Fault) -> Vec<Place> {
    let any = |method| Rule::on(method, At::Any, fault.clone());
    let at = |method, part| Rule::on(method, At::Contains(part), fault.clone());
    let place =
        |name, peer, rule, code| Place { name, peer, rule, code, log: Log::V1, logged: false };
    let after = |name, rule| Place {
        logged: true,
        ..place(name, Peer::Registry, rule, "registry/unreachable")
    };
    let manifest = || at("GET", "/manifests/sha256:");
    let index = || at("GET", "/manifests/sha256-");
    vec![
        place("token", Peer::Token, any("GET"), "github/unreachable"),
        place("Fulcio", Peer::Fulcio, any("POST"), "fulcio/unreachable"),
        // The first timestamp is of random bytes, and the run goes on without it.
        place("TSA", Peer::Tsa, any("POST").turn(Turn::After(1)), "timestamp/unreachable"),
        place("Rekor v1", Peer::Rekor, any("POST"), "rekor/unreachable"),
        Place { log: Log::V2, ..place("Rekor v2", Peer::Rekor, any("POST"), "rekor/unreachable") },
        place("the image", Peer::Registry, manifest(), "registry/unreachable"),
        place("the referrers", Peer::Registry, at("GET", "/referrers/"), "registry/unreachable"),
        place("the index", Peer::Registry, index(), "registry/unreachable"),
        place("the push right", Peer::Registry, any("POST"), "registry/unreachable"),
        after("a blob", at("PUT", "/blobs/uploads/")),
        after("the blob back", at("GET", "/blobs/")),
        after("the manifest back", manifest().turn(Turn::After(1))),
        after("the index again", index().turn(Turn::After(1))),
    ]
}

/// Some answers are too short for the fault to matter, and a blob that arrived is found there.
fn applies(fault: &str, place: &Place) -> bool {
    let short = ["the push right", "a blob", "the referrers", "the index"];
    match fault {
        "a byte a second" | "cut off" => !short.contains(&place.name),
        "reset after" => place.name != "a blob",
        _ => true,
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_lasting_fault_ends_in_exit_75_within_the_timeout() {
    let stack = Stack::alone();
    let before = Log::ALL.map(|log| entries(&stack, log));
    let rows: Vec<_> = faults()
        .into_iter()
        .flat_map(|(name, fault)| {
            let places = places(&fault).into_iter().map(move |place| (name, place));
            places.filter(|(name, place)| applies(name, place))
        })
        .collect();
    each(
        12,
        &rows,
        |(fault, place)| format!("{}: {fault}", place.name),
        |(_, place)| {
            let scene = Scene::new(place.log, Registry::Fallback).seconds(TIMEOUT);
            let played = scene.rule(place.peer, place.rule.clone()).play(&stack);
            played.refused(place.code, 75);
            assert!(played.struck() > 0, "the fault did not happen: {}", played.run);
            played.left(place.logged);
            if place.peer == Peer::Rekor {
                let said = played.run.stderr.lines().last().unwrap_or_default();
                assert!(said.contains("the log may have an entry"), "{}", played.run);
            }
        },
    );
    // What does not arrive was an entry all the same, and one only, however often it was sent.
    let lost = ["a byte a second", "cut off", "reset after"];
    let lost =
        rows.iter().filter(|(fault, place)| place.peer == Peer::Rekor && lost.contains(fault));
    let certain = rows.iter().filter(|(_, place)| place.logged).count();
    let expected = u64::try_from(certain + lost.count()).unwrap();
    let grown = Log::ALL.map(|log| entries(&stack, log)).iter().sum::<u64>();
    assert_eq!(grown - before.iter().sum::<u64>(), expected, "log entries");
}

/// A peer that sends `head` and then `rest` without end, faster than it can be read.
fn endless(head: &'static str, rest: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let _length = stream.read(&mut [0; 4096]).unwrap();
                let chunk = rest.repeat(65_536 / rest.len());
                // It ends when the client does.
                let mut sent = stream.write_all(head.as_bytes());
                while sent.is_ok() {
                    sent = stream.write_all(&chunk);
                }
            });
        }
    });
    address
}

/// Deadlines and signals are looked at while peers send faster than this program reads.
#[test]
fn a_peer_that_sends_without_end_cannot_outlast_the_time_limit() {
    const LIMIT: Duration = Duration::from_secs(60);
    let digits = endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0");
    let hints = endless("", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
    for address in [digits, hints] {
        let digest = format!("sha256:{}", "a".repeat(64));
        let images = (0..8).map(|n| format!("{address}/acme/app{n}@{digest}"));
        let run = Program::ambisign()
            .args(["verify", "--trusted-root", PUBLIC_ROOT, "--timeout", "2s"])
            .args(["--certificate-identity", "x", "--certificate-oidc-issuer", "https://x"])
            .args(images.collect::<Vec<_>>())
            .limit(LIMIT)
            .run();
        assert_eq!(run.code, Some(75), "{run}");
        assert!(run.took < LIMIT, "{run}");
    }
}
