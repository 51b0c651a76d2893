// SPDX-License-Identifier: Apache-2.0
//! Translates command lines that were written for cosign.
//!
//! Users can replace the word `cosign` with `ambisign`. Before clap parses a command line, each flag that
//! only cosign has is translated, dropped with a warning, or refused with a fix, according to [`FLAGS`].
//! A flag that asks for another signature than ambisign makes is refused. A flag that makes no
//! difference is dropped; a run that would need it fails before anything is public.
//!
//! cosign also reads every flag from a variable, such as `COSIGN_YES` for `--yes`. ambisign does not
//! read these variables, and warns if one is set.

mod error;
mod flags;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;

use ambisign_host::{Env, Warning};
use clap::CommandFactory as _;

pub use self::error::Error;
pub use self::flags::{FLAGS, Flag, Takes, Translation};

use super::command::Cli;
use super::variables::variable_of;
use super::warnings::{UNREAD_VARIABLE, UNUSED};

/// The commands that both programs have.
const COMMANDS: [&str; 4] = ["sign", "sign-blob", "verify", "verify-blob"];

/// The command of ambisign that accepts the command line of `sign`.
const DOCTOR: &str = "doctor";

/// Flags of cosign that may precede the command, with all their names, and whether they have a value.
const GLOBAL: [(&str, Takes); 5] = [
    ("--output-file", Takes::Value),
    ("--timeout", Takes::Value),
    ("--verbose", Takes::Switch),
    ("-d", Takes::Switch),
    ("-t", Takes::Value),
];

/// A translated command line.
#[derive(Clone, Debug, Default)]
pub struct Swapped {
    /// The words, starting with the program.
    pub words: Vec<OsString>,
    /// Warnings about flags and variables without effect.
    pub unused: Vec<Warning>,
    /// The variables of switches that a flag turns off. They are ignored.
    pub off: BTreeSet<String>,
}

/// Translates the words of a command line. Words that cosign does not know, and commands that it does
/// not have, are unchanged.
///
/// # Errors
/// A flag is refused. The error contains no value.
pub fn swap(words: Vec<OsString>, env: &Env) -> Result<Swapped, Error> {
    let words = command_first(words);
    let given = words.get(1).and_then(|word| word.to_str());
    let is_doctor = given == Some(DOCTOR);
    let given = if is_doctor { Some("sign") } else { given };
    let Some(command) = COMMANDS.into_iter().find(|name| given == Some(*name)) else {
        return Ok(Swapped { words, ..Swapped::default() });
    };
    let mut words = words.into_iter();
    let mut swap = Swap {
        command,
        seen: BTreeSet::new(),
        swapped: Swapped { words: words.by_ref().take(2).collect(), ..Swapped::default() },
    };
    while let Some(word) = words.next() {
        if word == "--" {
            swap.swapped.words.push(word);
            break;
        }
        swap.word(word, &mut words)?;
    }
    swap.swapped.words.extend(words);
    // `doctor` checks the variables itself.
    if !is_doctor {
        swap.variables(env);
    }
    Ok(swap.swapped)
}

/// Moves the command before the flags that cosign accepts in front of it.
fn command_first(mut words: Vec<OsString>) -> Vec<OsString> {
    let mut at = 1;
    while let Some(word) = words.get(at).and_then(|word| word.to_str()) {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        let Some((_, takes)) = GLOBAL.iter().find(|(global, _)| *global == name) else {
            break;
        };
        let is_alone = *takes == Takes::Switch || name != word;
        at += if is_alone { 1 } else { 2 };
    }
    let is_command = |word: &OsString| COMMANDS.into_iter().any(|name| *word == *name);
    if words.get(at).is_some_and(is_command)
        && let Some(beginning) = words.get_mut(1..=at)
    {
        beginning.rotate_right(1);
    }
    words
}

/// A translation in progress.
struct Swap {
    command: &'static str,
    /// The flags of cosign on the command line.
    seen: BTreeSet<&'static str>,
    swapped: Swapped,
}

