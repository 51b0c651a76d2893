// SPDX-License-Identifier: Apache-2.0
//! Output for the runner of GitHub Actions, in addition to the log. Errors and warnings become
//! annotations, long batches get groups, and outputs and a summary are written to the runner's files.
//!
//! No text from outside can be a command to it: each passes [`super::sanitize`], and the encoding of its
//! place after that.

pub(super) mod annotation;
mod file;
mod markdown;
mod outputs;
mod summary;
mod warnings;

use ambisign_host::Warning;

use self::outputs::Outputs;
use self::summary::Page;
pub(crate) use self::warnings::WARNINGS;
use self::warnings::{OUTPUT, UNWRITTEN};
use super::reporter::Reporter;
use super::run::Run;
use super::runner::Runner;
use crate::outcome::{RESULT_SCHEMA, Report};

impl Reporter<'_> {
    /// Writes outputs and summary of `report`. What cannot be written is a warning: the signatures
    /// are what counts.
    pub(super) fn publish(&self, runner: &Runner, report: &Report) {
        let clean = |text: &str| self.clean(text);
        if runner.output.is_some() || runner.temporary.is_some() {
            let document = self.document(RESULT_SCHEMA, Run::of(report));
            self.write_outputs(runner, report, &document);
        }
        if let Some(path) = &runner.summary {
            let page = Page::of(report, &clean);
            if let Err(error) = file::append_first(path, &page.versions()) {
                unwritten(*self, "the job summary", &error);
            }
        }
    }

    fn write_outputs(&self, runner: &Runner, report: &Report, document: &str) {
        let kept = runner.temporary.as_ref().and_then(|folder| {
            let kept = file::keep(folder, document);
            let unwritten = |error| unwritten(*self, "the result file", &error);
            kept.map_err(unwritten).ok()
        });
        let Some(path) = &runner.output else {
            return;
        };
        let outputs = Outputs::of(report, document, kept, &|text| self.clean(text));
        for name in outputs.left_out() {
            let message = format!("the output `{name}` is too long, and is left empty");
            self.warning(&Warning { code: OUTPUT, message });
        }
        let written = outputs.text().and_then(|text| file::append(path, &text));
        if let Err(error) = written {
            unwritten(*self, "the outputs", &error);
        }
    }
}

fn unwritten(reporter: Reporter<'_>, what: &str, error: &std::io::Error) {
    reporter.warning(&Warning {
        code: UNWRITTEN,
        message: format!("{what} could not be written: {error}"),
    });
}

#[cfg(test)]
mod tests;
