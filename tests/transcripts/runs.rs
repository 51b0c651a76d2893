// SPDX-License-Identifier: Apache-2.0
//! The normal run of every command: as text, as JSON, and in a GitHub job.

use clap::CommandFactory as _;

use crate::record;
use crate::script::Script;

#[test]
fn every_command_has_a_run_on_record() {
    let paths: Vec<_> = record::transcripts(&record::folder("runs")).into_iter().collect();
    record::each(&paths, |path| record::compare(path, Script::read(path).play()));
    no_command_is_missing();
}

/// A command that nobody ran is not on record.
fn no_command_is_missing() {
    let paths = record::transcripts(&record::folder("runs"));
    let texts: String = paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for words in crate::help::commands(&ambisign::cli::Cli::command(), "ambisign") {
        let ran = texts.lines().any(|line| line.starts_with(&format!("$ {words}")));
        assert!(ran, "no run of `{words}` is on record");
    }
}
