// SPDX-License-Identifier: Apache-2.0
//! The command line, as clap sees it: names and help, nothing else.
//!
//! Values stay text: [`crate::settings`] reads flags and variables with the same functions, so both
//! are refused in the same words.

use std::path::PathBuf;

use ambisign_providers::Class;
use clap::error::{ContextKind, ErrorKind};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::outcome::Failure;

/// Examples come before the options: most readers need nothing else.
const TEMPLATE: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}
";

const EXAMPLES: &str = "\
Examples:
  ambisign sign --trusted-root trusted_root.json --signing-config signing_config.json IMAGE@DIGEST
  ambisign sign --help
  ambisign env
  ambisign completions bash > /etc/bash_completion.d/ambisign
";

const SIGN_EXAMPLES: &str = "\
Examples:
  export AMBISIGN_TRUSTED_ROOT=trusted_root.json AMBISIGN_SIGNING_CONFIG=signing_config.json
  ambisign sign ghcr.io/acme/app@sha256:9f2c...41d0
  ambisign sign --dry-run ghcr.io/acme/app:v1.4.0
  ambisign sign --oidc-provider github-actions --require-digest IMAGE@DIGEST IMAGE@DIGEST
  ambisign sign --output json IMAGE@DIGEST > result.json
";

const EXIT_CODES: &str = "\
Exit codes:
  0    all done
  1    a bug in ambisign, or a request of ours that a log calls malformed
  2    usage or settings; the network was not used
  3    no usable identity: none, broken, ambiguous, refused
  4    trust material bad, expired or missing
  5    something that came back does not verify, TLS included: do not retry, look
  6    the registry says no
  7    partial: some images done, some failed for good; the report says which
  75   a service is unreachable or refuses for now: safe to run again
  130  interrupted by SIGINT; the report was written
  143  interrupted by SIGTERM; the report was written
";

/// Signs container images in CI with the identity that the job already has
#[derive(Debug, Parser)]
#[command(
    name = "ambisign",
    version,
    help_template = TEMPLATE,
    before_help = EXAMPLES,
    // A fixed width: clap would otherwise ask the terminal and `COLUMNS`.
    term_width = 100,
    disable_help_subcommand = true,
    subcommand_required = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign images and attach the signatures to them
    Sign(Box<SignArgs>),
    /// List every environment variable that ambisign reads
    Env,
    /// Print a completion script
    Completions {
        /// The shell to complete for
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
}

/// The flags of `sign`. The help of a flag ends with its variable, `($NAME)`; the flag wins.
#[derive(Args, Clone, Debug, Default)]
#[command(help_template = TEMPLATE, before_help = SIGN_EXAMPLES, after_help = EXIT_CODES)]
pub struct SignArgs {
    /// The images to sign, at least one, best as `registry/repository@sha256:...`
    ///
    /// A tag is resolved once, printed as a digest and signed.
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// The identity token, or the path of a file that holds it ($AMBISIGN_IDENTITY_TOKEN)
    ///
    /// Other processes of the machine can read the command line: prefer a file or
    /// `SIGSTORE_ID_TOKEN`.
    #[arg(long, value_name = "TOKEN|PATH", help_heading = "Identity")]
    pub identity_token: Option<String>,

    /// A file that holds the identity token, `-` for standard input
    /// ($AMBISIGN_IDENTITY_TOKEN_FILE)
    #[arg(long, value_name = "PATH", help_heading = "Identity")]
    pub identity_token_file: Option<PathBuf>,

    /// Take the identity from this provider and no other ($AMBISIGN_OIDC_PROVIDER)
    ///
    /// One of envvar, github-actions, gitlab, buildkite-agent, circleci, codefresh,
    /// google-impersonate, google-adc, spiffe, filesystem, google-workload-identity. Without it the
    /// first that is here, in this order, is the one; google-adc is only taken by name.
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    pub oidc_provider: Option<String>,

    /// Take a token from a flag or from `SIGSTORE_ID_TOKEN`, and from nowhere else
    /// ($AMBISIGN_OIDC_DISABLE_AMBIENT_PROVIDERS)
    #[arg(long, help_heading = "Identity")]
    pub oidc_disable_ambient_providers: bool,

    /// The audience of the identity token [default: sigstore] ($AMBISIGN_AUDIENCE)
    #[arg(long, value_name = "AUDIENCE", help_heading = "Identity")]
    pub audience: Option<String>,

    /// Stop unless the certificate will carry exactly this identity ($AMBISIGN_REQUIRE_IDENTITY)
    #[arg(long, value_name = "IDENTITY", help_heading = "Identity")]
    pub require_identity: Option<String>,

    /// Stop unless the certificate will carry exactly this issuer ($AMBISIGN_REQUIRE_ISSUER)
    #[arg(long, value_name = "URL", help_heading = "Identity")]
    pub require_issuer: Option<String>,

    /// Sign although the repository is private and the log is public
    /// ($AMBISIGN_ALLOW_PRIVATE_REPOSITORY)
    #[arg(long, help_heading = "Identity")]
    pub allow_private_repository: bool,

    /// Consent to what becomes public, as `--allow-private-repository` does; nothing is ever asked
    /// ($AMBISIGN_YES)
    #[arg(long, short, help_heading = "Identity")]
    pub yes: bool,

    /// A Sigstore trusted root: whom to believe; needed until TUF is there
    /// ($AMBISIGN_TRUSTED_ROOT)
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub trusted_root: Option<PathBuf>,

    /// A Sigstore signing config: which services to use; needed unless the URLs below name
    /// the services ($AMBISIGN_SIGNING_CONFIG)
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub signing_config: Option<PathBuf>,

    /// The certificate authority, Fulcio; it receives the token ($AMBISIGN_FULCIO_URL)
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub fulcio_url: Option<String>,