impl Swap {
    /// Translates one word. If its value is a separate word, `rest` begins with it.
    fn word(
        &mut self,
        word: OsString,
        rest: &mut impl Iterator<Item = OsString>,
    ) -> Result<(), Error> {
        let long = word.to_str().and_then(|word| word.strip_prefix("--"));
        let Some(long) = long.map(str::to_owned) else {
            self.swapped.words.push(word);
            return Ok(());
        };
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long.as_str(), None),
        };
        let Some(flag) = find(self.command, name) else {
            self.own(word, name, value);
            return Ok(());
        };
        self.seen.insert(flag.name);
        match flag.translation {
            Translation::Same => self.own(word, name, value),
            Translation::Alias(ours) => self.push(ours, value),
            Translation::Opposite(ours) => match value.map(truth) {
                None | Some(Some(true)) => self.turn_off(ours),
                Some(Some(false)) => self.push(ours, None),
                Some(None) => self.swapped.words.push(word),
            },
            Translation::Unused
            | Translation::Only(_)
            | Translation::Refused
            | Translation::Secret => {
                let value = match (value, flag.takes) {
                    (Some(value), _) => Some(value.to_owned()),
                    (None, Takes::Switch) => Some("true".to_owned()),
                    (None, Takes::Value) => rest.next().and_then(|word| word.into_string().ok()),
                };
                let unused = unused(flag, value.as_deref())?;
                self.swapped.unused.push(unused);
            }
        }
        Ok(())
    }

    /// A flag of ambisign, or an unknown one. The switches of cosign may have a value.
    fn own(&mut self, word: OsString, name: &str, value: Option<&str>) {
        match value.and_then(truth) {
            Some(true) if self.is_switch(name) => self.push(name, None),
            Some(false) if self.is_switch(name) => self.turn_off(name),
            Some(_) | None => self.swapped.words.push(word),
        }
    }

    /// Turns the switch off, whatever its variable or an earlier word says, because the last one counts.
    fn turn_off(&mut self, name: &str) {
        let on = format!("--{name}");
        self.swapped.words.retain(|word| *word != *on);
        self.swapped.off.insert(variable_of(name));
    }

    fn push(&mut self, name: &str, value: Option<&str>) {
        let word = value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={value}"));
        self.swapped.words.push(word.into());
    }

    fn is_switch(&self, name: &str) -> bool {
        let cli = Cli::command();
        let command = cli.find_subcommand(self.command).into_iter();
        command
            .flat_map(clap::Command::get_arguments)
            .any(|arg| arg.get_long() == Some(name) && !arg.get_action().takes_values())
    }

    /// Warns about the variables that cosign would have read, unless a flag replaces them.
    fn variables(&mut self, env: &Env) {
        let flags = FLAGS.iter().filter(|flag| flag.of.contains(&self.command));
        let set = flags.filter(|flag| !self.seen.contains(flag.name));
        let set = set.filter(|flag| {
            let value = env.raw(&cosign_variable(flag.name));
            value.is_some_and(|value| !value.is_empty())
        });
        self.swapped.unused.extend(set.map(|flag| Warning {
            code: UNREAD_VARIABLE,
            message: format!(
                "`{}` is a variable of cosign and is not read{}",
                cosign_variable(flag.name),
                instead(flag)
            ),
        }));
    }
}

/// The row of `command` for the flag `name`.
fn find(command: &str, name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name && flag.of.contains(&command))
}

/// The warning that `flag` has no effect with `value`.
fn unused(flag: &'static Flag, value: Option<&str>) -> Result<Warning, Error> {
    let (name, fix) = (flag.name, flag.why);
    let is_accepted = match flag.translation {
        Translation::Only(accepted) => match (flag.takes, value) {
            (Takes::Switch, Some(value)) => truth(value) == truth(accepted),
            (Takes::Value, Some(value)) => value == accepted,
            (Takes::Switch | Takes::Value, None) => false,
        },
        Translation::Refused => false,
        Translation::Secret => return Err(Error::SecretInArguments { name, fix }),
        Translation::Same
        | Translation::Alias(_)
        | Translation::Opposite(_)
        | Translation::Unused => true,
    };
    if !is_accepted {
        return Err(Error::CosignFlag { name, fix });
    }
    let why = match flag.translation {
        Translation::Only(_) => "this is always done",
        Translation::Alias(_)
        | Translation::Opposite(_)
        | Translation::Refused
        | Translation::Same
        | Translation::Secret
        | Translation::Unused => flag.why,
    };
    Ok(Warning { code: UNUSED, message: format!("`--{name}` is not used: {why}") })
}

/// The equivalent of the variable of `flag`, as the end of a sentence.
fn instead(flag: &Flag) -> String {
    match flag.translation {
        Translation::Same | Translation::Alias(_) | Translation::Opposite(_) => {
            let name = ours(flag);
            format!(": set `{}` or pass `--{name}`", variable_of(name))
        }
        Translation::Secret | Translation::Refused => format!(": {}", flag.why),
        Translation::Unused | Translation::Only(_) => String::new(),
    }
}

/// The name of `flag` in ambisign.
fn ours(flag: &Flag) -> &'static str {
    match flag.translation {
        Translation::Alias(name) | Translation::Opposite(name) => name,
        Translation::Same
        | Translation::Unused
        | Translation::Only(_)
        | Translation::Refused
        | Translation::Secret => flag.name,
    }
}

/// The variable from which cosign reads the flag `name`.
fn cosign_variable(name: &str) -> String {
    format!("COSIGN_{}", name.replace('-', "_").to_ascii_uppercase())
}

/// Parses a Boolean like Go.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The table as text, a paragraph for each command.
pub fn table() -> String {
    let mut text = String::from(
        "The flags of cosign and their equivalents in ambisign. Flags that are not listed are unknown.\n",
    );
    for command in COMMANDS {
        // Writing to a string cannot fail.
        let _written = write!(text, "\nambisign {command}\n");
        for flag in FLAGS.iter().filter(|flag| flag.of.contains(&command)) {
            let name = flag.name;
            let _written = match flag.translation {
                Translation::Same if flag.why.is_empty() => writeln!(text, "  --{name}: the same"),
                Translation::Same => writeln!(text, "  --{name}: the same, but {}", flag.why),
                Translation::Alias(ours) => writeln!(text, "  --{name}: use `--{ours}`"),
                Translation::Opposite(ours) => writeln!(text, "  --{name}=false: use `--{ours}`"),
                Translation::Unused => writeln!(text, "  --{name}: not used: {}", flag.why),
                Translation::Only(value) => {
                    writeln!(text, "  --{name}: {value} only, otherwise refused: {}", flag.why)
                }
                Translation::Refused | Translation::Secret => {
                    writeln!(text, "  --{name}: refused: {}", flag.why)
                }
            };
        }
    }
    text
}

#[cfg(test)]
mod tests;
