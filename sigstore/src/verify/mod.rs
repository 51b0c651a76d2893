// SPDX-License-Identifier: Apache-2.0
//! Verifies a bundle from its bytes, a trusted root and a policy (Sigstore client specification, 4).
//!
//! Verifiers pass a [`Policy`] and get [`Accepted`]. The signer verifies its own bundles with the same
//! checks and gets a [`VerifiedBundle`], which may be attached.
//!
//! Nothing here uses the network, the clock, or values from the code that signs. Only the bytes are
//! verified.

mod claim;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod judge;
mod legacy;
pub mod policy;

use std::collections::BTreeMap;

use ambisign_host::excerpt;
use serde_json::Value;

use crate::bundle::Bundle;
use crate::certificate::{SigningCertificate, Verifier};
use crate::content::{Content, ContentRef};
use crate::digest::Digest;
use crate::log::VerifiedEntry;
use crate::pki::keys::PublicKey;
use crate::statement::{OtherDigests, SignedClaims, Statement};
use crate::timestamp::Timestamp;
use crate::trust::TrustedRoot;

pub use error::Error;
use judge::{Evidence, Proof, Vouched};
pub use legacy::{MEDIA_TYPE as LEGACY_MEDIA_TYPE, legacy};
pub use policy::Policy;
use policy::Signer;

/// The requirements on a bundle that this program made.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The signed artifact. A statement must have it as a subject.
    pub artifact: &'a Digest,
    /// The name in the certificate, compared exactly.
    pub identity: &'a str,
    /// The issuer in the certificate, compared exactly.
    pub issuer: &'a str,
    /// The predicate type of the statement; `None` accepts any, and content that is not a statement.
    pub predicate_type: Option<&'a str>,
    /// The key of the certificate as DER `SubjectPublicKeyInfo`, if it is known.
    pub public_key: Option<&'a [u8]>,
    /// The number of logs that must have an entry. Each operator counts once.
    pub entries: usize,
    /// The number of timestamp authorities that must have stamped it. Each operator counts once.
    pub timestamps: usize,
}

impl Expected<'_> {
    fn policy(&self) -> Policy {
        Policy {
            predicate_types: self.predicate_type.map(str::to_owned).into_iter().collect(),
            entries: self.entries,
            timestamps: self.timestamps,
            ..Policy::of(Signer::exactly(self.identity, self.issuer))
        }
    }
}

/// A verified bundle. Only [`bundle`] and [`verify_bundle`] return one.
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
    /// The exact bytes that were verified.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the artifact.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The predicate type, if the bundle contains a statement.
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
}

/// Verifies the bundle in `bytes` (gate G10; client specification 4.1 to 4.7).
///
/// # Errors
/// The first check that fails.
pub fn bundle(
    bytes: Vec<u8>,
    root: &TrustedRoot,
    expected: &Expected<'_>,
) -> Result<VerifiedBundle, Error> {
    let verified = verify_bundle(bytes, root, expected.artifact, &expected.policy())?;
    let key = expected.public_key;
    if key.is_some_and(|key| key != verified.certificate.spki_der()) {
        return Err(Error::Key);
    }
    Ok(verified)
}

/// Verifies a stored bundle with `policy` (client specification 4.1 to 4.7). It must contain a
/// certificate.
///
/// # Errors
/// The first check that fails.
pub fn verify_bundle(
    bytes: Vec<u8>,
    root: &TrustedRoot,
    artifact: &Digest,
    policy: &Policy,
) -> Result<VerifiedBundle, Error> {
    let accepted = verify(&bytes, root, artifact, policy)?;
    let SignedBy::Certificate(certificate) = accepted.signed_by else {
        return Err(Error::KeySigned);
    };
    Ok(VerifiedBundle {
        bytes,
        digest: accepted.artifact,
        predicate_type: accepted.predicate_type,
        certificate: *certificate,
        entries: accepted.entries,
        timestamps: accepted.timestamps,
    })
}

/// A verified signature. Only [`verify`] and [`legacy`] return one.
#[derive(Clone, Debug)]
pub struct Accepted {
    artifact: Digest,
    signed_by: SignedBy,
    predicate_type: Option<String>,
    annotations: BTreeMap<String, Value>,
    entries: Vec<VerifiedEntry>,
    timestamps: Vec<Timestamp>,
}

/// Who signed.
#[derive(Clone, Debug)]
pub enum SignedBy {
    /// The identity in this certificate.
    Certificate(Box<SigningCertificate>),
    /// The holder of this key.
    Key(PublicKey),
}

impl SignedBy {
    /// The signer that `verifier` stands for.
    fn of(verifier: Verifier<'_>) -> Self {
        match verifier {
            Verifier::Certificate(certificate) => Self::Certificate(Box::new(certificate.clone())),
            Verifier::Key(key) => Self::Key(key.clone()),
        }
    }
}

impl Accepted {
    /// The digest of the artifact.
    pub fn artifact(&self) -> &Digest {
        &self.artifact
    }

    /// Who signed.
    pub fn signed_by(&self) -> &SignedBy {
        &self.signed_by
    }

    /// The predicate type, if the signed content is a statement.
    pub fn predicate_type(&self) -> Option<&str> {
        self.predicate_type.as_deref()
    }

