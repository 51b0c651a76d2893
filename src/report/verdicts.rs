// SPDX-License-Identifier: Apache-2.0
//! What a verification tells, as lines and as one JSON document, version 1.

use std::collections::BTreeMap;
use std::io;

use ambisign_host::Failure;
use serde::Serialize;
use serde_json::Value;

use super::console::Stream;
use super::json::parts::{self, Error};
use super::reporter::Reporter;
use super::sanitize;
use super::text::Block;
use crate::outcome::time::{millis, rfc3339};
use crate::outcome::verification::{Facts, Finding, Layout, Signature, Verdict, Verdicts};
use crate::settings::Output;

/// Names the form of the document; not a place to fetch it from.
const SCHEMA: &str = "urn:ambisign:verification:v1";

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
            Output::Json => format!("{}\n", self.verdict_document(verdicts)),
        };
        let written = self.console.write(Stream::Out, &results);
        self.annotate_warnings(&verdicts.warnings);
        self.failures(&blocks(verdicts));
        written
    }

    fn verdict_document(&self, verdicts: &Verdicts) -> String {
        let view = View { reporter: self };
        sanitize::document(&view.document(verdicts))
    }
}

/// Who signed, and since when, on one line.
fn accepted(facts: &Facts) -> String {
    let who = match &facts.certificate {
        Some(certificate) => format!("{}, issuer {}", certificate.identity, certificate.issuer),
        None => "the given key".to_owned(),
    };
    let entries = facts.log.iter().map(|entry| {
        let (version, index) = (entry.version, entry.index);
        format!(", Rekor v{version} index {index}")
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
    failures
        .map(|failure| Block {
            failure,
            last: last.clone(),
        })
        .collect()
}

/// What is known now.
fn known(verdicts: &Verdicts) -> String {
    match (verdicts.verified(), verdicts.artifacts.len()) {
        (0, _) => "nothing was verified".to_owned(),
        (some, all) => format!("{some} of {all} artifacts are verified"),
    }
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    status: &'static str,
    exit_code: u8,
    started_at: String,
    duration_ms: u64,
    trusted_root_sha256: Option<String>,
    artifacts: Vec<Artifact>,
    warnings: Vec<parts::Warning>,
    error: Option<Error>,
}

#[derive(Serialize)]
struct Artifact {
    requested: String,
    repository: Option<String>,
    digest: Option<String>,
    status: &'static str,
    signatures: Vec<DocumentSignature>,
    error: Option<Error>,
}

#[derive(Serialize)]
struct DocumentSignature {
    place: String,
    status: &'static str,
    layout: Option<&'static str>,
    identity: Option<String>,
    issuer: Option<String>,
    certificate_sha256: Option<String>,
    predicate_type: Option<String>,
    annotations: BTreeMap<String, Value>,
    log: Vec<LogEntry>,
    timestamps: Vec<Timestamp>,
    error: Option<Error>,
}

#[derive(Serialize)]
struct LogEntry {
    version: u32,
    index: u64,
    log_id: String,
    integrated_time: Option<String>,
}

#[derive(Serialize)]
struct Timestamp {
    authority: String,
    time: String,
}

/// Every text from outside passes the redactor before it is escaped: afterwards a secret with a
/// quote in it would not be recognised.
struct View<'a> {
    reporter: &'a Reporter<'a>,
}

impl View<'_> {
    fn document(&self, verdicts: &Verdicts) -> Document {
        let exit_code = verdicts.exit();
        Document {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            status: if exit_code == 0 { "ok" } else { "failed" },
            exit_code,
            started_at: rfc3339(verdicts.started),
            duration_ms: millis(verdicts.took),
            trusted_root_sha256: verdicts.trusted_root_sha256.clone(),
            artifacts: verdicts
                .artifacts
                .iter()
                .map(|artifact| self.artifact(artifact))
                .collect(),
            warnings: verdicts
                .warnings
                .iter()
                .map(|warning| parts::Warning::of(warning, &|text| self.text(text)))
                .collect(),
            error: run_failure(verdicts)
                .map(|failure| Error::of(&failure, &|text| self.text(text))),
        }
    }

    fn artifact(&self, verdict: &Verdict) -> Artifact {
        let status = if verdict.is_verified() {
            "verified"
        } else {
            "failed"
        };
        let signatures = verdict.signatures.iter();
        Artifact {
            requested: self.text(&verdict.requested),
            repository: verdict.repository.as_deref().map(|name| self.text(name)),
            digest: verdict.digest.clone(),
            status,
            signatures: signatures.map(|one| self.signature(one)).collect(),
            error: verdict
                .failure
                .as_ref()
                .map(|failure| Error::of(failure, &|text| self.text(text))),
        }
    }

    fn signature(&self, signature: &Signature) -> DocumentSignature {
        let empty = DocumentSignature {
            place: self.text(&signature.place),
            status: "rejected",
            layout: None,
            identity: None,
            issuer: None,
            certificate_sha256: None,
            predicate_type: None,
            annotations: BTreeMap::new(),
            log: Vec::new(),
            timestamps: Vec::new(),
            error: None,
        };
        let facts = match &signature.finding {
            Finding::Accepted(facts) => facts,
            Finding::Rejected(failure) => {
                let error = Some(Error::of(failure, &|text| self.text(text)));
                return DocumentSignature { error, ..empty };
            }
        };
        let certificate = facts.certificate.as_ref();
        let annotations = facts.annotations.iter();
        let entry = |entry: &crate::outcome::verification::Entry| LogEntry {
            version: entry.version,
            index: entry.index,
            log_id: entry.log_id.clone(),
            integrated_time: entry.time.map(rfc3339),
        };
        let stamp = |stamp: &crate::outcome::Timestamp| Timestamp {
            authority: self.text(&stamp.authority),
            time: rfc3339(stamp.time),
        };
        DocumentSignature {
            status: "accepted",
            layout: Some(match facts.layout {
                Layout::Bundle => "bundle",
                Layout::Legacy => "legacy",
            }),
            identity: certificate.map(|certificate| self.text(&certificate.identity)),
            issuer: certificate.map(|certificate| self.text(&certificate.issuer)),
            certificate_sha256: certificate.map(|certificate| certificate.sha256.clone()),
            predicate_type: facts.predicate_type.as_deref().map(|name| self.text(name)),
            annotations: annotations
                .map(|(name, value)| (self.text(name), value.clone()))
                .collect(),
            log: facts.log.iter().map(entry).collect(),
            timestamps: facts.timestamps.iter().map(stamp).collect(),
            ..empty
        }
    }

    fn text(&self, text: &str) -> String {
        self.reporter.net.redact(text)
    }
}
