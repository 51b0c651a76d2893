// SPDX-License-Identifier: Apache-2.0
//! The command line of `sign-blob`.

use std::path::PathBuf;

use clap::Args;

use super::TEMPLATE;
use super::groups::SigningArgs;
use super::sign::EXIT_CODES;

const EXAMPLES: &str = "\
Examples:
  ambisign sign-blob app.tar.gz           # writes app.tar.gz.sigstore.json
  ambisign sign-blob --bundle app.bundle app.tar.gz
  ambisign sign-blob dist/*.tar.gz        # one certificate for all
  tar c src | ambisign sign-blob --bundle src.bundle -
";

/// The flags of `sign-blob`.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, before_help = EXAMPLES, after_help = EXIT_CODES)]
pub struct SignBlobArgs {
    /// The files to sign, at least one; `-` is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The bundle to write [default: the name of the file and `.sigstore.json`]
    ///
    /// Only with a single file. An existing bundle is replaced atomically, at the end of the run.
    #[arg(long, value_name = "PATH", help_heading = "Result")]
    pub bundle: Option<PathBuf>,

    /// Options of every signing command.
    #[command(flatten)]
    pub signing: SigningArgs,
}
