// SPDX-License-Identifier: Apache-2.0
//! `sign-blob`: files, judged by others.
#![cfg(test)]

mod common;

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use common::{
    Cosign, Finished, GITHUB_IDENTITY, Log, Program, Stack, assert_no_canary, python, sigstore_js,
};

/// `sign-blob` with the stack's services, in `folder`, with a fresh token.
fn sign(stack: &Stack, log: Log, folder: &Path) -> Program {
    stack.signing("sign-blob", log).dir(folder)
}

/// cosign 3, cosign 2, sigstore-python and sigstore-js on `bundle` for `file`.
fn verdicts(stack: &Stack, folder: &Path, bundle: &str, file: &str) -> [Finished; 4] {
    let issuer = stack.issuer("github");
    let cosign = |cosign: Cosign| {
        cosign
            .program(stack)
            .args(["verify-blob", "--bundle", bundle, "--trusted-root"])
            .args([stack.var("TRUSTED_ROOT"), "--certificate-identity"])
            .args([GITHUB_IDENTITY, "--certificate-oidc-issuer", &issuer, file])
            .dir(folder)
    };
    // A Rekor v2 entry has no time of its own, which cosign 2 must be told.
    let older = cosign(Cosign::Two).args(["--new-bundle-format", "--use-signed-timestamps"]);
    let python = python(stack, folder)
        .args(["--trust-config", stack.var("CLIENT_TRUST_CONFIG_V1")])
        .args(["verify", "identity", "--bundle", bundle])
        .args(["--cert-identity", GITHUB_IDENTITY])
        .args(["--cert-oidc-issuer", &issuer, file])
        .dir(folder);
    [
        cosign(Cosign::Three).run(),
        older.run(),
        python.run(),
        sigstore_js(stack, folder, bundle, Some(file)),
    ]
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn files_are_signed_with_one_certificate_and_accepted_by_others() {
    let stack = Stack::alone();
    for log in Log::ALL {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("one"), b"one").unwrap();
        // Longer than one read.
        fs::write(folder.path().join("two"), vec![7; 200_000]).unwrap();
        stack.reset_journal();
        let run = sign(&stack, log, folder.path()).args(["one", "two", "one"]);
        let run = run.run().expect(0);
        assert_eq!(run.stdout, "one.sigstore.json\ntwo.sigstore.json\n");
        assert_eq!(stack.made().get("fulcio"), Some(&1));
        for file in ["one", "two"] {
            let bundle = format!("{file}.sigstore.json");
            for verdict in verdicts(&stack, folder.path(), &bundle, file) {
                verdict.expect(0);
            }
        }
        // The bundle of one file is no proof for another.
        for verdict in verdicts(&stack, folder.path(), "one.sigstore.json", "two") {
            assert_ne!(verdict.code, Some(0), "{verdict}");
        }
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_standard_input_is_signed_and_an_older_bundle_is_replaced() {
    let (stack, folder) = (Stack::shared(), TempDir::new().unwrap());
    fs::write(folder.path().join("bundle"), b"older").unwrap();
    let run = sign(&stack, Log::V1, folder.path())
        .args(["--bundle", "bundle", "--output", "json", "-"])
        .stdin("piped");
    let document = run.run().expect(0).json();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let file = &document["files"][0];
    assert_eq!(document["images"].as_array().map(Vec::len), Some(0));
    assert_eq!(file["requested"][0], "-");
    assert_eq!(file["bundle"]["path"], "bundle");
    fs::write(folder.path().join("piped"), b"piped").unwrap();
    for verdict in verdicts(&stack, folder.path(), "bundle", "piped") {
        verdict.expect(0);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_file_that_is_not_there_does_not_stop_the_others() {
    let (stack, folder) = (Stack::shared(), TempDir::new().unwrap());
    fs::write(folder.path().join("there"), b"there").unwrap();
    let token = stack.token("github", &[]);
    let run = sign(&stack, Log::V1, folder.path())
        .env("SIGSTORE_ID_TOKEN", &token)
        .args(["absent", "there"])
        .run()
        .expect(7);
    assert_eq!(run.stdout, "there.sigstore.json\n");
    assert!(run.stderr.contains("code: blob/read"), "{run}");
    assert_no_canary(&[&token], &run.outputs());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn nothing_is_public_without_a_place_for_the_bundle() {
    let (stack, folder) = (Stack::alone(), TempDir::new().unwrap());
    fs::write(folder.path().join("file"), b"file").unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let rows: [(&[&str], &str); 4] = [
        (&["--bundle", "absent/bundle", "file"], "blob/write"),
        (&["--bundle", "folder", "file"], "blob/write"),
        (&["folder"], "blob/read"),
        (&["absent"], "blob/read"),
    ];
    for (flags, code) in rows {
        let run = sign(&stack, Log::V1, folder.path()).args(flags).run();
        let run = run.expect(2);
        assert!(run.stderr.contains(&format!("code: {code}")), "{run}");
        assert!(run.stderr.contains("nothing was signed or uploaded"), "{run}");
        assert!(run.stdout.is_empty(), "{run}");
    }
    let counts = stack.made();
    for service in ["fulcio", "tsa", "rekor", "rekor2"] {
        assert_eq!(counts.get(service), None, "{counts:?}");
    }
    let run = sign(&stack, Log::V1, folder.path()).args(["--dry-run", "file"]);
    let run = run.run().expect(0);
    assert!(run.stderr.contains("would sign 1 file"), "{run}");
    assert!(!folder.path().join("file.sigstore.json").exists());
}

/// Issue 16: there is no separation between kinds of signature, so what would be one of an image is not signed as
/// a file. No request is sent.
#[test]
fn a_file_that_would_be_signed_as_an_image_is_refused() {
    let folder = TempDir::new().unwrap();
    let mirror = TcpListener::bind("127.0.0.1:0").unwrap();
    mirror.set_nonblocking(true).unwrap();
    let url = format!("http://{}", mirror.local_addr().unwrap());
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/sigstore/src/trust/tuf/anchors/staging.json");
    let payload = r#"{"critical":{"image":{"docker-manifest-digest":"sha256:00"}}}"#;
    for bytes in [
        "DSSEv1 28 application/vnd.in-toto+json 2 {}".to_owned(),
        payload.to_owned(),
        format!("\n {payload}\n"),
        payload.replacen('{', r#"{"critical":null,"#, 1),
        "1\u{1e}0\u{18}\u{6}\u{9}".to_owned(),
    ] {
        fs::write(folder.path().join("file"), &bytes).unwrap();
        for artifact in ["file", "-"] {
            let run =
                Program::ambisign().args(["sign-blob", "--tuf-mirror", &url, "--tuf-root", root]);
            let run = run.args(["--bundle", "bundle", artifact]).dir(folder.path());
            let run = run.env("SIGSTORE_ID_TOKEN", "e30.e30.e30").stdin(bytes.as_str());
            let run = run.run().expect(2);
            let told = "ambisign: code: blob/lookalike; exit 2; nothing was signed or uploaded";
            assert!(run.stderr.contains(told), "{bytes:?} {run}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let asked = mirror.accept().map_err(|error| error.kind());
    assert_eq!(asked.err(), Some(ErrorKind::WouldBlock));
}

/// Nothing comes through the pipe, and nobody waits for it beyond the end of the run, nor after a
/// signal. Nothing is left of the place for the bundle.
#[test]
fn a_pipe_keeps_nobody_waiting() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    Program::new("/usr/bin/mkfifo").arg(&pipe).run().expect(0);
    let sign = || {
        let program = Program::ambisign().args(["sign-blob", "pipe"]);
        program.env("SIGSTORE_ID_TOKEN", "e30.e30.e30").dir(folder.path())
    };
    let run = sign().args(["--timeout", "200ms"]).run().expect(75);
    assert!(run.stderr.contains("code: run/deadline; "), "{run}");
    let run = sign().signal_after(Duration::from_millis(300), "TERM").run();
    run.expect(143);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_meant_is_a_usage_error() {
    for (flags, code) in [
        (vec![], "settings/no-files"),
        (vec!["-"], "settings/incomplete"),
        (vec!["--bundle", "b", "one", "two"], "settings/conflict"),
        (vec!["--bundel", "b", "one"], "settings/usage"),
    ] {
        let run = Program::ambisign().arg("sign-blob").args(flags).run();
        let run = run.expect(2);
        assert!(run.stderr.contains(&format!("code: {code}; ")), "{run}");
    }
}
