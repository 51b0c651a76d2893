// SPDX-License-Identifier: Apache-2.0
//! The command line of `trust`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::TEMPLATE;
use super::groups::{RunArgs, ServiceArgs, TrustArgs};

const CREATE_EXAMPLES: &str = "\
Example:
  ambisign trust create --out-dir trust \\
    --fulcio url=https://fulcio.example.com,certificate-chain=fulcio.pem \\
    --ctfe url=https://ctlog.example.com,public-key=ctfe.pub \\
    --rekor url=https://rekor.example.com,public-key=rekor.pub \\
    --tsa url=https://tsa.example.com/api/v1/timestamp,certificate-chain=tsa.pem
";

const CREATE_NOTES: &str = "\
Each description is a list of KEY=VALUE pairs, separated by commas:
  url                the URL of the service, https
  certificate-chain  PEM certificates up to the root; for a timestamp authority,
                     its own comes first
  public-key         the PEM public key of a log
  api-version        for `--rekor`: 1 or 2 [default: 1]
  origin             for a log that signs its checkpoints with another name than
                     its host
  start-time         when its trust begins [default: when its chain becomes
                     valid, or always]
  end-time           when its trust ends [default: never]
  operator           the operator [default: the host of the URL]

Exit codes:
  0    the files were written
  2    a description is invalid, or a file already exists; nothing was written
  4    a certificate or key is unsuitable; nothing was written
";

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  2    usage or settings, or a proxy that refuses to connect
  4    trust material invalid, expired or missing
  5    an answer does not verify with TLS
  75   a service is unreachable or refuses temporarily: safe to run again
";

/// The commands about trust.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Create the trusted root and signing config of a private deployment
    Create(CreateArgs),
    /// Show the trust material and services of a run with the same flags
    Show(Box<ShowArgs>),
    /// Update the cache of a TUF mirror
    Update(Box<UpdateArgs>),
}

/// The flags of `trust show`.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, after_help = EXIT_CODES)]
pub struct ShowArgs {
    /// The services to use.
    #[command(flatten)]
    pub services: ServiceArgs,

    /// Trust material.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Timeout and output options.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The flags of `trust update`.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, after_help = EXIT_CODES)]
pub struct UpdateArgs {
    /// Trust material.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Timeout and output options.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The flags of `trust create`. They have no variables, because people run this once.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, before_help = CREATE_EXAMPLES, after_help = CREATE_NOTES)]
pub struct CreateArgs {
    /// A certificate authority: its `url` and `certificate-chain`
    #[arg(long, value_name = "KEY=VALUE,...")]
    pub fulcio: Vec<String>,

    /// A certificate transparency log: its `url` and `public-key`
    #[arg(long, value_name = "KEY=VALUE,...")]
    pub ctfe: Vec<String>,

    /// A transparency log: its `url` and `public-key`, and `api-version=2` for Rekor v2
    #[arg(long, value_name = "KEY=VALUE,...")]
    pub rekor: Vec<String>,

    /// A timestamp authority: its `url`, including the path, and `certificate-chain`
    #[arg(long, value_name = "KEY=VALUE,...")]
    pub tsa: Vec<String>,

    /// An OIDC issuer for people who sign by hand with other clients: its `url`
    #[arg(long, value_name = "KEY=VALUE,...")]
    pub oidc_provider: Vec<String>,

    /// The folder for `trusted_root.json`, `signing_config.json` and `trust_config.json`
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub out_dir: PathBuf,
}
