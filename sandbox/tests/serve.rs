// SPDX-License-Identifier: Apache-2.0
//! A sandbox that runs in a shell of its own: the lines that it prints work in another one.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, and runs the program of this package"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A running `serve`, which ends with the test.
struct Serving {
    child: Child,
    dir: tempfile::TempDir,
    /// What it says to type into another shell.
    lines: Vec<String>,
}

impl Serving {
    fn start(more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ambisign-sandbox"))
            .args(["serve", "--dir", "box"])
            .args(more)
            .current_dir(dir.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || said.next().unwrap().unwrap();
        while !next().starts_with("up;") {}
        let mut lines = vec![next()];
        while !lines.join("\n").contains("ambisign verify") || lines.join("\n").ends_with('\\') {
            lines.push(next());
        }
        Self { child, dir, lines }
    }

    /// What a shell in the same folder makes of `script`.
    fn shell(&self, script: &str) -> Output {
        Command::new("/bin/sh")
            .args(["-ec", script])
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The reader needs nothing beyond what `serve` prints, not even where the programs are.
#[test]
fn the_lines_of_serve_push_sign_and_verify() {
    let signer = Path::new(env!("CARGO_BIN_EXE_ambisign-sandbox")).with_file_name("ambisign");
    assert!(signer.exists(), "`{}` is missing: run `cargo test --workspace`", signer.display());
    let serving = Serving::start(&[]);
    let script = serving.lines.join("\n");
    for word in ["sandbox push", "ambisign sign", "ambisign verify"] {
        assert!(script.contains(word), "no `{word}` in:\n{script}");
    }
    for line in &serving.lines {
        assert!(line.len() <= 80, "{} columns: {line}", line.len());
    }
    let ran = serving.shell(&script);
    let (out, log) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{script}\n{}\n{log}", ran.status);
    let lines: Vec<_> = out.lines().collect();
    let [signed, verified] = lines.as_slice() else {
        panic!("not the result of `sign` and of `verify`:\n{out}");
    };
    assert_eq!(signed, verified);
    assert!(signed.contains("/acme/app@sha256:"), "{signed}");
}

/// An image is there to sign whatever the registry does with what a signer sends.
#[test]
fn an_image_is_pushed_whatever_the_lies_are() {
    let serving = Serving::start(&["--lie", "registry-keeps-other-bytes"]);
    let ran = serving.shell(
        ". box/env.sh
         image=$(ambisign-sandbox push \"$SANDBOX\" other/app:2)
         echo \"$image\"
         SIGSTORE_ID_TOKEN=$(ambisign-sandbox token \"$SANDBOX\" github) ambisign sign \"$image\"",
    );
    let (out, log) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(out.contains("/other/app@sha256:"), "{out}{log}");
    assert_eq!(ran.status.code(), Some(5), "{log}");
    assert!(log.contains("registry/"), "{log}");
}

#[test]
fn an_image_for_a_sandbox_that_has_ended_says_so() {
    let mut serving = Serving::start(&[]);
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
    let ran = serving.shell(". box/env.sh; ambisign-sandbox push \"$SANDBOX\"");
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{told}");
    assert!(told.contains("took no image"), "{told}");
}
