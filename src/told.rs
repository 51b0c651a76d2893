// SPDX-License-Identifier: Apache-2.0
//! What the report is told: facts of the pipeline's types, as text and numbers.

use std::time::Duration;

use ambisign_host::{Warning, codes};
use ambisign_providers::Choice;
use ambisign_sigstore::certificate::SigningCertificate;
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::identity::prediction::Prediction;
use ambisign_sigstore::log::VerifiedEntry;
use ambisign_sigstore::timestamp::Timestamp;
use ambisign_sigstore::trust::root::Log;
use ambisign_sigstore::trust::{Mirror, MirrorUsed, Service, Trust, TrustedRoot};
use ambisign_sigstore::verify::VerifiedBundle;
use ambisign_sigstore::witness::Witnessed;

use crate::error::Error;
use crate::images::{self, Named};
use crate::job::Job;
use crate::outcome::{self, Known, Outcome, State, Step};
use crate::report::Progress;
use crate::settings::{BlobPaths, Settings, Signing};
use ambisign_registry::reference::Reference;
use ambisign_registry::{Attached, Discovery};

/// Where the public log of Rekor v1 can be looked at.
const PUBLIC_REKOR: &str = "https://rekor.sigstore.dev/";
const SEARCH: &str = "https://search.sigstore.dev/?logIndex=";

/// The references that `named` means; where they come from, and what is signed with them, is told.
///
/// # Errors
/// Those of [`images::references`].
pub(crate) fn references(
    progress: &Progress<'_>,
    named: Vec<Named>,
    settings: &Settings,
) -> Result<Vec<Reference>, Error> {
    if let Some(origin) = images::origin(&settings.images) {
        progress.fact("images", &origin);
    }
    progress.annotations(&settings.signing.annotations);
    progress.signatures(settings.registry.signatures.as_ref().map(repository));
    let (references, warnings) = images::references(named, &settings.images)?;
    warnings
        .into_iter()
        .for_each(|warning| progress.warning(warning));
    Ok(references)
}

/// The images as they were asked for.
pub(crate) fn requested(references: &[Reference]) -> Vec<Outcome> {
    let asked = |reference: &Reference| Outcome {
        requested: vec![reference.to_string()],
        repository: repository(reference),
        digest: reference.digest().map(ToString::to_string),
        ..Outcome::default()
    };
    references.iter().map(asked).collect()
}

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
pub(crate) fn identity(provider: &str, identity: &Identity) -> outcome::Identity {
    let (subject, issuer) = match identity.prediction() {
        Prediction::Known { san, issuer } => (Some(san.clone()), issuer.clone()),
        Prediction::Unknown => (None, identity.issuer().to_owned()),
    };
    outcome::Identity {
        provider: provider.to_owned(),
        token_subject: identity.sub().to_owned(),
        subject,
        issuer,
        repository_visibility: identity.visibility().map(str::to_owned),
    }
}

codes! {
    /// The warnings about what becomes public.
    pub(crate) WARNINGS {
        /// A private repository becomes known.
        DISCLOSURE = "identity/disclosure" {
            what: "Facts of a private repository become public with this signature.",
            why: "The certificate and the log name repository and workflow, for good. You consented.",
            advice: "Nothing, if that is meant.",
        },
    }
}

/// What becomes public of a repository with `visibility`.
pub(crate) fn disclosure(visibility: &str) -> Warning {
    let message = format!(
        "the repository is {visibility}, and becomes known for good: its name, workflow, commit and \
         the digests of the images go into a public log"
    );
    Warning {
        code: DISCLOSURE,
        message,
    }
}

/// Which services are used.
fn instance(trust: &Trust, settings: &Signing) -> outcome::Instance {
    let services = trust.services();
    let urls = |services: &[Service]| services.iter().map(|one| one.url.to_string()).collect();
    outcome::Instance {
        name: services
            .fulcio
            .url
            .host_str()
            .unwrap_or_default()
            .to_owned(),
        fulcio: Some(services.fulcio.url.to_string()),
        rekor: urls(&services.logs),
        rekor_version: services.logs.first().map(|log| log.version),
        tsa: urls(&services.authorities),
        trusted_root: settings.trust.trusted_root.clone(),
        trusted_root_sha256: Some(trust.root().digest().hex()),
        tuf: trust.mirror().map(tuf),
    }
}

fn tuf(used: &MirrorUsed) -> outcome::Tuf {
    outcome::Tuf {
        mirror: used.url.to_string(),
        root_version: used.versions.root,
        known: match &used.mirror {
            Mirror::Public => Known::Everywhere,
            Mirror::Staging => Known::AsStaging,
            Mirror::Other { root, .. } => Known::WithRoot(root.clone()),
        },
    }
}

/// Who signs, with which services, and what else the reader should know before.
pub(crate) fn beginning(
    progress: &Progress<'_>,
    choice: &Choice,
    signer: &Identity,
    trust: &Trust,
    settings: &Signing,
) {
    progress.identity(identity(choice.provider, signer));
    progress.instance(instance(trust, settings));
    for note in &choice.notes {
        progress.warning(self::note(note));
    }
    for warning in trust.warnings() {
        progress.warning(warning.clone());
    }
}

