// SPDX-License-Identifier: Apache-2.0
//! What a registry is shown as proof of who asks, and what can be wrong with it.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ambisign_host::{Class, Explain, Host, SpawnError, Token};
use ambisign_providers::gce;

use super::RegistryOptions;
use super::docker_config::Entry;

/// The user name by which helpers mark an identity token.
pub(super) const TOKEN_USER: &str = "<token>";

/// A credential for one registry.
#[derive(Debug)]
pub(super) struct Credential {
    /// Where it came from and for whom it is, for messages: `user "bob" of /home/x/config.json`.
    pub(super) source: String,
    /// What it is.
    pub(super) secret: Secret,
    /// Who else than the registry may have it.
    pub(super) reach: Reach,
}

/// Which token endpoints may have a credential, of those that the registry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Any: somebody logged in there, or it is the platform's own.
    Endpoint,
    /// That of a registry of Google's.
    Google,
    /// That of the same host.
    Same,
}

/// The three kinds of credential that registries know.
#[derive(Debug)]
pub(super) enum Secret {
    /// User name and password (RFC 7617), or for the token endpoint.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Token,
    },
    /// A refresh token for the token endpoint (OAuth 2.0, RFC 6749 6).
    Identity(Token),
    /// A bearer token for the registry itself.
    Registry(Token),
}

/// Why a credential cannot be read. Secrets and the output of helpers are no part of it.
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
        /// What is wrong.
        why: &'static str,
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
            Self::Helper { program, .. } => format!(
                "install `{program}` and see that it works for this registry, or log in without it"
            )
            .into(),
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
    pub(super) fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Helper { source: Some(source), .. } if is_absent(source)
        )
    }
}

/// Whether there is no such program.
pub(super) fn is_absent(error: &SpawnError) -> bool {
    matches!(
        error,
        SpawnError::Start { source, .. } if source.kind() == ErrorKind::NotFound
    )
}

/// The credential of the flags, guarded.
///
/// # Errors
/// A user name without a password.
pub(super) fn explicit(
    host: &Host,
    options: RegistryOptions,
) -> Result<Option<Arc<Credential>>, CredentialError> {
    let credential = match options {
        RegistryOptions {
            token: Some(token), ..
        } => {
            host.net.guard(token.expose());
            Credential {
                source: "`--registry-token`".to_owned(),
                secret: Secret::Registry(token),
                reach: Reach::Endpoint,
            }
        }
        RegistryOptions {
            username: Some(user),
            password: Some(password),
            ..
        } => {
            host.net.guard(password.expose());
            Credential {
                source: format!("user {user:?} of `--registry-username`"),
                secret: Secret::Basic { user, password },
                reach: Reach::Endpoint,
            }
        }
        RegistryOptions {
            username: Some(_), ..
        } => return Err(CredentialError::Password),
        RegistryOptions { .. } => return Ok(None),
    };
    Ok(Some(Arc::new(credential)))
}

/// The credential of an entry of a configuration file; `None` when a helper keeps it.
///
/// # Errors
/// The entry is malformed.
pub(super) fn from_entry(
    host: &Host,
    path: &Path,
    key: &str,
    entry: &Entry,
) -> Result<Option<Credential>, CredentialError> {
    let malformed = |why| CredentialError::Entry {
        path: path.to_owned(),
        key: key.to_owned(),
        why,
    };
    let secret = |text: &str| {
        host.net.guard(text);
        Token::new(text)
    };
    let pair = entry
        .pair()
        .ok_or_else(|| malformed("has an `auth` that is not base64 of `user:password`"))?;
    let user = pair.as_ref().map(|(user, _)| user.as_str());
    let source = match user {
        Some(user) if !user.is_empty() && user != TOKEN_USER => {
            format!("user {user:?} of {}", path.display())
        }
        Some(_) | None => path.display().to_string(),
    };
    let secret = if let Some(token) = entry.registry_token().and_then(secret) {
        Secret::Registry(token)
    } else if let Some(token) = entry.identity_token().and_then(secret) {
        Secret::Identity(token)
    } else if let Some((user, password)) = pair
        && let Some(password) = secret(&password)
    {
        Secret::Basic { user, password }
    } else {
        return Ok(None);
    };
    Ok(Some(Credential {
        source,
        secret,
        reach: Reach::Endpoint,
    }))
}
