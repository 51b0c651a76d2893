// SPDX-License-Identifier: Apache-2.0
//! Trust files and image references that cannot be used.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{Log, Registry, Stack};
use crate::place::{PUBLIC_ROOT, Watch, each};
use crate::scene::{Peer, Scene};

/// Files made from those of the stack.
struct Files<'a> {
    stack: &'a Stack,
    dir: TempDir,
}

impl Files<'_> {
    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The stack's file of `variable`, changed.
    fn changed(&self, variable: &str, name: &str, change: fn(&mut Value)) -> PathBuf {
        let bytes = std::fs::read(self.stack.var(variable)).unwrap();
        let mut value = serde_json::from_slice(&bytes).unwrap();
        change(&mut value);
        self.write(name, value.to_string().as_bytes())
    }

    fn root(&self, name: &str, change: fn(&mut Value)) -> PathBuf {
        self.changed("TRUSTED_ROOT", name, change)
    }

    fn config(&self, name: &str, change: fn(&mut Value)) -> PathBuf {
        self.changed("SIGNING_CONFIG_V1", name, change)
    }

    /// The first half of the stack's file.
    fn half(&self, variable: &str) -> PathBuf {
        let bytes = std::fs::read(self.stack.var(variable)).unwrap();
        self.write(&format!("half-{variable}"), &bytes[..bytes.len() / 2])
    }
}

/// Everything in `list` was valid in another year only.
fn over(list: &mut Value) {
    for one in list.as_array_mut().unwrap() {
        let validity = json!({"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"});
        match one.get_mut("publicKey") {
            Some(key) => key["validFor"] = validity,
            None => one["validFor"] = validity,
        }
    }
}

