// SPDX-License-Identifier: Apache-2.0
//! The runner of GitHub Actions: what it is told beside the log. Errors and warnings become
//! annotations, long batches get groups; outputs and a summary go to the files that it names.
//!
//! No text from outside can be a command to it: each passes [`super::clean`], and the encoding of its
//! place after that.

mod annotation;
mod file;
mod markdown;
mod outputs;
mod summary;
mod warnings;

use std::path::PathBuf;

use ambisign_host::{Env, Warning};

pub(super) use self::annotation::{Annotation, errors, warnings};
use self::outputs::Outputs;
use self::summary::Page;
pub(crate) use self::warnings::WARNINGS;
use self::warnings::{OUTPUT, UNWRITTEN};
use super::{Reporter, json};
use crate::outcome::Report;

/// A batch of more images than this has a group for each.
const MOST_UNGROUPED: usize = 3;

/// What the runner of GitHub Actions says of the step.
#[derive(Clone, Debug, Default)]
pub struct Runner {
    /// The file for outputs.
    output: Option<PathBuf>,
    /// The file for the summary, unless none is wanted.
    summary: Option<PathBuf>,
    /// A folder that the runner empties after the job.
    temporary: Option<PathBuf>,
    /// The workflow's file in its repository.
    workflow: Option<String>,
}

impl Runner {
    /// The runner, if it is there. Which values a switch can have is tested by the settings.
    pub fn of(env: &Env) -> Option<Self> {
        if env.get("GITHUB_ACTIONS") != Some("true") {
            return None;
        }
        let path = |name| env.get(name).map(PathBuf::from);
        let unwanted = matches!(env.get("AMBISIGN_SUMMARY"), Some("false" | "0"));
        Some(Self {
            output: path("GITHUB_OUTPUT"),
            summary: path("GITHUB_STEP_SUMMARY").filter(|_| !unwanted),
            temporary: path("RUNNER_TEMP"),
            workflow: env.get("GITHUB_WORKFLOW_REF").and_then(workflow),
        })
    }

    /// Whether the images of a batch of `count` have a group each.
    pub(super) fn groups(&self, count: usize) -> bool {
        count > MOST_UNGROUPED
    }

    /// Writes outputs and summary of `report`. What cannot be written is a warning: the signatures
    /// are what counts.
    pub(super) fn publish(&self, reporter: Reporter<'_>, report: &Report) {
        let clean = |text: &str| reporter.clean(text);
        if self.output.is_some() || self.temporary.is_some() {
            let document = json::document(report, &|text| reporter.net.redact(text));
            self.write_outputs(reporter, report, &document);
        }
        if let Some(path) = &self.summary {
            let page = Page::of(report, &clean);
            if let Err(error) = file::append_first(path, &page.versions()) {
                unwritten(reporter, "the job summary", &error);
            }
        }
    }

    fn write_outputs(&self, reporter: Reporter<'_>, report: &Report, document: &str) {
        let kept = self.temporary.as_ref().and_then(|folder| {
            let kept = file::keep(folder, document);
            let unwritten = |error| unwritten(reporter, "the result file", &error);
            kept.map_err(unwritten).ok()
        });
        let Some(path) = &self.output else {
            return;
        };
        let outputs = Outputs::of(report, document, kept, &|text| reporter.clean(text));
        for name in outputs.left_out() {
            let message = format!("the output `{name}` is too long, and is left empty");
            reporter.warning(&Warning {
                code: OUTPUT,
                message,
            });
        }
        let written = outputs.text().and_then(|text| file::append(path, &text));
        if let Err(error) = written {
            unwritten(reporter, "the outputs", &error);
        }
    }
}

fn unwritten(reporter: Reporter<'_>, what: &str, error: &std::io::Error) {
    reporter.warning(&Warning {
        code: UNWRITTEN,
        message: format!("{what} could not be written: {error}"),
    });
}

/// The path in `owner/repository/path@ref`, as `GITHUB_WORKFLOW_REF` has it.
fn workflow(reference: &str) -> Option<String> {
    let (path, _) = reference.split_once("@refs/")?;
    let path = path.splitn(3, '/').nth(2)?;
    path.starts_with(".github/workflows/")
        .then(|| path.to_owned())
}

#[cfg(test)]
mod tests;
