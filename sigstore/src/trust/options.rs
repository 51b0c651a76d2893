// SPDX-License-Identifier: Apache-2.0
//! The sources of trust material.

use std::path::PathBuf;

use url::Url;

/// A TUF mirror, for trust material that no file contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// The mirror of the public instance.
    Public,
    /// The mirror of the staging instance.
    Staging,
    /// Another mirror.
    Other {
        /// The base of its metadata.
        url: Url,
        /// A file with one of its roots. Every run needs it, because a cached root is never the start of a
        /// chain.
        root: PathBuf,
    },
}

/// The options of [`Trust::load`](super::Trust::load).
#[derive(Clone, Debug, Default)]
pub struct TrustOptions {
    /// A file with a trusted root, or with both.
    pub trusted_root: Option<PathBuf>,
    /// A file with a signing config, or with both.
    pub signing_config: Option<PathBuf>,
    /// The Fulcio to use instead of the one in the signing config.
    pub fulcio_url: Option<Url>,
    /// The log to use instead of those in the signing config.
    pub rekor_url: Option<Url>,
    /// The API version of `rekor_url`.
    pub rekor_version: RekorVersion,
    /// The timestamp authority to use instead of those in the signing config.
    pub tsa_url: Option<Url>,
    /// The mirror for trust material that no file contains; without it, no mirror is used.
    pub mirror: Option<Mirror>,
}

/// The API version of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RekorVersion {
    /// Ask the log.
    #[default]
    Auto,
    /// Rekor v1.
    V1,
    /// Rekor v2.
    V2,
}

impl Mirror {
    /// Returns `true` if the user named it. A file takes precedence over the default.
    pub(super) fn is_chosen(&self) -> bool {
        match self {
            Self::Public => false,
            Self::Staging | Self::Other { .. } => true,
        }
    }
}
