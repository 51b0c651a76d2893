// SPDX-License-Identifier: Apache-2.0
//! The codes and classes of the sources, read from their text: a constant cannot be forgotten, and an
//! error can.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambisign_host::{Class, HttpReason};

use super::{TABLES, codes, list};
use crate::error::class_name;

/// What the sources say: each code, and the classes of an error with it.
#[derive(Default)]
struct Told {
    codes: BTreeMap<String, BTreeSet<String>>,
    literals: BTreeSet<String>,
}

/// Every Rust file below `folder`, without its tests.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" && name != "explain" {
            sources(&path, found);
        } else if path.is_file() && name.ends_with(".rs") && !name.contains("test") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push(
                text.split("#[cfg(test)]\nmod tests")
                    .next()
                    .unwrap()
                    .to_owned(),
            );
        }
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
    names.map(str::to_ascii_lowercase).collect()
}

/// What one `impl Explain` says.
fn implementation(text: &str, told: &mut Told) {
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
            let entry = told.codes.entry(literal.to_owned()).or_default();
            entry.extend(of_variant(&names));
        }
    }
}

fn told() -> Told {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["host/src", "providers/src", "sigstore/src", "src"] {
        sources(&root.join(folder), &mut files);
    }
    let mut told = Told::default();
    let mut count = 0;
    for file in &files {
        for text in file.split("impl Explain for ").skip(1) {
            implementation(text.split("\n}\n").next().unwrap(), &mut told);
            count += 1;
        }
    }
    assert!(count > 25, "the sources look different: {count} errors");
    let stages: BTreeSet<String> = codes()
        .iter()
        .map(|(name, _)| name.split('/').next().unwrap().to_owned())
        .collect();
    for file in &files {
        let found = literals(file).filter(|name| stages.contains(name.split('/').next().unwrap()));
        told.literals.extend(found.map(str::to_owned));
    }
    told
}

#[test]
fn every_code_that_can_be_told_is_explained_and_no_other() {
    let told = told();
    let explained: BTreeSet<String> = codes().into_iter().map(|(name, _)| name).collect();
    let of_http = HttpReason::TABLE.codes.iter().flat_map(|code| {
        let stages = TABLES.iter().flat_map(|table| table.requests);
        stages.map(|stage| format!("{stage}/{}", code.name))
    });
    let known: BTreeSet<String> = told
        .codes
        .keys()
        .cloned()
        .chain(told.literals.iter().cloned())
        .chain(of_http)
        .collect();
    let lacking: Vec<_> = known.difference(&explained).collect();
    assert!(lacking.is_empty(), "not explained: {lacking:?}");
    let idle: Vec<_> = explained.difference(&known).collect();
    assert!(idle.is_empty(), "explained, and never told: {idle:?}");
}

#[test]
fn the_exit_codes_are_those_of_the_errors() {
    let told = told();
    for (name, code) in codes() {
        let ours: BTreeSet<String> = code
            .classes
            .iter()
            .map(|class| class_name(*class).to_owned())
            .collect();
        let mut theirs = told.codes.get(&name).cloned().unwrap_or_default();
        if theirs.is_empty() {
            continue;
        }
        // Whoever verifies rejects what a signer does not trust.
        if ours.contains(class_name(Class::Rejected)) {
            theirs.insert(class_name(Class::Rejected).to_owned());
        }
        assert_eq!(ours, theirs, "{name}");
    }
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
