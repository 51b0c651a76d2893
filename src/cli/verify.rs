// SPDX-License-Identifier: Apache-2.0
//! The command lines of `verify` and `verify-blob`.
//!
//! Only flags decide which signers are accepted. One job of a CI system may be able to set variables for
//! another, so a variable must not do that.

use std::path::PathBuf;

use clap::Args;

use super::TEMPLATE;
use super::groups::{RegistryArgs, RunArgs, TrustArgs};
use super::requirements::{EvidenceArgs, JobArgs};

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
  2    usage or settings, a file that cannot be read, or a proxy that refuses to
       connect
  4    trust material invalid, expired or missing
  5    an answer does not verify, including TLS: do not retry, investigate
  6    the registry refused
  8    no acceptable signature; the reason for each one is printed
  75   registry or TUF mirror unreachable or refusing temporarily: no result,
       safe to run again
  130  interrupted by SIGINT
  143  interrupted by SIGTERM
  A signature by another identity or key, for another artifact, outside of the
  trusted root, or malformed means 8. With several artifacts, the worst result
  counts, and 8 before all others.
";

/// The required signer: an identity and its issuer, or a key.
#[derive(Args, Clone, Debug, Default)]
pub struct SignerArgs {
    /// A JSON file with requirements, whose members have the names of the flags
    ///
    /// certificate-identity, certificate-identity-regexp, certificate-oidc-issuer,
    /// certificate-oidc-issuer-regexp, certificate-claim, annotations, predicate-type, min-log-entries,
    /// min-timestamps, format. A flag can only narrow what the file accepts.
    #[arg(long, value_name = "PATH", help_heading = "Signer")]
    pub policy: Option<PathBuf>,

    /// The identity in the certificate, such as a workflow URL or an e-mail address; compared exactly
    #[arg(long, value_name = "IDENTITY", help_heading = "Signer")]
    pub certificate_identity: Option<String>,

    /// A regular expression that matches the whole identity
    ///
    /// RE2, without Unicode classes such as `\p{L}`. Unlike in cosign, it must match from the first to
    /// the last character; end it with `.*` if anything may follow.
    #[arg(long, value_name = "REGEXP", help_heading = "Signer")]
    pub certificate_identity_regexp: Option<String>,

    /// The issuer in the certificate, compared exactly
    #[arg(long, value_name = "URL", help_heading = "Signer")]
    pub certificate_oidc_issuer: Option<String>,

    /// A regular expression that matches the whole issuer
    #[arg(long, value_name = "REGEXP", help_heading = "Signer")]
    pub certificate_oidc_issuer_regexp: Option<String>,

    /// Claims about the CI job.
    #[command(flatten)]
    pub job: JobArgs,

    /// A PEM public key, for signatures without a certificate; instead of an identity
    #[arg(long, value_name = "PATH", help_heading = "Signer")]
    pub key: Option<PathBuf>,
}

/// The flags of `verify`.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, before_help = IMAGE_EXAMPLES, after_help = EXIT_CODES)]
pub struct VerifyArgs {
    /// The images to verify, at least one, preferably as `registry/repository@sha256:...`
    ///
    /// A tag is resolved once, and its digest is printed; only the digest counts. Signatures are found
    /// with the referrers API, the fallback tag and the older tag `sha256-<hex>.sig`. One acceptable
    /// signature is enough. Signatures of an index do not count for its images, or the other way round.
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// A Sigstore bundle to verify instead of the signatures in the registry; for one image, by digest
    #[arg(long, value_name = "PATH", help_heading = "Signature")]
    pub bundle: Option<PathBuf>,

    /// A required annotation in the signed statement; may be repeated
    #[arg(long, short, value_name = "KEY=VALUE", help_heading = "Signature")]
    pub annotations: Vec<String>,

    /// An accepted predicate type of the statement; may be repeated
    /// [default: `https://sigstore.dev/cosign/sign/v1`]
    #[arg(long, value_name = "URI", help_heading = "Signature")]
    pub predicate_type: Vec<String>,

    /// The required signer.
    #[command(flatten)]
    pub signer: SignerArgs,

    /// The required evidence.
    #[command(flatten)]
    pub evidence: EvidenceArgs,

    /// Trust material.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Only accept signatures in this format: `bundle`, `legacy` (the tag `sha256-<hex>.sig`) or `any`
    /// [default: `any`]
    ///
    /// An account that may push chooses the format. The older one has no proof that the log includes the entry.
    #[arg(long, value_name = "FORMAT", help_heading = "Evidence")]
    pub format: Option<String>,

    /// Judge everything that is attached instead of stopping at the first acceptable signature
    #[arg(long, help_heading = "Signature")]
    pub all: bool,

    /// Registry options.
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
    /// The file, `-` for standard input, or its digest: `sha256:` and 64 hexadecimal digits; `./` before
    /// it names a file
    ///
    /// If the bundle contains a statement, the statement must name it.
    #[arg(value_name = "FILE|DIGEST")]
    pub artifact: PathBuf,

    /// The Sigstore bundle of the file, version 0.1, 0.2 or 0.3 [default: the name of the file and
    /// `.sigstore.json`]
    #[arg(long, value_name = "PATH", help_heading = "Signature")]
    pub bundle: Option<PathBuf>,

    /// An accepted predicate type of the statement; may be repeated [default: any, and bundles without
    /// a statement]
    #[arg(long, value_name = "URI", help_heading = "Signature")]
    pub predicate_type: Vec<String>,

    /// The required signer.
    #[command(flatten)]
    pub signer: SignerArgs,

    /// The required evidence.
    #[command(flatten)]
    pub evidence: EvidenceArgs,

    /// Trust material.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Timeout and output options.
    #[command(flatten)]
    pub run: RunArgs,
}
