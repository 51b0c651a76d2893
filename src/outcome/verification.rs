// SPDX-License-Identifier: Apache-2.0
//! What a verification has to tell: plain facts, rendered by [`crate::report`].

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use ambisign_host::{Failure, Warning};
use serde::{Serialize, Serializer};
use serde_json::Value;

#[cfg(test)]
use super::described;
use super::exit;
use super::form::{MaybeTime, Millis, Time};
use crate::outcome::{Certificate, End, Timestamp};

/// A whole run of `verify` or `verify-blob`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdicts {
    /// When it began.
    #[serde(rename = "started_at", with = "Time")]
    pub started: SystemTime,
    /// How long it took, in milliseconds.
    #[serde(rename = "duration_ms", with = "Millis")]
    pub took: Duration,
    /// SHA-256 of the trusted root, in hex, once loaded.
    pub trusted_root_sha256: Option<String>,
    /// One for each artifact of the command line, in its order.
    #[serde(skip)]
    pub artifacts: Vec<Verdict>,
    /// What did not stop the run.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
    /// How the run as a whole ended.
    #[serde(skip)]
    pub end: End,
}

/// One artifact.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// As it was asked for.
    pub requested: String,
    /// Registry and repository of an image.
    pub repository: Option<String>,
    /// `sha256:...`, once known.
    pub digest: Option<String>,
    /// The signatures, in the order in which they were found.
    #[serde(skip)]
    pub signatures: Vec<Signature>,
    /// The number of attachments that were not read, because an acceptable signature was found first.
    pub unread: usize,
    /// Why there is no acceptable one.
    #[serde(skip)]
    pub failure: Option<Failure>,
}

/// One signature.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Signature {
    /// Where it was found: a manifest, a tag with layer, or a file.
    pub place: String,
    /// What was found out.
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "Members<'_>"))]
    pub finding: Finding,
}

/// What was found out about a signature.
#[derive(Clone, Debug)]
pub enum Finding {
    /// It is acceptable.
    Accepted(Box<Facts>),
    /// It is not.
    Rejected(Failure),
}

/// What an acceptable signature says.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Facts {
    /// How it is stored; `null` when it is rejected.
    pub layout: Option<Layout>,
    /// The certificate; `None` when it was verified with the given key.
    #[serde(flatten, serialize_with = "signer")]
    #[cfg_attr(test, schemars(with = "Signer<'_>"))]
    pub certificate: Option<Certificate>,
    /// The repository that called the reusable workflow that signed.
    #[serde(skip)]
    pub caller: Option<String>,
    /// The predicate type, when a statement was signed.
    pub predicate_type: Option<String>,
    /// The annotations in the signed statement, by name.
    pub annotations: BTreeMap<String, Value>,
    /// The log entries.
    pub log: Vec<Entry>,
    /// The timestamps.
    pub timestamps: Vec<Timestamp>,
}

/// How a signature is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// As a bundle.
    Bundle,
    /// As a layer of the older layout: that it was logged rests on the log's promise.
    Legacy,
}

/// An entry of a transparency log.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "VerifiedEntry"))]
pub struct Entry {
    /// The API version of the log.
    pub version: u32,
    /// The log index, if the log signed it; it may be larger than a double holds exactly. Rekor v1 signs it
    /// with its promise alone, which a signature may lack.
    pub index: Option<u64>,
    /// The number of the entry in its tree, proven by the inclusion proof; `null` in the older layout, which
    /// has no such proof.
    pub tree_index: Option<u64>,
    /// The log ID, in hex.
    pub log_id: String,
    /// When the log says that it took the entry (v1); a time of RFC 3339 in UTC.
    #[serde(rename = "integrated_time", with = "MaybeTime")]
    pub time: Option<SystemTime>,
}

/// The members of a [`Finding`]: all of them, whatever was found.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Members<'a> {
    /// Whether the signature is acceptable.
    status: Judgement,
    #[serde(flatten)]
    facts: &'a Facts,
    /// Why it is rejected.
    #[cfg_attr(test, schemars(with = "Option<described::Error>"))]
    error: Option<&'a Failure>,
}

/// Whether a signature is acceptable.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Judgement {
    /// It is acceptable.
    Accepted,
    /// It is not.
    Rejected,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let nothing = Facts::default();
        let (status, facts, error) = match self {
            Self::Accepted(facts) => (Judgement::Accepted, facts.as_ref(), None),
            Self::Rejected(failure) => (Judgement::Rejected, &nothing, Some(failure)),
        };
        Members { status, facts, error }.serialize(to)
    }
}

