// SPDX-License-Identifier: Apache-2.0
//! The command line and its commands.

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use super::attach::AttachArgs;
use super::blob::SignBlobArgs;
use super::sign::SignArgs;
use super::trust::TrustCommand;
use super::verify::{VerifyArgs, VerifyBlobArgs};
use super::{TEMPLATE, doctor};

const EXAMPLES: &str = "\
Examples:
  ambisign sign IMAGE@DIGEST
  ambisign verify IMAGE --certificate-identity NAME \\
    --certificate-oidc-issuer URL
  ambisign sign --help
  ambisign env
  ambisign explain github/not-permitted
  ambisign completions bash > /etc/bash_completion.d/ambisign
";

/// Signs container images in CI with the identity that the job already has
#[derive(Debug, Parser)]
#[command(
    name = "ambisign",
    version,
    help_template = TEMPLATE,
    before_help = EXAMPLES,
    // A fixed width, because clap would otherwise use the terminal's or `COLUMNS`.
    term_width = 80,
    disable_help_subcommand = true,
    subcommand_required = true
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign images and attach the signatures to them
    Sign(Box<SignArgs>),
    /// Sign files and write a bundle for each
    SignBlob(Box<SignBlobArgs>),
    /// Attach bundles in files to their images
    Attach(Box<AttachArgs>),
    /// Verify the signatures of images
    Verify(Box<VerifyArgs>),
    /// Verify the signature of a file
    VerifyBlob(Box<VerifyBlobArgs>),
    /// Check whether signing would succeed, and tell how to fix what would fail
    #[command(before_help = doctor::EXAMPLES, after_help = doctor::EXIT_CODES)]
    Doctor(Box<SignArgs>),
    /// Show, update or create trust material
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Show which variables are set, of all that ambisign reads
    Env,
    /// Explain the code of an error or a warning, or list all
    Explain {
        /// The code, such as `github/not-permitted`; a stage, such as `registry`, for its codes; or
        /// `cosign`, for what its flags are here [default: one line for each code]
        #[arg(value_name = "CODE")]
        code: Option<String>,
    },
    /// Print the JSON Schema of the documents of `--output json`
    Schema,
    /// Print a completion script
    Completions {
        /// The shell to complete for
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
}
