// SPDX-License-Identifier: Apache-2.0
//! The checks that every signature must pass, independent of its storage format (Sigstore client
//! specification, 4.2 to 4.7).

use std::collections::BTreeSet;
use std::time::SystemTime;

use ambisign_host::excerpt;

use super::error::Error;
use super::policy::{Identity, Policy, Signer};
use crate::bundle;
use crate::certificate::{SigningCertificate, Verifier};
use crate::content::ContentRef;
use crate::log::{EntryError, LogEntry, Logged, VerifiedEntry};
use crate::pki::keys::Hash;
use crate::pki::path::PathError;
use crate::timestamp::{Stamped, Timestamp, TimestampError};
use crate::trust::TrustedRoot;

/// A signature with its certificate, timestamps and log entries.
pub(super) struct Evidence<'a> {
    pub(super) verifier: Verifier<'a>,
    /// The signed content, which the logs must record.
    pub(super) content: ContentRef<'a>,
    pub(super) entries: &'a [LogEntry],
    /// DER `TimeStampResp`.
    pub(super) timestamps: &'a [Vec<u8>],
    /// The proof that a log entry must have.
    pub(super) proof: Proof,
}

/// The proof that a signature was logged.
#[derive(Clone, Copy)]
pub(super) enum Proof {
    /// The entry is in the tree of the log.
    Inclusion,
    /// The log promised to include it. Older formats have nothing else.
    Promise,
}

/// The verified witnesses of a signature.
#[derive(Clone, Debug)]
pub(super) struct Vouched {
    pub(super) entries: Vec<VerifiedEntry>,
    pub(super) timestamps: Vec<Timestamp>,
}

/// The certificate or key to verify a signature with: `certificate`, or the key of `policy`.
///
/// # Errors
/// There is a certificate but the policy requires a key, or the other way round.
pub(super) fn verifier<'a>(
    certificate: Option<&'a SigningCertificate>,
    policy: &'a Policy,
) -> Result<Verifier<'a>, Error> {
    match (certificate, &policy.signer) {
        (Some(certificate), Signer::Identity(_)) => Ok(Verifier::Certificate(certificate)),
        (None, Signer::Key(key)) => Ok(Verifier::Key(key)),
        (None, Signer::Identity(_)) => Err(Error::KeySigned),
        (Some(certificate), Signer::Key(_)) => {
            Err(Error::CertificateSigned { found: excerpt(certificate.san()) })
        }
    }
}

/// Verifies that the signature is correct, was made by the signer that the policy requires while the
/// certificate or key was valid, and was logged.
///
/// Log entries and timestamps are ignored if `root` does not contain the log or authority. All others
/// must verify.
///
/// # Errors
/// The first check that fails.
pub(super) fn judge(
    evidence: &Evidence<'_>,
    root: &TrustedRoot,
    policy: &Policy,
) -> Result<Vouched, Error> {
    if let Verifier::Key(_) = evidence.verifier
        && !is_signed(evidence)
    {
        // Checked before the log entry, whose error would be less specific.
        return Err(Error::Key);
    }
    // 2. The time, and the log entries, which can prove it.
    let timestamps = timestamps(evidence, root, policy.timestamps)?;
    let entries = entries(evidence, root, policy.entries)?;
    let times = times(&timestamps, &entries)?;
    if let (Some(latest), Some(time)) = (policy.latest, times.last())
        && *time > latest
    {
        return Err(Error::Future { time: *time });
    }
    if let (Verifier::Certificate(certificate), Signer::Identity(wanted)) =
        (evidence.verifier, &policy.signer)
    {
        // 3. and 4. The certificate at each of these times, and its SCT.
        for time in &times {
            certificate.trusted_at(root, *time)?;
        }
        // 5. The signer.
        wanted.verify(certificate)?;
    }
    // 6. The signature.
    if !is_signed(evidence) {
        return Err(Error::Signature);
    }
    Ok(Vouched { entries, timestamps })
}

