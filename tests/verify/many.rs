// SPDX-License-Identifier: Apache-2.0
//! More signatures on one image than anybody wants to read.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::fault::{At, Fault, FaultProxy, Rule};
use crate::common::{Image, Log, Registry, Signature, Stack, sha256};
use crate::reader::Reader;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// One of the many manifests that can attach the same bundle.
fn variant(manifest: &Value, number: usize) -> String {
    let mut manifest = manifest.clone();
    manifest["annotations"]["number"] = json!(number.to_string());
    manifest.to_string()
}

/// Pushes a manifest, and returns its line for a list.
fn push(image: &Image, manifest: &str, annotations: &Value) -> Value {
    let digest = sha256(manifest);
    let path = format!("manifests/{digest}");
    let pushed = image.send(("PUT", &path), MANIFEST, manifest);
    assert_eq!(pushed.status, 201, "a manifest");
    json!({
        "mediaType": MANIFEST, "digest": digest, "size": manifest.len(),
        "artifactType": BUNDLE, "annotations": annotations,
    })
}

fn list(image: &Image, lines: &[Value]) {
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": lines});
    let path = format!("manifests/{}", image.fallback_tag());
    let pushed = image.send(("PUT", &path), INDEX, &index.to_string());
    assert_eq!(pushed.status, 201, "the list");
}

/// Signs `image` with the stack's `email` and then with its `github`.
fn signed_by_both(stack: &Stack, image: &Image) -> [Signature; 2] {
    for issuer in ["email", "github"] {
        let sign = stack.signing("sign", Log::V1);
        let sign = sign.env("SIGSTORE_ID_TOKEN", stack.token(issuer, &[]));
        sign.arg(image.reference()).run().expect(0);
    }
    <[_; 2]>::try_from(image.signatures()).ok().unwrap()
}

/// The annotations of a line that says that it is a signature.
fn line_of_a_signature() -> Value {
    json!({"dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"})
}

/// An image with the signature of the stack's `github` and 110 of another identity, as lines of a list.
/// That of `github` is the last by its digest, and by what its line says.
fn crowd(stack: &Stack) -> (Image, Vec<Value>) {
    let image = stack.push(Registry::Fallback, "verify/many", 1);
    let [theirs, ours] = signed_by_both(stack, &image);
    let signed = line_of_a_signature();
    let theirs = (0..110).map(|number| variant(&theirs.manifest, number));
    let mut lines: Vec<_> = theirs.map(|one| push(&image, &one, &signed)).collect();
    let digests = lines.iter().map(|line| line["digest"].as_str().unwrap());
    let last = digests.max().unwrap();
    let mut ours = (0..).map(|number| variant(&ours.manifest, number));
    let ours = ours.find(|one| sha256(one).as_str() > last).unwrap();
    lines.push(push(&image, &ours, &Value::Null));
    (image, lines)
}

/// Issue 15: 110 identities on one digest. Signatures beyond the first hundred were not found, and the
/// verdict depended on the order of the list.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_last_of_many_signatures_is_found_whatever_the_order() {
    let stack = Stack::shared();
    let (image, lines) = crowd(&stack);
    for factor in [1, 5, 110] {
        // Each factor is prime to the number of lines, so it shuffles them.
        let shuffled = (0..lines.len()).map(|at| lines[at * factor % lines.len()].clone());
        list(&image, &shuffled.collect::<Vec<_>>());
        let run = Reader::ready(&stack).image(&image);
        let run = run.accepted(&[&image.reference()]);
        assert!(!run.stderr.contains("warning"), "{run}");
        // Who is not among them is told so, as all were read.
        let nobody = Reader::believing(&stack).signed_by(&stack.issuer("github"), "nobody");
        nobody.image(&image).refused(8, "verify/none-acceptable");
    }
}

/// Issue 16: the genuine signature was first, and 40 others behind it were read all the same.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_lies_behind_an_acceptable_signature_is_not_read() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, "verify/behind", 1);
    let [theirs, ours] = signed_by_both(&stack, &image);
    let signed = line_of_a_signature();
    let ours = push(&image, &variant(&ours.manifest, 0), &signed);
    let first = ours["digest"].as_str().unwrap();
    let behind = (0..).map(|number| variant(&theirs.manifest, number));
    let behind = behind.filter(|one| sha256(one).as_str() > first).take(40);
    let lines = behind.map(|one| push(&image, &one, &signed));
    let lines: Vec<_> = std::iter::once(ours.clone()).chain(lines).collect();
    list(&image, &lines);
    stack.reset_journal();
    let run = Reader::ready(&stack).image(&image).accepted(&[&image.reference()]);
    let asked = stack.journal().len();
    assert!(
        run.stderr.contains("  40 more attachments were not read: `--all` reads them"),
        "{run}"
    );
    let document = Reader::ready(&stack).image(&image).document(0);
    assert_eq!(document["artifacts"][0]["unread"], 40);
    stack.reset_journal();
    let document = Reader::ready(&stack).args(["--all"]).image(&image).document(0);
    let found = &document["artifacts"][0];
    assert_eq!((&found["unread"], found["signatures"].as_array().unwrap().len()), (&json!(0), 41));
    // Eight are fetched at a time, each with its manifest and its bundle.
    assert!(asked < 30 && stack.journal().len() > 80, "{asked} {}", stack.journal().len());
}

/// More attachments than are read: nobody knows, and that is not "not signed".
#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_image_with_too_many_attachments_is_not_called_unsigned() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Fallback, "verify/flood", 1);
    let lines = (0..1010).map(|number| json!({"digest": sha256(&number.to_string())}));
    let index = json!({"schemaVersion": 2, "manifests": lines.collect::<Vec<_>>()});
    let body: &str = Box::leak(index.to_string().into_boxed_str());
    let flood = Fault::Status(200, &[("content-type", INDEX)], body);
    let tag: &str = Box::leak(format!("/manifests/{}", image.fallback_tag()).into_boxed_str());
    // The tag of the older layout is not there.
    let rules = vec![
        Rule::on("GET", At::Contains(".sig"), Fault::Status(404, &[], "")),
        Rule::on("GET", At::Contains(tag), flood),
    ];
    let proxy = FaultProxy::start(&image.host, rules);
    let run = Reader::ready(&stack).image(&image.through(&proxy.host()));
    let run = run.map(|program| program.limit(Duration::from_secs(60)));
    let run = run.refused(5, "verify/unfinished");
    assert!(run.stderr.contains("none of the 1000 attachments"), "{run}");
    assert!(!run.stderr.contains("has no signature"), "{run}");
    let fix = "fix: pass the signature's bundle with `--bundle`";
    assert!(run.stderr.contains(fix), "{run}");
}
