// SPDX-License-Identifier: Apache-2.0
//! `trust create`: from the certificates and keys of a deployment alone to signatures that others
//! accept.
#![cfg(test)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use common::{Finished, GITHUB_IDENTITY, Image, Log, Program, Registry, Stack, python};

/// What an operator of the stack has: the folder with certificates and keys in PEM.
struct Operator {
    folder: TempDir,
}

impl Operator {
    /// The keys are taken out of the stack's trusted root; the certificates are files already.
    fn new(stack: &Stack) -> Self {
        let folder = TempDir::new().unwrap();
        let root = fs::read(stack.var("TRUSTED_ROOT")).unwrap();
        let root: Value = serde_json::from_slice(&root).unwrap();
        for (name, pointer) in
            [("ctfe.pub", "/ctlogs/0"), ("rekor1.pub", "/tlogs/0"), ("rekor2.pub", "/tlogs/1")]
        {
            let key = root.pointer(&format!("{pointer}/publicKey/rawBytes"));
            let key = key.and_then(Value::as_str).unwrap();
            fs::write(folder.path().join(name), pem(key)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `trust create` for the services of `stack` with the log `log`, into the folder `out`.
    fn create(&self, stack: &Stack, log: Log, out: &str) -> Finished {
        let dir = Path::new(stack.var("TRUSTED_ROOT")).parent().unwrap();
        let at = |name: &str| dir.join(name).display().to_string();
        let rekor = match log {
            Log::V1 => format!("url={},public-key=rekor1.pub", stack.var("REKOR_URL")),
            Log::V2 => format!(
                "url={},public-key=rekor2.pub,api-version=2,origin=rekor2.realstack.test",
                stack.var("REKOR2_URL")
            ),
        };
        let (fulcio, tsa) = (stack.var("FULCIO_URL"), stack.var("TSA_URL"));
        Program::ambisign()
            .args(["trust", "create", "--out-dir", out, "--fulcio"])
            .arg(format!("url={fulcio},certificate-chain={}", at("fulcio.pem")))
            .arg("--ctfe")
            .arg("url=https://ctlog.example.test,public-key=ctfe.pub")
            .args(["--rekor", &rekor, "--tsa"])
            .arg(format!("url={tsa},certificate-chain={}", at("tsa.pem")))
            .dir(self.folder.path())
            .run()
    }
}

fn pem(base64: &str) -> String {
    let der = STANDARD.decode(base64).unwrap();
    let text = STANDARD.encode(der);
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let body = lines.join("\n");
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

/// ambisign, cosign and sigstore-python sign with the files in `folder`, and cosign and
/// sigstore-python accept it.
fn used_by_all(stack: &Stack, folder: &Path, image: &Image) {
    let (root, config) = (folder.join("trusted_root.json"), folder.join("signing_config.json"));
    let issuer = stack.issuer("github");
    let files = |program: Program| {
        program
            .arg("--trusted-root")
            .arg(&root)
            .arg("--signing-config")
            .arg(&config)
            .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
            .arg(image.reference())
    };
    files(Program::ambisign().arg("sign")).run().expect(0);
    files(stack.program("cosign").args(["sign", "--yes"])).run().expect(0);
    let verified = stack
        .program("cosign")
        .args(["verify", "--output", "json", "--trusted-root"])
        .arg(&root)
        .args(["--certificate-identity", GITHUB_IDENTITY])
        .args(["--certificate-oidc-issuer", &issuer, &image.reference()])
        .run()
        .expect(0)
        .json();
    assert_eq!(verified.as_array().unwrap().len(), 2, "{verified}");

    let blob = folder.join("blob");
    fs::write(&blob, b"blob").unwrap();
    let client =
        || python(stack, folder).arg("--trust-config").arg(folder.join("trust_config.json"));
    let token = stack.token("github", &[]);
    let sign = client().args(["sign", "--identity-token", &token]).arg(&blob);
    sign.run().expect(0);
    let verify = client().args(["verify", "identity", "--cert-identity", GITHUB_IDENTITY]);
    verify.args(["--cert-oidc-issuer", &issuer]).arg(&blob).run().expect(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn certificates_and_keys_are_enough_to_sign_and_verify() {
    let stack = Stack::shared();
    let operator = Operator::new(&stack);
    for (log, out) in [(Log::V1, "one"), (Log::V2, "two")] {
        let run = operator.create(&stack, log, out).expect(0);
        let written = ["trusted_root.json", "signing_config.json", "trust_config.json"];
        let written = written.map(|name| format!("{out}/{name}\n"));
        assert_eq!(run.stdout, written.concat());
        let image = stack.push(Registry::Referrers, "create/app", 1);
        used_by_all(&stack, &operator.path(out), &image);
        // What others believe is not overwritten.
        let again = operator.create(&stack, log, out).expect(2);
        assert!(again.stderr.contains("code: create/exists"), "{again}");
    }
}

/// A folder with a chain of the production root, a key of it, and files that are neither.
fn material() -> TempDir {
    let folder = TempDir::new().unwrap();
    let root =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/roots/production/trusted_root.json");
    let root: Value = serde_json::from_slice(&fs::read(root).unwrap()).unwrap();
    let text = |pointer: &str| root.pointer(pointer).and_then(Value::as_str).unwrap();
    let certificate = |pointer: &str| {
        let body = pem(text(pointer));
        body.replace("PUBLIC KEY", "CERTIFICATE")
    };
    let chain = "/certificateAuthorities/1/certChain/certificates";
    let (issuer, anchor) =
        (certificate(&format!("{chain}/0/rawBytes")), certificate(&format!("{chain}/1/rawBytes")));
    let key = pem(text("/tlogs/0/publicKey/rawBytes"));
    let write = |name: &str, bytes: &str| fs::write(folder.path().join(name), bytes).unwrap();
    write("chain.pem", &format!("{anchor}{issuer}"));
    write("no-anchor.pem", &issuer);
    write("key.pub", &key);
    write("empty", "");
    write("secret.pem", &key.replace("PUBLIC", "PRIVATE"));
    write("long", &"a".repeat(300_000));
    folder
}

const FULCIO: &str = "url=https://f.example,certificate-chain=chain.pem";
const LOG: &str = "url=https://l.example,public-key=key.pub";

/// Flags, exit code, code.
#[rustfmt::skip] // One row a line.
const REFUSED: &[(&[&str], i32, &str)] = &[
        (&[], 2, "create/unusable"),
        (&["--fulcio", FULCIO, "--ctfe", LOG], 2, "create/unusable"),
        (&["--fulcio", FULCIO, "--rekor", LOG], 2, "create/unusable"),
        (&["--ctfe", LOG, "--rekor", LOG], 2, "create/unusable"),
        // Rekor v2 gives no time.
        (
            &[
                "--fulcio",
                FULCIO,
                "--ctfe",
                LOG,
                "--rekor",
                "url=https://l.example,public-key=key.pub,api-version=2",
            ],
            2,
            "create/unusable",
        ),
        (&["--rekor", "https://l.example"], 2, "create/spec"),
        (&["--rekor", "url=https://l.example"], 2, "create/spec"),
        (&["--rekor", ""], 2, "create/spec"),
        (
            &["--rekor", "url=http://l.example,public-key=key.pub"],
            2,
            "create/spec",
        ),
        (
            &["--rekor", "url=https://u:p@l.example,public-key=key.pub"],
            2,
            "create/spec",
        ),
        (
            &["--rekor", "url=https://l.example,url=https://l.example"],
            2,
            "create/spec",
        ),
        (
            &["--rekor", "url=https://l.example,pubic-key=key.pub"],
            2,
            "create/spec",
        ),
        (
            &["--rekor", "url=https://l.example,public-key="],
            2,
            "create/spec",
        ),
        (
            &[
                "--rekor",
                "url=https://l.example,public-key=key.pub,api-version=3",
            ],
            2,
            "create/spec",
        ),
        (
            &[
                "--ctfe",
                "url=https://l.example,public-key=key.pub,api-version=2",
            ],
            2,
            "create/spec",
        ),
        (
            &[
                "--rekor",
                "url=https://l.example,public-key=key.pub,start-time=today",
            ],
            2,
            "create/spec",
        ),
        (
            &[
                "--rekor",
                "url=https://l.example,public-key=key.pub,start-time=2026-01-02T00:00:00Z,end-time=2026-01-01T00:00:00Z",
            ],
            2,
            "create/spec",
        ),
        (
            &["--rekor", "url=https://l.example,public-key=absent"],
            2,
            "create/read",
        ),
        (
            &["--rekor", "url=https://l.example,public-key=long"],
            2,
            "create/read",
        ),
        (
            &["--rekor", "url=https://l.example,public-key=."],
            2,
            "create/read",
        ),
        (
            &["--rekor", "url=https://l.example,public-key=empty"],
            4,
            "create/key",
        ),
        (
            &["--rekor", "url=https://l.example,public-key=secret.pem"],
            4,
            "create/key",
        ),
        (
            &["--rekor", "url=https://l.example,public-key=chain.pem"],
            4,
            "create/key",
        ),
        (
            &["--fulcio", "url=https://f.example,certificate-chain=empty"],
            4,
            "create/chain",
        ),
        (
            &[
                "--fulcio",
                "url=https://f.example,certificate-chain=key.pub",
            ],
            4,
            "create/chain",
        ),
        (
            &[
                "--fulcio",
                "url=https://f.example,certificate-chain=no-anchor.pem",
            ],
            4,
            "create/chain",
        ),
        // A certificate authority's chain has nothing that stamps.
        (
            &["--tsa", "url=https://t.example,certificate-chain=chain.pem"],
            4,
            "create/chain",
        ),
];

#[test]
fn what_cannot_be_used_is_refused_and_nothing_is_written() {
    let folder = material();
    for (flags, exit, code) in REFUSED {
        let run = Program::ambisign()
            .args(["trust", "create", "--out-dir", "out"])
            .args(*flags)
            .dir(folder.path())
            .run()
            .expect(*exit);
        let line = format!("ambisign: code: {code}; exit {exit}; ");
        assert!(run.stderr.contains(&line), "no `{line}` in {run}");
        assert!(run.stderr.contains("ambisign: fix: "), "{run}");
        assert!(run.stdout.is_empty(), "{run}");
        assert!(!folder.path().join("out").exists(), "{run}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = material();
    let run = Program::ambisign()
        .args(["trust", "create", "--out-dir", "key.pub/below"])
        .args(["--fulcio", FULCIO, "--ctfe", LOG, "--rekor", LOG])
        .dir(folder.path())
        .run()
        .expect(2);
    assert!(run.stderr.contains("code: create/write"), "{run}");
}
