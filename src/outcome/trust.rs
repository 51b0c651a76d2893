// SPDX-License-Identifier: Apache-2.0
//! What `trust show` and `trust update` have to tell: plain facts, rendered by [`crate::report`].

use std::path::PathBuf;
use std::time::SystemTime;

use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::pki::window::Window;
use ambisign_sigstore::trust::root::{Authority, Log};
use ambisign_sigstore::trust::{MirrorUsed, Service, Trust, Updated};
use serde::Serialize;

use super::form::{MaybePath, MaybeTime, Time};

/// Whom a run would believe, and whom it would ask, at one moment.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Overview {
    /// The TUF mirror that was asked; `null` when files said everything.
    pub mirror: Option<Mirror>,
    /// SHA-256 of the trusted root, in hex.
    pub trusted_root_sha256: String,
    /// Who may issue certificates.
    pub certificate_authorities: Vec<Believed>,
    /// The certificate transparency logs.
    pub certificate_logs: Vec<Believed>,
    /// The transparency logs.
    pub logs: Vec<Believed>,
    /// Who may state times.
    pub timestamp_authorities: Vec<Believed>,
    /// Whom a run would ask.
    pub services: Services,
}

/// What was fetched of a TUF mirror.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Update {
    /// The mirror.
    #[serde(flatten)]
    pub mirror: Mirror,
    /// Where it is kept; `null` when no folder can be written.
    #[serde(with = "MaybePath")]
    pub folder: Option<PathBuf>,
}

/// A TUF mirror, and the versions of what it has.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Mirror {
    /// The URL of the mirror.
    pub url: String,
    /// The version of the root.
    pub root: u64,
    /// The version of the timestamp role.
    pub timestamp: u64,
    /// The version of the snapshot role.
    pub snapshot: u64,
    /// The version of the targets role.
    pub targets: u64,
}

/// One authority or log that is believed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Believed {
    /// Its URL.
    pub url: String,
    /// Who operates it.
    pub operator: String,
    /// The ID of a log, or SHA-256 of the certificate that anchors an authority, in hex.
    pub id: String,
    /// Since when.
    #[serde(with = "Time")]
    pub start: SystemTime,
    /// Until when, a time of RFC 3339 in UTC; `null` for no end.
    #[serde(with = "MaybeTime")]
    pub end: Option<SystemTime>,
    /// Whether it is valid at this moment.
    pub valid_now: bool,
}

/// Whom a run would ask.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Services {
    /// The certificate authority.
    pub fulcio: Used,
    /// The logs.
    pub rekor: Vec<Used>,
    /// The timestamp authorities.
    pub tsa: Vec<Used>,
}

/// One service that a run would use.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Used {
    /// Its URL.
    pub url: String,
    /// The version of its API.
    pub api_version: u32,
}

impl Overview {
    /// What `trust` holds, as it looks at `now`.
    pub fn new(trust: &Trust, now: SystemTime) -> Self {
        let (root, services) = (trust.root(), trust.services());
        let (logs, certificate_logs) = root.logs();
        let used = |services: &[Service]| services.iter().map(Used::from).collect();
        let of_logs = |logs: &[Log]| logs.iter().map(|log| Believed::log(log, now)).collect();
        let of_authorities = |all: &[Authority]| {
            let entries = all.iter().map(|one| Believed::authority(one, now));
            entries.collect()
        };
        Self {
            mirror: trust.mirror().map(Mirror::from),
            trusted_root_sha256: root.digest().hex(),
            certificate_authorities: of_authorities(root.authorities()),
            certificate_logs: of_logs(certificate_logs),
            logs: of_logs(logs),
            timestamp_authorities: of_authorities(root.timestamp_authorities()),
            services: Services {
                fulcio: Used::from(&services.fulcio),
                rekor: used(&services.logs),
                tsa: used(&services.authorities),
            },
        }
    }
}

impl From<Updated> for Update {
    fn from(updated: Updated) -> Self {
        Self { mirror: Mirror::from(&updated.mirror), folder: updated.folder }
    }
}

impl From<&MirrorUsed> for Mirror {
    fn from(used: &MirrorUsed) -> Self {
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

impl From<&Service> for Used {
    fn from(service: &Service) -> Self {
        Self { url: service.url.to_string(), api_version: service.version }
    }
}

impl Believed {
    fn log(log: &Log, now: SystemTime) -> Self {
        let (who, window) = ((log.url(), log.operator()), log.window());
        Self::new(who, hex::encode(log.id()), window, window.contains(now))
    }

    fn authority(authority: &Authority, now: SystemTime) -> Self {
        let anchor = authority.chain().last();
        let anchor = anchor.map(|anchor| Digest::of(anchor.der()).hex());
        Self::new(
            (authority.uri(), authority.operator()),
            anchor.unwrap_or_default(),
            authority.window(),
            authority.is_valid_at(now),
        )
    }

    fn new((url, operator): (&str, &str), id: String, window: Window, valid_now: bool) -> Self {
        Self {
            url: url.to_owned(),
            operator: operator.to_owned(),
            id,
            start: window.start(),
            end: window.end(),
            valid_now,
        }
    }
}
