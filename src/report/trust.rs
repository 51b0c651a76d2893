// SPDX-License-Identifier: Apache-2.0
//! What a run would believe and whom it would ask, for people and as JSON.

use std::fmt::Write as _;
use std::time::SystemTime;

use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::pki::window::Window;
use ambisign_sigstore::trust::root::{Authority, Log};
use ambisign_sigstore::trust::{MirrorUsed, Service, Trust};
use humantime::format_rfc3339_seconds;
use serde::Serialize;

/// Names the form of the document; not a place to fetch it from.
pub const SCHEMA: &str = "urn:ambisign:trust:v1";

/// Trust material at one moment. Members are only ever added within a version of the schema.
#[derive(Debug, Serialize)]
pub struct Overview {
    schema: &'static str,
    version: &'static str,
    mirror: Option<Mirror>,
    trusted_root_sha256: String,
    certificate_authorities: Vec<Entry>,
    certificate_logs: Vec<Entry>,
    logs: Vec<Entry>,
    timestamp_authorities: Vec<Entry>,
    services: Services,
}

#[derive(Debug, Serialize)]
struct Mirror {
    url: String,
    root: u64,
    timestamp: u64,
    snapshot: u64,
    targets: u64,
}

/// One authority or log that is believed.
#[derive(Debug, Serialize)]
struct Entry {
    url: String,
    operator: String,
    /// The ID of a log, or SHA-256 of the certificate that anchors an authority; in hex.
    id: String,
    start: String,
    end: Option<String>,
    valid_now: bool,
}

#[derive(Debug, Serialize)]
struct Services {
    fulcio: Used,
    rekor: Vec<Used>,
    tsa: Vec<Used>,
}

/// One service that a run would use.
#[derive(Debug, Serialize)]
struct Used {
    url: String,
    api_version: u32,
}

impl Overview {
    /// What `trust` holds, as it looks at `now`.
    pub fn new(trust: &Trust, now: SystemTime) -> Self {
        let (root, services) = (trust.root(), trust.services());
        let (logs, certificate_logs) = root.logs();
        let used = |services: &[Service]| services.iter().map(Used::new).collect();
        let of_logs = |logs: &[Log]| logs.iter().map(|log| Entry::of_log(log, now)).collect();
        let of_authorities = |all: &[Authority]| {
            let entries = all.iter().map(|one| Entry::of_authority(one, now));
            entries.collect()
        };
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            mirror: trust.mirror().map(Mirror::new),
            trusted_root_sha256: root.digest().hex(),
            certificate_authorities: of_authorities(root.authorities()),
            certificate_logs: of_logs(certificate_logs),
            logs: of_logs(logs),
            timestamp_authorities: of_authorities(root.timestamp_authorities()),
            services: Services {
                fulcio: Used::new(&services.fulcio),
                rekor: used(&services.logs),
                tsa: used(&services.authorities),
            },
        }
    }

    /// As one JSON document.
    ///
    /// # Errors
    /// Never in practice: the members are text and numbers.
    pub fn document(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// As lines for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(mirror) = &self.mirror {
            let Mirror {
                url,
                root,
                timestamp,
                snapshot,
                targets,
            } = mirror;
            // Writing to a string cannot fail.
            let _written = writeln!(
                text,
                "TUF mirror {url}\n  root {root}, timestamp {timestamp}, snapshot {snapshot}, \
                 targets {targets}"
            );
        }
        let _written = writeln!(text, "trusted root sha256:{}", self.trusted_root_sha256);
        for (name, entries) in [
            ("certificate authorities", &self.certificate_authorities),
            ("certificate transparency logs", &self.certificate_logs),
            ("transparency logs", &self.logs),
            ("timestamp authorities", &self.timestamp_authorities),
        ] {
            let _written = writeln!(text, "{name}");
            for entry in entries {
                let Entry { url, start, id, .. } = entry;
                let time = match &entry.end {
                    Some(end) => format!("from {start} to {end}"),
                    None => format!("since {start}"),
                };
                let now = if entry.valid_now { "" } else { ", not now" };
                let _written = writeln!(text, "  {url}  {time}{now}\n    {id}");
            }
        }
        let _written = writeln!(text, "a run asks");
        let Services { fulcio, rekor, tsa } = &self.services;
        let fulcio = std::iter::once(("Fulcio", fulcio));
        let rekor = rekor.iter().map(|log| ("Rekor", log));
        let tsa = tsa.iter().map(|authority| ("timestamps", authority));
        for (name, Used { url, api_version }) in fulcio.chain(rekor).chain(tsa) {
            let _written = writeln!(text, "  {name:<10}  {url}  API v{api_version}");
        }
        text
    }
}

impl Mirror {
    fn new(used: &MirrorUsed) -> Self {
        let versions = used.versions;
        Self {
            url: used.url.to_string(),
            root: versions.root,
            timestamp: versions.timestamp,
            snapshot: versions.snapshot,
            targets: versions.targets,
        }
    }
}

impl Used {
    fn new(service: &Service) -> Self {
        Self {
            url: service.url.to_string(),
            api_version: service.version,
        }
    }
}

impl Entry {
    fn of_log(log: &Log, now: SystemTime) -> Self {
        let window = log.window();
        Self::new(
            (log.url(), log.operator()),
            hex::encode(log.id()),
            window,
            window.contains(now),
        )
    }

    fn of_authority(authority: &Authority, now: SystemTime) -> Self {
        let anchor = authority
            .chain()
            .last()
            .map(|anchor| Digest::of(anchor.der()).hex());
        Self::new(
            (authority.uri(), authority.operator()),
            anchor.unwrap_or_default(),
            authority.window(),
            authority.is_valid_at(now),
        )
    }

    fn new((url, operator): (&str, &str), id: String, window: Window, valid_now: bool) -> Self {
        let text = |time| format_rfc3339_seconds(time).to_string();
        Self {
            url: url.to_owned(),
            operator: operator.to_owned(),
            id,
            start: text(window.start()),
            end: window.end().map(text),
            valid_now,
        }
    }
}
