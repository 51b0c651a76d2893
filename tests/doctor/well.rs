// SPDX-License-Identifier: Apache-2.0
//! A job in which nothing is wrong, and one in which much is.

use crate::common::{Log, Registry, Stack};
use crate::patient::{Patient, an_image, assert_nothing_made};

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_doctor_promises_sign_keeps() {
    let stack = Stack::alone();
    for (registry, log, found_by) in [
        (Registry::Fallback, Log::V1, "the fallback tag"),
        (Registry::Referrers, Log::V2, "the referrers API"),
    ] {
        let image = stack.push(registry, "doctor/well", 1);
        let config = log.signing_config(&stack).display().to_string();
        let patient = Patient::by_files(stack.var("TRUSTED_ROOT"), &config).github(&stack);
        let patient = patient.image(&image);
        stack.reset_journal();
        let run = patient.doctor(&[]).expect(0);
        assert_nothing_made(&stack, &run);
        let (counts, asked) = (stack.counts(), ["fulcio", "tsa", registry.service()]);
        let counts = asked.map(|service| counts.get(service).copied().unwrap_or(0));
        // Manifest, referrers, fallback tag, upload session.
        // Configuration twice and trust bundle; of the authority, whether it is there and a timestamp.
        assert_eq!(counts, [3, 2, 4], "{run}");
        let last = "doctor found no problem: `ambisign sign` would sign";
        assert_eq!(run.stdout.lines().last(), Some(last), "{run}");
        for part in [
            "ok    provider  github-actions: ready, and taken: it is the identity of this CI job",
            "takes pushes, without a credential",
            &format!("signatures are found by {found_by}"),
            "sub repo:acme/app:ref:refs/heads/main, aud sigstore, exp ",
            "the clock of this machine agrees with that of 127.0.0.1",
            " takes tokens of ",
            "it is public, and no log of the public instance is used",
            "ok    services  Fulcio: ",
            "ok    services  log: ",
            "ok    services  timestamp authority: ",
            "ok    services  trusted root: nothing that Fulcio and the logs show of themselves contradicts it",
            "ok    services  timestamps: the trusted root verifies a timestamp of random bytes",
        ] {
            assert!(run.stdout.contains(part), "no `{part}` in {run}");
        }
        patient.sign(&[]).expect(0);
        assert_eq!(image.signatures().len(), 1);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn all_that_is_wrong_is_told_at_once() {
    let stack = Stack::alone();
    let image = an_image(&stack);
    let patient = Patient::by_mirror(stack.var("TUF_MIRROR_URL"), stack.var("TUF_ROOT_FILE"))
        .env("AMBISIGN_TIMEOUT", "soon")
        .env("COSIGN_EXPERIMENTAL", "1")
        .token(&stack.token("github", &["--aud=pypi"]))
        .args(&["--tsa-url", "https://tsa.acme.example", "not an image"])
        .args(&[&format!("{}/doctor/none:1", image.host)]);
    stack.reset_journal();
    let run = patient.doctor(&["--output", "json"]).expect(2);
    assert_nothing_made(&stack, &run);
    let document = run.json();
    let failed = document["findings"].as_array().unwrap().iter();
    let failed = failed.filter(|one| one["status"] == "fail");
    let codes: Vec<&str> = failed.map(|one| one["code"].as_str().unwrap()).collect();
    let expected = [
        "settings/value",
        "reference/repository",
        "registry/not-found",
        "trust/unknown",
        "identity/audience",
    ];
    assert_eq!(codes, expected, "{document}");
    assert_eq!(document["problems"], 5);
    assert_eq!(document["warnings"], 1);
    assert_eq!(document["status"], "failed");
    // People see the same in the log.
    assert!(run.stderr.contains("doctor found 5 problems and 1 warning"), "{run}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn without_an_image_no_registry_is_asked() {
    let stack = Stack::alone();
    let patient = Patient::of(&stack).github(&stack);
    let run = patient.doctor(&[]).expect(0);
    assert!(run.stdout.contains("skip  registry  no image was named"), "{run}");
    let counts = stack.counts();
    assert_eq!(counts.get("registry"), None, "{counts:?}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_token_of_a_gitlab_job_is_told_once() {
    let stack = Stack::alone();
    let token = stack.token("gitlab", &[]);
    let patient = Patient::of(&stack).token(&token).env("GITLAB_CI", "true");
    let run = patient.doctor(&[]).expect(0);
    assert!(run.stdout.contains("ok    provider  gitlab: ready, and taken: "), "{run}");
    assert!(!run.stdout.contains("envvar: "), "{run}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_else_is_here_is_told_and_not_taken() {
    let stack = Stack::alone();
    let machine = Patient::of(&stack).env("GCE_METADATA_HOST", stack.var("GCE_METADATA"));
    let run = machine.doctor(&[]).expect(0);
    for part in [
        "ok    provider  google-workload-identity: ready, and taken: nothing more definite is here\n",
        "warn  provider  google-workload-identity: it is the identity of this machine, not of a job\n",
        "certificate: ",
    ] {
        assert!(run.stdout.contains(part), "no `{part}` in {run}");
    }
    let account = "signer@demo.iam.gserviceaccount.com";
    let both = machine.github(&stack).env("GOOGLE_SERVICE_ACCOUNT_NAME", account);
    let run = both.env("JENKINS_URL", "https://jenkins.example").doctor(&[]).expect(0);
    for part in [
        "ok    provider  github-actions: ready, and taken: it is the identity of this CI job\n",
        "ok    provider  google-impersonate: ready, and not taken: request it with `--oidc-provider",
        "ok    provider  google-workload-identity: ready, and not taken: ",
        "skip  provider  Jenkins: recognised: it gives a job no token by itself\n",
    ] {
        assert!(run.stdout.contains(part), "no `{part}` in {run}");
    }
}
