// SPDX-License-Identifier: Apache-2.0
//! A report as one JSON document, version 1. Members are only ever added within a version.

pub(super) mod parts;

use std::collections::BTreeMap;

use ambisign_host::Failure;
use serde::Serialize;

use self::parts::{Identity, Warning};
use super::{attach_command, sanitize, text, verify_command};
use crate::outcome::time::{millis, rfc3339};
use crate::outcome::{Outcome, RESULT_SCHEMA, Report, State};

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    status: &'static str,
    exit_code: u8,
    dry_run: bool,
    started_at: String,
    duration_ms: u64,
    identity: Option<Identity>,
    instance: Option<Instance>,
    annotations: BTreeMap<String, String>,
    images: Vec<Image>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<Image>,
    summary: Summary,
    warnings: Vec<Warning>,
    error: Option<Error>,
}

#[derive(Serialize)]
struct Instance {
    name: String,
    fulcio: Option<String>,
    rekor: Vec<String>,
    rekor_version: Option<u32>,
    tsa: Vec<String>,
    trusted_root_sha256: Option<String>,
    tuf: Option<Tuf>,
}

#[derive(Serialize)]
struct Tuf {
    mirror: String,
    root_version: u64,
}

#[derive(Serialize)]
struct Image {
    requested: Vec<String>,
    repository: String,
    digest: Option<String>,
    media_type: Option<String>,
    parent: Option<String>,
    status: &'static str,
    bundle: Option<Bundle>,
    attached: Option<Attached>,
    log: Vec<LogEntry>,
    timestamps: Vec<Timestamp>,
    certificate: Option<Certificate>,
    verify_command: Option<String>,
    attach_command: Option<String>,
    timings_ms: BTreeMap<&'static str, u64>,
    error: Option<Error>,
}

#[derive(Serialize)]
struct Bundle {
    path: Option<String>,
    media_type: String,
    sha256: String,
}

#[derive(Serialize)]
struct Attached {
    method: String,
    reference: String,
}

#[derive(Serialize)]
struct LogEntry {
    url: String,
    version: u32,
    index: u64,
    log_id: String,
    integrated_time: Option<String>,
    link: Option<String>,
}

#[derive(Serialize)]
struct Timestamp {
    authority: String,
    time: String,
}

#[derive(Serialize)]
struct Certificate {
    identity: String,
    issuer: String,
    sha256: String,
    not_before: String,
    not_after: String,
    pem: String,
}

#[derive(Serialize)]
struct Summary {
    requested: usize,
    signed: usize,
    already_signed: usize,
    attached: usize,
    already_attached: usize,
    would_sign: usize,
    pending: usize,
    failed: usize,
}

/// An error, with what the whole run ends with and what exists now.
#[derive(Serialize)]
struct Error {
    #[serde(flatten)]
    error: parts::Error,
    exit_code: u8,
    exists: String,
}

/// `report` as one line. Every text from outside passes `redact` before it is escaped: afterwards a
/// secret with a quote in it would not be recognised.
pub(super) fn document(report: &Report, redact: &dyn Fn(&str) -> String) -> String {
    let view = View { report, redact };
    sanitize::document(&view.document())
}

struct View<'a> {
    report: &'a Report,
    redact: &'a dyn Fn(&str) -> String,
}

