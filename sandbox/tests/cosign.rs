// SPDX-License-Identifier: Apache-2.0
//! The sandbox's licence to exist: cosign, which nobody here wrote, signs and verifies against it,
//! and notices its lies.
//!
//! cosign is looked for in `REALSTACK_BIN`, else where `tests/realstack/realstack install` puts it.
//! `tests/run` installs it and runs these tests.
#![expect(clippy::unwrap_used, reason = "the steps of a test may fail wherever they stand")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ambisign_sandbox::{Lie, Options, REQUEST_TOKEN, Sandbox};
use serde_json::Map;

const WORKFLOW: &str = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main";
const REPOSITORY: &str = "acme/app";

/// The one place of this file that reads the environment.
#[expect(clippy::disallowed_methods, reason = "a test is a program of its own")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// cosign 3 (`cosign`) or 2 (`cosign2`), which come with the real stack.
fn program(name: &str) -> PathBuf {
    let cache = || Some(PathBuf::from(variable("HOME")?).join(".cache/realstack/bin"));
    let bin = variable("REALSTACK_BIN").map(PathBuf::from).or_else(cache);
    let path = bin.unwrap_or_default().join(name);
    assert!(path.exists(), "no {name}: `tests/realstack/realstack install` brings it");
    path
}

/// A sandbox with a folder of its own, and an image in one of its registries.
struct Scene {
    sandbox: Sandbox,
    dir: PathBuf,
    cosign: PathBuf,
    image: String,
}

impl Scene {
    fn new(cosign: &Path, name: &str, registry: &str, lies: &[Lie]) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&dir);
        let (lies, own) = (lies.to_vec(), Some(dir.clone()));
        let sandbox = Sandbox::start(Options { lies, dir: own, ..Options::default() }).unwrap();
        let registry = sandbox.var(registry);
        let digest = sandbox.push_image(&registry, REPOSITORY, "1").unwrap();
        let image = format!("{registry}/{REPOSITORY}@{digest}");
        Self { sandbox, dir, cosign: cosign.to_owned(), image }
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        #[expect(clippy::disallowed_methods, reason = "the one place that starts cosign")]
        let mut command = Command::new(&self.cosign);
        command.env_clear().env("HOME", &self.dir).env("COSIGN_YES", "true");
        command.envs(variables.iter().copied()).args(arguments).stdin(Stdio::null());
        command.output().unwrap()
    }

    fn sign(&self, config: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let (config, root) = (self.sandbox.var(config), self.sandbox.var("TRUSTED_ROOT"));
        let ours = ["sign", "--signing-config", &config, "--trusted-root", &root];
        self.run(&[&ours, arguments, &[&self.image]].concat(), variables)
    }

    fn verify(&self, arguments: &[&str], identity: &str, issuer: &str) -> Output {
        let root = self.sandbox.var("TRUSTED_ROOT");
        let ours = ["verify", "--trusted-root", &root, "--certificate-identity", identity];
        let issuer = ["--certificate-oidc-issuer", issuer];
        let docker = self.dir.join("docker").display().to_string();
        let all = [&ours[..], &issuer, arguments, &[&self.image]].concat();
        self.run(&all, &[("DOCKER_CONFIG", &docker)])
    }

    fn github(&self) -> String {
        format!("{}/github", self.sandbox.urls().oidc)
    }
}

