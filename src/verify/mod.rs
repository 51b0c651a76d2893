// SPDX-License-Identifier: Apache-2.0
//! What a stranger does with a bundle: takes its bytes, a trusted root and an expectation, and
//! believes nothing else (Sigstore client specification, 4).
//!
//! Nothing here asks the network or the clock, and nothing comes from the code that signs: what is
//! verified is what was read back from the bytes.

mod error;
#[doc(hidden)]
pub mod fuzzing;
mod statement;

use std::collections::BTreeSet;
use std::time::SystemTime;

use crate::bundle::{Bundle, Content};
use crate::digest::Digest;
use crate::fulcio::{SigningCertificate, chain, sct};
use crate::shown::shown;
use crate::trust::TrustedRoot;
use crate::trust::keys::Hash;
use crate::trust::path::PathError;
use crate::witness::{self, EntryError, Logged, Stamped, Timestamp, TimestampError, VerifiedEntry};

pub use error::Error;
use statement::Statement;

/// What a bundle has to prove.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What was signed: for a statement, one of its subjects.
    pub artifact: &'a Digest,
    /// The name in the certificate, compared exactly.
    pub identity: &'a str,
    /// The issuer in the certificate, compared exactly.
    pub issuer: &'a str,
    /// The predicate type of the statement; `None` for any, and for what is not a statement.
    pub predicate_type: Option<&'a str>,
    /// The key of the certificate as DER `SubjectPublicKeyInfo`, when it is known.
    pub public_key: Option<&'a [u8]>,
    /// How many logs must have an entry, each operator counted once.
    pub entries: usize,
    /// How many timestamp authorities must have stamped it, each operator counted once.
    pub timestamps: usize,
}

/// A bundle that proves what was expected of it. [`bundle`] is the only way to get one.
#[derive(Clone, Debug)]
pub struct VerifiedBundle {
    bytes: Vec<u8>,
    digest: Digest,
    predicate_type: Option<String>,
    certificate: SigningCertificate,
    entries: Vec<VerifiedEntry>,
    timestamps: Vec<Timestamp>,
}

impl VerifiedBundle {
    /// The bundle, byte for byte as it was verified.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the artifact.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The predicate type, when the bundle holds a statement.
    pub fn predicate_type(&self) -> Option<&str> {
        self.predicate_type.as_deref()
    }

    /// The signing certificate.
    pub fn certificate(&self) -> &SigningCertificate {
        &self.certificate
    }

    /// The log entries of trusted logs.
    pub fn entries(&self) -> &[VerifiedEntry] {
        &self.entries
    }

    /// The timestamps of trusted authorities.
    pub fn timestamps(&self) -> &[Timestamp] {
        &self.timestamps
    }

    /// A bundle that nobody verified, to test what happens to one.
    #[cfg(test)]
    pub(crate) fn for_tests(bytes: Vec<u8>, digest: Digest, predicate_type: &str) -> Self {
        let real = include_bytes!(
            "../../tests/vectors/bundle-verify/happy-path-v0.3/bundle.sigstore.json"
        );
        let real = Bundle::parse(real).expect("a vector");
        Self {
            bytes,
            digest,
            predicate_type: Some(predicate_type.to_owned()),
            certificate: SigningCertificate::parse(real.certificate()).expect("a vector"),
            entries: Vec::new(),
            timestamps: Vec::new(),
        }
    }
}

/// Verifies the bundle in `bytes` (gate G10; client specification 4.1 to 4.7).
///
/// Entries of logs and timestamps of authorities that `root` does not have are passed over;
/// everything of a log or an authority that it does have must hold.
///
/// # Errors
/// The first thing that does not hold.
pub fn bundle(
    bytes: Vec<u8>,
    root: &TrustedRoot,
    expected: &Expected<'_>,
) -> Result<VerifiedBundle, Error> {
    // 1. The form, and the profile of the certificate.
    let bundle = Bundle::parse(&bytes)?;
    let certificate = SigningCertificate::parse(bundle.certificate())?;
    verify_hint(bundle.content(), expected.artifact)?;
    // 2. The time, and the log entries, which are one source of it.
    let stamped = Stamped {
        signature: bundle.content().signature(),
        nonce: None,
        certificate: &certificate,
    };
    let timestamps = timestamps(&bundle, &stamped, root, expected.timestamps)?;
    let logged = Logged {
        certificate: &certificate,
        content: logged_content(bundle.content(), expected.artifact),
    };
    let entries = entries(&bundle, &logged, root, expected.entries)?;
    let times = times(&timestamps, &entries)?;
    // 3. and 4. The certificate, at each of these times, and its promise to be public.
    for time in &times {
        let issuer = chain::verify(&certificate, root, *time)?;
        sct::verify(&certificate, issuer, root)?;
    }
    // 5. Who signed.
    verify_signer(&certificate, expected)?;
    // 6. The signature, and what it is of.
    verify_signature(&certificate, bundle.content(), expected.artifact)?;
    let predicate_type = verify_statement(bundle.content(), expected)?;
    Ok(VerifiedBundle {
        bytes,
        digest: *expected.artifact,
        predicate_type,
        certificate,
        entries,
        timestamps,
    })
}

