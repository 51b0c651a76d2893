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
Each description is a list of KEY=VALUE, separated by commas:
  url                the URL of the service, https
  certificate-chain  PEM certificates up to the root: of Fulcio, and of a
                     timestamp authority with its own
  public-key         the PEM public key of a log
  api-version        of `--rekor`: 1 or 2 [default: 1]
  origin             of a log that signs its checkpoints under another name than
                     its host
  start-time         since when it is trusted [default: of a chain its
                     beginning, else always]
  end-time           until when it is trusted [default: without end]
  operator           who runs it [default: the host of the URL]

Exit codes:
  0    the files are written
  2    a description cannot be used, or a file exists; nothing was written
  4    a certificate or key is not what it should be; nothing was written
";

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  2    usage or settings; the network was not used
  4    trust material bad, expired or missing
  5    what came back does not verify by TLS
  75   a service is unreachable or refuses for now: safe to run again
";

/// The commands about trust.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Make trusted root and signing config of a private deployment
    Create(CreateArgs),
    /// Show whom a run with the same flags believes, and whom it asks
    Show(Box<ShowArgs>),
    /// Bring what is kept of a TUF mirror up to date
    Update(Box<UpdateArgs>),
}

/// The flags of `trust show`.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, after_help = EXIT_CODES)]
pub struct ShowArgs {
    /// Which services are used.
    #[command(flatten)]
    pub services: ServiceArgs,

    /// Whom to believe.
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
    /// Whom to believe.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Timeout and output options.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The flags of `trust create`. They have no variables: this is done once, by a person.
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

    /// A timestamp authority: its `url`, path included, and `certificate-chain`
    #[arg(long, value_name = "KEY=VALUE,...")]
    pub tsa: Vec<String>,

    /// An OIDC issuer for people who sign by hand with other clients: its `url`
    #[arg(long, value_name = "KEY=VALUE,...")]
    pub oidc_provider: Vec<String>,

    /// The folder for `trusted_root.json`, `signing_config.json` and `trust_config.json`
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub out_dir: PathBuf,
}
