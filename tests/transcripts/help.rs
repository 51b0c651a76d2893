// SPDX-License-Identifier: Apache-2.0
//! The help of every command. The commands come from the command tree, so that none is forgotten.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ambisign::cli::Cli;
use clap::{Command, CommandFactory as _};

use crate::record;
use crate::script::Script;

/// The width of a small terminal.
const COLUMNS: usize = 80;

/// What a still narrower terminal says.
const NARROW: &str = "env COLUMNS=60";

#[test]
fn help_is_as_on_record() {
    let mut wanted = BTreeMap::new();
    for words in commands(&Cli::command(), "ambisign") {
        wanted.extend(of_command(&words));
    }
    no_line_is_wider_than_a_small_terminal(&wanted);
    let known = record::transcripts(&record::folder("help"));
    let idle: Vec<_> = known.iter().filter(|path| !wanted.contains_key(*path)).collect();
    assert!(idle.is_empty(), "not the help of any command: {idle:?}");
    let wanted: Vec<_> = wanted.into_iter().collect();
    record::each(&wanted, |(path, text)| record::compare(path, text.clone()));
}

/// The names of `command` and of all below it, each as it is typed.
pub(crate) fn commands(command: &Command, words: &str) -> Vec<String> {
    let mut all = vec![words.to_owned()];
    for below in command.get_subcommands() {
        all.extend(commands(below, &format!("{words} {}", below.get_name())));
    }
    all
}

/// The long help of a command; and the short one, and that of a narrow terminal, where they differ.
fn of_command(words: &str) -> Vec<(PathBuf, String)> {
    let play = |script: &str| Script::parse(script).play();
    let output = |text: &str| text.split_once("\n--- ").map(|(_, output)| output.to_owned());
    let long = play(&format!("$ {words} --help"));
    let others = [
        ("short", play(&format!("$ {words} -h"))),
        ("narrow", play(&format!("{NARROW}\n$ {words} --help"))),
    ];
    let name = words.replace(' ', "-");
    let path = |suffix: &str| record::folder("help").join(format!("{name}{suffix}.txt"));
    let others = others.into_iter().filter(|(_, text)| output(text) != output(&long));
    let others: Vec<_> = others.map(|(kind, text)| (path(&format!(".{kind}")), text)).collect();
    [vec![(path(""), long)], others].concat()
}

/// Whatever the terminal is: the help of no command needs more columns than a small one has.
fn no_line_is_wider_than_a_small_terminal(helps: &BTreeMap<PathBuf, String>) {
    for (path, text) in helps {
        let wide = text.lines().filter(|line| line.chars().count() > COLUMNS);
        let wide: Vec<_> = wide.collect();
        assert!(wide.is_empty(), "{}: {wide:#?}", path.display());
    }
}
