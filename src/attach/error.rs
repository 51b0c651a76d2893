// SPDX-License-Identifier: Apache-2.0
//! Why a kept bundle is not attached.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use ambisign_host::{Class, Explain};
use ambisign_sigstore::verify;

/// Why a kept bundle is not attached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No bundle is of this image.
    #[error("none of the bundles is of {image}")]
    NoBundle {
        /// The image.
        image: String,
    },
    /// A bundle is of none of the images.
    #[error("the bundle `{}` is of none of the images", path.display())]
    NoImage {
        /// The bundle.
        path: PathBuf,
    },
    /// A file or a folder cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A bundle is not acceptable.
    #[error("the bundle `{}` is not acceptable", path.display())]
    Rejected {
        /// The bundle.
        path: PathBuf,
        /// What is wrong with it.
        source: verify::Error,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::NoBundle { .. } => "attach/no-bundle".into(),
            Self::NoImage { .. } => "attach/no-image".into(),
            Self::Read { .. } => "attach/read".into(),
            Self::Rejected { source, .. } => source.code(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::NoBundle { .. } => Some(
                "name the image by the digest that was signed, and the bundle that was kept for it"
                    .into(),
            ),
            Self::NoImage { .. } => {
                Some("name its image too, by the digest that was signed".into())
            }
            Self::Read { .. } => Some("check the path, and who may read it".into()),
            Self::Rejected { source, .. } => source.fix(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoBundle { .. } | Self::NoImage { .. } | Self::Read { .. } => Class::Usage,
            Self::Rejected { .. } => Class::Rejected,
        }
    }
}
