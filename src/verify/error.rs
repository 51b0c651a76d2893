// SPDX-License-Identifier: Apache-2.0
//! Why a bundle is not accepted.

use std::borrow::Cow;

use ambisign_providers::{Class, Explain};

use crate::bundle;
use crate::fulcio::CertificateError;
use crate::witness::{EntryError, TimestampError};

/// Why a bundle is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is of another artifact.
    #[error("the bundle is not of the artifact {wanted}")]
    Artifact {
        /// The digest of the artifact.
        wanted: String,
    },
    /// It is not a bundle that can be verified.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// Its signing certificate is not believed.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// One of its log entries proves nothing.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// Somebody else signed.
    #[error("the bundle was signed by {found:?} and not by {wanted:?}")]
    Identity {
        /// Who signed.
        found: String,
        /// Who should have.
        wanted: String,
    },
    /// Somebody else vouched for the identity.
    #[error("the identity of the signer was vouched for by {found:?} and not by {wanted:?}")]
    Issuer {
        /// Who vouched.
        found: String,
        /// Who should have.
        wanted: String,
    },
    /// It was signed with another key than the one that was expected.
    #[error("the bundle was signed with another key")]
    Key,
    /// The log was not trusted at any proven time of the signature.
    #[error("the log was not trusted at the time of the signature")]
    LogOutsideValidity,
    /// Nothing proves when it was signed.
    #[error("nothing proves when the bundle was signed")]
    NoTime,
    /// It says something else about the artifact.
    #[error("the statement has the predicate type {found:?} and not {wanted:?}")]
    PredicateType {
        /// What it says.
        found: String,
        /// What it should say.
        wanted: String,
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
    #[error("{found} of {wanted} required logs vouch for the bundle")]
    TooFewEntries {
        /// How many do, each operator counted once.
        found: usize,
        /// How many should.
        wanted: usize,
    },
    /// Fewer timestamp authorities than required vouch for it.
    #[error("{found} of {wanted} required timestamp authorities vouch for the bundle")]
    TooFewTimestamps {
        /// How many do, each operator counted once.
        found: usize,
        /// How many should.
        wanted: usize,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Bundle(error) => error.code(),
            Self::Certificate(error) => error.code(),
            Self::Entry(error) => error.code(),
            Self::Timestamp(error) => error.code(),
            Self::Artifact { .. } => "verify/artifact".into(),
            Self::Identity { .. } => "verify/identity".into(),
            Self::Issuer { .. } => "verify/issuer".into(),
            Self::Key => "verify/key".into(),
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
            Self::Artifact { .. }
            | Self::Identity { .. }
            | Self::Issuer { .. }
            | Self::Key
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
