// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with the names of images.

use std::borrow::Cow;
use std::io;

use ambisign_host::{Class, Explain};
use ambisign_sigstore::digest::Digest;

use crate::settings::WAYS;

/// An error of the stage `images`. Nothing was asked of the network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two places say different digests of one image.
    #[error("{place} has the digest {own}, and {name} says {given}")]
    Digest {
        /// Where the image is named.
        place: String,
        /// The digest there.
        own: Digest,
        /// What says the other one.
        name: String,
        /// The other one.
        given: Digest,
    },
    /// A file is not what it should be.
    #[error("{what} cannot be read: {why}")]
    Malformed {
        /// The file.
        what: String,
        /// The reason.
        why: String,
    },
    /// A digest without the repository that it is in.
    #[error("{place} is a digest without a repository")]
    NoRepository {
        /// Where it is.
        place: String,
    },
    /// What should name images names none.
    #[error("no image is named in {what}")]
    Nothing {
        /// The setting or file.
        what: String,
    },
    /// A file cannot be read.
    #[error("{what} cannot be read")]
    Read {
        /// The file.
        what: String,
        /// The reason.
        source: io::Error,
    },
    /// An image has no digest, and there are several that it could have.
    #[error("{place} has no digest, and the metadata has several")]
    SeveralDigests {
        /// Where the image is named.
        place: String,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Digest { .. } => "images/digest",
            Self::Malformed { .. } => "images/malformed",
            Self::NoRepository { .. } => "images/no-repository",
            Self::Nothing { .. } => "images/nothing",
            Self::Read { .. } => "images/read",
            Self::SeveralDigests { .. } => "images/several-digests",
        }
        .into()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Digest { .. } => "name the digest in one place, or the right one in both".into(),
            Self::Malformed { .. } => {
                "write one `repository@sha256:...` a line, or give the document that `ambisign sign \
                 --output json` printed"
                    .into()
            }
            Self::NoRepository { .. } => {
                "write `repository@sha256:...`, or the repository and the digest in `--digest`".into()
            }
            Self::Nothing { .. } => {
                format!("name at least one image: `repository@sha256:...`{WAYS}").into()
            }
            Self::Read { .. } => {
                "look whether an earlier step wrote the file, and from which folder its path counts"
                    .into()
            }
            Self::SeveralDigests { .. } => "write `repository@sha256:...` for each image".into(),
        })
    }

    fn class(&self) -> Class {
        Class::Usage
    }
}
