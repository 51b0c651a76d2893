// SPDX-License-Identifier: Apache-2.0
//! Why a login cannot be used.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::PathBuf;

use ambisign_host::{Class, Explain, SpawnError};
use ambisign_providers::gce;

/// Why a credential cannot be read. Secrets are no part of it, and of the output of helpers only what
/// can be none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// An entry of a configuration file is not what its format says.
    #[error("the entry {key:?} of `{}` {why}", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The name of the entry.
        key: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A configuration file cannot be read.
    #[error("`{}` cannot be used: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A credential helper failed.
    #[error("the credential helper `{program}`, which `{}` names, {why}", path.display())]
    Helper {
        /// The program.
        program: String,
        /// The file that names it.
        path: PathBuf,
        /// What is wrong, with what it says itself.
        why: Box<str>,
        /// What the system says.
        source: Option<SpawnError>,
    },
    /// A configuration file names a helper that is not the name of a program.
    #[error("`{}` names the credential helper {name:?}, which is not the name of a program", path.display())]
    HelperName {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// The metadata server of this machine gives no access token.
    #[error("this machine's metadata server gives no access token for the registry")]
    Machine {
        /// What it says.
        source: Box<gce::Error>,
    },
    /// A user name was given without a password.
    #[error("a registry user name was given without a password")]
    Password,
}

impl Explain for CredentialError {
    fn code(&self) -> Cow<'static, str> {
        "registry/credentials".into()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Entry { .. } | Self::File { .. } => {
                "correct the file, or log in to the registry again".into()
            }
            Self::Helper { program, .. } if self.is_missing() => format!(
                "install `{program}` and see that it works for this registry, or log in without it"
            )
            .into(),
            Self::Helper { program, .. } => {
                format!("see that `{program} get` works for this registry, or log in without it")
                    .into()
            }
            Self::HelperName { .. } => {
                "name a program `docker-credential-NAME` by letters, digits, `.`, `_` and `-`"
                    .into()
            }
            Self::Machine { source } => return source.fix(),
            Self::Password => "set `AMBISIGN_REGISTRY_PASSWORD`".into(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Entry { .. } | Self::File { .. } | Self::HelperName { .. } | Self::Password => {
                Class::Usage
            }
            Self::Helper { .. } => Class::Registry,
            Self::Machine { source } if source.class() == Class::Temporary => Class::Temporary,
            Self::Machine { .. } => Class::Registry,
        }
    }
}

impl CredentialError {
    /// Whether a helper is not installed.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Helper { source: Some(source), .. } if is_absent(source)
        )
    }
}

/// Whether there is no such program.
pub(crate) fn is_absent(error: &SpawnError) -> bool {
    matches!(
        error,
        SpawnError::Start { source, .. } if source.kind() == ErrorKind::NotFound
    )
}
