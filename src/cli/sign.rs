// SPDX-License-Identifier: Apache-2.0
//! The command line of `sign`.

use clap::Args;

use super::TEMPLATE;
use super::bundles::BundleArgs;
use super::groups::{RegistryArgs, SigningArgs};
use super::inputs::InputArgs;

const SIGN_EXAMPLES: &str = "\
Examples:
  ambisign sign ghcr.io/acme/app@sha256:9f2c...41d0
  ambisign sign --dry-run ghcr.io/acme/app:v1.4.0
  ambisign sign --oidc-provider github-actions --require-digest IMAGE@DIGEST
  ambisign sign --if-signed skip --bundle-dir bundles IMAGE@DIGEST IMAGE@DIGEST
  ambisign sign --no-push --bundle-dir bundles IMAGE@DIGEST
                                              # then: ambisign attach
  ambisign sign --recursive -a env=prod IMAGE@DIGEST
  ambisign sign --images-file images.txt
  ambisign sign --output json IMAGE@DIGEST > result.json
  ambisign sign --tuf-mirror https://tuf.example.com --tuf-root root.json \\
    IMAGE@DIGEST
  ambisign sign --trusted-root trusted_root.json \\
    --signing-config signing_config.json IMAGE@DIGEST
";

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    all are signed, or were signed before and skipped by `--if-signed skip`
  1    a bug in ambisign, or a log rejects its request as malformed
  2    usage or settings, or a proxy that refuses to connect
  3    no usable identity: none, broken, ambiguous, refused
  4    trust material invalid, expired or missing
  5    an answer does not verify, including TLS: do not retry, investigate
  6    the registry refused
  7    partial: some images are signed, others failed; the report lists them
  75   a service is unreachable or refuses temporarily: safe to run again
  130  interrupted by SIGINT; the report was written
  143  interrupted by SIGTERM; the report was written
";

/// The flags of `sign`.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, before_help = SIGN_EXAMPLES, after_help = EXIT_CODES)]
pub struct SignArgs {
    /// The images to sign.
    #[command(flatten)]
    pub inputs: InputArgs,

    /// Where bundles are stored and whether they are pushed.
    #[command(flatten)]
    pub bundles: BundleArgs,

    /// Registry options.
    #[command(flatten)]
    pub registry: RegistryArgs,

    /// Options of every signing command.
    #[command(flatten)]
    pub signing: SigningArgs,
}
