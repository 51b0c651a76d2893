// SPDX-License-Identifier: Apache-2.0
//! What trust material is loaded from.

use std::path::PathBuf;

use url::Url;

/// A TUF mirror to take from what no file gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// That of the public instance.
    Public,
    /// That of the staging instance.
    Staging,
    /// Another one.
    Other {
        /// The base of its metadata.
        url: Url,
        /// A file with one of its roots. It is needed in every run: a root that was kept anchors
        /// nothing.
        root: PathBuf,
    },
}

/// What [`Trust::load`](super::Trust::load) is told.
#[derive(Clone, Debug, Default)]
pub struct TrustOptions {
    /// A file with a trusted root, or with both.
    pub trusted_root: Option<PathBuf>,
    /// A file with a signing config, or with both.
    pub signing_config: Option<PathBuf>,
    /// The Fulcio to use instead of that of the signing config.
    pub fulcio_url: Option<Url>,
    /// The log to use instead of those of the signing config.
    pub rekor_url: Option<Url>,
    /// What `rekor_url` speaks.
    pub rekor_version: RekorVersion,
    /// The timestamp authority to use instead of those of the signing config.
    pub tsa_url: Option<Url>,
    /// Where to take from what no file gives; without it nothing else is asked.
    pub mirror: Option<Mirror>,
}

/// Which API a log speaks.
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
    /// Whether somebody named it: the default counts for less than a file.
    pub(super) fn is_chosen(&self) -> bool {
        match self {
            Self::Public => false,
            Self::Staging | Self::Other { .. } => true,
        }
    }
}
