// SPDX-License-Identifier: Apache-2.0
//! Images that are signed already: left alone, refused or signed once more, and what counts as that.

use serde_json::Value;

use crate::common::fault::{At, Fault, FaultProxy, Rule};
use crate::common::{Cosign, GITHUB_IDENTITY, Image, Log, Registry, Stack};
use crate::job::Job;

/// A job that insists on the identity of the stack's `github`: what a private Fulcio will certify
/// cannot be predicted.
fn job(stack: &Stack, log: Log, if_signed: &str) -> Job {
    Job::ready(stack, log).args(["--require-identity", GITHUB_IDENTITY, "--require-issuer"]).args([
        stack.issuer("github").as_str(),
        "--if-signed",
        if_signed,
    ])
}

/// The states of the images of `document`.
fn states(document: &Value) -> Vec<&str> {
    let images = document["images"].as_array().unwrap().iter();
    images.map(|image| image["status"].as_str().unwrap()).collect()
}

/// How often each service was asked that makes something public.
fn asked(stack: &Stack) -> usize {
    let counts = stack.made();
    let of = |service: &str| counts.get(service).copied().unwrap_or(0);
    ["fulcio", "tsa", "rekor", "rekor2"].map(of).iter().sum()
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_is_signed_is_left_alone_and_nobody_is_asked_for_a_certificate() {
    let stack = Stack::alone();
    for (registry, log) in Registry::ALL.into_iter().zip(Log::ALL) {
        let image = stack.push(registry, "already/skip", 1);
        let skip = || job(&stack, log, "skip").image(&image);
        let first = skip().document(0);
        assert_eq!(states(&first), ["signed"]);
        stack.reset_journal();
        let again = skip().document(0);
        assert_eq!(states(&again), ["already_signed"]);
        assert_eq!(again["summary"]["already_signed"], 1);
        let certificate = &again["images"][0]["certificate"];
        assert_eq!(certificate, &first["images"][0]["certificate"]);
        let dry = skip().args(["--dry-run"]).document(0);
        assert_eq!(states(&dry), ["already_signed"]);
        let run = skip().run().expect(0);
        assert_eq!(run.stdout, format!("{}\n", image.reference()));
        assert!(run.stderr.contains("left alone 1 image signed before"), "{run}");
        // A file of the first run is not in the way of a run that makes none.
        let dir = tempfile::TempDir::new().unwrap();
        let keep = ["--bundle-dir", dir.path().to_str().unwrap()];
        skip().args(keep).run().expect(0);
        assert_eq!(asked(&stack), 0, "{:?}", stack.made());
        assert_eq!(image.signatures().len(), 1);
        let add = job(&stack, log, "add").image(&image).document(0);
        assert_eq!(states(&add), ["signed"]);
        assert_eq!(image.signatures().len(), 2);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn only_what_is_not_signed_is_signed() {
    let stack = Stack::alone();
    let signed = stack.push(Registry::Fallback, "already/signed", 1);
    let copy = stack.copy(&signed, Registry::Referrers, "already/copy");
    let new = stack.push(Registry::Fallback, "already/new", 1);
    job(&stack, Log::V1, "fail").image(&signed).document(0);
    let images = [&signed, &copy, &new];
    let all = |if_signed| images.into_iter().fold(job(&stack, Log::V1, if_signed), Job::image);
    stack.reset_journal();
    let document = all("skip").document(0);
    assert_eq!(states(&document), ["already_signed", "signed", "signed"]);
    assert_eq!(stack.made().get("fulcio"), Some(&1));
    let document = all("skip").document(0);
    assert_eq!(states(&document), ["already_signed"; 3]);
    for image in images {
        Cosign::Three.verify(&stack, image, &[]).expect(0);
        assert_eq!(image.signatures().len(), 1);
    }

    let third = stack.push(Registry::Referrers, "already/third", 1);
    let document = all("fail").image(&third).document(7);
    assert_eq!(states(&document), ["failed", "failed", "failed", "signed"]);
    assert_eq!(document["images"][0]["error"]["code"], "registry/signed");
    stack.reset_journal();
    let run = job(&stack, Log::V1, "fail").image(&third);
    let run = run.refused(6, "registry/signed");
    assert!(run.stderr.contains(GITHUB_IDENTITY), "{run}");
    assert_eq!(asked(&stack), 0);
    assert_eq!(third.signatures().len(), 1);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_others_signed_or_said_does_not_count() {
    let stack = Stack::shared();
    for registry in Registry::ALL {
        let image = stack.push(registry, "already/others", 1);
        let other = stack.token("gitlab", &[]);
        Job::new(&stack, Log::V1).token(&other).image(&image).document(0);
        let predicate = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(predicate.path(), "{}").unwrap();
        let attest = Cosign::Three.program(&stack);
        let attest = attest
            .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
            .args(["attest", "--yes", "--trusted-root", stack.var("TRUSTED_ROOT")])
            .arg("--signing-config")
            .arg(Log::V1.signing_config(&stack))
            .arg("--predicate")
            .arg(predicate.path());
        attest.arg(image.reference()).run().expect(0);
        assert_eq!(image.signatures().len(), 2);
        for (expected, count) in [("signed", 3), ("already_signed", 3)] {
            let document = job(&stack, Log::V1, "skip").image(&image).document(0);
            assert_eq!(states(&document), [expected]);
            assert_eq!(image.signatures().len(), count);
        }
        // It does not say what this run is to say.
        let said = job(&stack, Log::V1, "skip").args(["-a", "env=prod"]);
        assert_eq!(states(&said.image(&image).document(0)), ["signed"]);
        let said = job(&stack, Log::V1, "skip").args(["-a", "env=prod"]);
        assert_eq!(states(&said.image(&image).document(0)), ["already_signed"]);
        // Another caller of the same reusable workflow has the same name in its certificate.
        let caller = stack.token("github", &["repository=acme/other"]);
        let said = || job(&stack, Log::V1, "skip").token(&caller).image(&image);
        assert_eq!(states(&said().document(0)), ["signed"]);
        assert_eq!(states(&said().document(0)), ["already_signed"]);
        // What cosign made by the same identity counts.
        let image = stack.push(registry, "already/cosign", 1);
        let config = Log::V1.signing_config(&stack);
        Cosign::Three.sign(&stack, config, &image).run().expect(0);
        let document = job(&stack, Log::V1, "skip").image(&image).document(0);
        assert_eq!(states(&document), ["already_signed"]);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_identity_that_only_the_certificate_tells_is_said() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, "already/unknown", 1);
    let job = |if_signed: &str| {
        let job = Job::ready(&stack, Log::V1).args(["--if-signed", if_signed]);
        job.image(&image)
    };
    for count in [1, 2] {
        let document = job("skip").document(0);
        assert_eq!(states(&document), ["signed"]);
        assert_eq!(document["warnings"][0]["code"], "identity/unpredicted");
        assert_eq!(image.signatures().len(), count);
    }
    stack.reset_journal();
    job("fail").refused(3, "identity/unpredicted");
    assert_eq!(asked(&stack), 0);
    // What is insisted on does not hold: nothing is found, and nothing is signed.
    let other = job("skip").args(["--require-identity", "nobody", "--require-issuer", "https://i"]);
    other.refused(3, "identity/not-required");
    assert_eq!(image.signatures().len(), 2);
}

/// A registry that cannot tell what is attached to an image never makes it look unsigned.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_list_that_cannot_be_read_is_an_error() {
    let stack = Stack::alone();
    let signed = |registry| {
        let image: Image = stack.push(registry, "already/lists", 1);
        job(&stack, Log::V1, "add").image(&image).document(0);
        image
    };
    let html: &[_] = &[("content-type", "text/html")];
    let index: &[_] = &[("content-type", "application/vnd.oci.image.index.v1+json")];
    let status = |status| Fault::Status(status, html, "<html>");
    let rows = [
        (Registry::Referrers, "/referrers/", status(403)),
        (Registry::Referrers, "/referrers/", Fault::Status(200, index, "{")),
        (Registry::Fallback, "/manifests/sha256-", status(403)),
        (Registry::Fallback, "/manifests/sha256-", Fault::Status(200, index, "{")),
        (Registry::Fallback, "/manifests/sha256-", status(507)),
    ];
    for (registry, path, fault) in rows {
        let image = signed(registry);
        // The first look of a run is at the way to attach, the next one is ours.
        let rule = Rule::on("GET", At::Contains(path), fault.clone());
        let proxy = FaultProxy::start(&image.host, vec![rule]);
        stack.reset_journal();
        for if_signed in ["skip", "fail"] {
            let dir = tempfile::TempDir::new().unwrap();
            let keep = ["--no-push", "--bundle-dir", dir.path().to_str().unwrap()];
            let job = job(&stack, Log::V1, if_signed).args(keep);
            let run = job.args(["--timeout", "20s"]).image(&image.through(&proxy.host())).run();
            assert_ne!(run.code, Some(0), "{fault:?} {run}");
            assert!(run.stdout.is_empty(), "{run}");
            assert!(run.stderr.contains("ambisign: code: registry/"), "{run}");
        }
        assert_eq!(asked(&stack), 0, "{fault:?}");
        assert_eq!(image.signatures().len(), 1);
    }
}
