// SPDX-License-Identifier: Apache-2.0
//! The commands: from parsed flags to an exit code.

pub mod attach;
pub mod doctor;
pub mod reference;
pub mod sign;
pub mod trust;
pub mod verify;

use std::ffi::OsString;
use std::io;

use ambisign_host::{Env, Failure};

use crate::cli::Attempt;
use crate::report::Reporter;
use crate::settings;

/// The exit code of a bug, and of results that nobody could read.
pub const BUG: u8 = 1;

/// A command line that cannot be read, told as the command tells its errors.
pub fn unreadable(words: &[OsString], failure: Failure, env: &Env, reporter: Reporter<'_>) -> u8 {
    let attempt = Attempt::of(words);
    let output = settings::output(&attempt.run, env);
    match attempt.command.as_deref() {
        Some("doctor") => doctor::unreadable(failure, output, reporter),
        Some("verify" | "verify-blob") => verify::unreadable(failure, output, reporter),
        Some(_) | None => sign::unreadable(failure, output, reporter),
    }
}

/// The exit code of a command that ends with `code` and wrote its results. Results that nobody can
/// read are no success.
pub fn written(reporter: Reporter<'_>, results: io::Result<()>, code: u8) -> u8 {
    match results {
        Ok(()) => code,
        Err(error) => {
            reporter.line(&format!(
                "ambisign: error: standard output cannot be written: {error}"
            ));
            if code == 0 { BUG } else { code }
        }
    }
}

/// As [`written`], for a text of our own of which the reader may have seen enough, as `head` does.
pub fn shown(reporter: Reporter<'_>, results: io::Result<()>) -> u8 {
    match results {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        results => written(reporter, results, 0),
    }
}
