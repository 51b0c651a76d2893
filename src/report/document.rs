// SPDX-License-Identifier: Apache-2.0
//! The documents of `--output json`. What is serialised is the outcome itself, with what follows from
//! it; members are only ever added within a version.

use std::io;

use ambisign_host::Failure;
use serde::Serialize;

use super::console::Stream;
use super::reporter::Reporter;
use super::sanitize;
#[cfg(test)]
use crate::outcome::described;

/// One document: what it is, and what it tells.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Document<T> {
    /// The form of the document; another version has another name.
    schema: &'static str,
    /// The version of ambisign.
    version: &'static str,
    #[serde(flatten)]
    told: T,
}

/// Whether a command that cannot end in part succeeded.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// The exit code is 0.
    Ok,
    /// The exit code is another.
    Failed,
}

impl Status {
    /// Of a command that ends with `exit_code`.
    pub(super) fn of(exit_code: u8) -> Self {
        match exit_code {
            0 => Self::Ok,
            _ => Self::Failed,
        }
    }
}

/// That a command with another document could not begin, or not end.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Failed<'a> {
    /// Always `failed`.
    #[cfg_attr(test, schemars(extend("const" = "failed")))]
    status: &'static str,
    /// The exit code of the program.
    exit_code: u8,
    /// What went wrong.
    #[cfg_attr(test, schemars(with = "described::Error"))]
    error: &'a Failure,
}

impl Reporter<'_> {
    /// The error of a command that has no report, as one JSON document on standard output.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn failed(&self, schema: &'static str, error: &Failure, exit_code: u8) -> io::Result<()> {
        let status = "failed";
        self.print(schema, Failed { status, exit_code, error })
    }

    /// What a command has to tell, as a document on standard output.
    pub(super) fn print(&self, schema: &'static str, told: impl Serialize) -> io::Result<()> {
        let line = format!("{}\n", self.document(schema, told));
        self.console.write(Stream::Out, &line)
    }

    /// What a command has to tell, as a document on one line.
    pub(super) fn document(&self, schema: &'static str, told: impl Serialize) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let document = Document { schema, version, told };
        sanitize::document(&document, &|text| self.net.redact(text))
    }
}
