// SPDX-License-Identifier: Apache-2.0
//! Every code of an error or a warning, in a transcript of its own.
//!
//! Most come from a run of the program. The others would need a fault that no peer here can make;
//! they begin with the line `constructed`, and their values are in [`crate::constructed`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ambisign::explain;

use crate::constructed::{self, Told};
use crate::record;
use crate::script::Script;

/// The first line of a transcript of an error that no run gave.
const CONSTRUCTED: &str = "constructed";

/// Warnings that take a fault which no peer here can make, and which are no values of their own:
/// their transcripts have the explanation alone.
const EXPLAINED: [&str; 10] = [
    "github/output",
    "registry/cut",
    "registry/drift",
    "registry/helper-missing",
    "registry/login-unreadable",
    "registry/plain-http",
    "registry/removed",
    "run/kept",
    "trust/other-hash",
    "verify/reusable-workflow",
];

/// A warning about what GitHub reads is told too late to be in it, so its code is in no output.
const WITHOUT_CODE: &str = "github/unwritten";

/// The exit code of a run in which some images are done, whatever failed for the others.
const PARTIAL: &str = "7";

#[test]
fn every_code_is_on_record() {
    transcripts_are_right();
    no_code_is_missing();
    each_exit_code_is_one_of_its_row();
    the_constructed_are_marked();
}

fn transcripts_are_right() {
    let mut made: BTreeMap<PathBuf, Told> = BTreeMap::new();
    for told in constructed::all() {
        let (path, code) = (path(&told.code), told.code.clone());
        assert!(made.insert(path, told).is_none(), "{code} is constructed twice");
    }
    let mut paths = record::transcripts(&record::folder("codes"));
    paths.extend(made.keys().cloned());
    let paths: Vec<_> = paths.into_iter().collect();
    record::each(&paths, |path| record::compare(path, now(path, made.get(path))));
}

/// A new code is red until it is on record, and an old one until its transcript is gone.
fn no_code_is_missing() {
    let known: BTreeSet<PathBuf> = explain::codes().iter().map(|(name, _)| path(name)).collect();
    let on_record = record::transcripts(&record::folder("codes"));
    let lacking: Vec<_> = known.difference(&on_record).collect();
    assert!(lacking.is_empty(), "not on record: {lacking:#?}");
    let idle: Vec<_> = on_record.difference(&known).collect();
    assert!(idle.is_empty(), "on record, and no code: {idle:#?}");
    for path in &on_record {
        let text = std::fs::read_to_string(path).unwrap();
        let code = code(path);
        let forms = [
            format!("ambisign: code: {code};"),
            format!("\"code\": \"{code}\""),
            format!("title=ambisign%3A {code}::"),
        ];
        let is_told = forms.iter().any(|form| text.contains(form));
        let is_excused = code == WITHOUT_CODE || EXPLAINED.contains(&code.as_str());
        assert!(is_told != is_excused, "{code}: told {is_told}, excused {is_excused}");
    }
}

/// What a run ends with is among what the row of its error says.
fn each_exit_code_is_one_of_its_row() {
    for path in record::transcripts(&record::folder("codes")) {
        let (text, code) = (std::fs::read_to_string(&path).unwrap(), code(&path));
        let (_, row) = text.rsplit_once("\nExit code: ").unwrap_or_default();
        let mark = format!("ambisign: code: {code}; exit ");
        let ends = text.split(&mark).skip(1);
        // A signal decides this one, and no class.
        for end in ends.filter(|_| code != "run/interrupted") {
            let exit = end.split(';').next().unwrap();
            if exit == PARTIAL {
                continue;
            }
            let said = format!(" {row}").contains(&format!(" {exit} ("));
            assert!(said, "{code} ends with {exit}, but its row says: {row}");
        }
    }
}

/// A code is provoked or constructed, as the list says.
fn the_constructed_are_marked() {
    let listed: BTreeSet<String> = constructed::all().into_iter().map(|told| told.code).collect();
    let marked = record::transcripts(&record::folder("codes")).into_iter();
    let marked: BTreeSet<String> = marked
        .filter(|path| Script::read(path).begins(CONSTRUCTED))
        .map(|path| code(&path))
        .collect();
    assert_eq!(listed, marked);
}

/// The transcript of the code `name`.
fn path(name: &str) -> PathBuf {
    record::folder("codes").join(format!("{name}.txt"))
}

/// The code of the transcript at `path`.
fn code(path: &Path) -> String {
    let path = path.strip_prefix(record::folder("codes")).unwrap();
    path.with_extension("").to_str().unwrap().to_owned()
}

/// The transcript at `path` as it would be written now.
fn now(path: &Path, made: Option<&Told>) -> String {
    let script = match made {
        None => return Script::read(path).play(),
        Some(_) if path.exists() && !Script::read(path).begins(CONSTRUCTED) => {
            panic!("{} is constructed and provoked", path.display())
        }
        Some(_) => Script::parse(&format!("$ ambisign explain {}\n", code(path))),
    };
    let told = made.map(|told| told.text.as_str()).unwrap_or_default();
    format!("{CONSTRUCTED}\n{told}\n{}", script.play())
}
