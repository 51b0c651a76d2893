// SPDX-License-Identifier: Apache-2.0
//! Transcripts: what users see, as plain files that a writer can read and edit.
//!
//! - `help/` has the help of every command, derived from the command tree.
//! - `runs/` has the normal runs of every command, against a sandbox where one is needed.
//! - `codes/` has every code of errors and warnings, with what `ambisign explain` says about it.
//!
//! Each test compares the files with what the built program prints. `SNAPSHOTS=overwrite` renews
//! them. How a file is written is described in [`script`].
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, and runs the program with an environment of its own"
)]

mod codes;
mod constructed;
mod fixes;
mod help;
mod mirror;
mod peer;
mod record;
mod redact;
mod runs;
mod script;
mod stage;
