// SPDX-License-Identifier: Apache-2.0
//! Why a TUF mirror gives no trust material.

use std::borrow::Cow;

use ambisign_host::{Class, Explain, HttpError};

use crate::network_hint;

/// Why a TUF mirror gives no trust material. Files are named as on the mirror.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The root to start from is none.
    #[error("the TUF root to start from cannot be used: {why}")]
    Anchor {
        /// What is wrong.
        why: String,
    },
    /// Metadata is over: the mirror is not kept up, or somebody holds newer metadata back.
    #[error("`{file}` of the TUF mirror expired at {at}")]
    Expired {
        /// The file.
        file: String,
        /// The end of its validity, as RFC 3339.
        at: String,
    },
    /// The mirror cannot be asked.
    #[error("the TUF mirror gives no answer that can be used")]
    Http(#[source] HttpError),
    /// A file has not the form that it should have.
    #[error("`{file}` of the TUF mirror is malformed: {why}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A file is another than the one that signed metadata speaks of.
    #[error("`{file}` of the TUF mirror has another {what} than the signed metadata says")]
    Mismatch {
        /// The file.
        file: String,
        /// What differs.
        what: &'static str,
    },
    /// The mirror has no such target.
    #[error("the TUF mirror has no target `{name}`")]
    NoTarget {
        /// The name of the target.
        name: String,
    },
    /// The mirror has, or had, a newer version of the file.
    #[error("the TUF mirror went back from version {had} of `{file}` to {got}")]
    RolledBack {
        /// The file.
        file: String,
        /// The version that was there before.
        had: u64,
        /// The version that is there now; 0 for none.
        got: u64,
    },
    /// A file lacks valid signatures.
    #[error("`{file}` of the TUF mirror is not signed as it should be: {why}")]
    Signature {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A file that must be there is not, or not for us.
    #[error("the TUF mirror answered HTTP {status} for `{file}`")]
    Status {
        /// The file.
        file: String,
        /// The status.
        status: u16,
    },
    /// Signed metadata speaks of more than is ever taken.
    #[error("the TUF mirror has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Anchor { .. } => "tuf/anchor".into(),
            Self::Expired { .. } => "tuf/expired".into(),
            Self::Http(http) => format!("tuf/{}", http.variant()).into(),
            Self::Malformed { .. } => "tuf/malformed".into(),
            Self::Mismatch { .. } => "tuf/mismatch".into(),
            Self::NoTarget { .. } => "tuf/no-target".into(),
            Self::RolledBack { .. } => "tuf/rolled-back".into(),
            Self::Signature { .. } => "tuf/signature".into(),
            Self::Status { .. } => "tuf/status".into(),
            Self::TooMany { .. } => "tuf/too-many".into(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(
            match self {
                Self::Anchor { .. } => "name a `root.json` of the mirror with `--tuf-root`",
                Self::Expired { .. } => {
                    "check the clock; if it is right, tell those who run the mirror"
                }
                Self::Http(http) => return network_hint::fix(http),
                Self::Malformed { .. } => {
                    "check that the URL is that of a TUF mirror, and that nothing on the way \
                     rewrites its answers"
                }
                Self::Mismatch { .. } => {
                    "run again: the mirror may be changing; if it stays, do not trust it, and tell \
                     those who run it"
                }
                Self::NoTarget { .. } | Self::Status { .. } => {
                    "check `--tuf-mirror`, or pass `--trusted-root FILE` and `--signing-config FILE`"
                }
                Self::RolledBack { .. } | Self::TooMany { .. } => {
                    "do not trust the mirror, and tell those who run it"
                }
                Self::Signature { .. } => {
                    "check that nothing answers in place of the mirror, and that `--tuf-root`, where \
                     it is given, is a root of it"
                }
            }
            .into(),
        )
    }

    fn class(&self) -> Class {
        match self {
            Self::Http(http) => http.class(),
            Self::Anchor { .. }
            | Self::Expired { .. }
            | Self::Malformed { .. }
            | Self::Mismatch { .. }
            | Self::NoTarget { .. }
            | Self::RolledBack { .. }
            | Self::Signature { .. }
            | Self::Status { .. }
            | Self::TooMany { .. } => Class::Trust,
        }
    }
}
