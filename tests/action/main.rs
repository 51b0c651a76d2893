// SPDX-License-Identifier: Apache-2.0
//! The GitHub Action: its inputs and outputs are those of the program, its scripts bear whatever the
//! inputs hold, and workflows with it run by `act` against the real services.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers outside of `#[test]` functions stop when they cannot go on"
)]

#[path = "../common/mod.rs"]
mod common;

mod act;
mod earlier;
mod hostile;
mod install;
mod lint;
mod step;
mod table;
mod traps;
mod workflows;

use std::path::Path;

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
