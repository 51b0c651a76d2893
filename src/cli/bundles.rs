// SPDX-License-Identifier: Apache-2.0
//! The flags of `sign` that say what becomes of the bundles.

use std::path::PathBuf;

use clap::Args;

/// Where bundles are stored and whether they are pushed.
#[derive(Args, Clone, Debug, Default)]
pub struct BundleArgs {
    /// Keep every bundle in this folder too, which is made when it is missing
    /// ($AMBISIGN_BUNDLE_DIR)
    ///
    /// One file for each digest, called after the repository and the digest:
    /// `acme-app-9f2c8b417d05.sigstore.json`. A file that is there is never replaced.
    #[arg(long, value_name = "DIR", help_heading = "Result")]
    pub bundle_dir: Option<PathBuf>,

    /// Keep the bundle in this file too, for one image; nothing may be there ($AMBISIGN_BUNDLE)
    #[arg(long, value_name = "PATH", help_heading = "Result")]
    pub bundle: Option<PathBuf>,

    /// Attach nothing: the bundles go to `--bundle-dir` or `--bundle` alone ($AMBISIGN_NO_PUSH)
    ///
    /// No right to push is needed then. `ambisign attach` attaches them later.
    #[arg(long, help_heading = "Result")]
    pub no_push: bool,

    /// What to do with an image that has a valid signature of the same identity: add another one,
    /// skip the image, or fail [default: add] ($AMBISIGN_IF_SIGNED)
    ///
    /// Where the identity of the certificate cannot be known before it is issued, as with the rules
    /// of a private Fulcio, `--require-identity` and `--require-issuer` say it.
    #[arg(
        long,
        value_name = "WHAT",
        value_parser = ["add", "skip", "fail"],
        help_heading = "Result"
    )]
    pub if_signed: Option<String>,
}
