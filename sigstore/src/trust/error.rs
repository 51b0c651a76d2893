// SPDX-License-Identifier: Apache-2.0
//! Why there is no usable trust material.

use std::borrow::Cow;
use std::path::PathBuf;

use ambisign_host::{Class, Explain, HttpError};

use super::tuf;
use crate::network_hint;

/// Why there is no usable trust material.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is longer than it may be.
    #[error("`{}` is longer than {limit} bytes", path.display())]
    FileSize {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A log could not be asked for its version.
    #[error("the log does not tell which API it speaks")]
    Http(#[source] HttpError),
    /// Something that every run needs is not in the trusted root, or not valid now.
    #[error("the trusted root has no {what} that is valid now")]
    Insufficient {
        /// What is needed.
        what: &'static str,
    },
    /// The trusted root or the signing config does not have the form that its media type promises.
    #[error("the {what} is malformed: {why}")]
    Malformed {
        /// Which of the two.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// No trust material was given, and none may be asked for.
    #[error("no trusted root and no signing config were given")]
    Missing,
    /// A mirror has no signing config, and nothing else names a service.
    #[error("the TUF mirror has no `{name}`, and nothing else says which {what} to use")]
    MissingConfig {
        /// The target that it lacks.
        name: &'static str,
        /// The kind of service.
        what: &'static str,
    },
    /// A trusted root was given without services.
    #[error("a trusted root was given, but nothing says which {what} to use")]
    MissingService {
        /// The kind of service.
        what: &'static str,
    },
    /// Services were given without a trusted root.
    #[error("services were given, but no trusted root that vouches for them")]
    MissingRoot,
    /// No trusted root was given to verify with.
    #[error("no trusted root was given, and TUF is not supported yet")]
    NoRoot,
    /// The signing config offers no service of a kind that we can use now.
    #[error("the signing config offers no {what} that can be used now")]
    NoService {
        /// The kind of service.
        what: &'static str,
    },
    /// Rekor v2 gives no time, so a short-lived certificate needs a timestamp authority.
    #[error("a Rekor v2 log is used without a timestamp authority")]
    NoTimestampAuthority,
    /// A file cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A signing config asks for a number of services that it does not have.
    #[error("the signing config asks for {wanted} {what}s of different operators and has {found}")]
    TooFew {
        /// The kind of service.
        what: &'static str,
        /// How many it asks for.
        wanted: usize,
        /// How many it has.
        found: usize,
    },
    /// The TUF mirror gives nothing that can be used.
    #[error(transparent)]
    Tuf(#[from] tuf::Error),
    /// A service was named, and the trusted root of the mirror is not meant for it.
    #[error("the trusted root of the TUF mirror does not know the {what} {url}")]
    Unknown {
        /// The kind of service.
        what: &'static str,
        /// Its URL.
        url: String,
    },
    /// What a log answers fits no version of Rekor.
    #[error("{url} answered HTTP {status}, which no version of Rekor does")]
    UnknownLog {
        /// The URL that was asked.
        url: String,
        /// The status.
        status: u16,
    },
    /// A service is neither https nor plain HTTP to a loopback address.
    #[error("the {what} {url} is not https")]
    Url {
        /// The kind of service.
        what: &'static str,
        /// The URL.
        url: String,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::FileSize { .. } => "trust/file-size".into(),
            Self::Http(http) => format!("trust/{}", http.variant()).into(),
            Self::Insufficient { .. } => "trust/insufficient".into(),
            Self::Malformed { .. } => "trust/malformed".into(),
            Self::Missing => "trust/missing".into(),
            Self::MissingConfig { .. } => "trust/missing-config".into(),
            Self::MissingService { .. } => "trust/missing-service".into(),
            Self::MissingRoot => "trust/missing-root".into(),
            Self::NoRoot => "trust/no-root".into(),
            Self::NoService { .. } => "trust/no-service".into(),
            Self::NoTimestampAuthority => "trust/no-timestamp-authority".into(),
            Self::Read { .. } => "trust/read".into(),
            Self::TooFew { .. } => "trust/too-few".into(),
            Self::Tuf(tuf) => tuf.code(),
            Self::Unknown { .. } => "trust/unknown".into(),
            Self::UnknownLog { .. } => "trust/unknown-log".into(),
            Self::Url { .. } => "trust/url".into(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Http(http) => return network_hint::fix(http),
            Self::Tuf(tuf) => return tuf.fix(),
            Self::FileSize { .. } | Self::Malformed { .. } | Self::Read { .. } => {
                "check the file, and the flag or variable that names it".into()
            }
            Self::Insufficient { .. } => {
                "pass a newer trusted root with `--trusted-root`, and check the clock".into()
            }
            Self::Missing => "pass `--trusted-root FILE` and `--signing-config FILE`".into(),
            Self::MissingConfig { .. } | Self::MissingService { .. } => {
                "pass `--signing-config FILE`, which `ambisign trust create` makes, or `--fulcio-url`, \
                 `--rekor-url` and `--tsa-url`"
                    .into()
            }
            Self::MissingRoot => {
                "pass `--trusted-root FILE`, which `ambisign trust create` makes".into()
            },
            Self::NoRoot => "pass `--trusted-root FILE`: that of the instance that signed".into(),
            Self::NoService { .. } | Self::TooFew { .. } => {
                "pass a newer signing config with `--signing-config`, and check the clock".into()
            }
            Self::NoTimestampAuthority => {
                "pass `--tsa-url`, or a signing config that names a timestamp authority".into()
            }
            Self::Unknown { .. } => {
                "pass the trusted root of this service with `--trusted-root`; `ambisign trust \
                 create` makes one"
                    .into()
            }
            Self::UnknownLog { .. } => {
                "check `--rekor-url`, or say with `--rekor-version` what it speaks".into()
            }
            Self::Url { .. } => "use an https URL without a user name in it".into(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Http(http) => http.class(),
            Self::Tuf(tuf) => tuf.class(),
            Self::Url { .. } => Class::Usage,
            Self::FileSize { .. }
            | Self::Insufficient { .. }
            | Self::Malformed { .. }
            | Self::Missing
            | Self::MissingConfig { .. }
            | Self::MissingService { .. }
            | Self::MissingRoot
            | Self::NoRoot
            | Self::NoService { .. }
            | Self::NoTimestampAuthority
            | Self::Read { .. }
            | Self::TooFew { .. }
            | Self::Unknown { .. }
            | Self::UnknownLog { .. } => Class::Trust,
        }
    }
}
