// SPDX-License-Identifier: Apache-2.0
//! Services at a wrong URL, which is told before there is a certificate.

use crate::common::{Log, Registry, Stack};
use crate::keyed::Sandbox;
use crate::place::each;
use crate::scene::{Peer, Scene, World};

/// The base of the timestamp authority: its URL without the path.
fn tsa_base(world: &impl World) -> String {
    let url = world.var("TSA_URL");
    url.strip_suffix("/api/v1/timestamp").unwrap().to_owned()
}

/// The URL of each service is that of another one, or lacks its path: this is said before there is a
/// certificate, and no second try is advised.
#[test]
fn wrong_url_in_the_signing_config() {
    each_wrong_url(&Sandbox::with(""));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn wrong_url_in_the_signing_config_of_released_services() {
    each_wrong_url(&Stack::shared());
}

fn each_wrong_url(world: &impl World) {
    let url = |name: &str| world.var(name).to_owned();
    let below = |name: &str| format!("{}/missing", world.var(name));
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("Fulcio is Rekor v1", Peer::Fulcio, Log::V1, url("REKOR_URL"), "is given for Fulcio, and is a Rekor v1 log"),
        ("Fulcio is Rekor v2", Peer::Fulcio, Log::V2, url("REKOR2_URL"), "is given for Fulcio, and is a Rekor v2 log"),
        ("Fulcio is the TSA", Peer::Fulcio, Log::V1, tsa_base(world), "is given for Fulcio, and a timestamp authority is at"),
        ("Fulcio without its path", Peer::Fulcio, Log::V1, below("FULCIO_URL"), "is not Fulcio: it answers HTTP 404"),
        ("v1 is Fulcio", Peer::Rekor, Log::V1, url("FULCIO_URL"), "is given for a Rekor v1 log, and is Fulcio"),
        ("v2 is Fulcio", Peer::Rekor, Log::V2, url("FULCIO_URL"), "is given for a Rekor v2 log, and is Fulcio"),
        ("v1 is v2", Peer::Rekor, Log::V1, url("REKOR2_URL"), "is given for a Rekor v1 log, and is a Rekor v2 log"),
        ("v2 is v1", Peer::Rekor, Log::V2, url("REKOR_URL"), "is given for a Rekor v2 log, and is a Rekor v1 log"),
        ("v1 without its path", Peer::Rekor, Log::V1, below("REKOR_URL"), "is not a Rekor v1 log: it answers HTTP 404"),
        ("v2 without its path", Peer::Rekor, Log::V2, below("REKOR2_URL"), "is not a Rekor v2 log: it answers HTTP 404"),
        ("the TSA without its path", Peer::Tsa, Log::V1, tsa_base(world), "and a timestamp authority is at"),
        ("the TSA is Fulcio", Peer::Tsa, Log::V2, url("FULCIO_URL"), "is given for a timestamp authority, and is Fulcio"),
    ];
    each(
        4,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, peer, log, url, said)| {
            let scene = Scene::new(*log, Registry::Fallback).elsewhere(*peer, url);
            let played = scene.play(world);
            played.refused("service/mistaken", 4);
            // What asks whether a service is there at all is no entry.
            let entries = played.seen(Peer::Rekor).iter();
            assert!(entries.map(|seen| seen.length).all(|length| length <= 2));
            played.left(false);
            let run = &played.run;
            assert!(run.stderr.contains(said), "no `{said}`: {run}");
            assert!(run.stderr.contains("exit 4; nothing was signed"), "{run}");
            let with_token = played.seen(Peer::Fulcio).iter();
            assert_eq!(with_token.filter(|seen| seen.authorized).count(), 0, "{run}");
        },
    );
}

/// The way out that the message names.
#[test]
fn wrong_url_of_the_tsa_is_told_with_the_right_one() {
    let sandbox = Sandbox::with("");
    let base = tsa_base(&sandbox);
    let scene = Scene::new(Log::V1, Registry::Fallback).elsewhere(Peer::Tsa, &base);
    let played = scene.play(&sandbox);
    played.refused("service/mistaken", 4);
    let said = played.run.stderr.lines();
    let fix = said.clone().find(|line| line.starts_with("ambisign: fix: "));
    let fix = fix.unwrap_or_default();
    assert!(fix.contains("/api/v1/timestamp with `--tsa-url`"), "{fix}");
}
