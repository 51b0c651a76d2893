// SPDX-License-Identifier: Apache-2.0
//! Machines on which several identities could be meant: one is chosen and named, or nobody signs.
//!
//! A mounted token file is not here: its place is fixed, and the unit tests of the providers have
//! it below a root of their own.

use std::time::Duration;

use serde_json::Value;

use crate::common::{Cosign, GITHUB_IDENTITY, Log, Registry, Stack};
use crate::job::{Job, MACHINE};

const SIGNER: &str = "signer@demo.iam.gserviceaccount.com";
const GITLAB: &str = "https://gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main";

/// Signs with `job` as `provider`; cosign accepts exactly this identity. Gives the document.
#[track_caller]
fn signs(stack: &Stack, job: Job, provider: &str, (issuer, identity): (&str, &str)) -> Value {
    let image = stack.push(Registry::Referrers, "situations/app", 1);
    let document = job.image(&image).document(0);
    assert_eq!(document["identity"]["provider"], provider);
    let who = (&*stack.issuer(issuer), identity);
    Cosign::Three.verify_as(stack, &image, who, &[]).expect(0);
    assert_eq!(image.signatures().len(), 1);
    document
}

/// One of the warnings says `text`.
#[track_caller]
fn assert_warned(document: &Value, text: &str) {
    let warnings = document["warnings"].as_array().unwrap();
    let says = |warning: &Value| warning["message"].as_str().unwrap().contains(text);
    assert!(warnings.iter().any(says), "no `{text}` in {warnings:?}");
}

fn job(stack: &Stack) -> Job {
    Job::new(stack, Log::V1)
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_identity_of_a_job_wins_over_that_of_its_machine() {
    let stack = Stack::shared();
    let github = ("github", GITHUB_IDENTITY);
    let on_machine = job(&stack).github(&stack).machine(&stack);
    signs(&stack, on_machine, "github-actions", github);

    let asked = || {
        let job = job(&stack).github(&stack).machine(&stack).proxy(&stack);
        job.env("GOOGLE_SERVICE_ACCOUNT_NAME", SIGNER)
    };
    let document = signs(&stack, asked(), "github-actions", github);
    assert_warned(&document, "`--oidc-provider google-impersonate`");
    let forced = asked().args(["--oidc-provider", "google-impersonate"]);
    signs(&stack, forced, "google-impersonate", ("google", SIGNER));

    let token = stack.token("gitlab", &[]);
    let gitlab = job(&stack).env("GITLAB_CI", "true").machine(&stack);
    signs(&stack, gitlab.token(&token), "gitlab", ("gitlab", GITLAB));

    // A token that was handed over wins over everything that is found.
    let token = stack.token("email", &[]);
    let handed = job(&stack).github(&stack).machine(&stack).token(&token);
    let document = signs(&stack, handed, "envvar", ("email", "dev@example.test"));
    assert_warned(&document, "`github-actions` is also available");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_machine_signs_where_no_job_has_an_identity_of_its_own() {
    let stack = Stack::shared();
    let machine = || job(&stack).machine(&stack);
    let document = signs(&stack, machine(), "google-workload-identity", MACHINE);
    assert_warned(&document, "not of a job");
    // Whoever requests the machine by its name gets it, in a job of Jenkins too.
    let jenkins = machine()
        .env("JENKINS_URL", "https://jenkins.example.test/")
        .args(["--oidc-provider", "google-workload-identity"]);
    let document = signs(&stack, jenkins, "google-workload-identity", MACHINE);
    assert_warned(&document, "not of a job");
    assert_warned(&document, "this is also Jenkins");

    let build = || machine().env("BUILDER_OUTPUT", "/builder/outputs");
    signs(&stack, build(), "google-workload-identity", MACHINE);
    let asked = build().proxy(&stack).env("GOOGLE_SERVICE_ACCOUNT_NAME", SIGNER);
    signs(&stack, asked, "google-impersonate", ("google", SIGNER));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_job_without_its_identity_never_signs_as_the_machine() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, "situations/nobody", 1);
    stack.reset_journal();
    let machine = || job(&stack).machine(&stack).image(&image);
    let github = || machine().env("GITHUB_ACTIONS", "true");
    let run = github().refused(3, "github/not-permitted");
    assert!(run.stderr.contains("id-token: write"), "{run}");
    github().env("ACT", "true").refused(3, "github/act");
    let jenkins = machine().env("JENKINS_URL", "https://jenkins.example.test/");
    let run = jenkins.refused(3, "provider/machine");
    assert!(run.stderr.contains("google-workload-identity"), "{run}");
    let run = machine().env("GITLAB_CI", "true").refused(3, "gitlab/no-token");
    assert!(run.stderr.contains("id_tokens"), "{run}");
    let buildkite = machine().env("BUILDKITE", "true");
    let roles = buildkite.env("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/token");
    roles.refused(3, "buildkite/unsupported");
    // Both were asked for: nobody guesses which is meant.
    let twice = machine().env("GOOGLE_SERVICE_ACCOUNT_NAME", SIGNER);
    let twice = twice.env("SPIFFE_ENDPOINT_SOCKET", "unix:///run/spire/agent.sock");
    let run = twice.refused(3, "provider/ambiguous");
    assert!(run.stderr.contains("`--oidc-provider google-impersonate`"), "{run}");
    assert!(stack.journal().is_empty(), "{:?}", stack.journal());
    assert!(image.signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn nobody_is_asked_where_there_is_no_identity() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, "situations/none", 1);
    stack.reset_journal();
    for ci in [&[][..], &[("CI", "true")]] {
        let job = ci.iter().fold(job(&stack), |job, (name, value)| job.env(name, value));
        let run = job.image(&image).refused(3, "provider/no-identity");
        assert!(run.took < Duration::from_secs(2), "{run}");
        assert!(run.stderr.contains("\nambisign: fix: "), "{run}");
        assert!(run.stderr.contains("SIGSTORE_ID_TOKEN"), "{run}");
    }
    let off = job(&stack).machine(&stack).image(&image);
    let off = off.args(["--oidc-disable-ambient-providers"]);
    off.refused(3, "provider/disabled");
    let unknown = job(&stack).image(&image).args(["--oidc-provider", "gitub"]);
    unknown.refused(2, "provider/unknown-name");
    assert!(stack.journal().is_empty(), "{:?}", stack.journal());
}
