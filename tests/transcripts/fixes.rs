// SPDX-License-Identifier: Apache-2.0
//! What the transcripts tell the reader to do: every failure has a fix, and a fix names only flags of
//! the command that gives it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;

use ambisign::cli::Cli;
use clap::{Command, CommandFactory as _};
use regex::Regex;
use serde_json::Value;

use crate::{constructed, record};

/// Who else can end with an error that the transcripts show of one command: the beginning of its
/// code, and the commands.
const ALSO: [(&str, &[&str]); 9] = [
    ("bundle/malformed", &["attach", "verify", "verify-blob"]),
    ("bundle/media-type", &["attach", "verify", "verify-blob"]),
    ("images/no-repository", &["attach", "verify"]),
    ("reference/", &["attach", "verify"]),
    ("trust/file-size", &["attach", "verify", "verify-blob"]),
    ("trust/malformed", &["attach", "verify", "verify-blob"]),
    ("trust/no-root", &["attach", "verify", "verify-blob"]),
    ("trust/read", &["attach", "verify", "verify-blob"]),
    ("tuf/", &["attach", "trust update", "verify", "verify-blob"]),
];

/// The command tree.
static COMMANDS: LazyLock<Command> = LazyLock::new(|| {
    let mut all = Cli::command();
    // Adds `--help` to each.
    all.build();
    all
});

/// How a flag is written, after anything that is no part of it.
const FLAG: &str = r"(^|[^-\w])(--[a-z][a-z-]*)";

/// A word in brackets where a number was.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r": \[[A-Z]+\]").unwrap());

/// What one command said.
struct Said {
    /// Where it is on record, and the words of the command.
    place: String,
    /// The command, without flags and arguments: `trust show`.
    command: String,
    failed: bool,
    text: String,
}

#[test]
fn every_failure_tells_what_to_do() {
    let said = said();
    assert!(said.iter().filter(|said| said.failed).count() > 300);
    for said in said.iter().filter(|said| said.failed) {
        let failures = failures(&said.text);
        assert!(!failures.is_empty(), "{} fails in silence", said.place);
        for (failure, fix) in failures {
            assert!(fix.is_some(), "{}: no fix of: {failure}", said.place);
        }
    }
}

#[test]
fn a_fix_names_flags_of_its_command_alone() {
    let mut count = 0;
    let (known, flag) = (flags(&COMMANDS, ""), Regex::new(FLAG).unwrap());
    for said in said() {
        for (failure, fix) in failures(&said.text) {
            let fix = fix.unwrap_or_default();
            let also = ALSO.iter().filter(|(code, _)| said.place.contains(code));
            let also = also.flat_map(|(_, commands)| commands.iter().copied());
            for command in also.chain([said.command.as_str()]) {
                for (command, flag) in advised(command, &fix, &flag) {
                    count += 1;
                    assert!(
                        known[&command].contains(&flag),
                        "{}: `{command}` has no `{flag}`: {failure}: {fix}",
                        said.place
                    );
                }
            }
        }
    }
    assert!(count > 100, "only {count} flags");
}

/// All that the transcripts of runs and codes show.
fn said() -> Vec<Said> {
    let mut all = Vec::new();
    for folder in ["codes", "runs"] {
        for path in record::transcripts(&record::folder(folder)) {
            all.extend(of_transcript(&path));
        }
    }
    all.extend(constructed::all().into_iter().map(|told| Said {
        place: format!("{} by {}", told.code, told.command),
        command: told.command.to_owned(),
        failed: true,
        text: told.text,
    }));
    all
}

fn of_transcript(path: &PathBuf) -> Vec<Said> {
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("\n$ ambisign").skip(1);
    let told = blocks.filter_map(|block| {
        let (words, output) = block.split_once('\n')?;
        // A command that was never run has no output yet.
        output.starts_with("--- exit ").then(|| Said {
            place: format!("{}: ambisign{words}", path.display()),
            command: command(words),
            failed: !output.starts_with("--- exit 0\n"),
            text: output.to_owned(),
        })
    });
    told.collect()
}

/// The names of the command that `words` begin with.
fn command(words: &str) -> String {
    let (mut at, mut names) = (&*COMMANDS, Vec::new());
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let Some(below) = at.find_subcommand(word) else {
            break;
        };
        names.push(word);
        at = below;
    }
    names.join(" ")
}

/// The flags of every command, by its names.
fn flags(command: &Command, names: &str) -> BTreeMap<String, BTreeSet<String>> {
    let longs = command.get_arguments().filter_map(|arg| arg.get_long());
    let longs = longs.map(|long| format!("--{long}")).collect();
    let mut all = BTreeMap::from([(names.to_owned(), longs)]);
    for below in command.get_subcommands() {
        let names = format!("{names} {}", below.get_name());
        all.extend(flags(below, names.trim_start()));
    }
    all
}

/// The failures that `text` tells, as lines, findings or in a document, each with its fix.
fn failures(text: &str) -> Vec<(String, Option<String>)> {
    let mut all = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some((_, told)) =
            line.split_once("::error title=").filter(|_| line.starts_with("::"))
        {
            let fix = told.split_once(" Fix: ").map(|(_, fix)| fix.to_owned());
            all.push((told.to_owned(), fix));
        } else if line.starts_with("ambisign: error: ") || line.starts_with("fail  ") {
            let mut fix = None;
            while let Some(next) = lines.next_if(|next| belongs(next)) {
                let next = next.trim_start().trim_start_matches("ambisign: ");
                fix = fix.or_else(|| next.strip_prefix("fix: ").map(str::to_owned));
            }
            all.push((line.to_owned(), fix));
        } else if line == "{" {
            let rest = lines.by_ref().take_while(|line| *line != "}");
            let document = format!("{{{}}}", rest.collect::<Vec<_>>().join("\n"));
            let document = PLACEHOLDER.replace_all(&document, ": 0");
            of_document(&serde_json::from_str(&document).unwrap(), &mut all);
        }
    }
    all
}

/// Whether a line explains the failure before it.
fn belongs(line: &str) -> bool {
    ["ambisign: because: ", "ambisign: fix: ", "      "].iter().any(|start| line.starts_with(start))
}

/// The failures anywhere in a document: whatever has a class.
fn of_document(value: &Value, all: &mut Vec<(String, Option<String>)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| of_document(item, all)),
        Value::Object(members) => {
            if members.get("class").is_some_and(Value::is_string) {
                let text = |name: &str| members.get(name)?.as_str().map(str::to_owned);
                all.push((text("code").unwrap_or_default(), text("fix")));
            }
            members.values().for_each(|member| of_document(member, all));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The flags of ambisign in `fix`, each with the command that it is of: `command`, unless the command
/// is written in front of it. What stands behind the name of another program is not ours.
fn advised(command_of_run: &str, fix: &str, flag: &Regex) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (at, part) in fix.split('`').enumerate() {
        let is_quoted = at % 2 == 1;
        let named = part.strip_prefix("ambisign ").filter(|_| is_quoted);
        let is_foreign = is_quoted && named.is_none() && !part.starts_with('-');
        if is_foreign {
            continue;
        }
        let of = named.map_or_else(|| command_of_run.to_owned(), command);
        let flags = flag.captures_iter(part).map(|found| found[2].to_owned());
        all.extend(flags.map(|flag| (of.clone(), flag)));
    }
    all
}