/// The output of a run that must succeed.
fn good(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The output of a run that must fail.
fn bad(output: &Output) {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn signs_and_verifies_with_every_log_and_registry() {
    let cosign = program("cosign");
    for config in ["SIGNING_CONFIG_V1", "SIGNING_CONFIG_V2"] {
        for registry in ["REGISTRY", "REGISTRY_REFERRERS", "REGISTRY_LOGIN"] {
            let scene = Scene::new(&cosign, "cosign-all", registry, &[]);
            let token = scene.sandbox.token("github", "sigstore", Map::new()).unwrap();
            let docker = scene.dir.join("docker").display().to_string();
            let variables = [("DOCKER_CONFIG", &*docker)];
            bad(&scene.verify(&[], WORKFLOW, &scene.github()));
            // The second signature stands in a log of two entries, beside the first.
            for count in 1..=2 {
                good(&scene.sign(config, &["--identity-token", &token], &variables));
                good(&scene.verify(&[], WORKFLOW, &scene.github()));
                let (address, digest) = scene.image.split_once(&format!("/{REPOSITORY}@")).unwrap();
                assert_eq!(scene.sandbox.attached(address, REPOSITORY, digest).len(), count);
            }
            bad(&scene.verify(&[], "https://github.com/acme/app", &scene.github()));
            bad(&scene.verify(&[], WORKFLOW, "https://issuer.example.test"));
        }
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn signs_with_the_variables_of_a_github_job() {
    let cosign = program("cosign");
    for config in ["SIGNING_CONFIG_V1", "SIGNING_CONFIG_V2"] {
        let scene = Scene::new(&cosign, "cosign-github", "REGISTRY", &[]);
        let url = scene.sandbox.var("GITHUB_TOKEN_URL");
        let url = ("ACTIONS_ID_TOKEN_REQUEST_URL", &*url);
        let token = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN);
        good(&scene.sign(config, &["--oidc-provider", "github-actions"], &[url, token]));
        good(&scene.verify(&[], WORKFLOW, &scene.github()));
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn signs_as_a_machine_and_as_an_account_through_the_proxy() {
    let cosign = program("cosign");
    let scene = Scene::new(&cosign, "cosign-google", "REGISTRY_REFERRERS", &[]);
    let google = format!("{}/google", scene.sandbox.urls().oidc);
    let machine = scene.sandbox.var("GCE_METADATA");
    let machine = [("GCE_METADATA_HOST", &*machine)];
    let provider = ["--oidc-provider", "google-workload-identity"];
    good(&scene.sign("SIGNING_CONFIG_V2", &provider, &machine));
    good(&scene.verify(&[], "ci@demo.iam.gserviceaccount.com", &google));

    let var = |name| scene.sandbox.var(name);
    let (proxy, ca, account) = (var("PROXY"), var("PROXY_CA"), var("SERVICE_ACCOUNT"));
    let name = "signer@demo.iam.gserviceaccount.com";
    let variables = [
        ("HTTPS_PROXY", &*proxy),
        ("SSL_CERT_FILE", &ca),
        ("GOOGLE_APPLICATION_CREDENTIALS", &account),
        ("GOOGLE_SERVICE_ACCOUNT_NAME", name),
    ];
    let provider = ["--oidc-provider", "google-impersonate"];
    good(&scene.sign("SIGNING_CONFIG_V1", &provider, &variables));
    good(&scene.verify(&[], name, &google));
    let tried = |path: &str| {
        let journal = scene.sandbox.journal();
        let found = journal.iter().rfind(|one| one.service == "proxy" && one.path == path);
        found.map(|one| one.status)
    };
    assert_eq!(tried("oauth2.googleapis.com:443"), Some(200));
    assert_eq!(tried("iamcredentials.googleapis.com:443"), Some(200));

    // What has no place in the sandbox is refused, and noted.
    bad(&scene.run(&["initialize"], &variables));
    assert_eq!(tried("tuf-repo-cdn.sigstore.dev:443"), Some(502));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn older_cosign_signs_and_verifies() {
    let cosign = program("cosign2");
    let scene = Scene::new(&cosign, "cosign2", "REGISTRY_REFERRERS", &[]);
    let token = scene.sandbox.token("dex", "sigstore", Map::new()).unwrap();
    let arguments = ["--new-bundle-format", "--identity-token", &token];
    good(&scene.sign("SIGNING_CONFIG_V1", &arguments, &[]));
    // Its Rekor v2 client sends an entry type that rekor-tiles 2.3 refuses, and so does the sandbox.
    bad(&scene.sign("SIGNING_CONFIG_V2", &arguments, &[]));
    let connector = "https://github.com/login/oauth";
    good(&scene.verify(&["--new-bundle-format"], "dev@example.test", connector));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn writes_the_layout_of_tags_too() {
    let cosign = program("cosign");
    let scene = Scene::new(&cosign, "cosign-legacy", "REGISTRY", &[]);
    let token = scene.sandbox.token("github", "sigstore", Map::new()).unwrap();
    let var = |name| scene.sandbox.var(name);
    let (root, fulcio) = (var("TRUSTED_ROOT"), var("FULCIO_URL"));
    let (rekor, tsa) = (var("REKOR_URL"), var("TSA_URL"));
    let format = ["sign", "--new-bundle-format=false", "--use-signing-config=false"];
    let urls = ["--fulcio-url", &fulcio, "--rekor-url", &rekor, "--timestamp-server-url", &tsa];
    let rest = ["--trusted-root", &root, "--identity-token", &token, &scene.image];
    good(&scene.run(&[&format[..], &urls, &rest].concat(), &[]));
    good(&scene.verify(&["--new-bundle-format=false"], WORKFLOW, &scene.github()));
}

/// Who notices a lie.
#[derive(Debug, PartialEq, Eq)]
enum Notices {
    /// `cosign sign`, which verifies a part of what it made.
    Signer,
    /// `cosign verify`, of what `cosign sign` called good.
    Verifier,
    /// Neither: cosign sends no nonce and compares no time of an SCT, and Rekor v2 makes no promise.
    Nobody,
}

fn expected(lie: Lie, config: &str) -> Notices {
    match lie {
        Lie::CertificateForAnotherName
        | Lie::CertificateOfAnotherIssuer
        | Lie::CertificateWithoutSct
        | Lie::SctByUnknownLog
        | Lie::SctOfAnotherCertificate
        | Lie::RegistryKeepsNothing
        | Lie::RegistryKeepsOtherBytes
        | Lie::ReferrersAnswerHtml => Notices::Verifier,
        Lie::TimestampWithAnotherNonce | Lie::SctOfThePast => Notices::Nobody,
        Lie::PromiseByAnotherKey if config == "SIGNING_CONFIG_V2" => Notices::Nobody,
        Lie::CertificateForAnotherKey
        | Lie::CertificateByAnotherCa
        | Lie::AuthorityWithNameConstraints
        | Lie::CertificateExpired
        | Lie::TimestampOfOtherData
        | Lie::TimestampByUnknownAuthority
        | Lie::TimestampOutsideCertificate
        | Lie::EntryOfAnotherBody
        | Lie::PromiseByAnotherKey
        | Lie::ProofOfAnotherLeaf
        | Lie::ProofMissing
        | Lie::CheckpointTruncated
        | Lie::CheckpointByAnotherKey => Notices::Signer,
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn lies_are_noticed() {
    let cosign = program("cosign");
    let mut wrong = Vec::new();
    for config in ["SIGNING_CONFIG_V1", "SIGNING_CONFIG_V2"] {
        for lie in Lie::ALL.iter().copied() {
            let scene = Scene::new(&cosign, "cosign-lies", "REGISTRY_REFERRERS", &[lie]);
            let token = scene.sandbox.token("github", "sigstore", Map::new()).unwrap();
            let signed = scene.sign(config, &["--identity-token", &token], &[]);
            let verified = scene.verify(&[], WORKFLOW, &scene.github());
            let found = match (signed.status.success(), verified.status.success()) {
                (false, _) => Notices::Signer,
                (true, false) => Notices::Verifier,
                (true, true) => Notices::Nobody,
            };
            if found != expected(lie, config) {
                let said = [signed.stderr, verified.stderr].concat();
                let said = String::from_utf8_lossy(&said).into_owned();
                wrong.push(format!("{config} {lie:?}: {found:?}\n{said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
