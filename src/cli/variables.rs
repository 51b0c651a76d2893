// SPDX-License-Identifier: Apache-2.0
//! The table of all environment variables that ambisign reads.
//!
//! `ambisign env` prints it; [`crate::settings`] uses its `AMBISIGN_*` names and the rows marked
//! [`Role::Decides`]. ambisign reads all of these variables and no others.

use std::sync::LazyLock;

use ambisign_host::Env;
use ambisign_providers::{self as providers, PROVIDERS};

/// The prefix of the program's own variables.
pub const PREFIX: &str = "AMBISIGN_";

/// The effect of a variable on the security of a run: what its value decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It names a server that gets a credential of the job's platform. Only servers of the platform count. With
    /// `--public-instance` no variable makes a server one of the platform: that takes the flag `--require-issuer`.
    Binds,
    /// It chooses which identity signs, or which login is used. It sends neither anywhere else.
    Chooses,
    /// It consents to publishing private facts. With `--public-instance`, only flags can do that.
    Consents,
    /// It decides where signatures are stored and looked for. Every run reports it. `--public-instance`
    /// accepts it, because it does not affect who gets the token and what is trusted.
    Places,
    /// None of these effects.
    Plain,
    /// It chooses the way to a server, and not the server: TLS shows who answers.
    Routes,
    /// It names a program or a folder of programs that is run, so it decides what runs as this user. Every run needs it.
    Runs,
    /// It contains a credential, which is never shown.
    Secret,
    /// It decides who gets the identity token or what is trusted. `--public-instance` refuses it.
    Decides,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The exact name.
    pub name: &'static str,
    /// Its meaning, on one line.
    pub meaning: &'static str,
    /// A value, or a description of one in angle brackets.
    pub example: &'static str,
    /// Its effect on security.
    pub role: Role,
    /// Values that decide nothing, because they name what holds without the variable.
    pub usual: &'static [&'static str],
}

impl Variable {
    /// Returns `true` if `env` has a value for this variable that may decide something: it is not empty, in any
    /// encoding, and not one of the usual values.
    pub fn is_given(&self, env: &Env) -> bool {
        let usual = |value: &str| self.usual.contains(&value);
        env.raw(self.name)
            .is_some_and(|value| !value.is_empty() && !value.to_str().is_some_and(usual))
    }
}

const fn row(
    role: Role,
    name: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> Variable {
    Variable { name, meaning, example, role, usual: &[] }
}

const fn binds(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    row(Role::Binds, name, example, meaning)
}

const fn chooses(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    row(Role::Chooses, name, example, meaning)
}

const fn routes(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    row(Role::Routes, name, example, meaning)
}

const fn runs(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    row(Role::Runs, name, example, meaning)
}

const fn plain(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    row(Role::Plain, name, example, meaning)
}

const fn secret(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    row(Role::Secret, name, example, meaning)
}

const fn consents(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    row(Role::Consents, name, example, meaning)
}

const fn places(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    row(Role::Places, name, example, meaning)
}

const fn decides(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    row(Role::Decides, name, example, meaning)
}

/// A part of the table.
#[derive(Debug)]
pub struct Section {
    /// What its variables are about.
    pub title: &'static str,
    /// Its variables.
    pub variables: Vec<Variable>,
}

/// The table in its sections. A variable of a provider that the program reads too has its row here.
pub static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(|| {
    let ours = [IDENTITY, IMAGES, REGISTRY, TRUST, OUTPUT, NETWORK, CI];
    let is_ours = |name: &str| ours.iter().any(|rows| rows.iter().any(|row| row.name == name));
    let read = PROVIDERS.iter().flat_map(|provider| provider.variables);
    let read = read.filter(|read| !is_ours(read.name)).map(of_provider);
    let systems = CI.iter().copied().chain(read);
    let section = |title, rows: &[Variable]| Section { title, variables: rows.to_vec() };
    vec![
        section("Identity", IDENTITY),
        section("Images", IMAGES),
        section("Registry", REGISTRY),
        section("Services and trust", TRUST),
        section("Result and output", OUTPUT),
        section("Network", NETWORK),
        section("CI systems and clouds", &systems.collect::<Vec<_>>()),
    ]
});

/// All variables, in the order of the sections.
pub static VARIABLES: LazyLock<Vec<Variable>> = LazyLock::new(|| {
    let sections = SECTIONS.iter();
    sections.flat_map(|section| section.variables.iter().copied()).collect()
});

fn of_provider(read: &ambisign_providers::Variable) -> Variable {
    let (role, usual): (_, &'static [&'static str]) = match read.decides {
        _ if read.is_secret => (Role::Secret, &[]),
        providers::Decides::Identity => (Role::Chooses, &[]),
        providers::Decides::Nothing => (Role::Plain, &[]),
        providers::Decides::Receiver => (Role::Binds, &[]),
        providers::Decides::Voucher(usual) => (Role::Decides, usual),
    };
    Variable { usual, ..row(role, read.name, read.example, read.meaning) }
}

