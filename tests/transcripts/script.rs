// SPDX-License-Identifier: Apache-2.0
//! One transcript: what to do, and what came of it.
//!
//! ```text
//! # A comment.
//! sandbox sct-by-unknown-log
//! env SIGSTORE_ID_TOKEN=[TOKEN]
//! $ ambisign sign [REGISTRY]/acme/app@[DIGEST]
//! --- exit 5
//! --- stderr
//! ...
//! ```
//!
//! Lines before the first `$` set the stage, in their order; [`crate::stage::Stage`] lists them.
//! Each `$` line is a command, and everything up to the next one is its output, which is made anew.
//! Words in brackets stand for what differs from run to run, in commands and in output alike.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::stage::Stage;

/// How a command begins in a transcript.
const PROMPT: &str = "$ ";

/// What a transcript asks for.
pub(crate) struct Script {
    head: Vec<String>,
    commands: Vec<String>,
}

impl Script {
    /// Reads a transcript, without its output.
    pub(crate) fn parse(text: &str) -> Self {
        let is_head = |line: &&str| !line.starts_with(PROMPT) && !line.starts_with("--- ");
        let commands = text.lines().filter_map(|line| line.strip_prefix(PROMPT));
        Self {
            head: text.lines().take_while(is_head).map(str::to_owned).collect(),
            commands: commands.map(str::to_owned).collect(),
        }
    }

    /// Reads the transcript at `path`, without its output.
    pub(crate) fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(path).unwrap())
    }

    /// Whether the first line of the transcript is `line`.
    pub(crate) fn begins(&self, line: &str) -> bool {
        self.head.first().is_some_and(|first| first == line)
    }

    /// Runs it, and returns the whole transcript.
    pub(crate) fn play(&self) -> String {
        let mut stage = Stage::default();
        stage.set(&self.head);
        let mut text = String::new();
        self.head.iter().for_each(|line| push(&mut text, line));
        for command in &self.commands {
            if !text.is_empty() && !self.is_first(command) {
                text.push('\n');
            }
            push(&mut text, &format!("{PROMPT}{command}"));
            let output = stage.run(command);
            let mut shown = shown(&output);
            for (name, content) in stage.written() {
                section(&mut shown, &name, &content);
            }
            text.push_str(&stage.redact(&shown));
            follow(&mut stage, &output);
        }
        text
    }

    fn is_first(&self, command: &String) -> bool {
        self.commands.first().is_some_and(|first| std::ptr::eq(first, command))
    }
}

/// Runs the commands of ambisign that `output` says to verify with: they work as they stand there.
fn follow(stage: &mut Stage, output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    let lines = told.lines().skip_while(|line| *line != "Verify with");
    let commands = lines.skip(1).map_while(|line| line.strip_prefix("  "));
    for command in commands.filter(|line| line.starts_with("ambisign ")) {
        let verified = stage.run(command);
        let told = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success(), "{command}\n{told}");
    }
    // What they write is not shown.
    stage.written();
}

/// What a command said, and how it ended.
pub(crate) fn shown(output: &Output) -> String {
    let mut text = String::new();
    let code = output.status.code().expect("the program ended by itself");
    push(&mut text, &format!("--- exit {code}"));
    let streams = [("stderr", &output.stderr), ("stdout", &output.stdout)];
    for (name, bytes) in streams.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
        section(&mut text, name, &String::from_utf8_lossy(bytes));
    }
    text
}

/// Adds `content` under its name; a JSON document is spread over lines.
fn section(text: &mut String, name: &str, content: &str) {
    push(text, &format!("--- {name}"));
    let is_document = content.starts_with('{');
    match serde_json::from_str::<Value>(content) {
        Ok(document) if is_document => push(text, &format!("{document:#}")),
        Ok(_) | Err(_) => content.lines().for_each(|line| {
            assert!(!line.starts_with(PROMPT), "output looks like a command: {line}");
            push(text, line);
        }),
    }
}

fn push(text: &mut String, line: &str) {
    writeln!(text, "{line}").unwrap();
}

/// The words of `command`; a part in single quotes may have spaces.
pub(crate) fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    for c in command.chars() {
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
