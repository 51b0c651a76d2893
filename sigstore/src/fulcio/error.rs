// SPDX-License-Identifier: Apache-2.0
//! What can go wrong on the way to a certificate.

use std::borrow::Cow;

use ambisign_host::{Class, Explain, HttpError};

use crate::certificate::CertificateError;
use crate::network_hint;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The certificate is not to be trusted.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The request could not be written.
    #[error("the certificate request could not be written")]
    Encoding,
    /// No usable answer.
    #[error("Fulcio gave no certificate")]
    Http(#[from] HttpError),
    /// The certificate is for somebody else.
    #[error("Fulcio's certificate has the {what} {found:?}, and the token stands for {expected:?}")]
    IdentityMismatch {
        /// `identity` or `issuer`.
        what: &'static str,
        /// What the certificate says.
        found: String,
        /// What it must say.
        expected: String,
    },
    /// The certificate is for another key.
    #[error("Fulcio's certificate is for another key than ours")]
    KeyMismatch,
    /// Fulcio does not accept the token.
    #[error("Fulcio refused the identity token (HTTP {status}): {said}")]
    Refused {
        /// The status.
        status: u16,
        /// Its message.
        said: String,
        /// The issuer of the token.
        issuer: String,
        /// What Fulcio's configuration says about the token.
        objection: Objection,
    },
    /// An error status that has nothing to do with the token.
    #[error("Fulcio answered HTTP {status}: {said}")]
    Rejected {
        /// The status.
        status: u16,
        /// The beginning of the answer.
        said: String,
    },
    /// A good status with something else than a certificate.
    #[error("Fulcio's answer holds no certificate")]
    Unreadable,
}

impl Error {
    /// Whether Fulcio may have issued a certificate nevertheless, which stays in a public log.
    pub fn may_have_issued(&self) -> bool {
        match self {
            Self::Encoding | Self::Refused { .. } => false,
            Self::Http(error) => error.sent,
            // A server that fails may do so when its work is done.
            Self::Rejected { status, .. } => *status >= 500,
            Self::Certificate(_)
            | Self::IdentityMismatch { .. }
            | Self::KeyMismatch
            | Self::Unreadable => true,
        }
    }
}

/// What Fulcio has against a token, as far as its configuration tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It wants another audience.
    Audience {
        /// That audience.
        wanted: String,
    },
    /// It does not know the issuer.
    Issuer,
    /// Its configuration shows no reason.
    Unsaid,
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Certificate(error) => return error.code(),
            Self::Encoding => "fulcio/encoding",
            Self::Http(error) => return format!("fulcio/{}", error.variant()).into(),
            Self::IdentityMismatch { .. } => "fulcio/identity-mismatch",
            Self::KeyMismatch => "fulcio/key-mismatch",
            Self::Refused { .. } => "fulcio/refused",
            Self::Rejected { .. } => "fulcio/rejected",
            Self::Unreadable => "fulcio/unreadable",
        })
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Certificate(error) => return error.fix(),
            Self::Http(error) => return network_hint::fix(error),
            Self::Refused {
                objection, issuer, ..
            } => objection.fix(issuer),
            Self::Rejected { .. } => "check the URL of Fulcio, then run again".into(),
            Self::Unreadable => "check that the URL is Fulcio's and that no proxy answers".into(),
            Self::Encoding | Self::IdentityMismatch { .. } | Self::KeyMismatch => return None,
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Certificate(error) => error.class(),
            Self::Encoding => Class::Bug,
            Self::Http(error) => error.class(),
            Self::IdentityMismatch { .. } | Self::KeyMismatch | Self::Unreadable => {
                Class::Untrusted
            }
            Self::Refused { .. } => Class::Identity,
            Self::Rejected { .. } => Class::Temporary,
        }
    }
}

impl Objection {
    /// What helps against it, for a token of `issuer`.
    pub fn fix(&self, issuer: &str) -> Cow<'static, str> {
        match self {
            Self::Audience { wanted } => {
                format!("mint the token with audience {wanted:?} (`--audience {wanted}`)").into()
            }
            Self::Issuer => format!(
                "use a Fulcio that accepts tokens of {issuer}, or sign with another identity"
            )
            .into(),
            Self::Unsaid => "run again once; if it stays, look at the token's expiry and e-mail: \
                             Fulcio accepts its issuer and audience"
                .into(),
        }
    }
}
