// SPDX-License-Identifier: Apache-2.0
//! Signatures of files that are signatures of an image as well. `sign-blob` makes none (`tests/blob.rs`); other
//! programs do, and what a verifier can tell from the bundle is in `docs/verify.md`.

use std::collections::BTreeMap;
use std::path::Path;

use ambisign_host::Explain as _;
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::dsse::{self, IN_TOTO};
use ambisign_sigstore::statement::SIGN;
use ambisign_sigstore::trust::TrustedRoot;
use ambisign_sigstore::verify::policy::Signer;
use ambisign_sigstore::verify::{self, Policy};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{Cosign, GITHUB_IDENTITY, Image, Log, Registry, Stack};
use crate::reader::Reader;

/// The bundle that cosign 3 makes for a file with these bytes.
fn signed_by_cosign(stack: &Stack, log: Log, bytes: &[u8], folder: &Path) -> Value {
    std::fs::write(folder.join("file"), bytes).unwrap();
    let cosign = Cosign::Three.program(stack).dir(folder);
    let cosign = cosign.env("SIGSTORE_ID_TOKEN", stack.token("github", &[]));
    let cosign = cosign.args(["sign-blob", "--yes", "--bundle", "bundle.json"]);
    let cosign = cosign.args(["--trusted-root", stack.var("TRUSTED_ROOT"), "--signing-config"]);
    cosign.arg(log.signing_config(stack)).arg("file").run().expect(0);
    serde_json::from_slice(&std::fs::read(folder.join("bundle.json")).unwrap()).unwrap()
}

/// The bundle of a file that is the encoding of a statement, with the statement in place of the file.
fn as_statement(mut bundle: Value, statement: &str) -> Value {
    let message = bundle.as_object_mut().unwrap().remove("messageSignature").unwrap();
    bundle["dsseEnvelope"] = json!({
        "payload": STANDARD.encode(statement),
        "payloadType": IN_TOTO,
        "signatures": [{"sig": message["signature"]}],
    });
    bundle
}

fn statement(image: &Image) -> String {
    let digest = image.digest.trim_start_matches("sha256:");
    let subject = json!([{"name": "", "digest": {"sha256": digest}}]);
    json!({"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": SIGN, "predicate": {}})
        .to_string()
}

/// Issue 16: a file whose bytes are the encoding of a statement verifies as an image's signature. A
/// Rekor v1 log records a file and a statement as entries of different kinds, a Rekor v2 log does not.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_file_signed_by_cosign_is_a_statement_where_the_log_cannot_tell() {
    let stack = Stack::shared();
    let folder = TempDir::new().unwrap();
    let image = stack.push(Registry::Referrers, "verify/lookalike", 1);
    let statement = statement(&image);
    let encoded = dsse::pae(IN_TOTO, statement.as_bytes());
    for log in Log::ALL {
        let bundle = signed_by_cosign(&stack, log, &encoded, folder.path());
        let forged = as_statement(bundle, &statement).to_string();
        std::fs::write(folder.path().join("forged.json"), forged).unwrap();
        let reader = Reader::ready(&stack).map(|program| program.dir(folder.path()));
        let reader = reader.args(["--bundle", "forged.json"]).image(&image);
        match log {
            Log::V1 => drop(reader.refused(8, "rekor/body")),
            Log::V2 => drop(reader.accepted(&[&image.reference()])),
        }
    }
}

/// Issue 16: the same with the payload of the older layout, whose entries are those of files.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_file_signed_by_cosign_is_a_payload_of_the_older_layout() {
    let stack = Stack::shared();
    let folder = TempDir::new().unwrap();
    let image = Digest::of(b"an image");
    let critical = json!({"identity": {"docker-reference": ""}, "type": "cosign container image signature",
        "image": {"docker-manifest-digest": image.to_string()}});
    let payload = json!({"critical": critical, "optional": null}).to_string();
    let bundle = signed_by_cosign(&stack, Log::V1, payload.as_bytes(), folder.path());
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    let log_id = STANDARD.decode(entry["logId"]["keyId"].as_str().unwrap()).unwrap();
    let kept = json!({
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {"body": entry["canonicalizedBody"], "integratedTime": number(&entry["integratedTime"]),
            "logIndex": number(&entry["logIndex"]), "logID": hex::encode(log_id)},
    });
    let der = bundle["verificationMaterial"]["certificate"]["rawBytes"].as_str().unwrap();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
    let lines: Vec<_> = pem.lines().flat_map(|line| line.as_bytes().chunks(64)).collect();
    let pem = lines.into_iter().map(|line| String::from_utf8_lossy(line) + "\n").collect();
    let signature = bundle["messageSignature"]["signature"].as_str().unwrap().to_owned();
    let annotations = BTreeMap::from([
        ("dev.cosignproject.cosign/signature".to_owned(), signature),
        ("dev.sigstore.cosign/certificate".to_owned(), pem),
        ("dev.sigstore.cosign/bundle".to_owned(), kept.to_string()),
    ]);
    let root = std::fs::read(stack.var("TRUSTED_ROOT")).unwrap();
    let policy = Policy {
        predicate_types: vec![SIGN.to_owned()],
        ..Policy::of(Signer::exactly(GITHUB_IDENTITY, stack.issuer("github")))
    };
    let layer = (payload.as_bytes(), &annotations);
    let found = verify::legacy(layer, &TrustedRoot::parse(&root).unwrap(), &image, &policy);
    let found = found.map_or_else(|error| error.code().into_owned(), |_| "ok".to_owned());
    assert_eq!(found, "ok");
}
