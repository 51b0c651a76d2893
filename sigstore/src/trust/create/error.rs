// SPDX-License-Identifier: Apache-2.0
//! Why no trust material was created.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use ambisign_host::{Class, Explain};

/// Why no trust material was created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of certificates does not hold what it should.
    #[error("`{}` is no certificate chain for this: {why}", path.display())]
    Chain {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file is there already. What other people's pipelines believe is not overwritten.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file of a key does not hold what it should.
    #[error("`{}` holds no public key of a known kind", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The description of a service cannot be read.
    #[error("`--{flag} {description}`: {why}")]
    Spec {
        /// The flag, without dashes.
        flag: &'static str,
        /// What was given.
        description: String,
        /// What is wrong with it.
        why: String,
    },
    /// A run could not use the result.
    #[error("the services that are named are not enough to sign")]
    Unusable(#[from] crate::trust::Error),
    /// A file cannot be written.
    #[error("`{}` cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Chain { .. } => "create/chain",
            Self::Exists { .. } => "create/exists",
            Self::Key { .. } => "create/key",
            Self::Read { .. } => "create/read",
            Self::Spec { .. } => "create/spec",
            Self::Unusable(_) => "create/unusable",
            Self::Write { .. } => "create/write",
        }
        .into()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(
            match self {
                Self::Chain { .. } => {
                    "give PEM certificates up to the root; for `--tsa` its own certificate first"
                }
                Self::Exists { .. } => "move it away, or choose another folder with `--out-dir`",
                Self::Key { .. } => "give a PEM public key: ECDSA, Ed25519 or RSA",
                Self::Read { .. } => "check the path in the description",
                Self::Spec { .. } => "see the examples of `ambisign trust create --help`",
                Self::Unusable(_) => {
                    "name at least `--fulcio`, `--ctfe` and `--rekor`, and `--tsa` for Rekor v2"
                }
                Self::Write { .. } => "check the folder that `--out-dir` names",
            }
            .into(),
        )
    }

    fn class(&self) -> Class {
        match self {
            Self::Chain { .. } | Self::Key { .. } => Class::Trust,
            Self::Exists { .. }
            | Self::Read { .. }
            | Self::Spec { .. }
            | Self::Unusable(_)
            | Self::Write { .. } => Class::Usage,
        }
    }
}
