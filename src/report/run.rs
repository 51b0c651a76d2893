// SPDX-License-Identifier: Apache-2.0
//! The document of a run that signs: its report, and what follows from it.

use std::collections::BTreeMap;

use ambisign_host::{Failure, Warning};
use serde::Serialize;

use super::{attach_command, text, verify_command};
#[cfg(test)]
use crate::outcome::described;
use crate::outcome::time::millis;
use crate::outcome::{Outcome, Report, State};

/// What `sign`, `sign-blob` and `attach` did.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Run<'a> {
    /// Whether everything is done, a part of it, or nothing.
    status: Status,
    /// The exit code of the program.
    exit_code: u8,
    #[serde(flatten)]
    report: &'a Report,
    /// One for each digest of each repository, in the order of the command line, an index before
    /// what it lists.
    images: Vec<Image<'a>>,
    /// The same for files; only there when files were signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<Image<'a>>,
    /// How many there are of each status.
    summary: Summary,
    /// What did not stop the run.
    #[cfg_attr(test, schemars(with = "Vec<described::Warning>"))]
    warnings: &'a [Warning],
    /// What ended the run as a whole; `null` when it came to its end.
    error: Option<Error>,
}

/// How a run ended.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "RunStatus"))]
#[serde(rename_all = "lowercase")]
enum Status {
    /// Everything is done.
    Ok,
    /// Some images or files are done.
    Partial,
    /// None is.
    Failed,
}

/// One digest in one repository, or one file.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Image<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    /// A command line of a shell with which others verify it.
    verify_command: Option<String>,
    /// A command line of a shell that attaches a bundle which is only in a file.
    attach_command: Option<String>,
    /// How long each step took, in milliseconds, by its name.
    timings_ms: BTreeMap<&'static str, u64>,
    /// Why it is not done.
    error: Option<Error>,
}

/// What went wrong, what the program ends with, and what exists now.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "RunError"))]
struct Error {
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "described::Error"))]
    failure: Failure,
    /// The exit code of the program.
    exit_code: u8,
    /// What exists now: nothing, a certificate, log entries, signed images.
    exists: String,
}

/// How many there are of each status.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Summary {
    /// Names on the command line.
    requested: usize,
    /// Signed by this run.
    signed: usize,
    /// Signed before, and left so.
    already_signed: usize,
    /// Attached by this run.
    attached: usize,
    /// Attached before.
    already_attached: usize,
    /// Of a dry run: nothing is against it.
    would_sign: usize,
    /// Not done when the run ended.
    pending: usize,
    /// Failed.
    failed: usize,
}

impl<'a> Run<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let exit_code = report.exit();
        let images = report.images.iter();
        let images = images.map(|outcome| Image::of(outcome, report));
        let (files, images) = images.partition(|image| image.outcome.file.is_some());
        let error = text::run_failure(report);
        Self {
            status: match (exit_code, report.done()) {
                (0, _) => Status::Ok,
                (_, 0) => Status::Failed,
                (_, _) => Status::Partial,
            },
            exit_code,
            report,
            images,
            files,
            summary: Summary::of(report),
            warnings: &report.warnings,
            error: error.map(|failure| Error { failure, exit_code, exists: text::exists(report) }),
        }
    }
}

impl<'a> Image<'a> {
    fn of(outcome: &'a Outcome, report: &Report) -> Self {
        let timings = outcome.steps.iter();
        let attach = attach_command::command(report, &[outcome]);
        Self {
            outcome,
            verify_command: verify_command::command_line(report, outcome),
            attach_command: attach.map(|words| text::joined(&words)),
            timings_ms: timings.map(|step| (step.name, millis(step.took))).collect(),
            error: outcome.failure().map(|failure| Error {
                failure: failure.clone(),
                exit_code: report.exit(),
                exists: text::image_exists(outcome),
            }),
        }
    }
}

impl Summary {
    fn of(report: &Report) -> Self {
        let requested = report.images.iter().map(|image| image.requested.len());
        Self {
            requested: requested.sum(),
            signed: report.count(|state| matches!(state, State::Signed)),
            already_signed: report.count(|state| matches!(state, State::AlreadySigned)),
            attached: report.count(|state| matches!(state, State::Attached)),
            already_attached: report.count(|state| matches!(state, State::AlreadyAttached)),
            would_sign: report.count(|state| matches!(state, State::WouldSign)),
            pending: report.count(|state| matches!(state, State::Pending)),
            failed: report.count(|state| matches!(state, State::Failed(_))),
        }
    }
}