fn timestamps(
    evidence: &Evidence<'_>,
    root: &TrustedRoot,
    wanted: usize,
) -> Result<Vec<Timestamp>, Error> {
    let unknown = TimestampError::UntrustedChain { flaw: PathError::Unknown };
    let stamped = Stamped {
        signature: evidence.content.signature(),
        nonce: None,
        verifier: evidence.verifier,
    };
    let mut verified = Vec::new();
    let mut passed_over = None;
    for der in evidence.timestamps {
        match Timestamp::verify(der, &stamped, root) {
            // It would look like two witnesses.
            Ok(timestamp) if verified.iter().any(|known: &Timestamp| known.is(&timestamp)) => {
                return Err(bundle::Error::TooMany { what: "timestamps" }.into());
            }
            Ok(timestamp) => verified.push(timestamp),
            Err(error) if error == unknown => passed_over = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    let operators: BTreeSet<_> = verified.iter().map(Timestamp::operator).collect();
    let found = operators.len();
    match passed_over {
        Some(error) if found < wanted.max(1) => Err(error.into()),
        _ if found < wanted => Err(Error::TooFewTimestamps { found, wanted }),
        _ => Ok(verified),
    }
}

fn entries(
    evidence: &Evidence<'_>,
    root: &TrustedRoot,
    wanted: usize,
) -> Result<Vec<VerifiedEntry>, Error> {
    let logged = Logged { verifier: evidence.verifier, content: evidence.content };
    let mut verified = Vec::new();
    let mut passed_over = None;
    for entry in evidence.entries {
        let entry = match evidence.proof {
            Proof::Inclusion => entry.verify(&logged, root),
            Proof::Promise => entry.verify_promised(&logged, root),
        };
        match entry {
            Ok(entry) => verified.push(entry),
            Err(error @ EntryError::UnknownLog { .. }) => passed_over = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    let operators: BTreeSet<_> = verified.iter().map(VerifiedEntry::operator).collect();
    let found = operators.len();
    match passed_over {
        Some(error) if found < wanted => Err(error.into()),
        _ if found < wanted => Err(Error::TooFewEntries { found, wanted }),
        _ => Ok(verified),
    }
}

/// The proven times, at least one. A log that does not prove a time must have been trusted at one of
/// them.
fn times(
    timestamps: &[Timestamp],
    entries: &[VerifiedEntry],
) -> Result<BTreeSet<SystemTime>, Error> {
    let stamped = timestamps.iter().map(Timestamp::time);
    let integrated = entries.iter().filter_map(VerifiedEntry::time);
    let times: BTreeSet<_> = stamped.chain(integrated).collect();
    if times.is_empty() {
        return Err(Error::NoTime);
    }
    for entry in entries {
        if !times.iter().any(|time| entry.window().contains(*time)) {
            return Err(Error::LogOutsideValidity);
        }
    }
    Ok(times)
}

fn is_signed(evidence: &Evidence<'_>) -> bool {
    let verifier = evidence.verifier;
    match evidence.content {
        ContentRef::Envelope(envelope) => verifier.verify(&envelope.pae(), &envelope.signature),
        // Only the SHA-256 digest is known, so a signature with another hash does not verify.
        ContentRef::Message { digest, signature } => {
            let key = verifier.key();
            key.verify_digest(Hash::Sha256, digest.bytes(), signature)
        }
    }
}

impl Identity {
    /// Verifies that `certificate` belongs to the required signer.
    ///
    /// # Errors
    /// The first difference, in the order issuer, name, claims.
    pub fn verify(&self, certificate: &SigningCertificate) -> Result<(), Error> {
        if !self.issuer.accepts(certificate.issuer()) {
            return Err(Error::Issuer {
                found: certificate.issuer().to_owned(),
                wanted: self.issuer.clone(),
            });
        }
        if !self.san.accepts(certificate.san()) {
            return Err(Error::Identity {
                found: certificate.san().to_owned(),
                wanted: self.san.clone(),
            });
        }
        for (claim, wanted) in &self.claims {
            let found = claim.of(certificate);
            if !found.is_some_and(|found| wanted.accepts(found)) {
                return Err(Error::Claim {
                    claim: *claim,
                    found: found.map(str::to_owned),
                    wanted: wanted.clone(),
                });
            }
        }
        Ok(())
    }
}
