// SPDX-License-Identifier: Apache-2.0
//! Logins as the platforms hand them out, at registries that take these and no others, by their
//! public names; and signatures in another repository than that of the image.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Cosign, Image, Log, Program, Registry, Stack, unique};
use crate::job::{Job, MACHINE};

const GITHUB_TOKEN: &str = "realstack-github-token";
const JOB_TOKEN: &str = "realstack-job-token";
/// The account that is impersonated.
const SIGNER: &str = "signer@demo.iam.gserviceaccount.com";

/// A job whose registries are the public ones, as the stack answers for them.
fn job(stack: &Stack, secret: &str) -> Job {
    Job::ready(stack, Log::V1).proxy(stack).secret(secret)
}

/// The requests for a registry's token since the stack began: endpoint, user, and what was granted.
fn logins(stack: &Stack) -> Vec<(String, Value, Value)> {
    let path = Path::new(stack.var("REALSTACK")).join("logins.jsonl");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .map(|line: Value| {
            let endpoint = line["endpoint"].as_str().unwrap().to_owned();
            (endpoint, line["user"].clone(), line["rights"].clone())
        })
        .collect()
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_platform_gives_the_login_for_its_registry_and_no_other() {
    let stack = Stack::alone();
    let pushed = || stack.push(Registry::Fallback, &format!("logins/{}", unique()), 1);
    let all = |job: Job| {
        job.machine(&stack)
            .env("GITHUB_TOKEN", GITHUB_TOKEN)
            .env("GITHUB_ACTOR", "octocat")
            .env("CI_REGISTRY", "registry.gitlab.com")
            .env("CI_REGISTRY_USER", "gitlab-ci-token")
            .env("CI_REGISTRY_PASSWORD", JOB_TOKEN)
    };
    for (name, endpoint, user) in [
        ("ghcr.io", "ghcr.io", "octocat"),
        ("registry.gitlab.com", "gitlab.com", "gitlab-ci-token"),
        ("gcr.io", "gcr.io", "oauth2accesstoken"),
        ("europe-docker.pkg.dev", "europe-docker.pkg.dev", "oauth2accesstoken"),
    ] {
        let image = pushed();
        let before = logins(&stack).len();
        let job = all(job(&stack, GITHUB_TOKEN).secret(JOB_TOKEN));
        job.image(&image.through(name)).run().expect(0);
        let asked = logins(&stack).split_off(before);
        assert!(!asked.is_empty());
        for (at, who, rights) in asked {
            assert_eq!((&*at, &who), (endpoint, &user.into()), "{name}");
            assert!(rights.is_array(), "{name}");
        }
        assert_eq!(image.signatures().len(), 1, "{name}");
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
    }
    // Docker Hub and a registry in another region belong to none of them.
    for (name, says) in [("docker.io", "`docker login --username NAME"), ("gcr.io", "`gcloud auth")]
    {
        let image = pushed();
        let job = job(&stack, GITHUB_TOKEN).env("GITHUB_TOKEN", GITHUB_TOKEN);
        let run = job.image(&image.through(name)).refused(6, "registry/push-denied");
        assert!(run.stderr.contains(says), "{run}");
        assert!(run.stderr.contains("without a credential"), "{run}");
        assert!(image.signatures().is_empty());
    }
}

/// The recipes of Cloud Build: an image without helpers, the config that names one, and both
/// identities.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_build_without_the_helper_of_gcloud_uses_its_account() {
    let stack = Stack::alone();
    let config = TempDir::new().unwrap();
    let helpers = r#"{"credHelpers":{"europe-docker.pkg.dev":"gcloud","gcr.io":"gcloud"}}"#;
    std::fs::write(config.path().join("config.json"), helpers).unwrap();
    let rows: [(&[(&str, &str)], &str); 2] =
        [(&[], MACHINE.1), (&[("GOOGLE_SERVICE_ACCOUNT_NAME", SIGNER)], SIGNER)];
    for (name, (env, identity)) in ["europe-docker.pkg.dev", "gcr.io"].into_iter().zip(rows) {
        let image = stack.push(Registry::Fallback, &format!("logins/{}", unique()), 1);
        let job = Job::new(&stack, Log::V1).proxy(&stack).machine(&stack);
        let job = env.iter().fold(job, |job, (name, value)| job.env(name, value));
        let job = job
            .env("BUILDER_OUTPUT", "/builder/outputs")
            .env("HOME", "/builder/home")
            .env("PATH", config.path())
            .env("DOCKER_CONFIG", config.path());
        let run = job.image(&image.through(name)).run().expect(0);
        let warned = "ambisign: warning: the credential helper `docker-credential-gcloud`";
        assert!(run.stderr.contains(warned), "{run}");
        assert!(run.stderr.contains("this Google machine's account is used instead"), "{run}");
        let who = (&*stack.issuer("google"), identity);
        Cosign::Three.verify_as(&stack, &image, who, &[]).expect(0);
    }
}

