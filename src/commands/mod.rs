// SPDX-License-Identifier: Apache-2.0
//! The commands: from parsed flags to an exit code.

pub mod action;
pub mod attach;
pub mod doctor;
pub mod env;
pub mod explain;
pub mod session;
pub mod sign;
pub mod trust;
pub mod verify;
mod written;

use std::ffi::OsString;

use ambisign_host::{Env, Failure};

pub use self::written::{BUG, shown};

use crate::cli::Attempt;
use crate::report::Reporter;
use crate::settings;

/// Reports an invalid command line in the same way as other errors of the command.
pub fn unreadable(words: &[OsString], failure: Failure, env: &Env, reporter: Reporter<'_>) -> u8 {
    let attempt = Attempt::of(words);
    let output = settings::output(&attempt.run, env);
    match attempt.command.as_deref() {
        Some("doctor") => doctor::unreadable(failure, output, reporter),
        Some("verify" | "verify-blob") => verify::unreadable(failure, output, reporter),
        Some(_) | None => sign::unreadable(failure, output, reporter),
    }
}
