// SPDX-License-Identifier: Apache-2.0
//! The registries of the field as profiles: a real registry, with deviations in front of it that a
//! report, a document or the source tells. Every profile meets every situation, and each cell is
//! signed and found by cosign 3, or refused with a fix that works.
#![expect(
    clippy::unwrap_used,
    reason = "helpers outside of `#[test]` functions stop when they cannot go on"
)]

#[path = "../common/mod.rs"]
mod common;

mod cell;
mod policy;
mod profile;
mod run;
mod table;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cell::{Cell, Outcome};
use common::Stack;
use profile::{Profile, Situation};
use run::Tokens;

/// How many cells are played at the same time. They wait more than they compute.
const AT_ONCE: usize = 6;

/// Issue 15: every profile with one image, an index, 50 images at once, and another writer meanwhile.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn every_registry_is_signed_or_refused_with_a_fix_that_works() {
    let stack = Stack::alone();
    let profiles = profile::all(&stack);
    let tokens = Tokens::new(&stack);
    let mut cells: Vec<(usize, Situation)> = Vec::new();
    for situation in Situation::SLOWEST_FIRST {
        cells.extend((0..profiles.len()).map(|profile| (profile, situation)));
    }
    let outcomes = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((at, situation)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
            let cell = Cell {
                stack: &stack,
                tokens: &tokens,
                profile: &profiles[*at],
                situation: *situation,
            };
            let outcome = cell.play();
            outcomes.lock().unwrap().push((*at, *situation, outcome));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    table::print(&profiles, &outcomes);
    let failed = outcomes.iter().filter_map(|(at, situation, outcome)| {
        let why = outcome.failure()?;
        Some(format!("\n{}, {}: {why}", profiles[*at].name, situation.name()))
    });
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "{}", failed.concat());
    every_policy_has_its_reason(&profiles, &outcomes);
}

/// Where cosign succeeds and ambisign does not, the document says why; and nowhere else.
fn every_policy_has_its_reason(profiles: &[Profile], outcomes: &[(usize, Situation, Outcome)]) {
    let behind = outcomes.iter().filter(|(.., outcome)| outcome.is_behind_cosign());
    let mut behind: Vec<_> = behind.map(|(at, ..)| profiles[*at].name).collect();
    behind.sort_unstable();
    behind.dedup();
    assert_eq!(behind, policy::listed(), "docs/registries.md, {:?}", policy::HEADING);
}
