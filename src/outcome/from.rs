// SPDX-License-Identifier: Apache-2.0
//! The facts of an outcome, from the types of the crates below.

use ambisign_registry::Discovery;
use ambisign_registry::reference::Reference;
use ambisign_sigstore::certificate::SigningCertificate;
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::identity::prediction::Prediction;
use ambisign_sigstore::log::VerifiedEntry;
use ambisign_sigstore::trust::root::Log;
use ambisign_sigstore::trust::{Mirror, MirrorUsed, Service, Trust, TrustedRoot};
use ambisign_sigstore::verify::VerifiedBundle;
use ambisign_sigstore::witness::Witnessed;

use super::{Attached, Bundle, Certificate, Known, Outcome, Timestamp, Tuf};
use crate::settings::{BlobPaths, Signing};

/// Where the public log of Rekor v1 can be looked at.
const PUBLIC_REKOR: &str = "https://rekor.sigstore.dev/";
const SEARCH: &str = "https://search.sigstore.dev/?logIndex=";

/// A file as it was asked for.
pub(crate) fn file(paths: &BlobPaths) -> Outcome {
    Outcome {
        requested: vec![paths.blob.display().to_string()],
        file: Some(paths.blob.clone()),
        ..Outcome::default()
    }
}

/// Registry and repository of `reference`.
pub(crate) fn repository(reference: &Reference) -> String {
    format!("{}/{}", reference.registry(), reference.repository())
}

/// Who signs, as far as the token tells.
pub(crate) fn identity(provider: &str, identity: &Identity) -> super::Identity {
    let (subject, issuer) = match identity.prediction() {
        Prediction::Known { san, issuer } => (Some(san.clone()), issuer.clone()),
        Prediction::Unknown => (None, identity.issuer().to_owned()),
    };
    super::Identity {
        provider: provider.to_owned(),
        token_subject: identity.sub().to_owned(),
        subject,
        issuer,
        repository_visibility: identity.visibility().map(str::to_owned),
    }
}

/// Which services are used.
pub(crate) fn instance(trust: &Trust, settings: &Signing) -> super::Instance {
    let services = trust.services();
    let urls = |services: &[Service]| services.iter().map(|one| one.url.to_string()).collect();
    super::Instance {
        name: services.fulcio.url.host_str().unwrap_or_default().to_owned(),
        fulcio: Some(services.fulcio.url.to_string()),
        rekor: urls(&services.logs),
        rekor_version: services.logs.first().map(|log| log.version),
        tsa: urls(&services.authorities),
        trusted_root: settings.trust.trusted_root.clone(),
        trusted_root_sha256: Some(trust.root().digest().hex()),
        no_ct_log: !trust.root().requires_sct(),
        tuf: trust.mirror().map(Tuf::from),
    }
}

impl From<&MirrorUsed> for Tuf {
    fn from(used: &MirrorUsed) -> Self {
        Self {
            mirror: used.url.to_string(),
            root_version: used.versions.root,
            known: match &used.mirror {
                Mirror::Public => Known::Everywhere,
                Mirror::Staging => Known::AsStaging,
                Mirror::Other { root, .. } => Known::WithRoot(root.clone()),
            },
        }
    }
}

impl From<&SigningCertificate> for Certificate {
    fn from(certificate: &SigningCertificate) -> Self {
        Self {
            identity: certificate.san().to_owned(),
            issuer: certificate.issuer().to_owned(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            sha256: Digest::of(certificate.der()).hex(),
            pem: certificate.pem().unwrap_or_default(),
        }
    }
}

impl From<&ambisign_sigstore::timestamp::Timestamp> for Timestamp {
    fn from(stamp: &ambisign_sigstore::timestamp::Timestamp) -> Self {
        Self { authority: stamp.authority().to_owned(), time: stamp.time() }
    }
}

/// The timestamps of a signature.
pub(crate) fn timestamps(timestamps: &[ambisign_sigstore::timestamp::Timestamp]) -> Vec<Timestamp> {
    timestamps.iter().map(Timestamp::from).collect()
}

/// The log entries of a signature, with the logs that were asked, in the same order.
pub(crate) fn log(witnessed: &Witnessed, trust: &Trust) -> Vec<super::LogEntry> {
    let logs = trust.services().logs.iter();
    let told = |(entry, log): (&ambisign_sigstore::log::LogEntry, &Service)| super::LogEntry {
        url: log.url.to_string(),
        version: log.version,
        index: Some(entry.index()),
        log_id: hex::encode(entry.log_id()),
        integrated_time: entry.integrated_time(),
        link: link(log, entry.index()),
    };
    witnessed.entries().iter().zip(logs).map(told).collect()
}

/// The log entries of a bundle that was kept, of logs that `root` knows.
pub(crate) fn entries(entries: &[VerifiedEntry], root: &TrustedRoot) -> Vec<super::LogEntry> {
    let told = |entry: &VerifiedEntry| super::LogEntry {
        url: root.log(entry.log_id()).map_or("", Log::url).to_owned(),
        version: entry.version(),
        index: entry.index(),
        log_id: hex::encode(entry.log_id()),
        integrated_time: entry.time(),
        link: None,
    };
    entries.iter().map(told).collect()
}

/// Where the entry at `index` can be looked at. A page exists for the public v1 log alone; a v1 log
/// answers by itself, and of a v2 log there is the tile that holds the entry.
fn link(log: &Service, index: u64) -> Option<String> {
    match log.version {
        1 if log.url.as_str() == PUBLIC_REKOR => Some(format!("{SEARCH}{index}")),
        1 => {
            let mut url = ambisign_host::request::below(&log.url, "api/v1/log/entries");
            url.query_pairs_mut().append_pair("logIndex", &index.to_string());
            Some(url.into())
        }
        _ => None,
    }
}

impl From<&VerifiedBundle> for Bundle {
    fn from(bundle: &VerifiedBundle) -> Self {
        Self {
            media_type: ambisign_sigstore::bundle::MEDIA_TYPE.to_owned(),
            sha256: Digest::of(bundle.bytes()).hex(),
            path: None,
        }
    }
}

impl From<&ambisign_registry::Attached> for Attached {
    fn from(attached: &ambisign_registry::Attached) -> Self {
        let method = match attached.method() {
            Discovery::FallbackTag => "tag",
            Discovery::Referrers => "referrers",
        };
        Self { method: method.to_owned(), reference: attached.reference().to_owned() }
    }
}

/// Several things on one line.
pub(crate) fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
