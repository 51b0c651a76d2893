// SPDX-License-Identifier: Apache-2.0
//! Which credential a registry gets: flags, then the configuration files of container tools, then
//! what the CI system gives for its own registry.
//!
//! A credential is chosen by the exact host, never by a part of it. Nothing is chosen twice: the
//! first that matches is the one, and when the registry refuses it the run says so.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ambisign_providers::{Class, Explain, Host, SpawnError, Token};

use super::RegistryOptions;
use super::docker_config::{self, Entry};
use super::helper;
use crate::image::DOCKER_HUB;

/// How Docker calls its Hub in configuration files and to helpers.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";

/// The user name by which helpers mark an identity token.
pub(super) const TOKEN_USER: &str = "<token>";

/// A credential for one registry.
#[derive(Debug)]
pub(super) struct Credential {
    /// Where it came from and for whom it is, for messages: `user "bob" of /home/x/config.json`.
    pub(super) source: String,
    /// What it is.
    pub(super) secret: Secret,
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
            Self::Password => "set `AMBISIGN_REGISTRY_PASSWORD`".into(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Entry { .. } | Self::File { .. } | Self::HelperName { .. } | Self::Password => {
                Class::Usage
            }
            Self::Helper { .. } => Class::Registry,
        }
    }
}

/// What may hold the credential for a repository, in order. Made without running anything.
#[derive(Debug, Default)]
pub(super) struct Plan {
    candidates: Vec<Candidate>,
    /// Where it was looked, for the message when there is nothing.
    pub(super) looked: Vec<String>,
}

#[derive(Debug)]
enum Candidate {
    Ready(Arc<Credential>),
    Helper {
        program: String,
        server: String,
        path: PathBuf,
    },
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
            }
        }
        RegistryOptions {
            username: Some(_), ..
        } => return Err(CredentialError::Password),
        RegistryOptions { .. } => return Ok(None),
    };
    Ok(Some(Arc::new(credential)))
}

impl Plan {
    /// Only what the flags say.
    pub(super) fn only(credential: Arc<Credential>) -> Self {
        Self {
            candidates: vec![Candidate::Ready(credential)],
            looked: Vec::new(),
        }
    }

    /// What files and variables say about `registry` and `repository`. No file after the first that
    /// holds a credential is read.
    ///
    /// # Errors
    /// A file that is there and cannot be used.
    pub(super) fn new(
        host: &Host,
        registry: &str,
        repository: &str,
    ) -> Result<Self, CredentialError> {
        let mut plan = Self::default();
        for path in files(host) {
            plan.looked.push(path.display().to_string());
            if let Some(file) = docker_config::read(&path)? {
                plan.add_file(host, &path, &file, [registry, repository])?;
            }
            if plan.is_decided() {
                return Ok(plan);
            }
        }
        if let Some(credential) = of_the_platform(host, registry, &mut plan.looked) {
            plan.candidates.push(Candidate::Ready(Arc::new(credential)));
        }
        Ok(plan)
    }

    /// Asks the candidates in order; runs helpers.
    ///
    /// # Errors
    /// A helper that fails otherwise than by having no credential.
    pub(super) async fn resolve(
        &self,
        host: &Host,
    ) -> Result<Option<Arc<Credential>>, CredentialError> {
        for candidate in &self.candidates {
            let found = match candidate {
                Candidate::Ready(credential) => Some(Arc::clone(credential)),
                Candidate::Helper {
                    program,
                    server,
                    path,
                } => helper::ask(host, program, server, path).await?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The bearer token for the registry, when the first candidate is one: it needs no challenge.
    pub(super) fn registry_token(&self) -> Option<&Token> {
        match self.candidates.first()? {
            Candidate::Ready(credential) => match &credential.secret {
                Secret::Registry(token) => Some(token),
                Secret::Basic { .. } | Secret::Identity(_) => None,
            },
            Candidate::Helper { .. } => None,
        }
    }

    fn is_decided(&self) -> bool {
        let is_ready = |candidate| matches!(candidate, &Candidate::Ready(_));
        self.candidates.iter().any(is_ready)
    }

    fn add_file(
        &mut self,
        host: &Host,
        path: &Path,
        file: &docker_config::File,
        [registry, repository]: [&str; 2],
    ) -> Result<(), CredentialError> {
        if let Some((key, name)) = file.helper(registry) {
            let server = if registry == DOCKER_HUB {
                DOCKER_HUB_SERVER
            } else {
                key
            };
            self.add_helper(path, name, server)?;
        }
        for (key, entry) in file.entries(registry, repository) {
            if let Some(credential) = from_entry(host, path, key, entry)? {
                self.candidates.push(Candidate::Ready(Arc::new(credential)));
                return Ok(());
            }
        }
        if let Some(name) = file.store() {
            let server = if registry == DOCKER_HUB {
                DOCKER_HUB_SERVER
            } else {
                registry
            };
            self.add_helper(path, name, server)?;
        }
        Ok(())
    }

    fn add_helper(&mut self, path: &Path, name: &str, server: &str) -> Result<(), CredentialError> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if !name.bytes().all(is_plain) {
            return Err(CredentialError::HelperName {
                path: path.to_owned(),
                name: name.to_owned(),
            });
        }
        let program = format!("docker-credential-{name}");
        self.looked.push(format!("`{program}`"));
        self.candidates.push(Candidate::Helper {
            program,
            server: server.to_owned(),
            path: path.to_owned(),
        });
        Ok(())
    }
}

/// The files that container tools write, in the order in which they are read.
fn files(host: &Host) -> Vec<PathBuf> {
    let docker = match host.env.get("DOCKER_CONFIG") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => host.home().map(|home| home.join(".docker")),
    };
    let podman = host.env.get("XDG_RUNTIME_DIR").map(PathBuf::from);
    [
        docker.map(|folder| folder.join("config.json")),
        host.env.get("REGISTRY_AUTH_FILE").map(PathBuf::from),
        podman.map(|folder| folder.join("containers/auth.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The job's own credential, for the platform's own registry only.
fn of_the_platform(host: &Host, registry: &str, looked: &mut Vec<String>) -> Option<Credential> {
    let basic = |user: &str, password: &str, variable: &str| {
        host.net.guard(password);
        Some(Credential {
            source: format!("user {user:?} of `{variable}`"),
            secret: Secret::Basic {
                user: user.to_owned(),
                password: Token::new(password)?,
            },
        })
    };
    if registry == "ghcr.io" {
        looked.push("`GITHUB_TOKEN`".to_owned());
        // The registry looks at the token only; any name does.
        let user = host.env.get("GITHUB_ACTOR").unwrap_or("x-access-token");
        return basic(user, host.env.get("GITHUB_TOKEN")?, "GITHUB_TOKEN");
    }
    let gitlab = host.env.get("CI_REGISTRY")?;
    if registry.eq_ignore_ascii_case(gitlab) {
        looked.push("`CI_REGISTRY_PASSWORD`".to_owned());
        let user = host.env.get("CI_REGISTRY_USER")?;
        let password = host.env.get("CI_REGISTRY_PASSWORD")?;
        return basic(user, password, "CI_REGISTRY_PASSWORD");
    }
    None
}

fn from_entry(
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
    Ok(Some(Credential { source, secret }))
}