impl View<'_> {
    fn document(&self) -> Document {
        let report = self.report;
        Document {
            schema: RESULT_SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            status: self.status(),
            exit_code: report.exit(),
            dry_run: report.dry_run,
            started_at: rfc3339(report.started),
            duration_ms: millis(report.took),
            identity: report
                .identity
                .as_ref()
                .map(|identity| Identity::of(identity, self.redact)),
            instance: report.instance.as_ref().map(|instance| Instance {
                name: self.text(&instance.name),
                fulcio: self.maybe(instance.fulcio.as_ref()),
                rekor: self.texts(&instance.rekor),
                rekor_version: instance.rekor_version,
                tsa: self.texts(&instance.tsa),
                trusted_root_sha256: self.maybe(instance.trusted_root_sha256.as_ref()),
                tuf: instance.tuf.as_ref().map(|tuf| Tuf {
                    mirror: self.text(&tuf.mirror),
                    root_version: tuf.root_version,
                }),
            }),
            annotations: self.annotations(),
            images: self.images(|image| image.file.is_none()),
            files: self.images(|image| image.file.is_some()),
            summary: self.summary(),
            warnings: report
                .warnings
                .iter()
                .map(|warning| Warning::of(warning, self.redact))
                .collect(),
            error: text::run_failure(report)
                .map(|failure| self.error(&failure, &text::exists(report))),
        }
    }

    fn status(&self) -> &'static str {
        match (self.report.exit(), self.report.done()) {
            (0, _) => "ok",
            (_, 0) => "failed",
            (_, _) => "partial",
        }
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let annotations = self.report.annotations.iter();
        annotations
            .map(|(key, value)| (self.text(key), self.text(value)))
            .collect()
    }

    fn images(&self, which: impl Fn(&&Outcome) -> bool) -> Vec<Image> {
        let images = self.report.images.iter().filter(which);
        images.map(|image| self.image(image)).collect()
    }

    fn image(&self, image: &Outcome) -> Image {
        let timings = image
            .steps
            .iter()
            .map(|step| (step.name, millis(step.took)));
        Image {
            requested: self.texts(&image.requested),
            repository: self.text(&image.repository),
            digest: self.maybe(image.digest.as_ref()),
            media_type: self.maybe(image.media_type.as_ref()),
            parent: self.maybe(image.parent.as_ref()),
            status: status_of(&image.state),
            bundle: image.bundle.as_ref().map(|bundle| Bundle {
                path: bundle
                    .path
                    .as_ref()
                    .map(|path| self.text(&path.display().to_string())),
                media_type: self.text(&bundle.media_type),
                sha256: self.text(&bundle.sha256),
            }),
            attached: image.attached.as_ref().map(|attached| Attached {
                method: self.text(&attached.method),
                reference: self.text(&attached.reference),
            }),
            log: self.log(image),
            timestamps: image
                .timestamps
                .iter()
                .map(|timestamp| Timestamp {
                    authority: self.text(&timestamp.authority),
                    time: rfc3339(timestamp.time),
                })
                .collect(),
            certificate: self.certificate(image),
            verify_command: verify_command::command_line(self.report, image)
                .map(|command| self.text(&command)),
            attach_command: attach_command::command(self.report, &[image])
                .map(|words| self.text(&text::joined(&words))),
            timings_ms: timings.collect(),
            error: image
                .failure()
                .map(|failure| self.error(failure, &text::image_exists(image))),
        }
    }

    fn log(&self, image: &Outcome) -> Vec<LogEntry> {
        let entry = |entry: &crate::outcome::LogEntry| LogEntry {
            url: self.text(&entry.url),
            version: entry.version,
            index: entry.index,
            log_id: self.text(&entry.log_id),
            integrated_time: entry.integrated_time.map(rfc3339),
            link: self.maybe(entry.link.as_ref()),
        };
        image.log.iter().map(entry).collect()
    }

    fn certificate(&self, image: &Outcome) -> Option<Certificate> {
        image.certificate.as_ref().map(|certificate| Certificate {
            identity: self.text(&certificate.identity),
            issuer: self.text(&certificate.issuer),
            sha256: self.text(&certificate.sha256),
            not_before: rfc3339(certificate.not_before),
            not_after: rfc3339(certificate.not_after),
            pem: self.text(&certificate.pem),
        })
    }

    fn summary(&self) -> Summary {
        let images = &self.report.images;
        let count = |status| {
            images
                .iter()
                .filter(|image| status_of(&image.state) == status)
                .count()
        };
        Summary {
            requested: images.iter().map(|image| image.requested.len()).sum(),
            signed: count("signed"),
            already_signed: count("already_signed"),
            attached: count("attached"),
            already_attached: count("already_attached"),
            would_sign: count("would_sign"),
            pending: count("pending"),
            failed: count("failed"),
        }
    }

    fn error(&self, failure: &Failure, exists: &str) -> Error {
        Error {
            error: parts::Error::of(failure, self.redact),
            exit_code: self.report.exit(),
            exists: self.text(exists),
        }
    }

    fn text(&self, text: &str) -> String {
        (self.redact)(text)
    }

    fn maybe(&self, text: Option<&String>) -> Option<String> {
        text.map(|text| self.text(text))
    }

    fn texts(&self, texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| self.text(text)).collect()
    }
}

fn status_of(state: &State) -> &'static str {
    match state {
        State::AlreadyAttached => "already_attached",
        State::AlreadySigned => "already_signed",
        State::Attached => "attached",
        State::Failed(_) => "failed",
        State::Pending => "pending",
        State::Signed => "signed",
        State::WouldSign => "would_sign",
    }
}
