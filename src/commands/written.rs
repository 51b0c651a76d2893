// SPDX-License-Identifier: Apache-2.0
//! The exit code of a command whose results had to be written.

use std::io;

use crate::report::Reporter;

/// The exit code of a bug, and of results that could not be written.
pub const BUG: u8 = 1;

/// The exit code of a command that ends with `code`, after writing its results. If they could not be
/// written, it has failed.
pub(super) fn written(reporter: Reporter<'_>, results: io::Result<()>, code: u8) -> u8 {
    match results {
        Ok(()) => code,
        Err(error) => {
            reporter.line(&format!("ambisign: error: standard output cannot be written: {error}"));
            if code == 0 { BUG } else { code }
        }
    }
}

/// Like `written`, for a fixed text, whose reader may stop early, as `head` does.
pub fn shown(reporter: Reporter<'_>, results: io::Result<()>) -> u8 {
    match results {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        results => written(reporter, results, 0),
    }
}
