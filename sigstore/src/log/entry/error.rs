// SPDX-License-Identifier: Apache-2.0
//! Why a log entry proves nothing.

use std::borrow::Cow;

use ambisign_host::{Class, Explain};

/// Why a log entry proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// What was logged is not what was signed.
    #[error("the log entry is not of this signature: {why}")]
    Body {
        /// What differs.
        why: &'static str,
    },
    /// The log did not sign the state of its tree.
    #[error("the checkpoint of the log entry does not hold: {why}")]
    Checkpoint {
        /// What is wrong.
        why: &'static str,
    },
    /// The entry is not in the tree of the log.
    #[error("the log entry is not proven to be in the log: {why}")]
    Inclusion {
        /// What is wrong.
        why: &'static str,
    },
    /// It does not have the form of a log entry.
    #[error("the log entry is malformed: {why}")]
    Malformed {
        /// What is wrong.
        why: String,
    },
    /// The time of the entry is outside the validity of the certificate or of the log.
    #[error("the log entry was made outside the validity of the {what}")]
    OutsideValidity {
        /// Of which of the two.
        what: &'static str,
    },
    /// The log did not sign the time of the entry (SET).
    #[error("the inclusion promise of the log entry does not hold")]
    Promise,
    /// The trusted root does not have the log.
    #[error("the log entry is of a log that is not in the trusted root (ID {id})")]
    UnknownLog {
        /// The ID of the log, in hexadecimal digits.
        id: String,
    },
}

impl Explain for EntryError {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Body { .. } => "rekor/body".into(),
            Self::Checkpoint { .. } => "rekor/checkpoint".into(),
            Self::Inclusion { .. } => "rekor/inclusion".into(),
            Self::Malformed { .. } => "rekor/malformed".into(),
            Self::OutsideValidity { .. } => "rekor/outside-validity".into(),
            Self::Promise => "rekor/promise".into(),
            Self::UnknownLog { .. } => "rekor/unknown-log".into(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::UnknownLog { .. } => {
                Some("check that the trusted root is the one of the log, and a new one".into())
            }
            Self::Body { .. }
            | Self::Checkpoint { .. }
            | Self::Inclusion { .. }
            | Self::Malformed { .. }
            | Self::OutsideValidity { .. }
            | Self::Promise => None,
        }
    }

    fn class(&self) -> Class {
        Class::Untrusted
    }
}
