// SPDX-License-Identifier: Apache-2.0
//! The errors of timestamping and logging a signature.

use ambisign_host::{Class, HttpError, errors};

use crate::log::EntryError;
use crate::network_hint;
use crate::service;
use crate::timestamp::TimestampError;

/// Not all logs have logged a signature.
#[derive(Debug)]
pub struct NotLogged {
    /// The error.
    pub error: Error,
    /// `true` if a log may have an entry nevertheless.
    pub may_exist: bool,
}

errors! {
    /// Timestamping or logging a signature failed.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("a request for a timestamp or a log entry could not be written")]
        Encoding = "rekor/encoding", Bug {
            fix: "report this: it is a bug in ambisign",
            what: "A request to a log or a timestamp authority could not be written.",
            why: "This cannot happen.",
            advice: "Report it.",
        },
        /// The log entry is not for this signature, or not proven.
        #[error(transparent)]
        Entry(#[from] error: EntryError) = of error,
        #[error("the timestamps took so long that the certificate may end before the log has an entry")]
        Late = "timestamp/late", Temporary {
            what: "The timestamp took too long for the certificate.",
            why: "The authority is slow, and certificates are valid for minutes.",
            advice: "Run again.",
        },
        /// The request to the log failed.
        #[error("the log gave no entry")]
        Log(#[source] error: HttpError) = request error in "rekor" { fix: network_hint::fix(error) },
        /// Something else answers at the URL of a log or a timestamp authority.
        #[error(transparent)]
        Mistaken(#[from] error: service::Error) = of error,
        #[error("the log takes no entries any more (HTTP 405): {excerpt}")]
        Frozen { excerpt: String } = "rekor/frozen", Trust {
            fix: "update the signing config, which names the log that takes entries now",
            what: "The log is closed and only read any more.",
            why: "Logs are replaced from time to time, and the signing config is older than that.",
            advice: "Update the signing config, or name the newer log with `--rekor-url`.",
        },
        #[error("the log refused the entry (HTTP {status}): {excerpt}")]
        LogRefused { status: u16, excerpt: String } = "rekor/refused", Bug | Temporary {
            class: match status {
                400 | 415 | 422 => Class::Bug,
                _ => Class::Temporary,
            },
            fix: match status {
                400 | 415 | 422 => "report this: it is a bug in ambisign",
                _ => "run again",
            },
            what: "The log refused the entry.",
            why: "It rejects the request as malformed, which is a bug in ambisign, or it refuses temporarily.",
            advice: "Run again if the exit code is 75; otherwise report it with the log's answer.",
        },
        #[error("the log has the entry already, at index {index}, and does not show it: {why}")]
        Lost { index: u64, why: &'static str } = "rekor/lost", Temporary {
            what: "The log already has the entry, but does not show it.",
            why: "An earlier attempt succeeded, but its answer was lost.",
            advice: "Run again: a new signature makes a new entry.",
        },
        /// The request to the timestamp authority failed.
        #[error("the timestamp authority gave no timestamp")]
        Timestamp(#[source] error: HttpError) = request error in "timestamp" { fix: network_hint::fix(error) },
        /// The timestamp is not for this signature, or does not verify.
        #[error(transparent)]
        TimestampInvalid(#[from] error: TimestampError) = of error,
        #[error("the timestamp authority answered HTTP {status}: {excerpt}")]
        TimestampRefused { status: u16, excerpt: String } = "timestamp/refused", Temporary | Untrusted | Rejected {
            fix: "run again",
            what: "The authority gave no timestamp.",
            why: "It is busy or rejects the request; the message shows its answer.",
            advice: "Run again; check the URL, including its path.",
        },
        #[error("a Rekor v2 log entry needs a timestamp, and there is none")]
        Untimed = "rekor/untimed", Trust {
            what: "A log that does not prove the time would be used without a timestamp authority.",
            why: "Then nothing would prove when the signature was made.",
            advice: "Name an authority with `--tsa-url` or in the signing config.",
        },
    }
}

impl Error {
    /// Returns `true` if a log may have accepted the entry nevertheless.
    pub(super) fn may_be_logged(&self) -> bool {
        match self {
            Self::Encoding
            | Self::Frozen { .. }
            | Self::Late
            | Self::Mistaken(_)
            | Self::Timestamp(_)
            | Self::TimestampInvalid(_)
            | Self::TimestampRefused { .. } => false,
            Self::Log(error) => error.sent,
            // An attempt before the refused one may have succeeded.
            Self::Entry(_) | Self::LogRefused { .. } | Self::Lost { .. } | Self::Untimed => true,
        }
    }

    pub(super) fn refused(status: u16, excerpt: String) -> Self {
        Self::LogRefused { status, excerpt }
    }

    /// The log reported that it has the entry, but reading it failed.
    pub(super) fn unread(error: HttpError) -> Self {
        Self::Log(HttpError { sent: true, ..error })
    }
}
