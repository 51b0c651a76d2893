// SPDX-License-Identifier: Apache-2.0
//! Whom a run talks to, what it insists on, and what it does not make public.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{
    Cosign, GITHUB_IDENTITY, Image, Log, Registry, Service, Stack, signing_config_with,
};
use crate::job::Job;

const FULCIO: &str = "https://fulcio.sigstore.dev";
const TSA: &str = "https://timestamp.sigstore.dev/api/v1/timestamp";

/// The trusted root of the public instance.
const PUBLIC: &str = include_str!("../vectors/roots/production/trusted_root.json");

fn an_image(stack: &Stack) -> Image {
    stack.push(Registry::Referrers, "destinations/app", 1)
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn only_the_public_hosts_are_asked() {
    let stack = Stack::alone();
    for (log, rekor) in
        [(Log::V1, "https://rekor.sigstore.dev"), (Log::V2, "https://log2025-1.rekor.sigstore.dev")]
    {
        let dir = tempfile::TempDir::new().unwrap();
        let mut config: PathBuf = log.signing_config(&stack).to_owned();
        for (service, url) in
            [(Service::Fulcio, FULCIO), (Service::Rekor, rekor), (Service::Tsa, TSA)]
        {
            config = signing_config_with(&config, dir.path(), service, url);
        }
        let image = an_image(&stack);
        stack.reset_journal();
        let host = "run-actions-1-azure-eastus.actions.githubusercontent.com";
        let url = format!("https://{host}/actions/token?api-version=2.0");
        // A proxy cannot read TLS, and a flag is the word of whoever wrote the job.
        let job = Job::with_config(&stack, &config)
            .github_at(&url)
            .env("HTTPS_PROXY", stack.var("PROXY"))
            .args(["--public-instance", "--ca-file", stack.var("PROXY_CA")]);
        job.image(&image).run().expect(0);
        let asked = stack.journal();
        let mut names: Vec<&str> = asked
            .iter()
            .filter(|asked| asked.service == "proxy")
            .map(|asked| asked.path.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let rekor = rekor.trim_start_matches("https://");
        let mut expected = [host, "fulcio.sigstore.dev", rekor, "timestamp.sigstore.dev"]
            .map(|name| format!("{name}:443"));
        expected.sort_unstable();
        assert_eq!(names, expected, "{log:?}");
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_environment_does_not_move_the_public_instance() {
    let stack = Stack::alone();
    let image = an_image(&stack);
    stack.reset_journal();
    for (name, value) in [
        ("AMBISIGN_FULCIO_URL", stack.var("FULCIO_URL")),
        ("AMBISIGN_REKOR_URL", stack.var("REKOR_URL")),
        ("AMBISIGN_SIGNING_CONFIG", stack.var("SIGNING_CONFIG_V1")),
        ("AMBISIGN_TRUSTED_ROOT", stack.var("TRUSTED_ROOT")),
        ("SSL_CERT_FILE", stack.var("PROXY_CA")),
    ] {
        let job = Job::ready(&stack, Log::V1).args(["--public-instance"]);
        let run = job.env(name, value).image(&image).refused(2, "settings/decides");
        assert!(run.stderr.contains(&format!("`{name}`")), "{run}");
    }
    assert!(stack.journal().is_empty(), "{:?}", stack.journal());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_identity_can_be_insisted_on() {
    let stack = Stack::alone();
    let (image, issuer) = (an_image(&stack), stack.issuer("github"));
    let job = || Job::ready(&stack, Log::V1).image(&image);
    let right = ["--require-identity", GITHUB_IDENTITY, "--require-issuer", &issuer];
    job().args(right).run().expect(0);
    assert_eq!(image.signatures().len(), 1);
    stack.reset_journal();
    let other = GITHUB_IDENTITY.replace("main", "other");
    let run = job().args(["--require-identity", &other]).run().expect(3);
    assert!(run.stderr.contains("code: identity/not-required; exit 3;"), "{run}");
    assert!(run.stderr.contains(GITHUB_IDENTITY), "{run}");
    let run = job().args(["--require-issuer", &stack.issuer("gitlab")]).run();
    let run = run.expect(3);
    assert!(run.stderr.contains("code: identity/not-required; exit 3;"), "{run}");
    let counts = stack.made();
    assert_eq!((counts.get("rekor"), counts.get("tsa")), (None, None), "{counts:?}");
    assert_eq!(image.signatures().len(), 1);
}

/// A trusted root of the stack in which the public log is known too.
fn root_with_public_log(stack: &Stack, dir: &Path) -> PathBuf {
    let text = std::fs::read(stack.var("TRUSTED_ROOT")).unwrap();
    let mut root: Value = serde_json::from_slice(&text).unwrap();
    let public: Value = serde_json::from_str(PUBLIC).unwrap();
    let logs = root["tlogs"].as_array_mut().unwrap();
    logs.push(public["tlogs"][0].clone());
    let path = dir.join("trusted_root.json");
    std::fs::write(&path, root.to_string()).unwrap();
    path
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_private_repository_becomes_public_by_consent_only() {
    let stack = Stack::alone();
    let dir = tempfile::TempDir::new().unwrap();
    let (image, root) = (an_image(&stack), root_with_public_log(&stack, dir.path()));
    let private = stack.token("github", &["repository_visibility=private"]);
    let config = Log::V1.signing_config(&stack);
    let job = |token| Job::with_trust(&root, config).token(token).image(&image);
    stack.reset_journal();
    job(&private).refused(3, "identity/private");
    let internal = stack.token("github", &["repository_visibility=internal"]);
    job(&internal).refused(3, "identity/private");
    let gitlab = stack.token("gitlab", &["project_visibility=private"]);
    job(&gitlab).refused(3, "identity/private");
    let counts = stack.made();
    assert_eq!(counts.get("fulcio"), None, "{counts:?}");
    assert!(image.signatures().is_empty());

    for consent in ["--allow-private-repository", "--yes"] {
        let run = job(&private).args([consent]).run().expect(0);
        let told = "ambisign: warning: the repository is private, and signing puts its name, ";
        assert!(run.stderr.contains(told), "{run}");
    }
    let public = stack.token("github", &["repository_visibility=public"]);
    job(&public).run().expect(0);
    // In a log of one's own nothing becomes public.
    let own = Job::new(&stack, Log::V1).token(&private).image(&image);
    own.run().expect(0);
    assert_eq!(image.signatures().len(), 4);
}
