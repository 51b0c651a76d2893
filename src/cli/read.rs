// SPDX-License-Identifier: Apache-2.0
//! Parses the words of a command line into a command or an error.

use std::ffi::OsString;

use ambisign_host::{Class, Env, Failure, codes};
use clap::error::{ContextKind, ErrorKind};
use clap::{ArgMatches, CommandFactory as _, Parser as _};

use super::command::{Cli, Command};
use super::cosign;
use super::groups::RunArgs;

/// The readable part of an invalid command line.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// The name of the command.
    pub command: Option<String>,
    /// Its output options.
    pub run: RunArgs,
}

/// There is no command to run.
#[derive(Debug)]
pub enum Unread {
    /// The user asked for help.
    Help(String),
    /// The command line is invalid.
    Mistake(Box<Failure>),
}

/// Parses the command line. Returns the command, and the environment without the variables of switches
/// that the command line turns off.
///
/// # Errors
/// The command line is invalid, or asks for help.
pub fn read(words: &[OsString], env: Env) -> Result<(Command, Env), Unread> {
    let swapped = cosign::swap(words.to_vec(), &env)
        .map_err(|error| Unread::Mistake(Box::new(Failure::of(&error))))?;
    let cli = Cli::try_parse_from(swapped.words).map_err(|error| {
        if error.use_stderr() {
            Unread::Mistake(Box::new(failure(&error)))
        } else {
            Unread::Help(error.render().to_string())
        }
    })?;
    let mut command = cli.command;
    if let Some(run) = command.run() {
        run.unused = swapped.unused;
    }
    Ok((command, env.without(&swapped.off)))
}

impl Command {
    /// The output options of the commands that cosign has too.
    fn run(&mut self) -> Option<&mut RunArgs> {
        match self {
            Self::Sign(args) | Self::Doctor(args) => Some(&mut args.signing.run),
            Self::SignBlob(args) => Some(&mut args.signing.run),
            Self::Verify(args) => Some(&mut args.run),
            Self::VerifyBlob(args) => Some(&mut args.run),
            Self::Attach(_)
            | Self::Trust(_)
            | Self::Env
            | Self::Explain { .. }
            | Self::Schema
            | Self::Completions { .. } => None,
        }
    }
}

impl Attempt {
    /// Reads the command line up to the error.
    pub fn of(words: &[OsString]) -> Self {
        let cli = Cli::command().ignore_errors(true);
        let matches = cli.try_get_matches_from(words).ok();
        let Some((command, matches)) = matches.as_ref().and_then(ArgMatches::subcommand) else {
            return Self::default();
        };
        // Not every command has it.
        let output = matches.try_get_one::<String>("output").ok().flatten();
        Self {
            command: Some(command.to_owned()),
            run: RunArgs {
                // clap stops at the first unknown word.
                output: output.cloned().or_else(|| written_output(words)),
                ..RunArgs::default()
            },
        }
    }
}

/// The value of `--output`, wherever it is, if it is valid.
fn written_output(words: &[OsString]) -> Option<String> {
    let mut words = words.iter().filter_map(|word| word.to_str());
    let value = words.find_map(|word| word.strip_prefix("--output"))?;
    let value = match value.strip_prefix('=') {
        Some(value) => Some(value),
        None => words.next().filter(|_| value.is_empty()),
    };
    let is_known = |value: &&str| ["text", "json"].contains(value);
    value.filter(is_known).map(str::to_owned)
}

/// Converts an error of clap. It never shows a value, which may be a misplaced secret.
fn failure(error: &clap::Error) -> Failure {
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
    // The last of several names is the nearest.
    let nearest = context(ContextKind::SuggestedArg)
        .or_else(|| context(ContextKind::SuggestedSubcommand))
        .and_then(|names| names.rsplit(", ").next().map(str::to_owned))
        .map(|name| format!("did you mean `{name}`?"));
    let command = context(ContextKind::InvalidSubcommand);
    let (what, fix) = match (error.kind(), argument, command) {
        (ErrorKind::UnknownArgument, Some(name), _) => {
            (format!("unknown argument `{name}`"), nearest)
        }
        (ErrorKind::InvalidSubcommand, _, Some(name)) => {
            (format!("unknown command `{name}`"), nearest)
        }
        (ErrorKind::InvalidValue, Some(name), _) => (
            format!("`{name}` has no value, or an invalid one"),
            context(ContextKind::ValidValue)
                .filter(|values| !values.is_empty())
                .map(|values| format!("use one of: {values}")),
        ),
        (ErrorKind::ArgumentConflict, Some(name), _) => (format!("`{name}` is repeated"), None),
        (
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand,
            _,
            _,
        ) => ("no command is given".to_owned(), None),
        (kind, Some(name), _) => (format!("`{name}`: {kind}"), None),
        (kind, None, _) => (format!("the command line cannot be read: {kind}"), None),
    };
    misuse(what, fix.unwrap_or(help))
}

/// The error of a command line that names something that does not exist.
pub(crate) fn misuse(what: String, fix: String) -> Failure {
    Failure {
        what,
        because: Vec::new(),
        fix: Some(fix),
        code: USAGE.to_owned(),
        class: Class::Usage,
    }
}

codes! {
    /// The code of a command line that cannot be read.
    pub(crate) CODES {
        USAGE = "settings/usage", Usage {
            what: "The command line cannot be read.",
            why: "A command or flag does not exist, or a value is missing.",
            advice: "Read the help of the command.",
        },
    }
}
