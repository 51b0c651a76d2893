// SPDX-License-Identifier: Apache-2.0
//! What a verification tells, as lines and as one JSON document, version 1.

use std::io;

use ambisign_host::{Failure, Warning};
use serde::Serialize;

use super::console::Stream;
use super::document::Status;
use super::reporter::Reporter;
use super::text::Block;
#[cfg(test)]
use crate::outcome::described;
use crate::outcome::time::rfc3339;
use crate::outcome::verification::{Facts, Finding, Signature, Verdict, Verdicts};
use crate::settings::Output;

/// Names the form of the document; not a place to fetch it from.
pub(super) const SCHEMA: &str = "urn:ambisign:verification:v1";

impl Reporter<'_> {
    /// What was found out about one artifact.
    pub fn verdict(&self, verdict: &Verdict) {
        let name = verdict.name();
        let asked = &verdict.requested;
        if name.ends_with(asked.as_str()) {
            self.line(&name);
        } else {
            self.line(&format!("{name}  (asked for: {asked})"));
        }
        for (number, signature) in (1..).zip(&verdict.signatures) {
            let found = match &signature.finding {
                Finding::Accepted(facts) => format!("accepted  {}", accepted(facts)),
                Finding::Rejected(failure) => format!("rejected  {}", failure.what),
            };
            self.line(&format!("  #{number} {found}"));
        }
        match verdict.unread {
            0 => {}
            1 => self.line("  1 more attachment was not read: `--all` reads it"),
            unread => {
                self.line(&format!(
                    "  {unread} more attachments were not read: `--all` reads them"
                ));
            }
        }
    }

    /// The end of a verification: what is verified on standard output, then what is not.
    ///
    /// # Errors
    /// The results cannot be written to standard output; the rest is written nevertheless.
    pub fn verdicts(&self, verdicts: &Verdicts, output: Output) -> io::Result<()> {
        let results = match output {
            Output::Text => verdicts
                .artifacts
                .iter()
                .filter(|artifact| artifact.is_verified())
                .map(|artifact| format!("{}\n", self.clean(&artifact.name())))
                .collect(),
            Output::Json => format!("{}\n", self.document(SCHEMA, Verification::of(verdicts))),
        };
        let written = self.console.write(Stream::Out, &results);
        self.annotate_warnings(&verdicts.warnings);
        self.failures(&blocks(verdicts));
        written
    }
}

/// Who signed, and since when, on one line.
fn accepted(facts: &Facts) -> String {
    let who = match &facts.certificate {
        Some(certificate) => format!("{}, issuer {}", certificate.identity, certificate.issuer),
        None => "the given key".to_owned(),
    };
    let entries = facts.log.iter().map(|entry| {
        let version = entry.version;
        match (entry.index, entry.tree_index) {
            (Some(index), _) => format!(", Rekor v{version} index {index}"),
            (None, Some(leaf)) => {
                format!(", Rekor v{version} leaf {leaf} of its tree (the index is not signed)")
            }
            (None, None) => format!(", Rekor v{version}"),
        }
    });
    let times = facts.timestamps.iter().map(|stamp| stamp.time);
    let first = facts.log.iter().filter_map(|entry| entry.time).chain(times);
    let first = first.min().map(rfc3339).unwrap_or_default();
    let mut line = format!("{who}{}, {first}", entries.collect::<String>());
    for (name, value) in &facts.annotations {
        line = format!("{line}, {name}={value}");
    }
    line
}

/// What ended the run, if something did.
fn run_failure(verdicts: &Verdicts) -> Option<Failure> {
    verdicts.end.failure("run again")
}

/// The errors: that of the run first, then one for each artifact.
fn blocks(verdicts: &Verdicts) -> Vec<Block> {
    let last = format!("exit {}; {}", verdicts.exit(), known(verdicts));
    let artifacts = verdicts.artifacts.iter().filter_map(|artifact| {
        let mut failure = artifact.failure.clone()?;
        if verdicts.artifacts.len() > 1 && !failure.what.contains(&artifact.name()) {
            failure.what = format!("{}: {}", artifact.name(), failure.what);
        }
        Some(failure)
    });
    let failures = run_failure(verdicts).into_iter().chain(artifacts);
    failures.map(|failure| Block { failure, last: last.clone() }).collect()
}

/// What is known now.
fn known(verdicts: &Verdicts) -> String {
    match (verdicts.verified(), verdicts.artifacts.len()) {
        (0, _) => "nothing was verified".to_owned(),
        (some, all) => format!("{some} of {all} artifacts are verified"),
    }
}

/// What `verify` and `verify-blob` found.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Verification<'a> {
    /// `ok` when every artifact has an acceptable signature.
    status: Status,
    /// The exit code of the program.
    exit_code: u8,
    #[serde(flatten)]
    verdicts: &'a Verdicts,
    /// One for each image or file.
    artifacts: Vec<Artifact<'a>>,
    /// What did not stop the run.
    #[cfg_attr(test, schemars(with = "Vec<described::Warning>"))]
    warnings: &'a [Warning],
    /// What ended the run as a whole; `null` when it came to its end.
    #[cfg_attr(test, schemars(with = "Option<described::Error>"))]
    error: Option<Failure>,
}

/// One image or file that is verified.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Artifact<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    /// Whether an acceptable signature was found: `verified` or `failed`.
    #[cfg_attr(test, schemars(extend("enum" = ["verified", "failed"])))]
    status: &'static str,
    /// Everything that may be a signature of it.
    signatures: &'a [Signature],
    /// Why it is not verified.
    #[cfg_attr(test, schemars(with = "Option<described::Error>"))]
    error: Option<&'a Failure>,
}

impl<'a> Verification<'a> {
    fn of(verdicts: &'a Verdicts) -> Self {
        let exit_code = verdicts.exit();
        Self {
            status: Status::of(exit_code),
            exit_code,
            verdicts,
            artifacts: verdicts.artifacts.iter().map(Artifact::of).collect(),
            warnings: &verdicts.warnings,
            error: run_failure(verdicts),
        }
    }
}

impl<'a> Artifact<'a> {
    fn of(verdict: &'a Verdict) -> Self {
        let status = if verdict.is_verified() { "verified" } else { "failed" };
        Self { verdict, status, signatures: &verdict.signatures, error: verdict.failure.as_ref() }
    }
}
