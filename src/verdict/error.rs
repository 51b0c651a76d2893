// SPDX-License-Identifier: Apache-2.0
//! Why something could not be judged, or is not acceptable.

use std::borrow::Cow;
use std::path::PathBuf;

use ambisign_host::{Class, Explain};
use ambisign_sigstore::verify;

/// Why an artifact has no acceptable signature, or why nobody can tell.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key that was given is not one.
    #[error("`{}` holds no public key in PEM", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
    },
    /// There are signatures, but none that is acceptable. Their reasons stand beside this.
    #[error("{} found for {artifact}, {}", signatures(*found), if *found == 1 { "and it is not acceptable" } else { "none is acceptable" })]
    NoneAcceptable {
        /// The artifact.
        artifact: String,
        /// How many.
        found: usize,
    },
    /// The registry has no signature of the image.
    #[error("{image} has no signature{}", if *others == 0 { String::new() } else { format!(", and {others} attachments that are none") })]
    NoSignatures {
        /// The image.
        image: String,
        /// How many other things are attached to it.
        others: usize,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The one signature that was given is not acceptable.
    #[error(transparent)]
    Rejected(#[from] verify::Error),
}

fn signatures(count: usize) -> String {
    match count {
        1 => "1 signature was".to_owned(),
        count => format!("{count} signatures were"),
    }
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::KeyFile { .. } => "verify/key-file".into(),
            Self::NoneAcceptable { .. } => "verify/none-acceptable".into(),
            Self::NoSignatures { .. } => "verify/no-signatures".into(),
            Self::Read { .. } => "verify/read".into(),
            Self::Rejected(error) => error.code(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::KeyFile { .. } => {
                Some("give the public key to `--key`, as `-----BEGIN PUBLIC KEY-----`".into())
            }
            Self::NoneAcceptable { .. } => None,
            Self::NoSignatures { .. } => Some(
                "sign it with `ambisign sign`; if it was signed elsewhere, copy the signatures with \
                 the image"
                    .into(),
            ),
            Self::Read { .. } => Some("check the path, and who may read the file".into()),
            Self::Rejected(error) => error.fix(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::KeyFile { .. } | Self::Read { .. } => Class::Usage,
            Self::NoneAcceptable { .. } | Self::NoSignatures { .. } | Self::Rejected(_) => {
                Class::Rejected
            }
        }
    }
}