/// A thousand lists in each other.
fn deep() -> Vec<u8> {
    let (open, close) = ("[".repeat(1000), "]".repeat(1000));
    format!(r#"{{"mediaType":"x","x":{open}{close}}}"#).into_bytes()
}

type Row = (&'static str, PathBuf, &'static str, i32);

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn roots(files: &Files<'_>) -> Vec<Row> {
    let own = |variable| PathBuf::from(files.stack.var(variable));
    let (bad, few) = ("trust/malformed", "trust/insufficient");
    let other = |root: &mut Value| root["certificateAuthorities"][0]["certChain"] = json!({});
    vec![
        ("absent", files.dir.path().join("absent"), "trust/read", 4),
        ("a folder", files.dir.path().to_owned(), "trust/read", 4),
        ("empty", files.write("empty", b""), bad, 4),
        ("garbage", files.write("garbage", b"\x00\xff<html>"), bad, 4),
        ("half", files.half("TRUSTED_ROOT"), bad, 4),
        ("endless", PathBuf::from("/dev/zero"), "trust/file-size", 4),
        ("a list", files.write("list", b"[]"), bad, 4),
        ("nothing in it", files.write("nothing", b"{}"), bad, 4),
        ("a signing config", own("SIGNING_CONFIG_V1"), bad, 4),
        ("a member twice", files.write("twice", br#"{"tlogs":[],"tlogs":[]}"#), bad, 4),
        ("deep", files.write("deep", &deep()), bad, 4),
        ("no authority", files.root("r1", |r| r["certificateAuthorities"] = json!([])), few, 4),
        ("no log", files.root("r3", |r| r["tlogs"] = json!([])), few, 4),
        ("no TSA", files.root("r4", |r| r["timestampAuthorities"] = json!([])), few, 4),
        ("authority expired", files.root("r5", |r| over(&mut r["certificateAuthorities"])), few, 4),
        ("CT log expired", files.root("r6", |r| over(&mut r["ctlogs"])), few, 4),
        ("log expired", files.root("r7", |r| over(&mut r["tlogs"])), few, 4),
        ("TSA expired", files.root("r8", |r| over(&mut r["timestampAuthorities"])), few, 4),
        ("authority without certificate", files.root("r9", other), bad, 4),
    ]
}

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn configs(files: &Files<'_>) -> Vec<Row> {
    let own = |variable| PathBuf::from(files.stack.var(variable));
    let bad = "trust/malformed";
    let none = "trust/no-service";
    let plain = |config: &mut Value| config["caUrls"][0]["url"] = json!("http://ca.example");
    let user = |config: &mut Value| {
        config["caUrls"][0]["url"] = json!("https://a:canary-password@ca.example")
    };
    let two =
        |config: &mut Value| config["rekorTlogConfig"] = json!({"selector":"EXACT","count":2});
    vec![
        ("absent", files.dir.path().join("absent"), "trust/read", 4),
        ("empty", files.write("no-config", b""), bad, 4),
        ("garbage", files.write("no-json", b"%PDF-1.7"), bad, 4),
        ("half", files.half("SIGNING_CONFIG_V1"), bad, 4),
        ("endless", PathBuf::from("/dev/zero"), "trust/file-size", 4),
        ("a trusted root", own("TRUSTED_ROOT"), bad, 4),
        ("a member twice", files.write("two-lists", br#"{"caUrls":[],"caUrls":[]}"#), bad, 4),
        ("deep", files.write("deep-config", &deep()), bad, 4),
        ("authority expired", files.config("c1", |c| over(&mut c["caUrls"])), none, 4),
        ("log expired", files.config("c2", |c| over(&mut c["rekorTlogUrls"])), none, 4),
        ("TSA expired", files.config("c3", |c| over(&mut c["tsaUrls"])), none, 4),
        ("no authority", files.config("c4", |c| c["caUrls"] = json!([])), none, 4),
        ("unknown version", files.config("c5", |c| c["caUrls"][0]["majorApiVersion"] = json!(9)), none, 4),
        ("without TLS", files.config("c6", plain), "trust/url", 2),
        ("with a password", files.config("c7", user), "trust/url", 2),
        ("more logs than there are", files.config("c8", two), "trust/too-few", 4),
    ]
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn trust_files_that_cannot_be_used() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    let dir = TempDir::new().unwrap();
    let files = Files { stack: &stack, dir };
    let mark = |rows: Vec<Row>, is_root| rows.into_iter().map(move |row| (is_root, row));
    let rows: Vec<_> = mark(roots(&files), true).chain(mark(configs(&files), false)).collect();
    each(
        6,
        &rows,
        |(is_root, (name, ..))| format!("{name} (trusted root: {is_root})"),
        |(is_root, (_, path, code, exit))| {
            let scene = Scene::new(Log::V1, Registry::Fallback).canary("canary-password");
            let scene = match is_root {
                true => scene.trusted_root(path),
                false => scene.signing_config(path),
            };
            let played = scene.play(&stack);
            played.refused(code, *exit);
            played.published_nothing();
            assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{}", played.run);
            // What would have been an identity of the job is told to nobody.
            assert!(!played.run.stderr.contains("release.yml"), "{}", played.run);
        },
    );
    watch.nothing_logged();
}

/// A trusted root that vouches for others than those that answer.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_trusted_root_of_another_instance() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    let dir = TempDir::new().unwrap();
    let files = Files { stack: &stack, dir };
    let public: Value = serde_json::from_slice(&std::fs::read(PUBLIC_ROOT).unwrap()).unwrap();
    let swapped = |member: &str| {
        let bytes = std::fs::read(stack.var("TRUSTED_ROOT")).unwrap();
        let mut root: Value = serde_json::from_slice(&bytes).unwrap();
        root[member] = public[member].clone();
        files.write(member, root.to_string().as_bytes())
    };
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("all of it", PathBuf::from(PUBLIC_ROOT), "trust/other-authority", 4),
        ("its authorities", swapped("certificateAuthorities"), "trust/other-authority", 4),
        ("its logs", swapped("tlogs"), "trust/other-log", 4),
        ("its CT logs", swapped("ctlogs"), "fulcio/sct", 5),
        ("its TSAs", swapped("timestampAuthorities"), "trust/other-timestamp-authority", 4),
    ];
    each(
        4,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, path, code, exit)| {
            let scene = Scene::new(Log::V1, Registry::Fallback).trusted_root(path);
            let played = scene.play(&stack);
            played.refused(code, *exit);
            played.published_nothing();
        },
    );
    watch.nothing_logged();
}

const ONE: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
#[ignore = "needs the real stack: tests/run"]
fn references_that_do_not_parse() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    let long = format!("HOST/{}", "a/".repeat(300));
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows: &[(&str, &str)] = &[
        ("", "settings/empty-image"),
        ("  ", "settings/empty-image"),
        ("https://HOST/IMAGE", "reference/scheme"),
        ("HOST/Upper/case", "reference/repository"),
        ("HOST/IMAGE:", "reference/tag"),
        ("HOST/IMAGE:a b", "reference/tag"),
        ("HOST/IMAGE:a\nb", "reference/tag"),
        ("HOST/IMAGE:-a", "reference/tag"),
        ("HOST/IMAGE@", "reference/digest"),
        ("HOST/IMAGE@latest", "reference/digest"),
        ("HOST/IMAGE@sha256:abc", "reference/digest"),
        ("HOST/IMAGE@sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "reference/digest"),
        ("HOST/IMAGE@md5:d41d8cd98f00b204e9800998ecf8427e", "reference/digest"),
        (&format!("HOST/IMAGE@{ONE}@{ONE}"), "reference/two-digests"),
        ("HOST/a//b", "reference/repository"),
        ("HOST/../../etc/passwd", "reference/repository"),
        ("HOST/IMAGE?x=y", "reference/repository"),
        ("HOST/IMAGE#x", "reference/repository"),
        ("HOST/\u{430}pp", "reference/repository"),
        ("user:canary-password@HOST/IMAGE", "reference/digest"),
        (&long, "reference/repository"),
    ];
    each(
        6,
        rows,
        |(name, _)| format!("{name:?}"),
        |(name, code)| {
            let scene = Scene::new(Log::V1, Registry::Fallback).named(name);
            let played = scene.play(&stack);
            played.refused(code, 2);
            // Exit code 2: no network was used.
            for peer in Peer::ALL {
                assert_eq!(played.seen(peer).len(), 0, "{peer:?}: {}", played.run);
            }
        },
    );
    watch.nothing_logged();
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn references_to_nothing() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows: &[(&str, &str, i32)] = &[
        ("HOST/IMAGE:absent", "registry/not-found", 6),
        (&format!("HOST/IMAGE@{ONE}"), "registry/not-found", 6),
        ("HOST/refuse/absent:latest", "registry/not-found", 6),
        (&format!("HOST/refuse/absent@{ONE}"), "registry/not-found", 6),
        ("registry.invalid/app:latest", "registry/unreachable", 75),
        ("127.0.0.1:9/app:latest", "registry/unreachable", 75),
        ("localhost:9/app:latest", "registry/unreachable", 75),
    ];
    let rows: Vec<_> = Registry::ALL
        .iter()
        .flat_map(|registry| rows.iter().map(move |row| (*registry, row)))
        .collect();
    each(
        6,
        &rows,
        |(registry, (name, ..))| format!("{registry:?} {name}"),
        |(registry, (name, code, exit))| {
            let scene = Scene::new(Log::V1, *registry).named(name).seconds(10);
            let played = scene.play(&stack);
            played.refused(code, *exit);
            played.published_nothing();
            assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{}", played.run);
        },
    );
    watch.nothing_logged();
}
