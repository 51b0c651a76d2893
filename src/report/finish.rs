// SPDX-License-Identifier: Apache-2.0
//! The end of a run that signs.

use std::io;

use super::console::Stream;
use super::reporter::Reporter;
use super::run::Run;
use super::{attach_command, text, verify_command};
use crate::outcome::{RESULT_SCHEMA, Report};
use crate::settings::Output;

impl Reporter<'_> {
    /// The end of a run: what is signed, how to verify it, the results, and what failed. Errors come
    /// last, because that is where a log is read first.
    ///
    /// # Errors
    /// The results cannot be written to standard output; the rest is written nevertheless.
    pub fn finish(&self, report: &Report, output: Output) -> io::Result<()> {
        for line in text::summary(report)
            .into_iter()
            .chain(verify_command::lines(report))
            .chain(attach_command::lines(report))
        {
            self.line(&line);
        }
        let results = match output {
            Output::Text => {
                text::results(report).iter().map(|line| format!("{}\n", self.clean(line))).collect()
            }
            Output::Json => format!("{}\n", self.document(RESULT_SCHEMA, Run::of(report))),
        };
        let written = self.console.write(Stream::Out, &results);
        if let Some(runner) = self.runner() {
            self.publish(runner, report);
        }
        self.annotate_warnings(&report.warnings);
        self.failures(&text::blocks(report));
        written
    }
}