/// The identity that signs.
#[rustfmt::skip] // One row a line, or the table cannot be read.
const IDENTITY: &[Variable] = &[
    consents("AMBISIGN_ALLOW_PRIVATE_REPOSITORY", "true", "`--allow-private-repository`"),
    chooses("AMBISIGN_AUDIENCE", "sigstore", "`--audience`"),
    secret("AMBISIGN_IDENTITY_TOKEN", "<token, or path of one>", "`--identity-token`"),
    chooses("AMBISIGN_IDENTITY_TOKEN_FILE", "/var/run/secrets/tokens/sigstore", "`--identity-token-file`"),
    chooses("AMBISIGN_OIDC_DISABLE_AMBIENT_PROVIDERS", "true", "`--oidc-disable-ambient-providers`"),
    chooses("AMBISIGN_OIDC_PROVIDER", "github-actions", "`--oidc-provider`"),
    plain("AMBISIGN_REQUIRE_IDENTITY", "signer@acme.iam.gserviceaccount.com", "`--require-identity`"),
    plain("AMBISIGN_REQUIRE_ISSUER", "https://accounts.google.com", "`--require-issuer`"),
    consents("AMBISIGN_YES", "true", "`--yes`"),
    secret("SIGSTORE_ID_TOKEN", "<token>", "the identity token, with the name that other Sigstore clients read; must not be empty"),
    secret("SIGSTORE_IDENTITY_TOKEN", "<token>", "the same, with the name that sigstore-python reads"),
];

/// What is signed.
#[rustfmt::skip] // One row a line, or the table cannot be read.
const IMAGES: &[Variable] = &[
    plain("AMBISIGN_ANNOTATIONS", "env=prod", "`--annotations`, one per line"),
    plain("AMBISIGN_DIGEST", "sha256:9f2c...", "`--digest`"),
    plain("AMBISIGN_IMAGES", "ghcr.io/acme/app@sha256:9f2c...", "the images, separated by newlines, blanks or commas"),
    plain("AMBISIGN_IMAGES_FILE", "images.txt", "`--images-file`"),
    plain("AMBISIGN_METADATA", "{\"containerimage.digest\":\"sha256:9f2c...\"}", "`--metadata`"),
    plain("AMBISIGN_RECURSIVE", "true", "`--recursive`"),
    plain("AMBISIGN_REQUIRE_DIGEST", "true", "`--require-digest`"),
    plain("AMBISIGN_TAGS", "ghcr.io/acme/app:v1", "`--tags`"),
    plain("GITHUB_ARTIFACTS_LIST", "/runner/artifacts.json", "GitHub Actions: the artifacts of earlier steps; its images are signed if nothing else names one"),
];

/// Where images and signatures are, and who may go there.
#[rustfmt::skip] // One row a line, or the table cannot be read.
const REGISTRY: &[Variable] = &[
    decides("AMBISIGN_ALLOW_HTTP_REGISTRY", "registry.corp:5000", "`--allow-http-registry`; separate several with blanks or commas"),
    secret("AMBISIGN_REGISTRY_PASSWORD", "<password>", "the password for `--registry-username`"),
    secret("AMBISIGN_REGISTRY_TOKEN", "<token>", "a bearer token for the registry, instead of user and password"),
    chooses("AMBISIGN_REGISTRY_USERNAME", "robot", "`--registry-username`"),
    places("AMBISIGN_SIGNATURE_REPOSITORY", "ghcr.io/acme/signatures", "`--signature-repository`"),
    places("COSIGN_REPOSITORY", "ghcr.io/acme/signatures", "`--signature-repository`, with the name that cosign reads"),
    chooses("BUILDX_CONFIG", "/root/.docker/buildx", "Buildx's folder, where docker/login-action keeps logins with a `scope`"),
    binds("CI_REGISTRY", "registry.gitlab.com", "GitLab: the registry of the job's login"),
    secret("CI_REGISTRY_PASSWORD", "<password>", "GitLab: a login for `CI_REGISTRY` only"),
    binds("CI_SERVER_HOST", "gitlab.com", "GitLab: the server that issues tokens for `CI_REGISTRY`"),
    chooses("CI_REGISTRY_USER", "gitlab-ci-token", "GitLab: the user for `CI_REGISTRY_PASSWORD`"),
    secret("DOCKER_AUTH_CONFIG", "<JSON>", "registry logins in the form of Docker's `config.json`, as in GitLab; files take precedence"),
    chooses("DOCKER_CONFIG", "/builder/home/.docker", "the folder of Docker's `config.json`, with the registry logins"),
    chooses("GITHUB_ACTOR", "octocat", "the user for `GITHUB_TOKEN`"),
    secret("GITHUB_TOKEN", "<token>", "a login for ghcr.io only"),
    chooses("HOME", "/root", "the folder below which logins, TUF metadata and Google's credentials are by default"),
    runs("PATH", "/usr/local/bin:/usr/bin:/bin", "the folders of credential helpers; only those with an absolute path count"),
    chooses("REGISTRY_AUTH_FILE", "/run/containers/auth.json", "Podman's file of registry logins"),
    chooses("XDG_CONFIG_HOME", "/root/.config", "the folder of Podman's permanent logins"),
    chooses("XDG_RUNTIME_DIR", "/run/user/1000", "the folder of Podman's logins"),
];

