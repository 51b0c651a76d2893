// SPDX-License-Identifier: Apache-2.0
//! The commands of the README and of `docs/`: each is in `commands.txt`, which says what runs it. Those
//! that need the binary only run here.

use std::collections::BTreeSet;
use std::process::Command;

use crate::{documents, files_ending, manual, quoted, read, said, section, tests};

const LIST: &str = include_str!("commands.txt");

/// One line of the list.
struct Listed {
    /// What runs it: `here`, `sandbox`, `test NAME`, `platform WHY`.
    by: &'static str,
    /// The command, on one line.
    command: &'static str,
}

fn listed() -> Vec<Listed> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (by, command) = line.split_once(" | ").unwrap_or_else(|| panic!("{line}"));
            Listed { by, command }
        })
        .collect()
}

/// The blocks of `text` in one of the `languages`.
fn blocks<'a>(text: &'a str, languages: &[&str]) -> Vec<&'a str> {
    let fenced = text.split("```").skip(1).step_by(2);
    fenced
        .filter_map(|block| block.split_once('\n'))
        .filter(|(language, _)| languages.contains(language))
        .map(|(_, block)| block)
        .collect()
}

/// The commands of a shell block, each on one line with single blanks.
fn commands(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let lines = joined.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.join(" ")
    });
    lines.filter(|line| !line.is_empty()).collect()
}

/// A line of YAML without what makes it an entry or a step.
fn step(line: &str) -> &str {
    let entry = line.trim_start().trim_start_matches("- ");
    entry.trim_start_matches("run: ")
}

/// Every command that the manual shows in a shell block, or as a step in a block of YAML.
fn shown() -> Vec<(String, String)> {
    let mut shown = Vec::new();
    for (page, text) in manual() {
        for block in blocks(&text, &["sh"]) {
            shown.extend(commands(block).into_iter().map(|line| (page.clone(), line)));
        }
        for line in blocks(&text, &["yaml"]).into_iter().flat_map(str::lines).map(step) {
            if line.starts_with("ambisign ") && !is_of_an_example(line) {
                shown.push((page.clone(), line.to_owned()));
            }
        }
    }
    shown
}

/// The lines of all examples, which `tests/examples/` runs.
fn examples() -> BTreeSet<String> {
    let files = files_ending(&[".yml", ".yaml", "Jenkinsfile", ".sh"]).into_iter();
    let texts = files.filter(|path| path.starts_with("ci-examples/")).map(read);
    texts
        .flat_map(|text| {
            let lines = text.lines().map(|line| step(line).to_owned());
            lines.collect::<Vec<_>>()
        })
        .collect()
}

fn is_of_an_example(line: &str) -> bool {
    examples().contains(line)
}

#[test]
fn every_command_is_run_or_said_to_need_a_platform() {
    let (listed, shown, tests) = (listed(), shown(), tests());
    for (page, command) in &shown {
        let known = listed.iter().any(|row| row.command == command);
        assert!(
            known,
            "{page} shows a command that is not in tests/documents/commands.txt: {command}"
        );
    }
    let mut once = BTreeSet::new();
    for row in &listed {
        let is_shown = shown.iter().any(|(_, command)| row.command == command);
        assert!(is_shown, "no page shows {}", row.command);
        assert!(once.insert(row.command), "twice: {}", row.command);
        match row.by.split_once(' ') {
            None => assert!(matches!(row.by, "here" | "sandbox"), "{}", row.by),
            Some(("test", name)) => assert!(tests.contains(name), "there is no test {name}"),
            Some((word, _)) => assert_eq!(word, "platform", "{}", row.by),
        }
    }
}

#[test]
fn the_commands_that_need_the_binary_only_succeed() {
    for row in listed().iter().filter(|row| row.by == "here") {
        let words: Vec<&str> = row.command.split(' ').collect();
        let ("ambisign", arguments) = (words[0], &words[1..]) else {
            panic!("not a command of ours: {}", row.command);
        };
        let output = Command::new(env!("CARGO_BIN_EXE_ambisign"))
            .args(arguments)
            .env_clear()
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {output:?}", row.command);
        assert!(!output.stdout.is_empty(), "{}: {output:?}", row.command);
    }
}

/// What people copy from the README is what the tests of the examples run, line by line.
#[test]
fn the_yaml_of_the_readme_is_that_of_the_examples() {
    let (readme, examples) = (read("README.md"), examples());
    let blocks = blocks(&readme, &["yaml"]);
    assert_eq!(blocks.len(), 3, "GitHub, Cloud Build, GitLab");
    for line in blocks.into_iter().flat_map(str::lines) {
        let is_comment = line.trim_start().starts_with('#');
        assert!(
            is_comment || examples.contains(step(line)),
            "no file of ci-examples/ has this line of README.md: {line}"
        );
    }
}

#[test]
fn the_commands_named_in_prose_exist() {
    let help = said(&["--help"], &[]);
    let (_, listed) = help.split_once("\nCommands:\n").unwrap();
    let listed = listed.lines().take_while(|line| !line.is_empty());
    let known: BTreeSet<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(known.contains("sign"), "{known:?}");
    let readme = read("README.md");
    let absent = section(&readme, crate::ABSENT);
    for document in documents() {
        let text = read(&document);
        let text = match document.as_str() {
            "README.md" => text.replace(absent, ""),
            // It also names what is planned.
            "ARCHITECTURE.md" => continue,
            _ => text,
        };
        for name in quoted(&text) {
            let mut words = name.split_whitespace();
            let command = words.next().filter(|word| *word == "ambisign");
            let Some(command) = command.and_then(|_| words.next()) else {
                continue;
            };
            let is_word = command.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            assert!(
                !is_word || command.starts_with('-') || known.contains(command),
                "{document}: there is no `ambisign {command}`"
            );
        }
    }
}