    /// The transparency log, Rekor ($AMBISIGN_REKOR_URL)
    #[arg(long, value_name = "URL", help_heading = "Services and trust")]
    pub rekor_url: Option<String>,

    /// The API that `--rekor-url` speaks [default: auto] ($AMBISIGN_REKOR_VERSION)
    #[arg(
        long,
        value_name = "VERSION",
        value_parser = ["auto", "1", "2"],
        help_heading = "Services and trust"
    )]
    pub rekor_version: Option<String>,

    /// The timestamp authority, path included ($AMBISIGN_TSA_URL)
    #[arg(
        long,
        value_name = "URL",
        visible_alias = "timestamp-server-url",
        help_heading = "Services and trust"
    )]
    pub tsa_url: Option<String>,

    /// Refuse every environment variable that decides who gets the token or whom to believe
    /// ($AMBISIGN_PUBLIC_INSTANCE)
    ///
    /// `ambisign env` marks them. Flags still count, and so does a proxy. It names no instance:
    /// the files or URLs of the flags do.
    #[arg(long, help_heading = "Services and trust")]
    pub public_instance: bool,

    /// PEM certificates to trust for TLS, beside those of the machine ($AMBISIGN_CA_FILE)
    #[arg(long, value_name = "PATH", help_heading = "Services and trust")]
    pub ca_file: Option<PathBuf>,

    /// Refuse images that are named by a tag ($AMBISIGN_REQUIRE_DIGEST)
    #[arg(long, help_heading = "Registry")]
    pub require_digest: bool,

    /// The user at the registry ($AMBISIGN_REGISTRY_USERNAME)
    ///
    /// Its password is in AMBISIGN_REGISTRY_PASSWORD, and AMBISIGN_REGISTRY_TOKEN is a bearer token
    /// instead of both: there is no flag for a secret. Without them the logins of Docker and Podman
    /// are used, then `GITHUB_TOKEN` for ghcr.io and `CI_REGISTRY_PASSWORD` for `CI_REGISTRY`.
    #[arg(long, value_name = "NAME", help_heading = "Registry")]
    pub registry_username: Option<String>,

    /// Do everything up to the certificate, and publish nothing ($AMBISIGN_DRY_RUN)
    #[arg(long, help_heading = "Run")]
    pub dry_run: bool,

    /// How many images are signed at the same time, at most 1000 [default: 64] ($AMBISIGN_JOBS)
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub jobs: Option<String>,

    /// The longest time of the whole run, such as 90s, at most a day [default: 10m]
    /// ($AMBISIGN_TIMEOUT)
    #[arg(long, value_name = "DURATION", help_heading = "Run")]
    pub timeout: Option<String>,

    /// What goes to standard output: one line for each signed image, or one JSON document
    /// [default: text] ($AMBISIGN_OUTPUT)
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], help_heading = "Run")]
    pub output: Option<String>,

    /// Log one line for each HTTP request ($AMBISIGN_VERBOSE)
    #[arg(long, short, help_heading = "Run")]
    pub verbose: bool,
}

/// An error of clap in the form of all others. A value is not shown: it may be a secret in the wrong
/// place.
pub fn failure(error: &clap::Error) -> Failure {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let first = |text: String| text.split([' ', '=']).next().map(str::to_owned);
    let usage = context(ContextKind::Usage).unwrap_or_default();
    let help = if usage.contains("ambisign sign") {
        "see `ambisign sign --help`"
    } else {
        "see `ambisign --help`"
    };
    let argument = context(ContextKind::InvalidArg).and_then(first);
    let nearest = context(ContextKind::SuggestedArg)
        .or_else(|| context(ContextKind::SuggestedSubcommand))
        .map(|name| format!("did you mean `{name}`?"));
    let command = context(ContextKind::InvalidSubcommand);
    let (what, fix) = match (error.kind(), argument, command) {
        (ErrorKind::UnknownArgument, Some(name), _) => (format!("there is no `{name}`"), nearest),
        (ErrorKind::InvalidSubcommand, _, Some(name)) => {
            (format!("there is no command `{name}`"), nearest)
        }
        (ErrorKind::InvalidValue, Some(name), _) => (
            format!("`{name}` has no value, or not one that it can have"),
            context(ContextKind::ValidValue)
                .filter(|values| !values.is_empty())
                .map(|values| format!("use one of: {values}")),
        ),
        (ErrorKind::ArgumentConflict, Some(name), _) => (format!("`{name}` is given twice"), None),
        (
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand,
            _,
            _,
        ) => ("no command is given".to_owned(), None),
        (kind, Some(name), _) => (format!("`{name}`: {kind}"), None),
        (kind, None, _) => (format!("the command line cannot be read: {kind}"), None),
    };
    Failure {
        what,
        because: Vec::new(),
        fix: fix.or_else(|| Some(help.to_owned())),
        code: "settings/usage".to_owned(),
        class: Class::Usage,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;
    use crate::env::VARIABLES;

    #[test]
    fn is_consistent() {
        Cli::command().debug_assert();
    }

    /// Every flag of `sign` has a variable, which its help names and the table explains.
    #[test]
    fn flags_name_their_variables() {
        let cli = Cli::command();
        let sign = cli.find_subcommand("sign").unwrap();
        for flag in sign
            .get_arguments()
            .filter_map(|arg| Some((arg, arg.get_long()?)))
        {
            let (arg, name) = flag;
            if name == "help" {
                continue;
            }
            let variable = crate::env::variable_of(name);
            assert!(
                VARIABLES.iter().any(|row| row.name == variable),
                "{variable} is not in the table"
            );
            let help = arg.get_help().unwrap().to_string();
            assert!(help.contains(&format!("(${variable})")), "--{name}: {help}");
        }
    }
}
