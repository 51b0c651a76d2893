// SPDX-License-Identifier: Apache-2.0
//! English that reads as if translated, once removed, does not come back.

use std::path::Path;

use regex_lite::Regex;

use crate::{files_ending, prose, read};

/// The files that are read, by folder and ending, including those in folders below; the empty name means all
/// folders. Of Rust sources, the comments and string literals are read.
const READ: &[(&str, &[&str])] = &[
    ("", &[".md", ".yml", ".yaml"]),
    ("ci-examples", &["Jenkinsfile", ".sh"]),
    ("docs", &["terminal"]),
    ("benches", &[".rs"]),
    ("fuzz", &[".rs"]),
    ("host", &[".rs"]),
    ("providers", &[".rs"]),
    ("registry", &[".rs"]),
    ("sandbox", &[".rs"]),
    ("sigstore", &[".rs"]),
    ("src", &[".rs"]),
];

/// Files and folders that are not read yet, because their text moves or is rewritten together with code.
const NOT_YET: &[&str] = &[];

/// Sections that are not read, because they name files of the code by their present names.
const SECTIONS: &[(&str, &str)] =
    &[("ARCHITECTURE.md", "## Code map"), ("ARCHITECTURE.md", "## Invariants")];

/// What is refused, as expressions over lower-case text with single blanks, and what to write instead.
const REFUSED: &[(&str, &str)] = &[
    (r"\bwhoever\b|\bwhomever\b", "the one who acts: users, verifiers, another job"),
    (r"\bnobody\b", "no one, or say what happens"),
    (r"\btold\b|\btells (us|the reader|what)\b", "printed, reported, shown, named"),
    (r"\bbeside\b", "next to, with, in addition to, compared with"),
    (r"\bwhom to (believe|ask)\b|\bwho is believed\b", "trusted root, signing config"),
    (r"\b(brings?|brought) (a \w+ |it |them )?along\b", "embedded"),
    (r"\b(signs?|signed) along\b|\bsigned with (it|them)\b", "included in the signed statement"),
    (r"\blets? (us|him|them|nobody) in\b", "denied access"),
    (r"\blet it be\b", "nothing to do"),
    (r"\bwhat becomes of\b", "a noun: where bundles are stored"),
    (r"\bhow long, and what\b|\bsomething to say about\b", "a noun"),
    (r"\bmakes? what says\b|\bwhat says whom\b", "trust material"),
    (r"\bin the way of\b|\bwhat is in the way\b", "whether signing would succeed"),
    (r"\bany user will do\b", "runs as any user"),
    (r"\blikes a shell better\b", "or from a shell"),
    (r"\bfor no more than to\b|\bis asked but\b", "only X is contacted"),
    (
        r"\bgoes back to something older\b|\bit alone is asked\b",
        "detects rollback; no others are tried",
    ),
    (r"\bwhat (earlier steps say|the environment says) of\b", "settings exported by earlier steps"),
    (
        r"\b(is|are|was|were|be) over($|[^ \w]| (and|before|but|by|in|or|when)\b)",
        "has expired, has ended",
    ),
    (r"\bwhat cosign makes\b", "signatures made by cosign"),
    (r"\banswered with content\b", "digest mismatch: expected, got"),
    (r"\bbecomes valid in\b", "is not valid for another"),
    (r"\bwhile the run goes on\b", "during the run"),
    (r"\bas a stranger would\b", "as any verifier would"),
    (r"\bin a minute\b|\bfirst minute\b", "the time that it really takes"),
    (r"\bwhose time is over\b", "expired"),
    (r"\bthat (is|are) there\b|\bis there already\b", "existing"),
    (r"\bof one's own\b", "your own"),
    (r"\bis of none of\b", "does not match any of"),
    (r"\bwhere another one is\b", "already exists"),
    (r"\bnot before it is\b|\bknows better\b|\bno less true\b", "a plain sentence"),
];

/// A sentence with "is no" or "is none": "an attestation is no signature". "There is no" is English.
const IS_NO: &str = r"(\w+\W{1,2})(is|are) (no|none)\b";