/// The members of the certificate of a signature.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Signer<'a> {
    /// The SAN of the certificate; `null` for a bare key.
    identity: Option<&'a str>,
    /// The issuer in the certificate.
    issuer: Option<&'a str>,
    /// SHA-256 of the DER form of the certificate, in hex.
    certificate_sha256: Option<&'a str>,
}

fn signer<S: Serializer>(certificate: &Option<Certificate>, to: S) -> Result<S::Ok, S::Error> {
    let certificate = certificate.as_ref();
    Signer {
        identity: certificate.map(|certificate| certificate.identity.as_str()),
        issuer: certificate.map(|certificate| certificate.issuer.as_str()),
        certificate_sha256: certificate.map(|certificate| certificate.sha256.as_str()),
    }
    .serialize(to)
}

impl Verdict {
    /// `repository@digest`, the digest of a file, or what was asked for as long as neither is known.
    pub fn name(&self) -> String {
        match (&self.repository, &self.digest) {
            (Some(repository), Some(digest)) => format!("{repository}@{digest}"),
            (None, Some(digest)) => digest.clone(),
            (_, None) => self.requested.clone(),
        }
    }

    /// Whether it has an acceptable signature.
    pub fn is_verified(&self) -> bool {
        let accepted = |signature: &Signature| matches!(signature.finding, Finding::Accepted(_));
        self.failure.is_none() && self.signatures.iter().any(accepted)
    }
}

impl Verdicts {
    /// A run that begins now.
    pub fn new(started: SystemTime) -> Self {
        Self {
            started,
            took: Duration::ZERO,
            trusted_root_sha256: None,
            artifacts: Vec::new(),
            warnings: Vec::new(),
            end: End::Complete,
        }
    }

    /// How many artifacts are verified.
    pub fn verified(&self) -> usize {
        let all = self.artifacts.iter();
        all.filter(|artifact| artifact.is_verified()).count()
    }

    /// The failure of the run, then those of its artifacts.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let run = match &self.end {
            End::Failed(failure) => Some(failure),
            End::Complete | End::Interrupted(_) => None,
        };
        let artifacts = self.artifacts.iter();
        run.into_iter().chain(artifacts.filter_map(|artifact| artifact.failure.as_ref()))
    }

    /// The exit code: that of the signal, otherwise of the worst failure, even if other artifacts are
    /// verified.
    pub fn exit(&self) -> u8 {
        if let End::Interrupted(signal) = self.end {
            return signal.exit();
        }
        let classes: Vec<_> = self.failures().map(|failure| failure.class).collect();
        match exit::least_retryable(&classes) {
            Some(class) => exit::exit(class),
            // What was forgotten must not look like success.
            None if self.artifacts.is_empty() || self.verified() < self.artifacts.len() => {
                exit::exit(ambisign_host::Class::Bug)
            }
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use ambisign_host::{Class, Failure};

    use super::{Finding, Signature, Verdict, Verdicts};
    use crate::outcome::exit::RunError;
    use crate::outcome::{End, Signal};

    fn verdict(finding: Finding, failure: Option<Class>) -> Verdict {
        let place = String::new();
        Verdict {
            signatures: vec![Signature { place, finding }],
            failure: failure.map(failed),
            ..Verdict::default()
        }
    }

    fn failed(class: Class) -> Failure {
        Failure { class, ..Failure::of(&RunError::Deadline) }
    }

    fn good() -> Verdict {
        verdict(Finding::Accepted(Box::default()), None)
    }

    #[test]
    fn only_all_verified_is_success() {
        let bad = |class| verdict(Finding::Rejected(failed(Class::Untrusted)), Some(class));
        let rows = [
            (vec![], 1),
            (vec![good()], 0),
            (vec![good(), good()], 0),
            (vec![Verdict::default()], 1),
            (vec![good(), Verdict::default()], 1),
            (vec![good(), bad(Class::Rejected)], 8),
            (vec![bad(Class::Temporary), good()], 75),
            (vec![bad(Class::Temporary), bad(Class::Rejected)], 8),
            (vec![bad(Class::Untrusted), bad(Class::Rejected)], 8),
            (vec![bad(Class::Registry), bad(Class::Temporary)], 6),
        ];
        for (artifacts, exit) in rows {
            let mut verdicts = Verdicts::new(SystemTime::UNIX_EPOCH);
            verdicts.artifacts = artifacts;
            assert_eq!(verdicts.exit(), exit);
            verdicts.end = End::Interrupted(Signal::Interrupt);
            assert_eq!(verdicts.exit(), 130);
        }
    }
}