/// Something that the choice of the provider leaves to say.
fn note(note: &str) -> Warning {
    Warning {
        code: "provider/note",
        message: note.to_owned(),
    }
}

/// A dry run ends here.
pub(crate) fn would_sign(progress: &Progress<'_>, jobs: &[Job<'_>]) {
    for at in jobs.iter().flat_map(Job::places) {
        progress.image(at, |image| image.state = State::WouldSign);
        progress.image_over(at);
    }
}

/// A certificate, in full.
pub(crate) fn certificate(certificate: &SigningCertificate) -> outcome::Certificate {
    outcome::Certificate {
        identity: certificate.san().to_owned(),
        issuer: certificate.issuer().to_owned(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        sha256: Digest::of(certificate.der()).hex(),
        pem: certificate.pem().unwrap_or_default(),
    }
}

/// The step that made a certificate.
pub(crate) fn issued(certificate: &SigningCertificate, took: Duration) -> Step {
    Step {
        name: "certificate",
        took,
        detail: format!("for {}", certificate.san()),
    }
}

/// The timestamps of a signature.
pub(crate) fn timestamps(timestamps: &[Timestamp]) -> Vec<outcome::Timestamp> {
    let told = |stamp: &Timestamp| outcome::Timestamp {
        authority: stamp.authority().to_owned(),
        time: stamp.time(),
    };
    timestamps.iter().map(told).collect()
}

/// The log entries of a signature, with the logs that were asked, in the same order.
pub(crate) fn log(witnessed: &Witnessed, trust: &Trust) -> Vec<outcome::LogEntry> {
    let logs = trust.services().logs.iter();
    let told = |(entry, log): (&ambisign_sigstore::log::LogEntry, &Service)| outcome::LogEntry {
        url: log.url.to_string(),
        version: log.version,
        index: entry.index(),
        log_id: hex::encode(entry.log_id()),
        integrated_time: entry.integrated_time(),
        link: link(log, entry.index()),
    };
    witnessed.entries().iter().zip(logs).map(told).collect()
}

/// The log entries of a bundle that was kept, of logs that `root` knows.
pub(crate) fn entries(entries: &[VerifiedEntry], root: &TrustedRoot) -> Vec<outcome::LogEntry> {
    let told = |entry: &VerifiedEntry| outcome::LogEntry {
        url: root.log(entry.log_id()).map_or("", Log::url).to_owned(),
        version: entry.version(),
        index: entry.index(),
        log_id: hex::encode(entry.log_id()),
        integrated_time: entry.time(),
        link: None,
    };
    entries.iter().map(told).collect()
}

/// That not everything that is attached to an image was looked at.
pub(crate) fn cut(asked: &Reference, (looked_at, left_out): (usize, usize)) -> Option<Warning> {
    let message = format!(
        "{asked} has more attachments than the {looked_at} that were looked at: remove what nobody \
         needs"
    );
    let code = "registry/cut";
    (left_out > 0).then_some(Warning { code, message })
}

/// Where the entry at `index` can be looked at. A page exists for the public v1 log alone; a v1 log
/// answers by itself, and of a v2 log there is the tile that holds the entry.
fn link(log: &Service, index: u64) -> Option<String> {
    match log.version {
        1 if log.url.as_str() == PUBLIC_REKOR => Some(format!("{SEARCH}{index}")),
        1 => {
            let mut url = ambisign_host::request::below(&log.url, "api/v1/log/entries");
            url.query_pairs_mut()
                .append_pair("logIndex", &index.to_string());
            Some(url.into())
        }
        _ => None,
    }
}

/// The verified bundle.
pub(crate) fn bundle(bundle: &VerifiedBundle) -> outcome::Bundle {
    outcome::Bundle {
        media_type: ambisign_sigstore::bundle::MEDIA_TYPE.to_owned(),
        sha256: Digest::of(bundle.bytes()).hex(),
        path: None,
    }
}

/// Where a bundle is attached.
pub(crate) fn attached(attached: &Attached) -> outcome::Attached {
    let method = match attached.method() {
        Discovery::FallbackTag => "tag",
        Discovery::Referrers => "referrers",
    };
    outcome::Attached {
        method: method.to_owned(),
        reference: attached.reference().to_owned(),
    }
}

/// One for each line that had to go from a list of signatures.
pub(crate) fn removed(attached: &Attached) -> Vec<Warning> {
    let warning = |gone| Warning {
        code: "registry/removed",
        message: format!(
            "the list of signatures named {gone}, which the registry has no more: its line was \
             removed"
        ),
    };
    attached.removed().iter().map(warning).collect()
}

/// A log entry on one line.
pub(crate) fn entry(entry: &outcome::LogEntry) -> String {
    format!("Rekor v{} index {}", entry.version, entry.index)
}

/// Several things on one line.
pub(crate) fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
