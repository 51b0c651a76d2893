// SPDX-License-Identifier: Apache-2.0
//! The errors of logins.

use std::io::ErrorKind;
use std::path::PathBuf;

use ambisign_host::{Class, SpawnError, errors};
use ambisign_providers::gce;

errors! {
    /// Why a credential cannot be read. It has no secrets, and of the output of helpers only their
    /// reason.
    #[derive(Debug, thiserror::Error)]
    pub enum CredentialError {
        #[error("the entry {key:?} of `{}` {why}", path.display())]
        Entry {
            path: PathBuf,
            key: String,
            why: &'static str,
        } = "registry/credentials", Usage | Registry | Temporary {
            what: "A login for the registry exists, but cannot be used.",
            why: "Its file is broken, or the credential helper or metadata server that it comes from fails.",
            advice: "Correct the file that the message names, or log in to the registry again.",
        },
        /// A configuration file cannot be read.
        #[error("`{}` cannot be used: {why}", path.display())]
        File {
            path: PathBuf,
            why: String,
        } = also "registry/credentials", Usage { fix: "correct the file, or log in to the registry again" },
        /// A credential helper gave no usable answer.
        #[error("the credential helper `{program}`, which `{}` names, {why}", path.display())]
        Helper {
            program: String,
            path: PathBuf,
            /// What is wrong, with what it says itself.
            why: Box<str>,
        } = also "registry/credentials", Registry {
            fix: format!("see that `{program} get` works for this registry, or log in without it"),
        },
        /// A credential helper cannot be run.
        #[error("the credential helper `{program}`, which `{}` names, {why}", path.display())]
        HelperProcess {
            program: String,
            path: PathBuf,
            why: &'static str,
            source: SpawnError,
        } = also "registry/credentials", Registry { fix: helper(program, source) },
        /// A configuration file names a helper that cannot be the name of a program.
        #[error("`{}` names the credential helper {name:?}, which is not the name of a program", path.display())]
        HelperName { path: PathBuf, name: String } = also "registry/credentials", Usage {
            fix: "use a helper `docker-credential-NAME` whose name has only letters, digits, `.`, `_` and `-`",
        },
        /// The metadata server of this machine returns no access token.
        #[error("this machine's metadata server returned no access token for the registry")]
        Machine { source: Box<gce::Error> } = also "registry/credentials", Registry {
            class: if source.class() == Class::Temporary { Class::Temporary } else { Class::Registry },
            fix: source.fix(),
        },
    }
}

fn helper(program: &str, source: &SpawnError) -> String {
    if let SpawnError::Relative { .. } = source {
        format!(
            "name the folder of `{program}` in `PATH` by its absolute path, or log in without it"
        )
    } else if is_absent(source) {
        format!(
            "install `{program}` and check that it works for this registry, or log in without it"
        )
    } else {
        format!("see that `{program} get` works for this registry, or log in without it")
    }
}

impl CredentialError {
    /// Returns `true` if a helper is not installed.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::HelperProcess { source, .. } if is_absent(source)
        )
    }
}

/// Returns `true` if the program does not exist where programs are looked for.
pub(crate) fn is_absent(error: &SpawnError) -> bool {
    match error {
        SpawnError::Missing { .. } | SpawnError::Relative { .. } => true,
        SpawnError::Start { source, .. } => source.kind() == ErrorKind::NotFound,
        SpawnError::Output { .. } | SpawnError::Time { .. } | _ => false,
    }
}
