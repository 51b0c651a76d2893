// SPDX-License-Identifier: Apache-2.0
//! The flags of `sign` for storing and pushing bundles.

use std::path::PathBuf;

use clap::Args;

/// Where bundles are stored and whether they are pushed.
#[derive(Args, Clone, Debug, Default)]
pub struct BundleArgs {
    /// Also write every bundle to this folder, which is created if needed
    /// ($AMBISIGN_BUNDLE_DIR)
    ///
    /// There is one file for each digest, named after the repository and the digest:
    /// `acme-app-9f2c8b417d05.sigstore.json`. An existing file is never replaced.
    #[arg(long, value_name = "DIR", help_heading = "Result")]
    pub bundle_dir: Option<PathBuf>,

    /// Also write the bundle to this file, which must not exist; for one image ($AMBISIGN_BUNDLE)
    #[arg(long, value_name = "PATH", help_heading = "Result")]
    pub bundle: Option<PathBuf>,

    /// Attach nothing; only write the bundles to `--bundle-dir` or `--bundle` ($AMBISIGN_NO_PUSH)
    ///
    /// This needs no push permission. `ambisign attach` attaches the bundles later.
    #[arg(long, help_heading = "Result")]
    pub no_push: bool,

    /// What to do with an image that has a valid signature by the same identity: add another one,
    /// skip the image, or fail [default: add] ($AMBISIGN_IF_SIGNED)
    ///
    /// If the identity in the certificate is not known before it is issued, as with a private Fulcio,
    /// pass it with `--require-identity` and `--require-issuer`.
    #[arg(
        long,
        value_name = "WHAT",
        value_parser = ["add", "skip", "fail"],
        help_heading = "Result"
    )]
    pub if_signed: Option<String>,
}
