// SPDX-License-Identifier: Apache-2.0
//! The command line, as clap sees it: names and help, nothing else.
//!
//! Values stay text: [`crate::settings`] reads flags and variables with the same functions, so both
//! are refused in the same words.

mod blob;
mod groups;
mod inputs;
mod sign;
mod trust;
mod verify;

use ambisign_providers::Class;
use clap::error::{ContextKind, ErrorKind};
use clap::{ArgMatches, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

pub use self::blob::SignBlobArgs;
pub use self::groups::{IdentityArgs, RegistryArgs, RunArgs, ServiceArgs, SigningArgs, TrustArgs};
pub use self::inputs::InputArgs;
pub use self::sign::SignArgs;
pub use self::trust::{CreateArgs, ShowArgs, TrustCommand, UpdateArgs};
pub use self::verify::{SignerArgs, VerifyArgs, VerifyBlobArgs};

use crate::outcome::Failure;

/// Examples come before the options: most readers need nothing else.
const TEMPLATE: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}
";

const EXAMPLES: &str = "\
Examples:
  ambisign sign IMAGE@DIGEST
  ambisign verify --certificate-identity NAME --certificate-oidc-issuer URL IMAGE
  ambisign sign --help
  ambisign env
  ambisign completions bash > /etc/bash_completion.d/ambisign
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
    /// Sign files and write a bundle for each
    SignBlob(Box<SignBlobArgs>),
    /// Verify the signatures of images
    Verify(Box<VerifyArgs>),
    /// Verify the signature of a file
    VerifyBlob(Box<VerifyBlobArgs>),
    /// Show, update and make what says whom to believe
    #[command(subcommand)]
    Trust(TrustCommand),
    /// List every environment variable that ambisign reads
    Env,
    /// Print a completion script
    Completions {
        /// The shell to complete for
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
}

/// What a command line that cannot be read is about, as far as it can be read.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// The name of the command.
    pub command: Option<String>,
    /// What is told, and how.
    pub run: RunArgs,
}

impl Attempt {
    /// Reads the command line of the process up to its mistake.
    pub fn of_process() -> Self {
        let matches = Cli::command().ignore_errors(true).try_get_matches().ok();
        let Some((command, matches)) = matches.as_ref().and_then(ArgMatches::subcommand) else {
            return Self::default();
        };
        // Not every command has it.
        let output = matches.try_get_one::<String>("output").ok().flatten();
        Self {
            command: Some(command.to_owned()),
            run: RunArgs {
                output: output.cloned(),
                ..RunArgs::default()
            },
        }
    }
}

/// An error of clap in the form of all others. A value is not shown: it may be a secret in the wrong
/// place.
pub fn failure(error: &clap::Error) -> Failure {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let first = |text: String| text.split([' ', '=']).next().map(str::to_owned);
    let usage = context(ContextKind::Usage).unwrap_or_default();
    let of = usage
        .split_once("ambisign ")
        .and_then(|(_, rest)| rest.split(' ').next())
        .filter(|name| name.starts_with(char::is_alphabetic))
        .map_or_else(String::new, |name| format!("{name} "));
    let help = format!("see `ambisign {of}--help`");
    let argument = context(ContextKind::InvalidArg).and_then(first);
    // Of several names the last is the nearest.
    let nearest = context(ContextKind::SuggestedArg)
        .or_else(|| context(ContextKind::SuggestedSubcommand))
        .and_then(|names| names.rsplit(", ").next().map(str::to_owned))
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
        fix: fix.or(Some(help)),
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
