// SPDX-License-Identifier: Apache-2.0
//! The flags that several commands have in common, in groups. The help of a flag ends with its
//! variable, `($NAME)`; the flag wins.

use std::path::PathBuf;

use ambisign_host::Warning;
use clap::Args;

/// What signing anything takes.
#[derive(Args, Clone, Debug, Default)]
pub struct SigningArgs {
    /// Who signs.
    #[command(flatten)]
    pub identity: IdentityArgs,

    /// Which services are used.
    #[command(flatten)]
    pub services: ServiceArgs,

    /// Whom to believe.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Do everything up to the certificate, and publish nothing ($AMBISIGN_DRY_RUN)
    #[arg(long, help_heading = "Run")]
    pub dry_run: bool,

    /// How many images are signed at the same time, at most 1000 [default: 64] ($AMBISIGN_JOBS)
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub jobs: Option<String>,

    /// Timeout and output options.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Who signs.
#[derive(Args, Clone, Debug, Default)]
pub struct IdentityArgs {
    /// The identity token, or the path of a file that holds it ($AMBISIGN_IDENTITY_TOKEN)
    ///
    /// Other processes of the machine can read the command line: prefer a file or
    /// `SIGSTORE_ID_TOKEN`.
    #[arg(long, value_name = "TOKEN|PATH", help_heading = "Identity")]
    pub identity_token: Option<String>,

    /// A file that holds the identity token, `-` for standard input
    /// ($AMBISIGN_IDENTITY_TOKEN_FILE)
    #[arg(long, value_name = "PATH", help_heading = "Identity")]
    pub identity_token_file: Option<PathBuf>,

    /// Take the identity from this provider and no other ($AMBISIGN_OIDC_PROVIDER)
    #[arg(long, value_name = "NAME", help_heading = "Identity", long_help = oidc_provider())]
    pub oidc_provider: Option<String>,

    /// Take a token from a flag or from `SIGSTORE_ID_TOKEN`, and from nowhere else
    /// ($AMBISIGN_OIDC_DISABLE_AMBIENT_PROVIDERS)
    #[arg(long, help_heading = "Identity")]
    pub oidc_disable_ambient_providers: bool,

    /// The audience of the identity token [default: sigstore] ($AMBISIGN_AUDIENCE)
    #[arg(long, value_name = "AUDIENCE", help_heading = "Identity")]
    pub audience: Option<String>,

    /// Stop unless the certificate will carry exactly this identity ($AMBISIGN_REQUIRE_IDENTITY)
    #[arg(long, value_name = "IDENTITY", help_heading = "Identity")]
    pub require_identity: Option<String>,

    /// Stop unless the certificate will carry exactly this issuer ($AMBISIGN_REQUIRE_ISSUER)
    #[arg(long, value_name = "URL", help_heading = "Identity")]
    pub require_issuer: Option<String>,

    /// Sign although the repository is private and the log is public
    /// ($AMBISIGN_ALLOW_PRIVATE_REPOSITORY)
    #[arg(long, help_heading = "Identity")]
    pub allow_private_repository: bool,

    /// Consent to what becomes public, as `--allow-private-repository` does; nothing is ever asked
    /// ($AMBISIGN_YES)
    #[arg(long, short, help_heading = "Identity")]
    pub yes: bool,
}

/// Which services are used to sign.
#[derive(Args, Clone, Debug, Default)]
pub struct ServiceArgs {
    /// A Sigstore signing config: which services to use [default: that of the TUF mirror]
    /// ($AMBISIGN_SIGNING_CONFIG)
    ///
    /// With `--trusted-root` and without a mirror it is needed, unless the URLs below name the
    /// services.
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub signing_config: Option<PathBuf>,

    /// The certificate authority, Fulcio; it receives the token ($AMBISIGN_FULCIO_URL)
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub fulcio_url: Option<String>,

    /// The transparency log, Rekor ($AMBISIGN_REKOR_URL)
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub rekor_url: Option<String>,

    /// The API that `--rekor-url` speaks [default: auto] ($AMBISIGN_REKOR_VERSION)
    #[arg(
        long,
        value_name = "VERSION",
        value_parser = ["auto", "1", "2"],
        help_heading = "Services and trust"
    )]
    pub rekor_version: Option<String>,

    /// The timestamp authority, path included ($AMBISIGN_TSA_URL)
    #[arg(
        long,
        value_name = "URL",
        visible_alias = "timestamp-server-url",
        help_heading = "Services and trust"
    )]
    pub tsa_url: Option<String>,

    /// An OIDC issuer for interactive logins: accepted as other clients do, and not used
    /// ($AMBISIGN_OIDC_ISSUER)
    ///
    /// The identity of a job comes with its issuer. `--require-issuer` insists on one.
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub oidc_issuer: Option<String>,
}

