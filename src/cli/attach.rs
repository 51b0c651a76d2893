// SPDX-License-Identifier: Apache-2.0
//! The command line of `attach`.

use std::path::PathBuf;

use clap::Args;

use super::TEMPLATE;
use super::groups::{RegistryArgs, RunArgs, TrustArgs};

const EXAMPLES: &str = "\
Examples:
  ambisign attach --bundle-dir bundles IMAGE@DIGEST IMAGE@DIGEST
  ambisign attach --bundle app.sigstore.json ghcr.io/acme/app@sha256:9f2c...41d0
  ambisign attach --bundle app.sigstore.json IMAGE@DIGEST \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
    --certificate-identity \\
      https://github.com/acme/app/.github/workflows/ci.yml@refs/heads/main
";

const EXIT_CODES: &str = "\
Exit codes:
  0    every image has its bundles, including those that it already had
  1    a bug in ambisign
  2    usage or settings, a file that cannot be read, or no bundle for an image
  4    trust material invalid, expired or missing
  5    an answer does not verify, including TLS: do not retry, investigate
  6    the registry refused
  7    partial: some bundles are attached, others failed permanently; the
       report lists them
  8    a bundle was not accepted and not attached
  75   a service is unreachable or refuses temporarily: safe to run again
  130  interrupted by SIGINT; the report was written
  143  interrupted by SIGTERM; the report was written
";

/// The flags of `attach`.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, before_help = EXAMPLES, after_help = EXIT_CODES)]
pub struct AttachArgs {
    /// The images, at least one, best as `registry/repository@sha256:...`
    ///
    /// Each gets the bundles whose statement names its digest.
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// A Sigstore bundle to attach; may be repeated ($AMBISIGN_BUNDLE)
    #[arg(long, value_name = "PATH", help_heading = "Signature")]
    pub bundle: Vec<PathBuf>,

    /// Attach every `*.sigstore.json` in this folder that belongs to one of the images
    /// ($AMBISIGN_BUNDLE_DIR)
    #[arg(long, value_name = "DIR", help_heading = "Signature")]
    pub bundle_dir: Option<PathBuf>,

    /// An accepted predicate type of the statement; may be repeated
    /// [default: `https://sigstore.dev/cosign/sign/v1`]
    #[arg(long, value_name = "URI", help_heading = "Signature")]
    pub predicate_type: Vec<String>,

    /// The identity in the certificate, compared exactly [default: any identity with a valid
    /// certificate; it is printed]
    #[arg(long, value_name = "IDENTITY", help_heading = "Signer")]
    pub certificate_identity: Option<String>,

    /// The issuer in the certificate, compared exactly
    #[arg(long, value_name = "URL", help_heading = "Signer")]
    pub certificate_oidc_issuer: Option<String>,

    /// Trust material.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Registry options.
    #[command(flatten)]
    pub registry: RegistryArgs,

    /// Timeout and output options.
    #[command(flatten)]
    pub run: RunArgs,
}
