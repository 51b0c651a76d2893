// SPDX-License-Identifier: Apache-2.0
//! From the words of a command line to a command, or to what is wrong with them.

use std::ffi::OsString;

use ambisign_host::{Class, Env, Failure, codes};
use clap::error::{ContextKind, ErrorKind};
use clap::{ArgMatches, CommandFactory as _, Parser as _};

use super::command::{Cli, Command};
use super::cosign;
use super::groups::RunArgs;

/// What a command line that cannot be read is about, as far as it can be read.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// The name of the command.
    pub command: Option<String>,
    /// What is told, and how.
    pub run: RunArgs,
}

/// Why there is no command to run.
#[derive(Debug)]
pub enum Unread {
    /// A text was asked for.
    Help(String),
    /// The command line cannot be used.
    Mistake(Box<Failure>),
}

/// What a command line asks for, and the variables that count with it: those of the switches that
/// it turns off do not.
///
/// # Errors
/// It cannot be used, or asks for help.
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
    /// What is told, and how, of the commands that cosign has too.
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
    /// Reads the command line of the process up to its mistake.
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
                // clap reads nothing behind a word that it does not know.
                output: output.cloned().or_else(|| written_output(words)),
                ..RunArgs::default()
            },
        }
    }
}

/// The value of `--output`, wherever it stands, if it is one.
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

/// An error of clap in the form of all others. A value is not shown: it may be a secret in the wrong
/// place.
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
    misuse(what, fix.unwrap_or(help))
}

/// That the command line asks for something that is not there.
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
        /// It cannot be read.
        USAGE = "settings/usage", Usage {
            what: "The command line cannot be read.",
            why: "A command or flag does not exist, or a value is missing.",
            advice: "Read the help of the command.",
        },
    }
}
