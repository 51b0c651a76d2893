// SPDX-License-Identifier: Apache-2.0
//! Why something is not a bundle that can be verified.

use std::borrow::Cow;
use std::fmt::Display;

use ambisign_host::{Class, Explain};

use crate::log::EntryError;

/// Why something is not a bundle that can be verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// One of its log entries is malformed.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It does not have the form of a bundle.
    #[error("the bundle is malformed: {why}")]
    Malformed {
        /// What is wrong.
        why: String,
    },
    /// Its media type is not that of a known version.
    #[error("the bundle has the unknown media type {found:?}")]
    MediaType {
        /// The beginning of the media type.
        found: String,
    },
    /// It brings an anchor of its own. Nobody may bring their own proof of trust.
    #[error("the certificate chain of the bundle holds a root certificate")]
    RootCertificate,
    /// There is too much of something, or something twice.
    #[error("the bundle has too many {what}, or one of them twice")]
    TooMany {
        /// Of what.
        what: &'static str,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Entry(entry) => entry.code(),
            Self::Malformed { .. } => "bundle/malformed".into(),
            Self::MediaType { .. } => "bundle/media-type".into(),
            Self::RootCertificate => "bundle/root-certificate".into(),
            Self::TooMany { .. } => "bundle/too-many".into(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::MediaType { .. } => Some("check that a newer ambisign is not needed".into()),
            Self::Entry(entry) => entry.fix(),
            Self::Malformed { .. } | Self::RootCertificate | Self::TooMany { .. } => None,
        }
    }

    fn class(&self) -> Class {
        Class::Untrusted
    }
}

/// [`Error::Malformed`]
pub(super) fn malformed(why: impl Display) -> Error {
    Error::Malformed {
        why: why.to_string(),
    }
}
