// SPDX-License-Identifier: Apache-2.0
//! What the compiler does not see: that every table is in the list, and the rows of errors that have
//! no table yet, which are compared with the text of their sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambisign_host::HttpReason;

use super::{TABLES, codes, list};

/// The sources of the program.
const SOURCES: [&str; 5] = [
    "host/src",
    "providers/src",
    "registry/src",
    "sigstore/src",
    "src",
];

/// Whose errors are no rows of `errors!` yet: the providers. When they are, this goes, with
/// `identity.rs` beside it and what reads their sources here.
const UNCONVERTED: [&str; 1] = ["providers/src"];

/// The enums of `errors!` that have no codes of their own: the sum of all stages, and the reasons of
/// requests, whose codes are made for each stage.
const WITHOUT_TABLE: usize = 2;

/// The text of every Rust file at `paths`, without its tests.
fn sources(paths: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for path in paths {
        add(&root.join(path), &mut found);
    }
    found
}

fn add(path: &Path, found: &mut Vec<String>) {
    let name = path.file_name().unwrap().to_str().unwrap();
    if path.is_dir() && name != "tests" && name != "explain" {
        let entries = std::fs::read_dir(path).unwrap();
        entries.for_each(|entry| add(&entry.unwrap().path(), found));
    } else if path.is_file() && name.ends_with(".rs") && !name.contains("test") {
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        found.push(code.to_owned());
    }
}

/// The body of the function `name` in `text`.
fn body<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("    fn {name}(&self)")).unwrap();
    rest.split("\n    }\n").next().unwrap()
}

/// The string literals of `text` with one slash, in the form of a code.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    text.split('"').filter(move |text| {
        text.split_once('/')
            .is_some_and(|(stage, what)| is_part(stage) && is_part(what))
    })
}

/// The arms of a `match`: the variants, and what becomes of them.
fn arms(body: &str) -> Vec<(BTreeSet<String>, String)> {
    let pieces: Vec<&str> = body.split("=>").collect();
    let variant = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap()
            .to_owned()
    };
    let pairs = pieces.iter().zip(pieces.iter().skip(1));
    pairs
        .map(|(before, after)| {
            let names = before.split("Self::").skip(1).map(variant).collect();
            let end = after.split("Self::").next().unwrap();
            (names, end.to_owned())
        })
        .collect()
}

fn classes(text: &str) -> BTreeSet<String> {
    let names = text.split("Class::").skip(1);
    let names = names.map(|name| name.split(|c: char| !c.is_alphanumeric()).next().unwrap());
    names.map(str::to_owned).collect()
}

/// The classes of each code that one `impl Explain` says.
fn implementation(text: &str, told: &mut BTreeMap<String, BTreeSet<String>>) {
    let (code, class) = (body(text, "code"), body(text, "class"));
    let of_class = arms(class);
    let of_variant = |names: &BTreeSet<String>| {
        let arms = of_class
            .iter()
            .filter(|(variants, _)| !variants.is_disjoint(names));
        let found: BTreeSet<_> = arms.flat_map(|(_, end)| classes(end)).collect();
        if of_class.is_empty() {
            classes(class)
        } else {
            found
        }
    };
    for (names, end) in arms(code) {
        for literal in literals(&end) {
            let entry = told.entry(literal.to_owned()).or_default();
            entry.extend(of_variant(&names));
        }
    }
}

#[test]
fn the_exit_codes_are_those_of_the_errors() {
    let mut told = BTreeMap::new();
    for file in sources(&UNCONVERTED) {
        for text in file.split("impl Explain for ").skip(1) {
            implementation(text.split("\n}\n").next().unwrap(), &mut told);
        }
    }
    assert!(told.len() > 50, "the sources look different: {told:?}");
    let codes: BTreeMap<_, _> = codes().into_iter().collect();
    for (name, theirs) in told {
        let ours = codes[&name].classes.iter();
        let ours: BTreeSet<_> = ours.map(|class| format!("{class:?}")).collect();
        // Where the class depends on fields, the text does not always show it.
        assert!(
            theirs.is_empty() || ours == theirs,
            "{name}: {ours:?}, {theirs:?}"
        );
    }
}

/// A table that is not in the list would make its codes unknown to `explain`.
#[test]
fn every_table_is_in_the_list() {
    let sources = sources(&SOURCES);
    let lines = sources.iter().flat_map(|text| text.lines());
    let tables = lines.filter(|line| ["errors! {", "codes! {"].contains(line));
    assert_eq!(tables.count() - WITHOUT_TABLE, TABLES.len() - 1);
}

#[test]
fn every_code_that_can_be_told_is_explained_and_no_other() {
    let explained: BTreeSet<String> = codes().into_iter().map(|(name, _)| name).collect();
    let stage = |name: &str| name.split('/').next().unwrap().to_owned();
    let stages: BTreeSet<String> = explained.iter().map(|name| stage(name)).collect();
    let sources = sources(&SOURCES);
    let literals = sources.iter().flat_map(|text| literals(text));
    let literals = literals.filter(|name| stages.contains(&stage(name)));
    let of_requests = HttpReason::TABLE.codes.iter().flat_map(|code| {
        let stages = TABLES.iter().flat_map(|table| table.requests);
        stages.map(|stage| format!("{stage}/{}", code.name))
    });
    let known: BTreeSet<String> = literals.map(str::to_owned).chain(of_requests).collect();
    let lacking: Vec<_> = known.difference(&explained).collect();
    assert!(lacking.is_empty(), "not explained: {lacking:?}");
    let idle: Vec<_> = explained.difference(&known).collect();
    assert!(idle.is_empty(), "explained, and never told: {idle:?}");
}

#[test]
fn each_text_is_short_and_whole() {
    for (name, code) in codes() {
        for text in [code.what, code.why, code.advice] {
            assert!(text.ends_with('.') && text.len() <= 240, "{name}: {text}");
        }
        assert!(code.what.len() <= 90, "{name}: {}", code.what);
    }
    assert_eq!(list().lines().count(), codes().len());
}
