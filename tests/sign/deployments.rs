// SPDX-License-Identifier: Apache-2.0
//! Private deployments that differ from the public instance, over the released services.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Cosign, Finished, GITHUB_IDENTITY, Log, Logs, Program, Registry, Stack};

/// What RHTAS and scaffolding deploy: the key of Rekor v1 is on P-384, it signs with SHA-256, and the
/// trusted root says SHA-384. `sign` and `doctor` warn, because cosign 3 refuses what is logged there.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn rhtas_default_a_v1_log_with_a_p384_key() {
    for curve in ["p384", "p521"] {
        let stack = Stack::up(Logs::Empty, &["--rekor-curve", curve]);
        let image = stack.push(Registry::Fallback, "deployments/curve", 1);
        let sign = stack.signing("sign", Log::V1).args(["--output", "json"]);
        let signed = sign.arg(image.reference()).run().expect(0);
        assert_eq!(image.signatures().len(), 1, "{curve}");
        let entries = stack.journal().into_iter();
        let logged = entries.filter(|asked| asked.service == "rekor" && asked.method == "POST");
        assert_eq!(logged.count(), 1, "{curve}");
        let verify = Program::ambisign()
            .args(["verify", "--trusted-root", stack.var("TRUSTED_ROOT")])
            .args(["--certificate-identity", GITHUB_IDENTITY])
            .args(["--certificate-oidc-issuer", &stack.issuer("github")]);
        verify.arg(image.reference()).run().expect(0);

        assert_eq!(other_hash(&signed), 1, "{signed}");
        assert!(signed.stderr.contains(&format!("{}/ signs with SHA-256", stack.var("REKOR_URL"))));
        let doctor = stack.signing("doctor", Log::V1).run().expect(0);
        assert!(doctor.stdout.contains("code: trust/other-hash"), "{doctor}");
        let cosign = Cosign::Three.verify(&stack, &image, &[]);
        assert_ne!(cosign.code, Some(0), "the warning is not true: {cosign}");
    }
    // The usual key is nothing to warn about.
    let stack = Stack::shared();
    let image = stack.push(Registry::Fallback, "deployments/curve", 1);
    let sign = stack.signing("sign", Log::V1).args(["--output", "json"]);
    let signed = sign.arg(image.reference()).run().expect(0);
    assert_eq!(other_hash(&signed), 0, "{signed}");
}

/// How many warnings of a run are about the hash of a log.
fn other_hash(run: &Finished) -> usize {
    let document = run.json();
    let warnings = document["warnings"].as_array().unwrap().iter();
    warnings.filter(|warning| warning["code"] == "trust/other-hash").count()
}

/// Other clients refuse a whole trusted root that names SHA-256 for these curves.
#[test]
fn rhtas_default_trust_create_names_the_key_as_other_clients_read_it() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/own");
    for (curve, details) in
        [("p384", "PKIX_ECDSA_P384_SHA_384"), ("p521", "PKIX_ECDSA_P521_SHA_512")]
    {
        let folder = TempDir::new().unwrap();
        let root = fs::read(vectors.join(format!("rekor-{curve}/trusted_root.json"))).unwrap();
        let root: Value = serde_json::from_slice(&root).unwrap();
        let write = |name: &str, label: &str, pointers: &[&str]| {
            let blocks = pointers.iter().map(|pointer| {
                let text = root.pointer(pointer).and_then(Value::as_str).unwrap();
                format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", wrapped(text))
            });
            fs::write(folder.path().join(name), blocks.collect::<String>()).unwrap();
        };
        let chain = "/certificateAuthorities/0/certChain/certificates";
        let chain = [format!("{chain}/0/rawBytes"), format!("{chain}/1/rawBytes")];
        write("ca.pem", "CERTIFICATE", &[&chain[0], &chain[1]]);
        write("log.pub", "PUBLIC KEY", &["/tlogs/0/publicKey/rawBytes"]);
        write("ct.pub", "PUBLIC KEY", &["/ctlogs/0/publicKey/rawBytes"]);
        let create = Program::ambisign()
            .args(["trust", "create", "--out-dir", "out", "--fulcio"])
            .arg("url=https://f.example,certificate-chain=ca.pem")
            .args(["--ctfe", "url=https://c.example,public-key=ct.pub"])
            .args(["--rekor", "url=https://l.example,public-key=log.pub"]);
        create.dir(folder.path()).run().expect(0);
        let made = fs::read(folder.path().join("out/trusted_root.json")).unwrap();
        let made: Value = serde_json::from_slice(&made).unwrap();
        let key = &made["tlogs"][0]["publicKey"];
        assert_eq!(key["keyDetails"], details);
        assert_eq!(key["rawBytes"], root["tlogs"][0]["publicKey"]["rawBytes"]);
    }
}

/// Base64 in lines of 64 characters, as PEM has it.
fn wrapped(text: &str) -> String {
    let lines = text.as_bytes().chunks(64);
    let lines: Vec<_> = lines.map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join("\n")
}