/// `text` as the expressions read it: lower-case, in one line, without the marks of comments, tables and
/// code blocks of program output.
fn plain(path: &str, text: &str) -> String {
    let is_markdown = Path::new(path).extension().is_some_and(|end| end == "md");
    let text: String = if is_markdown {
        let blocks = text.split("```").enumerate();
        let is_prose = |at: usize, block: &str| at.is_multiple_of(2) || block.starts_with("yaml");
        blocks.filter(|(at, block)| is_prose(*at, block)).map(|(_, block)| block).collect()
    } else {
        text.to_owned()
    };
    let lines = text.lines().map(|line| {
        let marks = |c: char| matches!(c, '#' | '/' | '|' | '>' | ' ' | '\t');
        line.trim_start_matches(marks)
    });
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").to_lowercase()
}

/// The texts of a file, without the sections that are not read: all of a document, or each comment and
/// string literal of a Rust source.
fn checked(path: &str) -> Vec<String> {
    let mut text = read(path);
    if path.ends_with(".rs") {
        let texts = prose::of_rust(&text);
        return texts.iter().map(|text| plain(path, text)).collect();
    }
    for (_, heading) in SECTIONS.iter().filter(|(file, _)| *file == path) {
        let section = crate::section(&text, heading).to_owned();
        text = text.replace(&section, "\n");
    }
    vec![plain(path, &text)]
}

fn is_read(path: &str) -> bool {
    let fits = |(folder, endings): &(&str, &[&str])| {
        Path::new(path).starts_with(folder) && endings.iter().any(|end| path.ends_with(end))
    };
    let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
    let is_rust_test = is_test && path.ends_with(".rs");
    let waits = |not_yet: &&str| Path::new(path).starts_with(not_yet);
    READ.iter().any(fits) && !is_rust_test && !NOT_YET.iter().any(waits)
}

/// Each refused phrase of `text`, with the words around it.
fn refused(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let around = |start: usize, end: usize| {
        let from = text[..start].char_indices().rev().nth(30);
        let to = text[end..].char_indices().nth(30);
        let from = from.map_or(0, |(at, _)| at);
        let to = to.map_or(text.len(), |(at, _)| end + at);
        text[from..to].to_owned()
    };
    for (expression, instead) in REFUSED {
        for hit in Regex::new(expression).unwrap().find_iter(text) {
            let around = around(hit.start(), hit.end());
            found.push(format!("`{}` in `{around}`: {instead}", hit.as_str()));
        }
    }
    for hit in Regex::new(IS_NO).unwrap().captures_iter(text) {
        let (whole, instead) = (hit.get(0).unwrap(), "is not a, does not");
        if hit[1].trim() != "there" && !text[whole.end()..].starts_with(" longer") {
            let around = around(whole.start(), whole.end());
            found.push(format!("`{}` in `{around}`: {instead}", whole.as_str()));
        }
    }
    found
}

#[test]
fn the_documents_are_in_plain_english() {
    let all = files_ending(&[""]);
    let mut found = Vec::new();
    let mut count = 0;
    for path in all.iter().filter(|path| is_read(path)) {
        count += 1;
        let texts = checked(path);
        let hits = texts.iter().flat_map(|text| refused(text));
        found.extend(hits.map(|hit| format!("{path}: {hit}")));
    }
    assert!(count > 200, "only {count} files");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn refused_phrases_are_found_over_line_ends_and_in_comments() {
    for (path, text) in [
        ("a.md", "Ask it, so that\nnobody waits."),
        ("a.md", "| x | an attestation\nis no signature |"),
        ("a.yml", "# the certificate\n  # is over, and\na: b"),
        ("a.yml", "a: b # what becomes\n# of it"),
    ] {
        assert_eq!(refused(&plain(path, text)).len(), 1, "{text}");
    }
    for (path, text) in [
        (
            "a.md",
            "There is no release, it is no longer here. It is over 9 MB in size. Besides:\n```text\nnobody\n```\n",
        ),
        ("a.yml", "# there are\n# no tags"),
    ] {
        let hits = refused(&plain(path, text));
        assert!(hits.is_empty(), "{hits:?}");
    }
}
