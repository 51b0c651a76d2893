// SPDX-License-Identifier: Apache-2.0
//! Groups of flags that several commands share. The help of a flag ends with its variable, `($NAME)`;
//! the flag takes precedence.

use std::path::PathBuf;

use ambisign_host::Warning;
use clap::Args;

/// Options of every signing command.
#[derive(Args, Clone, Debug, Default)]
pub struct SigningArgs {
    /// The identity that signs.
    #[command(flatten)]
    pub identity: IdentityArgs,

    /// The services to use.
    #[command(flatten)]
    pub services: ServiceArgs,

    /// Trust material.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Run every step before the certificate, and publish nothing ($AMBISIGN_DRY_RUN)
    #[arg(long, help_heading = "Run")]
    pub dry_run: bool,

    /// The number of images to sign at the same time, at most 1000 [default: 64] ($AMBISIGN_JOBS)
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub jobs: Option<String>,

    /// Timeout and output options.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The identity that signs.
#[derive(Args, Clone, Debug, Default)]
pub struct IdentityArgs {
    /// The identity token, or the path of a file that contains it ($AMBISIGN_IDENTITY_TOKEN)
    ///
    /// Other processes on the machine can read the command line, so prefer a file or
    /// `SIGSTORE_ID_TOKEN`.
    #[arg(long, value_name = "TOKEN|PATH", help_heading = "Identity")]
    pub identity_token: Option<String>,

    /// A file that contains the identity token; `-` is standard input
    /// ($AMBISIGN_IDENTITY_TOKEN_FILE)
    #[arg(long, value_name = "PATH", help_heading = "Identity")]
    pub identity_token_file: Option<PathBuf>,

    /// Use this identity provider and no other ($AMBISIGN_OIDC_PROVIDER)
    #[arg(long, value_name = "NAME", help_heading = "Identity", long_help = oidc_provider())]
    pub oidc_provider: Option<String>,

    /// Use a token from a flag or from `SIGSTORE_ID_TOKEN` only
    /// ($AMBISIGN_OIDC_DISABLE_AMBIENT_PROVIDERS)
    #[arg(long, help_heading = "Identity")]
    pub oidc_disable_ambient_providers: bool,

    /// The audience of the identity token [default: sigstore] ($AMBISIGN_AUDIENCE)
    #[arg(long, value_name = "AUDIENCE", help_heading = "Identity")]
    pub audience: Option<String>,

    /// Fail unless the certificate will have exactly this identity ($AMBISIGN_REQUIRE_IDENTITY)
    #[arg(long, value_name = "IDENTITY", help_heading = "Identity")]
    pub require_identity: Option<String>,

    /// Fail unless the certificate will have exactly this issuer ($AMBISIGN_REQUIRE_ISSUER)
    #[arg(long, value_name = "URL", help_heading = "Identity")]
    pub require_issuer: Option<String>,

    /// Sign even if the repository is private and the log is public
    /// ($AMBISIGN_ALLOW_PRIVATE_REPOSITORY)
    #[arg(long, help_heading = "Identity")]
    pub allow_private_repository: bool,

    /// The same as `--allow-private-repository`; ambisign never prompts
    /// ($AMBISIGN_YES)
    #[arg(long, short, help_heading = "Identity")]
    pub yes: bool,
}

/// The services to sign with.
#[derive(Args, Clone, Debug, Default)]
pub struct ServiceArgs {
    /// A Sigstore signing config, which selects the services [default: from the TUF mirror]
    /// ($AMBISIGN_SIGNING_CONFIG)
    ///
    /// Required with `--trusted-root` if there is no mirror, unless the URLs below name the services.
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub signing_config: Option<PathBuf>,

    /// The certificate authority, Fulcio; it receives the token ($AMBISIGN_FULCIO_URL)
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub fulcio_url: Option<String>,

    /// The transparency log, Rekor ($AMBISIGN_REKOR_URL)
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub rekor_url: Option<String>,

    /// The API version of `--rekor-url` [default: auto] ($AMBISIGN_REKOR_VERSION)
    #[arg(
        long,
        value_name = "VERSION",
        value_parser = ["auto", "1", "2"],
        help_heading = "Services and trust"
    )]
    pub rekor_version: Option<String>,

    /// The timestamp authority, including its path ($AMBISIGN_TSA_URL)
    #[arg(
        long,
        value_name = "URL",
        visible_alias = "timestamp-server-url",
        help_heading = "Services and trust"
    )]
    pub tsa_url: Option<String>,

    /// An OIDC issuer for interactive logins; accepted for compatibility, and not used
    /// ($AMBISIGN_OIDC_ISSUER)
    ///
    /// The job's identity has its own issuer. To require an issuer, use `--require-issuer`.
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub oidc_issuer: Option<String>,
}