/// TLS by a private authority: `--ca-file` holds for registries too, and `--public-instance` lets
/// the flag count.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_registry_of_a_private_authority() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, &format!("logins/{}", unique()), 1);
    let job = || {
        Job::ready(&stack, Log::V1)
            .secret(GITHUB_TOKEN)
            .env("HTTPS_PROXY", stack.var("PROXY"))
            .env("GITHUB_TOKEN", GITHUB_TOKEN)
            .args(["--public-instance"])
            .image(&image.through("ghcr.io"))
    };
    let run = job().run().expect(5);
    assert!(run.stderr.contains("code: registry/"), "{run}");
    assert!(run.stderr.contains("--ca-file"), "{run}");
    assert!(image.signatures().is_empty());
    job().args(["--ca-file", stack.var("PROXY_CA")]).run().expect(0);
    assert_eq!(image.signatures().len(), 1);
}

fn ambisign_verify(stack: &Stack, image: &Image) -> Program {
    Program::ambisign()
        .args(["verify", "--trusted-root", stack.var("TRUSTED_ROOT")])
        .args(["--certificate-identity", crate::common::GITHUB_IDENTITY])
        .args(["--certificate-oidc-issuer", &stack.issuer("github")])
        .arg(image.reference())
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn signatures_of_another_repository_are_found_there() {
    let stack = Stack::alone();
    for registry in Registry::ALL {
        let image = stack.push(registry, &format!("logins/{}", unique()), 1);
        let place = format!("{}/signatures/{}", registry.host(&stack), unique());
        let run = Job::ready(&stack, Log::V1)
            .env("COSIGN_REPOSITORY", &place)
            .args(["--public-instance"])
            .image(&image);
        let document = run.document(0);
        let attached = document["images"][0]["attached"]["reference"].as_str().unwrap();
        assert!(attached.starts_with(&format!("{place}@sha256:")), "{attached}");
        let command = document["images"][0]["verify_command"].as_str().unwrap();
        let around = format!("env COSIGN_REPOSITORY={place} cosign verify ");
        assert!(command.starts_with(&around), "{command}");
        assert!(image.signatures().is_empty(), "it is beside the image");

        // cosign finds it, and so do we; and neither without the place.
        let cosign = |place: Option<&str>| {
            let cosign = Cosign::Three.program(&stack).args(["verify", "--trusted-root"]);
            let cosign = cosign
                .args([stack.var("TRUSTED_ROOT"), "--certificate-identity"])
                .args([crate::common::GITHUB_IDENTITY, "--certificate-oidc-issuer"])
                .args([&stack.issuer("github"), &image.reference()]);
            match place {
                Some(place) => cosign.env("COSIGN_REPOSITORY", place).run(),
                None => cosign.run(),
            }
        };
        cosign(Some(&place)).expect(0);
        assert_ne!(cosign(None).code, Some(0));
        let flag = ["--signature-repository", &place];
        let run = ambisign_verify(&stack, &image).args(flag).run().expect(0);
        assert!(
            run.stderr.contains(&format!("signatures in {place} (from --signature-repository)")),
            "{run}"
        );
        ambisign_verify(&stack, &image).run().expect(8);

        // What cosign puts there is found too.
        let other = stack.push(registry, &format!("logins/{}", unique()), 1);
        let config = Log::V1.signing_config(&stack);
        let cosign = Cosign::Three.sign(&stack, config, &other);
        cosign.env("COSIGN_REPOSITORY", &place).run().expect(0);
        let variable = ambisign_verify(&stack, &other).env("COSIGN_REPOSITORY", &place);
        variable.run().expect(0);
    }
}

/// The same digest in two repositories has one signature in the one place.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn one_digest_has_one_signature_in_one_place() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, &format!("logins/{}", unique()), 1);
    let copy = stack.copy(&image, Registry::Fallback, &format!("logins/{}", unique()));
    let repository = format!("signatures/{}", unique());
    let place = format!("{}/{repository}", image.host);
    let run = Job::ready(&stack, Log::V1)
        .args(["--signature-repository", &place])
        .image(&image)
        .image(&copy);
    run.run().expect(0);
    let there = Image { repository, ..image.clone() };
    assert_eq!(there.signatures().len(), 1);
    for image in [&image, &copy] {
        let verify = ambisign_verify(&stack, image).args(["--signature-repository", &place]);
        verify.run().expect(0);
    }
}