    /// The annotations in the signed statement.
    pub fn annotations(&self) -> &BTreeMap<String, Value> {
        &self.annotations
    }

    /// The log entries of trusted logs.
    pub fn entries(&self) -> &[VerifiedEntry] {
        &self.entries
    }

    /// The timestamps of trusted authorities.
    pub fn timestamps(&self) -> &[Timestamp] {
        &self.timestamps
    }

    fn new(artifact: &Digest, signed_by: SignedBy, claims: SignedClaims, vouched: Vouched) -> Self {
        Self {
            artifact: *artifact,
            signed_by,
            predicate_type: claims.predicate_type,
            annotations: claims.annotations,
            entries: vouched.entries,
            timestamps: vouched.timestamps,
        }
    }
}

impl SignedClaims {
    /// Checks the predicate type and annotations that `policy` requires.
    fn fits(self, policy: &Policy) -> Result<Self, Error> {
        let wanted = &policy.predicate_types;
        let found = self.predicate_type.as_ref();
        if !wanted.is_empty() && !found.is_some_and(|found| wanted.contains(found)) {
            return Err(Error::PredicateType {
                found: self.predicate_type.as_deref().map(excerpt),
                wanted: wanted.clone(),
            });
        }
        for (name, wanted) in &policy.annotations {
            let found = self.annotations.get(name);
            if found.and_then(Value::as_str) != Some(wanted) {
                return Err(Error::Annotation {
                    name: name.clone(),
                    found: found.map(|found| excerpt(&found.to_string())),
                    wanted: wanted.clone(),
                });
            }
        }
        Ok(self)
    }
}

/// Verifies that the bundle in `bytes` is a signature of `artifact` that `policy` accepts (client
/// specification 4.1 to 4.7).
///
/// # Errors
/// The first check that fails.
pub fn verify(
    bytes: &[u8],
    root: &TrustedRoot,
    artifact: &Digest,
    policy: &Policy,
) -> Result<Accepted, Error> {
    verify_all_digests(bytes, root, (artifact, &OtherDigests::default()), policy)
}

/// Like [`verify()`], for an artifact of which more digests are known: a statement that also names one of
/// these must name the right one.
///
/// # Errors
/// The first check that fails.
pub fn verify_all_digests(
    bytes: &[u8],
    root: &TrustedRoot,
    (artifact, others): (&Digest, &OtherDigests),
    policy: &Policy,
) -> Result<Accepted, Error> {
    // 1. The form, and the profile of the certificate.
    let bundle = Bundle::parse(bytes)?;
    let certificate = bundle.certificate().map(SigningCertificate::parse);
    let certificate = certificate.transpose()?;
    verify_hint(bundle.content(), artifact)?;
    let evidence = Evidence {
        verifier: judge::verifier(certificate.as_ref(), policy)?,
        content: ContentRef::of(bundle.content(), artifact),
        entries: bundle.entries(),
        timestamps: bundle.timestamps(),
        proof: Proof::Inclusion,
    };
    let vouched = judge::judge(&evidence, root, policy)?;
    let claims = claims(bundle.content(), (artifact, others))?.fits(policy)?;
    let signed_by = SignedBy::of(evidence.verifier);
    Ok(Accepted::new(artifact, signed_by, claims, vouched))
}

/// The SHA-256 digests of the artifacts that the statement in `bytes` names, unverified. The list is
/// empty for a message.
///
/// # Errors
/// The bytes are not a bundle, or it does not contain a usable statement.
pub fn about(bytes: &[u8]) -> Result<Vec<Digest>, Error> {
    match Bundle::parse(bytes)?.content() {
        Content::Envelope(envelope) => Ok(Statement::read(envelope)?.digests()),
        Content::Message { .. } => Ok(Vec::new()),
    }
}

/// Whether the statement in `bytes` names an artifact with a digest that [`OtherDigests`] can have, so
/// that a verifier only computes these where they are compared.
pub fn has_other_digests(bytes: &[u8]) -> bool {
    let bundle = Bundle::parse(bytes);
    bundle.is_ok_and(|bundle| match bundle.content() {
        Content::Envelope(envelope) => {
            Statement::read(envelope).is_ok_and(|statement| statement.has_other_digests())
        }
        Content::Message { .. } => false,
    })
}

/// The digest of a message in the bundle is not signed, but if it is present, it must be correct.
fn verify_hint(content: &Content, artifact: &Digest) -> Result<(), Error> {
    match content {
        Content::Message { digest: Some(digest), .. } if digest != artifact => {
            Err(Error::Artifact { wanted: *artifact })
        }
        Content::Message { .. } | Content::Envelope(_) => Ok(()),
    }
}

/// The signed claims about the artifact. A message has none.
fn claims(
    content: &Content,
    (artifact, others): (&Digest, &OtherDigests),
) -> Result<SignedClaims, Error> {
    match content {
        Content::Envelope(envelope) => {
            let claims = Statement::read(envelope)?.about(artifact, others)?;
            claims.ok_or(Error::Artifact { wanted: *artifact })
        }
        Content::Message { .. } => Ok(SignedClaims::default()),
    }
}

#[cfg(test)]
mod tests;
