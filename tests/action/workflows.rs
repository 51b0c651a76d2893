// SPDX-License-Identifier: Apache-2.0
//! Whole workflows, run by `act` against the real services and judged by cosign.

use serde_json::Value;

use crate::act::{Annotation, KEEP, Ran, Repository, example};
use crate::common::{Cosign, Image, Program, Registry, Stack};
use crate::read;

/// A workflow that signs `images` with further inputs, after the steps `before`.
fn workflow(repository: &Repository, images: &str, with: &str, before: &str) -> String {
    repository.signing(images, with, before) + KEEP
}

/// The command of the outputs, run as a consumer would.
#[track_caller]
fn verify(stack: &Stack, command: &str) {
    let home = tempfile::TempDir::new().unwrap();
    Program::new("/bin/sh")
        .args(["-c", command])
        .env("HOME", home.path())
        .env("PATH", stack.var("REALSTACK_BIN"))
        .run()
        .expect(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_example_signs_what_it_pushed() {
    let stack = Stack::shared();
    let repository = Repository::new(&stack);
    let host = Registry::Fallback.host(&stack);
    let text = example(&repository, host, "github.yml");
    let ran = repository.permitted(&stack, &text).expect(0);
    let name = format!("{host}/acme/app");
    let reference = ran.outputs["signed-refs"].clone();
    let (found, digest) = reference.split_once('@').unwrap();
    assert_eq!(found, name);

    let image = Image {
        host: host.to_owned(),
        repository: "acme/app".to_owned(),
        digest: digest.to_owned(),
    };
    Cosign::Three.verify(&stack, &image, &[]).expect(0);
    verify(&stack, &ran.outputs["verify-command"]);
    assert_eq!(ran.outputs["verify-commands"], ran.outputs["verify-command"]);
    assert_eq!(ran.outputs["signed-count"], "1");
    assert_eq!(ran.outputs["digests"], format!("{{\"{name}\":\"{digest}\"}}"));
    assert_eq!(ran.outputs["certificate-issuer"], stack.issuer("github"));
    assert_eq!(ran.outputs["version"], env!("CARGO_PKG_VERSION"));
    let published = image.signatures().remove(0);
    assert_eq!(ran.outputs["signature-refs"], format!("{name}@{}", published.digest));
    let document: Value = serde_json::from_str(&ran.outputs["result-json"]).unwrap();
    assert_eq!(document["status"], "ok");
    let index = document["images"][0]["log"][0]["index"].to_string();
    assert_eq!(ran.outputs["log-indexes"], index);

    let heading = format!("### Signed `{name}` in ");
    assert!(ran.summary.starts_with(&heading), "{}", ran.summary);
    assert!(ran.summary.contains(&format!("`{}`", &digest[..19])), "{}", ran.summary);
    assert!(ran.summary.contains("```sh\ncosign verify "), "{}", ran.summary);
    assert!(ran.annotations.is_empty(), "{:?}", ran.annotations);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn without_the_permission_the_annotation_names_it() {
    let stack = Stack::shared();
    let repository = Repository::new(&stack);
    let text = example(&repository, Registry::Fallback.host(&stack), "github.yml");
    let ran = repository.run(&stack, &text, &[]).expect(1);
    let [annotation] = &ran.annotations[..] else { panic!("{:?}", ran.annotations) };
    assert_eq!(annotation.command, "error");
    assert_eq!(annotation.title, "ambisign: github/not-permitted");
    assert_eq!(annotation.file.as_deref(), Some(".github/workflows/release.yml"));
    assert!(annotation.message.contains("`permissions: {id-token: write}`"), "{annotation:?}");
    assert_eq!(ran.outputs["signed-count"], "0");
    assert!(
        ran.summary.starts_with("### Not signed\n\n**this GitHub job may not"),
        "{}",
        ran.summary
    );
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_example_of_two_architectures_signs_the_index_and_what_it_lists() {
    let stack = Stack::shared();
    let repository = Repository::new(&stack);
    let host = Registry::Referrers.host(&stack);
    let text = example(&repository, host, "github-multi-arch.yml");
    let ran = repository.permitted(&stack, &text).expect(0);
    // The stand-in for docker moves the tag to one of the images: the index is signed all the same.
    assert_eq!(ran.outputs["signed-count"], "3", "{}", ran.log.join("\n"));
    for reference in ran.outputs["signed-refs"].lines() {
        let image = Image {
            host: host.to_owned(),
            repository: "acme/app".to_owned(),
            digest: reference.rsplit('@').next().unwrap().to_owned(),
        };
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
    }
}

/// Five images of one step: each is in a group, and one of them is not there.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_long_batch_has_groups_and_one_annotation() {
    let stack = Stack::shared();
    let repository = Repository::new(&stack);
    let images: Vec<_> = (0..5)
        .map(|at| stack.push(Registry::Fallback, &format!("action/batch{at}"), 1).reference())
        .collect();
    let absent =
        format!("{}/action/absent@sha256:{}", Registry::Fallback.host(&stack), "0".repeat(64));
    let all = format!("{}\n{absent}", images.join("\n"));
    let ran = repository.permitted(&stack, &workflow(&repository, &all, "", "")).expect(1);
    assert_eq!(ran.outputs["signed-refs"].lines().count(), 5);
    assert_eq!(ran.outputs["verify-commands"].lines().count(), 5);
    // The one that is not there has no steps, only an error.
    assert_eq!(ran.groups, 5, "{}", ran.run);
    let [annotation] = &ran.annotations[..] else { panic!("{:?}", ran.annotations) };
    assert!(annotation.title.starts_with("ambisign: registry/"), "{annotation:?}");
    assert_eq!(annotation.file, None);
    assert!(ran.summary.starts_with("### Signed 5 of 6 images in "), "{}", ran.summary);
    assert_eq!(ran.summary.matches("\n| `").count(), 5, "{}", ran.summary);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_dry_run_says_what_would_be_signed() {
    let stack = Stack::shared();
    let repository = Repository::new(&stack);
    let image = stack.push(Registry::Fallback, "action/dry", 1);
    let text = workflow(&repository, &image.reference(), "          dry-run: true\n", "");
    let ran = repository.permitted(&stack, &text).expect(0);
    assert!(image.signatures().is_empty());
    assert_eq!(ran.outputs["signed-refs"], "");
    assert!(ran.summary.starts_with("### Would sign `"), "{}", ran.summary);
    let document: Value = serde_json::from_str(&ran.outputs["result-json"]).unwrap();
    assert_eq!(document["dry_run"], true);
}

/// What an earlier step wrote to `GITHUB_ENV` does not lead the token elsewhere.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_earlier_step_decides_nothing() {
    let stack = Stack::shared();
    let repository = Repository::new(&stack);
    let before = |lines: &[&str]| -> String {
        let lines = lines.iter().map(|line| format!("          echo '{line}' >>\"$GITHUB_ENV\"\n"));
        format!("      - run: |\n{}", lines.collect::<String>())
    };
    let image = stack.push(Registry::Fallback, "action/hostile", 1);
    let hostile = before(&[
        "AMBISIGN_FULCIO_URL=https://evil.example.com",
        "AMBISIGN_REKOR_URL=https://evil.example.com",
        "AMBISIGN_TRUSTED_ROOT=/tmp/evil.json",
        "AMBISIGN_IDENTITY_TOKEN=e30.e30.e30",
        "AMBISIGN_OIDC_PROVIDER=google-adc",
        "AMBISIGN_PUBLIC_INSTANCE=false",
        "AMBISIGN_YES=true",
        "SIGSTORE_ID_TOKEN=e30.e30.e30",
        "GOOGLE_SERVICE_ACCOUNT_NAME=evil@example.com",
        "PROGRAM=/bin/true",
        "FLAG_FULCIO_URL=https://evil.example.com",
        "ENV=/tmp/evil.sh",
        "BASH_ENV=/tmp/evil.sh",
        "GITHUB_OUTPUT=/tmp/evil-output",
        "GITHUB_STEP_SUMMARY=/tmp/evil-summary",
        "GITHUB_ACTION_PATH=/tmp/evil",
    ]);
    let text = workflow(&repository, &image.reference(), "", &hostile);
    let ran = repository.permitted(&stack, &text).expect(0);
    Cosign::Three.verify(&stack, &image, &[]).expect(0);
    assert_eq!(ran.outputs["signed-count"], "1");
    // What was there and was not taken is told, and nothing else.
    let told = ran.log.iter().filter(|line| line.contains("evil"));
    let told: Vec<_> = told.filter(|line| !line.starts_with("ambisign: warning: ")).collect();
    assert!(told.is_empty(), "{told:?}");
    assert!(ran.annotations.iter().all(|one| one.command == "warning"), "{:?}", ran.annotations);
    assert!(ran.summary.starts_with("### Signed `"), "{}", ran.summary);

    // What counts without a flag, and is nobody's in particular, stops the run.
    for (name, value) in
        [("SSL_CERT_FILE", "/tmp/evil.pem"), ("TUF_MIRROR", "https://evil.example.com")]
    {
        let image = stack.push(Registry::Fallback, "action/decides", 1);
        let hostile = before(&[&format!("{name}={value}"), "HTTPS_PROXY=http://127.0.0.1:9"]);
        let text = workflow(&repository, &image.reference(), "", &hostile);
        let ran = repository.permitted(&stack, &text).expect(1);
        let [Annotation { title, message, .. }] = &ran.annotations[..] else {
            panic!("{:?}", ran.annotations)
        };
        assert_eq!(title, "ambisign: settings/decides");
        assert!(message.contains(name), "{message}");
        assert!(image.signatures().is_empty());
    }
}

/// The reusable workflow, with the action of this repository in the place of that of its own commit.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_reusable_workflow_signs_too() {
    let stack = Stack::shared();
    let repository = Repository::new(&stack);
    let image = stack.push(Registry::Referrers, "action/reused", 1);
    let reused = read(".github/workflows/sign.yml");
    let (before, rest) = reused.split_once("      - id: sign\n        uses: $/").unwrap();
    let (_, with) = rest.split_once("        with:\n").unwrap();
    let inputs = repository.inputs(10);
    let reused = format!(
        "{before}      - uses: actions/checkout@v5\n      - id: sign\n        uses: ./ambisign\n        with:\n{inputs}{with}{KEEP}"
    );
    repository.add(".github/workflows/sign.yml", &reused);
    let text = format!(
        "name: release\non: push\njobs:\n  sign:\n    uses: ./.github/workflows/sign.yml\n    with:\n      images: {}\n",
        image.reference()
    );
    let ran: Ran = repository.permitted(&stack, &text).expect(0);
    Cosign::Three.verify(&stack, &image, &[]).expect(0);
    assert_eq!(ran.outputs["signed-refs"], image.reference());
}
