// SPDX-License-Identifier: Apache-2.0
//! Registries that refuse, answer nonsense, or say that they did what they did not.

use serde_json::{Value, json};

use crate::common::fault::Fault::{self, *};
use crate::common::fault::{At, Rule, Turn};
use crate::common::{Log, Registry, Stack};
use crate::place::{Watch, each, entries};
use crate::played::Played;
use crate::scene::{Peer, Scene};

/// A request, what happens to it, and the error code and the exit code.
type Row = (&'static str, Rule, &'static str, i32);

/// The requests of a run, in their order.
fn image(fault: Fault) -> Rule {
    Rule::on("GET", At::Contains("/manifests/sha256:"), fault)
}

fn tag(fault: Fault) -> Rule {
    Rule::on("GET", At::Contains("/manifests/latest"), fault)
}

fn referrers(fault: Fault) -> Rule {
    Rule::on("GET", At::Contains("/referrers/"), fault)
}

fn index(fault: Fault) -> Rule {
    Rule::on("GET", At::Contains("/manifests/sha256-"), fault)
}

fn session(fault: Fault) -> Rule {
    Rule::on("POST", At::Contains("/blobs/uploads/"), fault)
}

fn blob(fault: Fault) -> Rule {
    Rule::on("PUT", At::Contains("/blobs/uploads/"), fault)
}

fn manifest(fault: Fault) -> Rule {
    Rule::on("PUT", At::Contains("/manifests/sha256:"), fault)
}

fn blob_back(fault: Fault) -> Rule {
    Rule::on("GET", At::Contains("/blobs/sha256:"), fault)
}

fn manifest_back(fault: Fault) -> Rule {
    image(fault).turn(Turn::After(1))
}

fn index_written(fault: Fault) -> Rule {
    Rule::on("PUT", At::Contains("/manifests/sha256-"), fault)
}

fn said(status: u16) -> Fault {
    Status(status, &[("content-type", "text/html")], "<html>no</html>")
}

fn away() -> Fault {
    Redirect("http://127.0.0.1:9/elsewhere".to_owned())
}

fn plain() -> Fault {
    Redirect("http://storage.example/blob".to_owned())
}

/// To where a cloud gives a machine its credentials.
fn metadata() -> Fault {
    Redirect("http://169.254.169.254/latest".to_owned())
}

fn longer(body: &mut Vec<u8>) {
    body.push(b' ');
}

/// Before anything is public.
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn before() -> Vec<Row> {
    let ours = "application/vnd.oci.image.manifest.v1+json";
    let typed = |body| Status(200, Box::leak(Box::new([("content-type", ours)])), body);
    vec![
        ("HTML", image(Html), "registry/digest-mismatch", 5),
        ("empty", image(Empty), "registry/digest-mismatch", 5),
        ("empty, typed", image(typed("")), "registry/digest-mismatch", 5),
        ("other bytes", image(typed("{}")), "registry/digest-mismatch", 5),
        ("a byte more", image(Alter(longer)), "registry/digest-mismatch", 5),
        ("endless", image(Endless), "registry/too-large", 5),
        ("redirect", image(metadata()), "registry/redirect", 5),
        ("redirect nowhere", image(Status(307, &[], "")), "registry/redirect", 5),
        ("401", image(said(401)), "registry/unauthorized", 6),
        ("403", image(said(403)), "registry/unauthorized", 6),
        ("404", image(said(404)), "registry/not-found", 6),
        ("400", image(said(400)), "registry/refused", 6),
        ("405", image(said(405)), "registry/refused", 6),
        ("451", image(said(451)), "registry/refused", 6),
        ("referrers 401", referrers(said(401)), "registry/unauthorized", 6),
        ("referrers 403", referrers(said(403)), "registry/unauthorized", 6),
        ("referrers 410", referrers(said(410)), "registry/refused", 6),
        ("referrers endless", referrers(Endless), "registry/too-large", 5),
        ("index HTML", index(Html), "registry/index-unreadable", 5),
        ("index empty", index(Empty), "registry/index-unreadable", 5),
        ("index of another kind", index(typed("{}")), "registry/index-unreadable", 5),
        ("index endless", index(Endless), "registry/too-large", 5),
        ("index 401", index(said(401)), "registry/unauthorized", 6),
        ("index 400", index(said(400)), "registry/refused", 6),
        ("upload 401", session(said(401)), "registry/push-denied", 6),
        ("upload 403", session(said(403)), "registry/push-denied", 6),
        ("upload 400", session(said(400)), "registry/refused", 6),
        ("upload 404", session(said(404)), "registry/refused", 6),
        ("upload 405", session(said(405)), "registry/refused", 6),
        ("upload 413", session(said(413)), "registry/refused", 6),
        ("upload HTML", session(Html), "registry/refused", 6),
        ("upload empty", session(Empty), "registry/refused", 6),
        ("upload to nowhere", session(Status(202, &[], "")), "registry/refused", 6),
        ("upload redirect", session(plain()), "registry/redirect", 5),
        ("upload endless", session(Endless), "registry/too-large", 5),
    ]
}

