// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between a signature and its timestamp and log entry.

use std::borrow::Cow;

use ambisign_host::{Class, Explain, HttpError};

use crate::log::EntryError;
use crate::network_hint;
use crate::timestamp::TimestampError;

/// A signature that is not logged by all logs.
#[derive(Debug)]
pub struct NotLogged {
    /// Why.
    pub error: Error,
    /// Whether a log may have an entry nevertheless.
    pub may_exist: bool,
}

/// Why a signature is not timestamped or not logged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request could not be written.
    #[error("a request for a timestamp or a log entry could not be written")]
    Encoding,
    /// The log entry is not ours, or unproven.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The certificate is too old by now: nothing was sent to a log.
    #[error("the timestamps took so long that the certificate may end before the log has an entry")]
    Late,
    /// The log gave no usable answer.
    #[error("the log gave no entry")]
    Log(#[source] HttpError),
    /// The log says no.
    #[error("the log refused the entry (HTTP {status}): {said}")]
    LogRefused {
        /// The status.
        status: u16,
        /// The beginning of its answer.
        said: String,
    },
    /// A Rekor v2 log has the entry, but does not show it.
    #[error("the log has the entry already, at index {index}, and does not show it: {why}")]
    Lost {
        /// The index that the log names.
        index: u64,
        /// What is missing.
        why: &'static str,
    },
    /// The timestamp authority gave no usable answer.
    #[error("the timestamp authority gave no timestamp")]
    Timestamp(#[source] HttpError),
    /// The timestamp is not of our signature, or not to be trusted.
    #[error(transparent)]
    TimestampInvalid(#[from] TimestampError),
    /// The timestamp authority says no.
    #[error("the timestamp authority answered HTTP {status}: {said}")]
    TimestampRefused {
        /// The status.
        status: u16,
        /// The beginning of its answer.
        said: String,
    },
    /// A Rekor v2 entry proves no time, and there is no timestamp.
    #[error("a Rekor v2 log entry needs a timestamp, and there is none")]
    Untimed,
}

impl Error {
    /// Whether a log may have taken the entry nevertheless.
    pub(super) fn may_be_logged(&self) -> bool {
        match self {
            Self::Encoding
            | Self::Late
            | Self::Timestamp(_)
            | Self::TimestampInvalid(_)
            | Self::TimestampRefused { .. } => false,
            Self::Log(error) => error.sent,
            // A try before the one that was refused may have been taken.
            Self::Entry(_) | Self::LogRefused { .. } | Self::Lost { .. } | Self::Untimed => true,
        }
    }

    pub(super) fn refused(status: u16, said: String) -> Self {
        Self::LogRefused { status, said }
    }

    /// The log said that it has the entry, and it could not be read there.
    pub(super) fn unread(error: HttpError) -> Self {
        Self::Log(HttpError {
            sent: true,
            ..error
        })
    }
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Encoding => "rekor/encoding",
            Self::Entry(error) => return error.code(),
            Self::Late => "timestamp/late",
            Self::Log(error) => return format!("rekor/{}", error.variant()).into(),
            Self::LogRefused { .. } => "rekor/refused",
            Self::Lost { .. } => "rekor/lost",
            Self::Timestamp(error) => return format!("timestamp/{}", error.variant()).into(),
            Self::TimestampInvalid(error) => return error.code(),
            Self::TimestampRefused { .. } => "timestamp/refused",
            Self::Untimed => "rekor/untimed",
        })
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Entry(error) => error.fix(),
            Self::Log(error) | Self::Timestamp(error) => network_hint::fix(error),
            Self::TimestampInvalid(error) => error.fix(),
            Self::LogRefused { status: 405, .. } => {
                Some("the log is frozen: update the signing config, then run again".into())
            }
            Self::LogRefused { status: 404, .. } => {
                Some("check the URL of the log and `--rekor-version`, then run again".into())
            }
            Self::TimestampRefused {
                status: 404 | 405, ..
            } => Some(
                "check the URL of the timestamp authority, path included, then run again".into(),
            ),
            Self::Late | Self::Lost { .. } | Self::TimestampRefused { .. } => {
                Some("run again".into())
            }
            Self::LogRefused { .. } if self.class() == Class::Temporary => Some("run again".into()),
            Self::Encoding | Self::LogRefused { .. } => {
                Some("report this: it is a bug in ambisign".into())
            }
            Self::Untimed => Some("use a signing config with a timestamp authority".into()),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Encoding => Class::Bug,
            Self::Entry(error) => error.class(),
            Self::Log(error) | Self::Timestamp(error) => error.class(),
            Self::LogRefused {
                status: 400 | 415 | 422,
                ..
            } => Class::Bug,
            Self::Late
            | Self::LogRefused { .. }
            | Self::Lost { .. }
            | Self::TimestampRefused { .. } => Class::Temporary,
            Self::TimestampInvalid(error) => error.class(),
            Self::Untimed => Class::Trust,
        }
    }
}