/// Trust material.
#[derive(Args, Clone, Debug, Default)]
pub struct TrustArgs {
    /// A Sigstore trusted root, with the trusted keys and certificates [default: from the TUF mirror]
    /// ($AMBISIGN_TRUSTED_ROOT)
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub trusted_root: Option<PathBuf>,

    /// The TUF mirror with the trusted root and the signing config [default: the public instance]
    /// ($AMBISIGN_TUF_MIRROR)
    ///
    /// Requires `--tuf-root`, except for the mirrors of the public and the staging instance.
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub tuf_mirror: Option<String>,

    /// A root (`root.json`) of `--tuf-mirror`, required in every run ($AMBISIGN_TUF_ROOT)
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub tuf_root: Option<PathBuf>,

    /// Use Sigstore's staging instance ($AMBISIGN_STAGING)
    #[arg(long, help_heading = "Services and trust")]
    pub staging: bool,

    /// Refuse environment variables that decide who gets the token or what is trusted
    /// ($AMBISIGN_PUBLIC_INSTANCE)
    ///
    /// Variables that consent to publishing private facts are refused too. `ambisign env` marks both
    /// kinds. Flags and proxy variables still work.
    #[arg(long, help_heading = "Services and trust")]
    pub public_instance: bool,

    /// PEM certificates to trust for TLS, in addition to the machine's ($AMBISIGN_CA_FILE)
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub ca_file: Option<PathBuf>,
}

/// Registry options.
#[derive(Args, Clone, Debug, Default)]
pub struct RegistryArgs {
    /// The user name for the registry ($AMBISIGN_REGISTRY_USERNAME)
    ///
    /// Put the password into AMBISIGN_REGISTRY_PASSWORD, or a bearer token instead of both into
    /// AMBISIGN_REGISTRY_TOKEN; no flag accepts a secret. Without these, ambisign uses the logins of
    /// Docker and Podman, then `GITHUB_TOKEN` for ghcr.io, `CI_REGISTRY_PASSWORD` for `CI_REGISTRY`,
    /// and on Google Cloud the machine's account for gcr.io and pkg.dev. With a login from here, all
    /// images must be in the same registry.
    #[arg(long, value_name = "NAME", help_heading = "Registry")]
    pub registry_username: Option<String>,

    /// The repository for the signatures of all images [default: the repository of each image]
    /// ($AMBISIGN_SIGNATURE_REPOSITORY)
    ///
    /// `COSIGN_REPOSITORY` has the same meaning. Verifiers must name the same repository. The
    /// repositories of the images are only read.
    #[arg(long, value_name = "REPOSITORY", help_heading = "Registry")]
    pub signature_repository: Option<String>,

    /// Allow plain HTTP for this registry ($AMBISIGN_ALLOW_HTTP_REGISTRY)
    ///
    /// Pass the host and port in the same form as in the image: `--allow-http-registry=registry.corp:5000`;
    /// repeat the flag for several. Without a value, it allows plain HTTP for every registry that
    /// answers TLS with plain HTTP. A registry on this machine needs no flag. A registry that receives
    /// the login of the job's platform always needs TLS.
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
    /// The time limit of the whole run, such as 90s, at most a day [default: 10m]
    /// ($AMBISIGN_TIMEOUT)
    #[arg(long, short_alias = 't', value_name = "DURATION", help_heading = "Run")]
    pub timeout: Option<String>,

    /// The format of standard output: one line for each signed image, or one JSON document
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

    /// Warnings about flags and variables of cosign without effect.
    #[arg(skip)]
    pub unused: Vec<Warning>,
}

/// The long help of `--oidc-provider`, with the names of all providers.
fn oidc_provider() -> String {
    let names: Vec<_> = ambisign_providers::names().collect();
    format!(
        "Use this identity provider and no other ($AMBISIGN_OIDC_PROVIDER)

One of {}. \
         By default, the first one detected in this order is used; google-adc is only used by \
         name, and so is google-workload-identity in a CI job.",
        names.join(", ")
    )
}