/// The services and the trust material.
#[rustfmt::skip] // One row a line, or the table cannot be read.
const TRUST: &[Variable] = &[
    decides("AMBISIGN_CA_FILE", "/etc/ssl/corporate.pem", "`--ca-file`"),
    decides("AMBISIGN_FULCIO_URL", "https://fulcio.example.com", "`--fulcio-url`"),
    plain("AMBISIGN_OIDC_ISSUER", "https://oauth2.example.com/auth", "`--oidc-issuer`"),
    plain("AMBISIGN_PUBLIC_INSTANCE", "true", "`--public-instance`"),
    decides("AMBISIGN_REKOR_URL", "https://rekor.example.com", "`--rekor-url`"),
    plain("AMBISIGN_REKOR_VERSION", "2", "`--rekor-version`"),
    decides("AMBISIGN_SIGNING_CONFIG", "signing_config.json", "`--signing-config`"),
    decides("AMBISIGN_STAGING", "true", "`--staging`"),
    decides("AMBISIGN_TRUSTED_ROOT", "trusted_root.json", "`--trusted-root`"),
    decides("AMBISIGN_TSA_URL", "https://tsa.example.com/api/v1/timestamp", "`--tsa-url`"),
    decides("AMBISIGN_TUF_MIRROR", "https://tuf.example.com", "`--tuf-mirror`"),
    decides("AMBISIGN_TUF_ROOT", "root.json", "`--tuf-root`"),
    plain("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", "ctfe.pub", "a key for older versions of cosign; unless `--trusted-root` or another trust is given, it ends the run"),
    plain("SIGSTORE_REKOR_PUBLIC_KEY", "rekor.pub", "the same"),
    plain("SIGSTORE_ROOT_FILE", "fulcio.pem", "the same, a certificate"),
    plain("SIGSTORE_TSA_CERTIFICATE_FILE", "tsa.pem", "the same"),
    decides("TUF_MIRROR", "https://tuf.example.com", "`--tuf-mirror`, with the name that cosign reads"),
    decides("TUF_ROOT", "/var/cache/sigstore", "the folder for TUF metadata, as in cosign; ambisign uses its subfolder `ambisign`"),
    decides("TUF_ROOT_JSON", "root.json", "`--tuf-root`, with the name that cosign reads"),
    plain("XDG_CACHE_HOME", "/root/.cache", "the folder for TUF metadata, in its subfolder `ambisign/tuf`"),
];

/// The results and the output.
#[rustfmt::skip] // One row a line, or the table cannot be read.
const OUTPUT: &[Variable] = &[
    plain("AMBISIGN_BUNDLE", "app.sigstore.json", "`--bundle` of `sign` and `attach`"),
    plain("AMBISIGN_BUNDLE_DIR", "bundles", "`--bundle-dir`"),
    plain("AMBISIGN_DRY_RUN", "true", "`--dry-run`"),
    plain("AMBISIGN_IF_SIGNED", "skip", "`--if-signed`"),
    plain("AMBISIGN_JOBS", "64", "`--jobs`"),
    plain("AMBISIGN_NO_PUSH", "true", "`--no-push`"),
    plain("AMBISIGN_OUTPUT", "json", "`--output`"),
    plain("AMBISIGN_SUMMARY", "false", "GitHub Actions: whether a job summary is written"),
    plain("AMBISIGN_TIMEOUT", "10m", "`--timeout`"),
    plain("AMBISIGN_VERBOSE", "true", "`--verbose`"),
    plain("NO_COLOR", "1", "the log is plain"),
    plain("TERM", "dumb", "`dumb`: the log is plain"),
    plain("TMPDIR", "/tmp", "the folder for a bundle that could not be attached, if the working directory is not writable"),
];