/// Whom to believe.
#[derive(Args, Clone, Debug, Default)]
pub struct TrustArgs {
    /// Sigstore trusted root, the keys and certificates to trust [default: that of the TUF mirror]
    /// ($AMBISIGN_TRUSTED_ROOT)
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub trusted_root: Option<PathBuf>,

    /// The TUF mirror that has trusted root and signing config [default: that of the public
    /// instance] ($AMBISIGN_TUF_MIRROR)
    ///
    /// Needs `--tuf-root`, unless it is the mirror of the public or of the staging instance.
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub tuf_mirror: Option<String>,

    /// A root of `--tuf-mirror`, a `root.json`, needed in every run ($AMBISIGN_TUF_ROOT)
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub tuf_root: Option<PathBuf>,

    /// Use the staging instance of Sigstore ($AMBISIGN_STAGING)
    #[arg(long, help_heading = "Services and trust")]
    pub staging: bool,

    /// Refuse every environment variable that decides who gets the token or what is trusted
    /// ($AMBISIGN_PUBLIC_INSTANCE)
    ///
    /// `ambisign env` marks them, and those that consent to what becomes public, which are refused
    /// too. Flags still count, and so does a proxy.
    #[arg(long, help_heading = "Services and trust")]
    pub public_instance: bool,

    /// PEM certificates to trust for TLS, beside those of the machine ($AMBISIGN_CA_FILE)
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub ca_file: Option<PathBuf>,
}

/// How the registry is talked to.
#[derive(Args, Clone, Debug, Default)]
pub struct RegistryArgs {
    /// The user at the registry ($AMBISIGN_REGISTRY_USERNAME)
    ///
    /// Its password is in AMBISIGN_REGISTRY_PASSWORD, and AMBISIGN_REGISTRY_TOKEN is a bearer token
    /// instead of both: there is no flag for a secret. Without them the logins of Docker and Podman
    /// are used, then `GITHUB_TOKEN` for ghcr.io, `CI_REGISTRY_PASSWORD` for `CI_REGISTRY`, and on
    /// Google Cloud the machine's account for gcr.io and pkg.dev. All images must be of the registry
    /// that a login given here is for.
    #[arg(long, value_name = "NAME", help_heading = "Registry")]
    pub registry_username: Option<String>,

    /// The repository that has the signatures of all images [default: that of each image]
    /// ($AMBISIGN_SIGNATURE_REPOSITORY)
    ///
    /// `COSIGN_REPOSITORY` says the same. Whoever verifies must name the same repository. The images
    /// themselves are only read.
    #[arg(long, value_name = "REPOSITORY", help_heading = "Registry")]
    pub signature_repository: Option<String>,

    /// Allow plain HTTP for this registry ($AMBISIGN_ALLOW_HTTP_REGISTRY)
    ///
    /// Give the host and port as the image names them: `--allow-http-registry=registry.corp:5000`;
    /// repeat the flag for several. Without a value it allows plain HTTP for every registry that
    /// answers TLS with it. A registry on this machine needs no flag. A registry that gets the
    /// login of the job's platform always needs TLS.
    #[arg(
        long,
        value_name = "HOST",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = "Registry"
    )]
    pub allow_http_registry: Vec<String>,
}

/// Timeout and output options.
#[derive(Args, Clone, Debug, Default)]
pub struct RunArgs {
    /// The longest time of the whole run, such as 90s, at most a day [default: 10m]
    /// ($AMBISIGN_TIMEOUT)
    #[arg(long, short_alias = 't', value_name = "DURATION", help_heading = "Run")]
    pub timeout: Option<String>,

    /// What goes to standard output: one line for each signed image, or one JSON document
    /// [default: text] ($AMBISIGN_OUTPUT)
    #[arg(
        long,
        short_alias = 'o',
        value_name = "FORMAT",
        value_parser = ["text", "json"],
        help_heading = "Run"
    )]
    pub output: Option<String>,

    /// Log one line for each HTTP request ($AMBISIGN_VERBOSE)
    #[arg(long, short, short_alias = 'd', help_heading = "Run")]
    pub verbose: bool,

    /// What of the command line and of the variables of cosign changes nothing.
    #[arg(skip)]
    pub unused: Vec<Warning>,
}

/// The long help of `--oidc-provider`, with the names of all providers.
fn oidc_provider() -> String {
    let names: Vec<_> = ambisign_providers::names().collect();
    format!(
        "Take the identity from this provider and no other ($AMBISIGN_OIDC_PROVIDER)\n\nOne of {}. \
         Without it the first that is here, in this order, is the one; google-adc is only taken by \
         name.",
        names.join(", ")
    )
}
