// SPDX-License-Identifier: Apache-2.0
//! The output of a run: the log on standard error, the results on standard output.
//!
//! Nothing else writes to these streams. Everything is redacted and then neutralised, so that text from
//! outside can neither move a cursor nor be a command to the CI system.

mod attach_command;
mod console;
mod diagnosis;
mod document;
mod finish;
mod github;
mod invisible;
mod log;
mod recorder;
mod reporter;
mod run;
mod runner;
mod sanitize;
mod text;
pub mod trust;
mod verdicts;
mod verify_command;
mod waits;

pub use self::console::{Colour, Console, Style};
pub(crate) use self::github::WARNINGS;
pub use self::recorder::{Recorder, Watch};
pub use self::reporter::Reporter;
pub use self::runner::Runner;
pub use self::sanitize::shell;
pub use self::text::Block;
pub use self::waits::Waits;

/// The JSON Schema of the documents of `--output json`. A test makes it from the types that are
/// serialised, and compares; others close it and hold real documents against it.
pub const SCHEMA: &str = include_str!("schema.json");

#[cfg(test)]
mod tests;
