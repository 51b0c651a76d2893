// SPDX-License-Identifier: Apache-2.0
//! Why a signature is not accepted.

use std::borrow::Cow;

use ambisign_host::{Class, Explain};

use super::policy::{Claim, Match};
use crate::bundle;
use crate::certificate::CertificateError;
use crate::digest::Digest;
use crate::log::EntryError;
use crate::statement::Unusable;
use crate::timestamp::TimestampError;

/// Why a signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The signer did not say about the artifact what was asked for.
    #[error("the signer says {} for `{name}` and not {wanted:?}", found.as_deref().unwrap_or("nothing"))]
    Annotation {
        /// The name of the annotation.
        name: String,
        /// What it is, as JSON; `None` when it is not there.
        found: Option<String>,
        /// What it should be.
        wanted: String,
    },
    /// It is of another artifact.
    #[error("the signature is not of the artifact {wanted}")]
    Artifact {
        /// The digest of the artifact.
        wanted: Digest,
    },
    /// It is not a bundle that can be verified.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// It came with a certificate, and a key was given.
    #[error("the signature has a certificate, of {found:?}, and a key was to be verified with")]
    CertificateSigned {
        /// The name in the certificate.
        found: String,
    },
    /// Its signing certificate is not believed.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The certificate has not the claim of a GitHub workflow that was asked for.
    #[error("the {} is {} and not {wanted:?}", claim.name(), shown(found.as_deref()))]
    Claim {
        /// Which claim.
        claim: Claim,
        /// What it is; `None` when the certificate does not say.
        found: Option<String>,
        /// What it should be.
        wanted: String,
    },
    /// One of its log entries proves nothing.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// Somebody else signed.
    #[error("it was signed by {found:?} and not by {wanted}")]
    Identity {
        /// Who signed.
        found: String,
        /// Who should have.
        wanted: Match,
    },
    /// Somebody else vouched for the identity.
    #[error("the identity of the signer was vouched for by {found:?} and not by {wanted}")]
    Issuer {
        /// Who vouched.
        found: String,
        /// Who should have.
        wanted: Match,
    },
    /// It was signed with another key than the one that was expected.
    #[error("the signature was not made with the expected key")]
    Key,
    /// It has no certificate, and an identity was expected.
    #[error("it was signed with a bare key, and has no certificate that could name the signer")]
    KeySigned,
    /// What is stored in the older layout does not have its form.
    #[error("the signature is malformed: {why}")]
    Legacy {
        /// What is wrong.
        why: &'static str,
    },
    /// The log was not trusted at any proven time of the signature.
    #[error("the log was not trusted at the time of the signature")]
    LogOutsideValidity,
    /// Nothing proves when it was signed.
    #[error("nothing proves when it was signed")]
    NoTime,
    /// It says something else about the artifact.
    #[error("the predicate type is {} and not {}", shown(found.as_deref()), list(wanted))]
    PredicateType {
        /// What it is; `None` when no statement was signed.
        found: Option<String>,
        /// Those that it may be.
        wanted: Vec<String>,
    },
    /// The signature is not one of the certificate's key.
    #[error("the signature does not verify")]
    Signature,
    /// What was signed is not an in-toto statement.
    #[error("the signed envelope does not hold a usable in-toto statement: {why}")]
    Statement {
        /// What is wrong.
        why: &'static str,
    },
    /// One of its timestamps proves nothing.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// Fewer logs than required vouch for it.
    #[error("{found} of {wanted} required logs vouch for it")]
    TooFewEntries {
        /// How many do, each operator counted once.
        found: usize,
        /// How many should.
        wanted: usize,
    },
    /// Fewer timestamp authorities than required vouch for it.
    #[error("{found} of {wanted} required timestamp authorities vouch for it")]
    TooFewTimestamps {
        /// How many do, each operator counted once.
        found: usize,
        /// How many should.
        wanted: usize,
    },
}

fn shown(found: Option<&str>) -> String {
    found.map_or_else(|| "not given".to_owned(), |found| format!("{found:?}"))
}

fn list(wanted: &[String]) -> String {
    let quoted: Vec<_> = wanted.iter().map(|one| format!("{one:?}")).collect();
    quoted.join(" or ")
}

impl From<Unusable> for Error {
    fn from(Unusable { why }: Unusable) -> Self {
        Self::Statement { why }
    }
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Bundle(error) => error.code(),
            Self::Certificate(error) => error.code(),
            Self::Entry(error) => error.code(),
            Self::Timestamp(error) => error.code(),
            Self::Annotation { .. } => "verify/annotation".into(),
            Self::Artifact { .. } => "verify/artifact".into(),
            Self::CertificateSigned { .. } => "verify/certificate-signed".into(),
            Self::Claim { .. } => "verify/claim".into(),
            Self::Identity { .. } => "verify/identity".into(),
            Self::Issuer { .. } => "verify/issuer".into(),
            Self::Key => "verify/key".into(),
            Self::KeySigned => "verify/key-signed".into(),
            Self::Legacy { .. } => "verify/legacy".into(),
            Self::LogOutsideValidity => "verify/log-outside-validity".into(),
            Self::NoTime => "verify/no-time".into(),
            Self::PredicateType { .. } => "verify/predicate-type".into(),
            Self::Signature => "verify/signature".into(),
            Self::Statement { .. } => "verify/statement".into(),
            Self::TooFewEntries { .. } => "verify/too-few-entries".into(),
            Self::TooFewTimestamps { .. } => "verify/too-few-timestamps".into(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Bundle(error) => error.fix(),
            Self::Certificate(error) => error.fix(),
            Self::Entry(error) => error.fix(),
            Self::Timestamp(error) => error.fix(),
            Self::CertificateSigned { .. } => {
                Some("name the signer with `--certificate-identity` instead of `--key`".into())
            }
            Self::KeySigned => Some("give the key with `--key`".into()),
            Self::Identity { found, wanted } | Self::Issuer { found, wanted }
                if wanted.matches_part(found) =>
            {
                Some(
                    "let the expression begin and end with `.*` where anything may stand: it must \
                     match the whole, not a part as in cosign"
                        .into(),
                )
            }
            Self::Annotation { .. }
            | Self::Artifact { .. }
            | Self::Claim { .. }
            | Self::Identity { .. }
            | Self::Issuer { .. }
            | Self::Key
            | Self::Legacy { .. }
            | Self::LogOutsideValidity
            | Self::NoTime
            | Self::PredicateType { .. }
            | Self::Signature
            | Self::Statement { .. }
            | Self::TooFewEntries { .. }
            | Self::TooFewTimestamps { .. } => None,
        }
    }

    fn class(&self) -> Class {
        Class::Untrusted
    }
}
