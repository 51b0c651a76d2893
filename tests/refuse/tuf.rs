// SPDX-License-Identifier: Apache-2.0
//! A TUF mirror that fails, stalls or says something else, and one that is over or lacks something.

use std::path::Path;

use crate::common::fault::Fault::{
    self, Alter, Drip, Empty, Endless, Hang, Html, Redirect, ResetBefore, Status, Truncate,
};
use crate::common::fault::{At, FaultProxy, Rule};
use crate::common::{Finished, Log, Mirror, Program, Stack};
use crate::place::{each, fresh_image};

const NEXT_ROOT: At = At::Prefix("/2.root.json");
const TIMESTAMP: At = At::Prefix("/timestamp.json");
const SNAPSHOT: At = At::Prefix("/1.snapshot.json");
const TARGETS: At = At::Prefix("/1.targets.json");
const ROOT: At = At::Contains(".trusted_root.json");
const CONFIG: At = At::Contains(".signing_config.v0.2.json");

/// Which file, what happens to it, the error code and the exit code.
type Row = (At, Fault, &'static str, i32);

/// A run that believes the mirror at `url`, on its way to an image of its own.
fn run(stack: &Stack, url: &str, root: &Path, args: &[&str]) -> Finished {
    let image = fresh_image(stack.var("REGISTRY"));
    Program::ambisign()
        .args(["sign", "-v", "--timeout", "6s", "--tuf-mirror", url])
        .arg("--tuf-root")
        .arg(root)
        .args(args)
        .arg(image.reference())
        .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
        .run()
}

/// It ended so, and no service of the instance was asked.
#[track_caller]
fn refused(run: &Finished, code: &str, exit: i32) {
    let line = format!("ambisign: code: {code}; exit {exit}; nothing was signed or uploaded");
    assert!(run.stderr.contains(&line), "no `{line}` in {run}");
    assert_eq!(run.code, Some(exit), "{run}");
}

#[expect(clippy::ptr_arg, reason = "the type of all alterations")]
fn spoil(body: &mut Vec<u8>) {
    let middle = body.len() / 2;
    body[middle] ^= 1;
}

fn longer(body: &mut Vec<u8>) {
    body.push(b' ');
}

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn rows() -> Vec<Row> {
    let status = |status| Status(status, &[("content-type", "text/html")], "<html>no</html>");
    let gzip = || Status(200, &[("content-encoding", "gzip")], "x");
    let away = || Redirect("http://127.0.0.1:9/".to_owned());
    let mut rows = vec![
        // Only a status that says so ends the chain of roots.
        (NEXT_ROOT, ResetBefore, "tuf/unreachable", 75),
        (NEXT_ROOT, Hang, "tuf/unreachable", 75),
        (NEXT_ROOT, Html, "tuf/malformed", 4),
        (NEXT_ROOT, Empty, "tuf/malformed", 4),
        (NEXT_ROOT, Endless, "tuf/too-large", 5),
        (NEXT_ROOT, gzip(), "tuf/encoded", 5),
        (NEXT_ROOT, away(), "tuf/redirected", 5),
        (NEXT_ROOT, status(401), "tuf/status", 4),
        (NEXT_ROOT, status(429), "tuf/unreachable", 75),
        (NEXT_ROOT, status(500), "tuf/unreachable", 75),
        (NEXT_ROOT, status(204), "tuf/status", 4),
        (ROOT, Alter(spoil), "tuf/mismatch", 4),
        (ROOT, Alter(longer), "tuf/mismatch", 4),
        (CONFIG, Alter(spoil), "tuf/mismatch", 4),
        (TARGETS, Alter(spoil), "", 4),
        (SNAPSHOT, Alter(spoil), "", 4),
        (TIMESTAMP, Alter(spoil), "", 4),
        (TIMESTAMP, Drip(std::time::Duration::from_millis(200)), "tuf/unreachable", 75),
    ];
    for file in [TIMESTAMP, SNAPSHOT, TARGETS, ROOT, CONFIG] {
        let verified_by_hash = matches!(file, At::Contains(_));
        let other = if verified_by_hash { "tuf/mismatch" } else { "tuf/malformed" };
        rows.extend([
            (file, Html, other, 4),
            (file, Empty, other, 4),
            (file, Endless, "tuf/too-large", 5),
            (file, ResetBefore, "tuf/unreachable", 75),
            (file, Truncate(40), "tuf/unreachable", 75),
            (file, away(), "tuf/redirected", 5),
            (file, status(403), "tuf/status", 4),
            (file, status(404), "tuf/status", 4),
            (file, status(503), "tuf/unreachable", 75),
        ]);
    }
    rows
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_mirror_that_misbehaves_ends_the_run() {
    let stack = Stack::alone();
    each(
        6,
        &rows(),
        |(at, fault, ..)| format!("{at:?}: {fault:?}"),
        |(at, fault, code, exit)| {
            let rule = Rule::on("GET", *at, fault.clone());
            let mirror = FaultProxy::start(stack.var("TUF_MIRROR_URL"), vec![rule]);
            let root = Path::new(stack.var("TUF_ROOT_FILE"));
            let run = run(&stack, &mirror.url(), root, &[]);
            assert!(mirror.seen().iter().any(|seen| seen.rule.is_some()), "{run}");
            if code.is_empty() {
                // A bit that flips can make a file malformed, or unsigned.
                assert!(run.stderr.contains("code: tuf/"), "{run}");
                assert_eq!(run.code, Some(*exit), "{run}");
            } else {
                refused(&run, code, *exit);
            }
        },
    );
    let counts = stack.counts();
    assert_eq!((counts.get("fulcio"), counts.get("tsa")), (None, None), "{counts:?}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_chain_of_roots_ends_where_the_mirror_says_so() {
    let stack = Stack::alone();
    for status in [403, 404, 410] {
        let rule = Rule::on("GET", NEXT_ROOT, Status(status, &[], "no"));
        let mirror = FaultProxy::start(stack.var("TUF_MIRROR_URL"), vec![rule]);
        let root = Path::new(stack.var("TUF_ROOT_FILE"));
        run(&stack, &mirror.url(), root, &["--dry-run"]).expect(0);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_mirror_that_is_over_or_incomplete_ends_the_run() {
    let stack = Stack::alone();
    let trusted = ("trusted_root.json", Path::new(stack.var("TRUSTED_ROOT")));
    let config = ("signing_config.v0.2.json", Log::V1.signing_config(&stack));
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let mirror = Mirror::valid(&stack, &[trusted, config], &[(role, -1)]);
        let run = run(&stack, &mirror.url(), &mirror.root(), &[]);
        refused(&run, "tuf/expired", 4);
    }
    let mirror = Mirror::with(&stack, &[config]);
    refused(&run(&stack, &mirror.url(), &mirror.root(), &[]), "tuf/no-target", 4);

    let mirror = Mirror::with(&stack, &[trusted]);
    let bare = run(&stack, &mirror.url(), &mirror.root(), &[]);
    refused(&bare, "trust/missing-config", 4);
    let named = ["--fulcio-url", stack.var("FULCIO_URL"), "--rekor-url", stack.var("REKOR_URL")];
    let named = [&named[..], &["--tsa-url", stack.var("TSA_URL")]].concat();
    run(&stack, &mirror.url(), &mirror.root(), &named).expect(0);

    // The trusted root of the mirror is not meant for a service that it does not know.
    let foreign = ["--fulcio-url", "https://fulcio.example.com"];
    let run_foreign =
        run(&stack, &mirror.url(), &mirror.root(), &[&foreign[..], &named[2..]].concat());
    refused(&run_foreign, "trust/unknown", 4);

    // The root of another repository.
    let other = Mirror::with(&stack, &[trusted, config]);
    let wrong = run(&stack, &mirror.url(), &other.root(), &[]);
    refused(&wrong, "tuf/signature", 4);
    let no_root = run(&stack, &mirror.url(), Path::new(stack.var("TRUSTED_ROOT")), &[]);
    refused(&no_root, "tuf/anchor", 4);
}
