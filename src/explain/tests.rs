// SPDX-License-Identifier: Apache-2.0
//! What holds for every row. That a code which is told has one, transcripts show.

use std::collections::BTreeSet;
use std::path::Path;

use super::{codes, list, tables};
use crate::outcome::exit::exit;

#[test]
fn no_code_has_two_rows() {
    let mut names = BTreeSet::new();
    for code in tables().flat_map(|table| table.codes) {
        assert!(names.insert(code.name), "{}", code.name);
    }
}

#[test]
fn every_exit_code_is_in_the_manual() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md");
    let page = std::fs::read_to_string(page).unwrap();
    for (name, code) in codes() {
        for class in code.classes {
            let row = format!("\n| {} | ", exit(*class));
            assert!(page.contains(&row), "{name}: {class:?}");
        }
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