/// After the log entry.
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn after() -> Vec<Row> {
    let other = [("docker-content-digest", ZEROS)];
    let renamed = Status(201, Box::leak(Box::new(other)), "");
    let refused = "registry/refused";
    let changed = "registry/read-back";
    let (page, unseen) = ("registry/index-unreadable", "registry/not-visible");
    vec![
        ("blob 400", blob(said(400)), refused, 6),
        ("blob 403", blob(said(403)), refused, 6),
        ("blob 404", blob(said(404)), refused, 6),
        ("blob 413", blob(said(413)), refused, 6),
        ("blob redirect", blob(plain()), "registry/redirect", 5),
        ("blob endless", blob(Endless), "registry/too-large", 5),
        ("blob kept nowhere", blob(Status(201, &[], "")), refused, 6),
        ("manifest 400", manifest(said(400)), refused, 6),
        ("manifest 403", manifest(said(403)), refused, 6),
        ("manifest 404", manifest(said(404)), refused, 6),
        ("manifest 413", manifest(said(413)), refused, 6),
        ("manifest 422", manifest(said(422)), refused, 6),
        ("manifest redirect", manifest(away()), "registry/redirect", 5),
        ("manifest endless", manifest(Endless), "registry/too-large", 5),
        ("manifest kept nowhere", manifest(Status(201, &[], "")), unseen, 75),
        ("manifest renamed", manifest(renamed), changed, 5),
        ("blob of other bytes", blob_back(Alter(longer)), changed, 5),
        ("blob a page", blob_back(Html), changed, 5),
        ("blob 403 on reading", blob_back(said(403)), refused, 6),
        ("blob where nobody may read", blob_back(metadata()), "registry/redirect", 5),
        ("manifest of other bytes", manifest_back(Alter(longer)), changed, 5),
        ("manifest a page", manifest_back(Html), changed, 5),
        ("manifest empty", manifest_back(Empty), changed, 5),
        ("manifest 403 on reading", manifest_back(said(403)), refused, 6),
        ("index 400", index_written(said(400)), refused, 6),
        ("index 403", index_written(said(403)), refused, 6),
        ("index 413", index_written(said(413)), refused, 6),
        ("index redirect", index_written(away()), "registry/redirect", 5),
        ("index kept nowhere", index_written(Status(201, &[], "")), unseen, 75),
        ("index refused for ever", index_written(said(412)), refused, 6),
        ("index becomes a page", index(Html).turn(Turn::After(1)), page, 5),
        ("index becomes secret", index(said(401)).turn(Turn::After(1)), "registry/unauthorized", 6),
    ]
}

const ZEROS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn play(stack: &Stack, registry: Registry, rule: &Rule) -> Played {
    // What stays invisible is waited for until the run is nearly over.
    let scene = Scene::new(Log::V1, registry).seconds(30);
    let scene = scene.rule(Peer::Registry, rule.clone());
    let played = scene.play(stack);
    assert!(played.struck() > 0, "the fault did not happen: {}", played.run);
    played
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_registry_that_refuses_or_lies_before_anything_is_public() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    each(
        6,
        &before(),
        |(name, ..)| (*name).to_owned(),
        |(_, rule, code, exit)| {
            let played = play(&stack, Registry::Fallback, rule);
            played.refused(code, *exit);
            played.published_nothing();
            played.left(false);
            assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{}", played.run);
        },
    );
    // A tag has no digest to compare with, but the registry announces one.
    for (fault, code) in [
        (Alter(longer), "registry/digest-mismatch"),
        (Html, "registry/media-type"),
        (Empty, "registry/media-type"),
    ] {
        let scene = Scene::new(Log::V1, Registry::Fallback).by_tag();
        let played = scene.rule(Peer::Registry, tag(fault)).play(&stack);
        played.refused(code, 5);
        played.published_nothing();
    }
    watch.nothing_logged();
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_registry_that_refuses_or_lies_when_the_signature_comes() {
    let stack = Stack::alone();
    let before = entries(&stack, Log::V1);
    let rows = after();
    each(
        10,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, rule, code, exit)| {
            let played = play(&stack, Registry::Fallback, rule);
            played.refused(code, *exit);
            played.left(true);
        },
    );
    let grown = entries(&stack, Log::V1) - before;
    assert_eq!(grown, u64::try_from(rows.len()).unwrap(), "log entries");
}

/// Where the manifest itself lists the signature there is nothing to take back: but it is not
/// claimed, and the bundle is kept.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_signature_that_cannot_be_read_back_is_not_claimed() {
    fn nothing_listed(body: &mut Vec<u8>) {
        let mut list: Value = serde_json::from_slice(body).unwrap();
        list["manifests"] = json!([]);
        *body = list.to_string().into_bytes();
    }
    let stack = Stack::alone();
    let list = |fault| referrers(fault).turn(Turn::After(1));
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("manifest of other bytes", manifest_back(Alter(longer)), "registry/read-back", 5),
        ("manifest 403", manifest_back(said(403)), "registry/refused", 6),
        ("manifest 503", manifest_back(said(503)), "registry/unreachable", 75),
        ("not listed", list(Alter(nothing_listed)), "registry/not-visible", 75),
        ("list cut off", list(Alter(|body| body.truncate(20))), "registry/read-back", 5),
        ("list 403", list(said(403)), "registry/unauthorized", 6),
        ("list 503", list(said(503)), "registry/unreachable", 75),
    ];
    each(
        7,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, rule, code, exit)| {
            let played = play(&stack, Registry::Referrers, rule);
            played.ended(code, *exit);
            played.left(true);
        },
    );
}

/// What looks like a fault, and is only a registry without the referrers API.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_registry_without_the_referrers_api_is_no_fault() {
    let stack = Stack::alone();
    let rows = [Html, Empty, said(400), said(404), said(405), said(406), said(501), away()];
    each(
        6,
        &rows,
        |fault| format!("{fault:?}"),
        |fault| play(&stack, Registry::Fallback, &referrers(fault.clone())).signed(),
    );
}