fn timestamps(
    bundle: &Bundle,
    stamped: &Stamped<'_>,
    root: &TrustedRoot,
    wanted: usize,
) -> Result<Vec<Timestamp>, Error> {
    let unknown = TimestampError::UntrustedChain {
        flaw: PathError::Unknown,
    };
    let mut verified = Vec::new();
    let mut passed_over = None;
    for der in bundle.timestamps() {
        match Timestamp::verify(der, stamped, root) {
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
    bundle: &Bundle,
    logged: &Logged<'_>,
    root: &TrustedRoot,
    wanted: usize,
) -> Result<Vec<VerifiedEntry>, Error> {
    let mut verified = Vec::new();
    let mut passed_over = None;
    for entry in bundle.entries() {
        match entry.verify(logged, root) {
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

/// The proven times, at least one. A log without a time of its own must have been trusted at one of
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

fn verify_signer(certificate: &SigningCertificate, expected: &Expected<'_>) -> Result<(), Error> {
    let key = expected.public_key;
    if key.is_some_and(|key| key != certificate.spki_der()) {
        return Err(Error::Key);
    }
    if certificate.issuer() != expected.issuer {
        return Err(Error::Issuer {
            found: certificate.issuer().to_owned(),
            wanted: expected.issuer.to_owned(),
        });
    }
    if certificate.san() != expected.identity {
        return Err(Error::Identity {
            found: certificate.san().to_owned(),
            wanted: expected.identity.to_owned(),
        });
    }
    Ok(())
}

/// What the logs must have an entry of. For a message, it is the artifact that was asked for, not
/// the one that the bundle names.
fn logged_content<'a>(content: &'a Content, artifact: &'a Digest) -> witness::Content<'a> {
    match content {
        Content::Envelope(envelope) => witness::Content::Envelope(envelope),
        Content::Message { signature, .. } => witness::Content::Message {
            digest: artifact,
            signature,
        },
    }
}

/// A message's digest in the bundle is not signed, but when it is there it must be right.
fn verify_hint(content: &Content, artifact: &Digest) -> Result<(), Error> {
    match content {
        Content::Message {
            digest: Some(digest),
            ..
        } if digest != artifact => Err(Error::Artifact {
            wanted: artifact.to_string(),
        }),
        Content::Message { .. } | Content::Envelope(_) => Ok(()),
    }
}

fn verify_signature(
    certificate: &SigningCertificate,
    content: &Content,
    artifact: &Digest,
) -> Result<(), Error> {
    let verifies = match content {
        Content::Envelope(envelope) => certificate.verify(&envelope.pae(), &envelope.signature),
        Content::Message { signature, .. } => {
            // Only the SHA-256 digest is known, so a signature with another hash does not verify.
            let key = certificate.certificate().key();
            key.verify_digest(Hash::Sha256, artifact.bytes(), signature)
        }
    };
    if verifies {
        Ok(())
    } else {
        Err(Error::Signature)
    }
}

/// Whether the statement is about the artifact, and says what it should. A message says nothing.
fn verify_statement(content: &Content, expected: &Expected<'_>) -> Result<Option<String>, Error> {
    let found = match content {
        Content::Envelope(envelope) => {
            let statement = Statement::read(envelope)?;
            if !statement.is_about(expected.artifact) {
                let wanted = expected.artifact.to_string();
                return Err(Error::Artifact { wanted });
            }
            Some(statement.predicate_type().to_owned())
        }
        Content::Message { .. } => None,
    };
    match expected.predicate_type {
        Some(wanted) if found.as_deref() != Some(wanted) => Err(Error::PredicateType {
            found: shown(&found.unwrap_or_default()),
            wanted: wanted.to_owned(),
        }),
        _ => Ok(found),
    }
}
