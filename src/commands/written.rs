// SPDX-License-Identifier: Apache-2.0
//! The exit code of a command whose results had to be written.

use std::io;

use crate::report::Reporter;

/// The exit code of a bug, and of results that nobody could read.
pub const BUG: u8 = 1;

/// The exit code of a command that ends with `code` and wrote its results. Results that nobody can
/// read are no success.
pub(super) fn written(reporter: Reporter<'_>, results: io::Result<()>, code: u8) -> u8 {
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

/// As `written`, for a text of our own of which the reader may have seen enough, as `head` does.
pub fn shown(reporter: Reporter<'_>, results: io::Result<()>) -> u8 {
    match results {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        results => written(reporter, results, 0),
    }
}
