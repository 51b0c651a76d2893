// SPDX-License-Identifier: Apache-2.0
//! The command lines of `verify` and `verify-blob`.
//!
//! Who is accepted comes from flags alone: a variable, which one job of a CI system may set for
//! another, must not widen it.

use std::path::PathBuf;

use clap::Args;

use super::TEMPLATE;
use super::groups::{RegistryArgs, RunArgs, TrustArgs};

const IMAGE_EXAMPLES: &str = "\
Examples:
  ambisign verify IMAGE@DIGEST \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
    --certificate-identity \\
      https://github.com/acme/app/.github/workflows/ci.yml@refs/heads/main
  ambisign verify IMAGE \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
    --certificate-identity-regexp 'https://github.com/acme/.*'
  ambisign verify --bundle bundle.json --key cosign.pub IMAGE@DIGEST
  ambisign verify --trusted-root trusted_root.json --key cosign.pub \\
    -a env=prod IMAGE
";

const BLOB_EXAMPLES: &str = "\
Examples:
  ambisign verify-blob --certificate-identity release@acme.example \\
    --certificate-oidc-issuer https://accounts.google.com app.tar.gz
  ambisign verify-blob --bundle app.sigstore.json --key cosign.pub \\
    sha256:9f2c...41d0
";

const EXIT_CODES: &str = "\
Exit codes:
  0    every artifact has an acceptable signature
  1    a bug in ambisign
  2    usage or settings, or a file that cannot be read; no network was used
  4    trust material bad, expired or missing
  5    the registry's answers do not verify, TLS included: do not retry, look
  6    the registry says no
  8    verify: no acceptable signature; the reason of each is told
  75   registry or TUF mirror unreachable or refusing for now: nothing is known,
       safe to run again
  130  interrupted by SIGINT
  143  interrupted by SIGTERM
  A signature of somebody else, of another artifact, with another key, not
  under this trusted root or malformed is 8. Of several artifacts the worst one
  counts, 8 before all others.
";

/// Who must have signed: a name and its issuer, or a key.
#[derive(Args, Clone, Debug, Default)]
pub struct SignerArgs {
    /// The name in the certificate: a workflow's URL, an e-mail address; compared exactly
    #[arg(long, value_name = "IDENTITY", help_heading = "Signer")]
    pub certificate_identity: Option<String>,

    /// A regular expression that matches the whole name
    ///
    /// RE2, without Unicode classes such as `\p{L}`. Unlike in cosign it must match from the first
    /// to the last character: end it with `.*` where anything may follow.
    #[arg(long, value_name = "REGEXP", help_heading = "Signer")]
    pub certificate_identity_regexp: Option<String>,

    /// The issuer of the identity token, in the certificate; compared exactly
    #[arg(long, value_name = "URL", help_heading = "Signer")]
    pub certificate_oidc_issuer: Option<String>,

    /// A regular expression that matches the whole issuer
    #[arg(long, value_name = "REGEXP", help_heading = "Signer")]
    pub certificate_oidc_issuer_regexp: Option<String>,

    /// The event that started the GitHub workflow, such as `push`
    #[arg(long, value_name = "EVENT", help_heading = "Signer")]
    pub certificate_github_workflow_trigger: Option<String>,

    /// The commit of the GitHub workflow
    #[arg(long, value_name = "SHA", help_heading = "Signer")]
    pub certificate_github_workflow_sha: Option<String>,

    /// The name of the GitHub workflow
    #[arg(long, value_name = "NAME", help_heading = "Signer")]
    pub certificate_github_workflow_name: Option<String>,

    /// The repository of the GitHub workflow, `owner/name`
    #[arg(long, value_name = "REPOSITORY", help_heading = "Signer")]
    pub certificate_github_workflow_repository: Option<String>,

    /// The ref of the GitHub workflow, such as `refs/heads/main`
    #[arg(long, value_name = "REF", help_heading = "Signer")]
    pub certificate_github_workflow_ref: Option<String>,

    /// A PEM public key, for signatures without certificate; then no name
    #[arg(long, value_name = "PATH", help_heading = "Signer")]
    pub key: Option<PathBuf>,
}

/// The flags of `verify`.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, before_help = IMAGE_EXAMPLES, after_help = EXIT_CODES)]
pub struct VerifyArgs {
    /// The images to verify, at least one, best as `registry/repository@sha256:...`
    ///
    /// A tag is resolved once and printed as a digest; only the digest counts. Signatures are found
    /// through the referrers API, the fallback tag and the older tag `sha256-<hex>.sig`. One
    /// acceptable signature is enough; an image and an index are verified as themselves.
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// A Sigstore bundle to verify instead of what the registry has; for one image, by digest
    #[arg(long, value_name = "PATH", help_heading = "Signature")]
    pub bundle: Option<PathBuf>,

    /// What the signer must have said about the image; may be given several times
    #[arg(long, short, value_name = "KEY=VALUE", help_heading = "Signature")]
    pub annotations: Vec<String>,

    /// The predicate type of the statement; may be given several times, and one must fit
    /// [default: `https://sigstore.dev/cosign/sign/v1`]
    #[arg(long, value_name = "URI", help_heading = "Signature")]
    pub predicate_type: Vec<String>,

    /// Who must have signed.
    #[command(flatten)]
    pub signer: SignerArgs,

    /// Whom to believe.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// How the registry is talked to.
    #[command(flatten)]
    pub registry: RegistryArgs,

    /// Timeout and output options.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The flags of `verify-blob`.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, before_help = BLOB_EXAMPLES, after_help = EXIT_CODES)]
pub struct VerifyBlobArgs {
    /// The file, `-` for the standard input, or its digest: `sha256:` and 64 hexadecimal digits, when
    /// no file has that name
    ///
    /// For a bundle with a statement it must be one of the artifacts that the statement names.
    #[arg(value_name = "FILE|DIGEST")]
    pub artifact: PathBuf,

    /// The Sigstore bundle of the file, of version 0.1, 0.2 or 0.3 [default: the name of the file and
    /// `.sigstore.json`]
    #[arg(long, value_name = "PATH", help_heading = "Signature")]
    pub bundle: Option<PathBuf>,

    /// The predicate type of the statement; may be given several times, and one must fit [default:
    /// any, and bundles without a statement]
    #[arg(long, value_name = "URI", help_heading = "Signature")]
    pub predicate_type: Vec<String>,

    /// Who must have signed.
    #[command(flatten)]
    pub signer: SignerArgs,

    /// Whom to believe.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Timeout and output options.
    #[command(flatten)]
    pub run: RunArgs,
}