/// How other machines are reached.
#[rustfmt::skip] // One row a line, or the table cannot be read.
const NETWORK: &[Variable] = &[
    routes("HTTPS_PROXY", "http://proxy.example.com:3128", "the proxy for https; the upper-case name takes precedence"),
    routes("HTTP_PROXY", "http://proxy.example.com:3128", "the proxy for http; the upper-case name takes precedence"),
    routes("ALL_PROXY", "socks5://proxy.example.com:1080", "the proxy for both, if no other is set; the upper-case name takes precedence"),
    routes("NO_PROXY", "registry.example.com,*.corp,10.0.0.0/8", "hosts to reach without a proxy; the upper-case name takes precedence"),
    decides("SSL_CERT_DIR", "/etc/ssl/certs", "folders of CA certificates for TLS, instead of the machine's folders"),
    decides("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt", "a file of CA certificates for TLS, instead of the machine's bundle; its folders still count"),
];

/// What tells one CI system or cloud from another.
#[rustfmt::skip] // One row a line, or the table cannot be read.
const CI: &[Variable] = &[
    plain("CI", "true", "any CI: the log is plain"),
    chooses("GITHUB_ACTIONS", "true", "identifies GitHub Actions; errors become annotations"),
    plain("GITHUB_OUTPUT", "/home/runner/work/_temp/...", "GitHub Actions: the file for the outputs of the step"),
    plain("GITHUB_STEP_SUMMARY", "/home/runner/work/_temp/...", "GitHub Actions: the file for the job summary"),
    plain("GITHUB_WORKFLOW_REF", "acme/app/.github/workflows/release.yml@refs/heads/main", "GitHub Actions: the workflow file, which annotations point to"),
    plain("RUNNER_TEMP", "/home/runner/work/_temp", "GitHub Actions: the folder for the result file"),
    plain("RUNNER_DEBUG", "1", "GitHub Actions: the same as `--verbose`"),
    plain("APPVEYOR", "true", "identifies AppVeyor, only for advice in messages"),
    plain("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/secrets/...", "identifies an AWS pod, only for advice in messages"),
    plain("AWS_LAMBDA_FUNCTION_NAME", "sign", "identifies AWS, only for advice in messages"),
    plain("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/...", "identifies an AWS pod, only for advice in messages"),
    plain("AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/...", "identifies an Azure pod, only for advice in messages"),
    plain("BITBUCKET_BUILD_NUMBER", "7", "identifies Bitbucket Pipelines, only for advice in messages"),
    plain("BUDDY", "true", "identifies Buddy, only for advice in messages"),
    plain("CI_SYSTEM_NAME", "woodpecker", "identifies Woodpecker, only for advice in messages"),
    plain("CODEBUILD_BUILD_ID", "acme:7", "identifies AWS CodeBuild, only for advice in messages"),
    plain("DRONE", "true", "identifies Drone, only for advice in messages"),
    plain("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/...", "identifies AWS, only for advice in messages"),
    plain("HARNESS_BUILD_ID", "7", "identifies Harness, only for advice in messages"),
    plain("JENKINS_URL", "https://jenkins.example.com", "identifies Jenkins, only for advice in messages"),
    plain("SEMAPHORE", "true", "identifies Semaphore, only for advice in messages"),
    plain("TEAMCITY_VERSION", "2026.1", "identifies TeamCity, only for advice in messages"),
    plain("TFC_RUN_ID", "run-1", "identifies Terraform Cloud, only for advice in messages"),
    plain("TF_BUILD", "True", "identifies Azure Pipelines, only for advice in messages"),
    plain("TRAVIS", "true", "identifies Travis CI, only for advice in messages"),
];

/// The variable that carries the value of the flag `--name`.
pub fn variable_of(flag: &str) -> String {
    prefixed(PREFIX, flag)
}

/// The name of the flag in the form of a variable, after `prefix`.
pub(crate) fn prefixed(prefix: &str, flag: &str) -> String {
    format!("{prefix}{}", flag.replace('-', "_").to_ascii_uppercase())
}

#[cfg(test)]
mod tests;
