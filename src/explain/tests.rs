// SPDX-License-Identifier: Apache-2.0
//! What holds for every row. That a code which is told has one, transcripts show.

use std::collections::BTreeSet;
use std::path::Path;

use super::{STAGES, codes, list, stage_of, tables, text};
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
}

#[test]
fn every_stage_has_a_heading_and_no_other_has() {
    let codes = codes();
    let stages: BTreeSet<&str> = codes.iter().map(|(name, _)| stage_of(name)).collect();
    let headings: Vec<&str> = STAGES.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(headings, stages.into_iter().collect::<Vec<_>>());
    for (name, code) in &codes {
        let line = format!("  {name:<32} {}\n", code.what);
        let of_stage = text(stage_of(name)).unwrap();
        assert!(of_stage.contains(&line), "{name} is not in:\n{of_stage}");
        assert!(list().contains(&of_stage), "{name}");
    }
}
