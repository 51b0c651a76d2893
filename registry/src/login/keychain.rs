// SPDX-License-Identifier: Apache-2.0
//! Finds the credential for a repository: in the files of container tools and the helpers that they
//! name, then in the platform's login for its own registry.
//!
//! Credentials match the exact host. The first match is used; if the registry refuses it, the run fails
//! and no other one is tried. If a helper is not installed, the search continues with a warning.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ambisign_host::{Host, Token, Warning};
use ambisign_providers::{Realm, gce};
use tokio::time::Instant;

use super::buildx;
use super::docker_config;
use super::helper;
use crate::hosts::{self, GHCR, Gitlab, is_google};
use crate::login::credential::{Credential, CredentialScope, Secret, from_entry};
use crate::login::error::CredentialError;
use crate::login::passed_on::HELPER;
use crate::reference::DOCKER_HUB;
use crate::right::Right;
use crate::warnings::{HELPER_MISSING, LOGIN_UNREADABLE, SCOPED_LOGIN};

/// Docker's name for its Hub in configuration files and for helpers.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";

/// The variable with the content of such a file.
const LOGINS: &str = "DOCKER_AUTH_CONFIG";

/// The file with Cloud Build's login for its account, independent of the `HOME` of a step.
const CLOUD_BUILD: &str = "/builder/home/.docker/config.json";

/// The user name for an access token at Google's registries.
const GOOGLE_USER: &str = "oauth2accesstoken";

/// The time for which a machine's access token is used. The metadata server returns the same one until
/// five minutes before it expires (Google Cloud, "Access tokens").
const FRESH: Duration = Duration::from_secs(120);

/// The candidates for the credential of a repository, in order. Creating it runs nothing.
#[derive(Debug, Default)]
pub(crate) struct Keychain {
    candidates: Vec<Candidate>,
    /// The searched places, for the message if there is no credential.
    pub(crate) looked: Vec<String>,
    /// `true` if there are logins with a scope for this registry, but none for this repository.
    pub(crate) has_scopes: bool,
    /// The server of the platform that may receive its credentials.
    realm: Realm,
    warnings: Vec<Warning>,
}

#[derive(Debug)]
enum Candidate {
    Helper {
        program: String,
        server: String,
        path: PathBuf,
    },
    /// The account of this Google machine.
    Machine,
    Ready(Arc<Credential>),
}

/// The result of resolving a [`Keychain`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    /// The credential, if there is one.
    pub(crate) credential: Option<Arc<Credential>>,
    /// When to resolve it again; `None` if never.
    pub(crate) until: Option<Instant>,
    /// The warnings about it.
    pub(crate) warnings: Vec<Warning>,
    /// Why helpers have no credential, as the end of a sentence; or nothing.
    pub(crate) remark: String,
}

impl Keychain {
    /// Only the credential from the flags.
    pub(crate) fn only(credential: Arc<Credential>) -> Self {
        Self { candidates: vec![Candidate::Ready(credential)], ..Self::default() }
    }

    /// The candidates in files and variables for `registry` and `repository`. No file after the first
    /// one with a credential is read.
    ///
    /// # Errors
    /// A file exists but is unusable.
    pub(crate) fn new(
        host: &Host,
        realm: &Realm,
        [registry, repository]: [&str; 2],
        right: Right,
    ) -> Result<Self, CredentialError> {
        let mut plan = Self { realm: realm.clone(), ..Self::default() };
        for (path, named) in files(host) {
            plan.looked.push(path.display().to_string());
            if named == Named::ByNobody && is_closed(&path) {
                plan.warn(LOGIN_UNREADABLE, closed(&path));
                continue;
            }
            if let Some(file) = docker_config::read(&path)? {
                plan.add_file(host, &path, &file, [registry, repository])?;
            }
            if plan.is_decided() {
                return Ok(plan);
            }
        }
        plan.add_variable(host, [registry, repository])?;
        if plan.is_decided() {
            return Ok(plan);
        }
        plan.add_scoped(host, [registry, repository], right)?;
        if !plan.is_decided() {
            plan.add_platform(host, registry);
        }
        Ok(plan)
    }

    /// Tries the candidates in order, and runs helpers.
    ///
    /// # Errors
    /// A helper fails, except if it has no credential or is not installed; a helper is not installed and
    /// nothing else has a credential; or the metadata server fails.
    pub(crate) async fn resolve(&self, host: &Host) -> Result<Resolved, CredentialError> {
        let mut warnings = self.warnings.clone();
        let mut missing = None;
        let mut remarks = String::new();
        for candidate in &self.candidates {
            let credential = match candidate {
                Candidate::Ready(credential) => Some(Arc::clone(credential)),
                Candidate::Machine => of_the_machine(host).await?,
                Candidate::Helper { program, server, path } => {
                    match helper::ask(host, &self.realm, (program, server), path).await {
                        Ok(asked) => {
                            remarks.push_str(&remark(program, &asked.remark));
                            asked.credential
                        }
                        Err(error) if error.is_missing() => {
                            missing = missing.or(Some(error));
                            None
                        }
                        Err(error) => return Err(error),
                    }
                }
            };
            if let Some(credential) = credential {
                warnings.extend(missing.map(|error| instead(&error, &credential)));
                let wears = matches!(candidate, Candidate::Machine);
                return Ok(Resolved {
                    credential: Some(credential),
                    until: wears.then(|| Instant::now() + FRESH),
                    warnings,
                    remark: String::new(),
                });
            }
        }
        match missing {
            Some(error) => Err(error),
            None => Ok(Resolved { warnings, remark: remarks, ..Resolved::default() }),
        }
    }

    /// The bearer token for the registry, if it is the first candidate. It needs no challenge.
    pub(crate) fn registry_token(&self) -> Option<&Token> {
        match self.candidates.first()? {
            Candidate::Ready(credential) => match &credential.secret {
                Secret::Registry(token) => Some(token),
                Secret::Basic { .. } | Secret::Identity(_) => None,
            },
            Candidate::Helper { .. } | Candidate::Machine => None,
        }
    }

    fn is_decided(&self) -> bool {
        let is_ready = |candidate| matches!(candidate, &Candidate::Ready(_));
        self.candidates.iter().any(is_ready)
    }

    fn warn(&mut self, code: &'static str, message: String) {
        self.warnings.push(Warning { code, message });
    }

    fn add_file(
        &mut self,
        host: &Host,
        path: &Path,
        file: &docker_config::File,
        [registry, repository]: [&str; 2],
    ) -> Result<(), CredentialError> {
        if let Some((key, name)) = file.helper(registry) {
            let server = if registry == DOCKER_HUB { DOCKER_HUB_SERVER } else { key };
            self.add_helper(path, name, server)?;
        }
        for (key, entry) in file.entries(registry, repository) {
            if let Some(credential) = from_entry(host, path, key, entry)? {
                self.candidates.push(Candidate::Ready(Arc::new(credential)));
                return Ok(());
            }
        }
        if let Some(name) = file.store() {
            let server = if registry == DOCKER_HUB { DOCKER_HUB_SERVER } else { registry };
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
        let program = format!("{HELPER}{name}");
        self.looked.push(format!("`{program}`"));
        self.candidates.push(Candidate::Helper {
            program,
            server: server.to_owned(),
            path: path.to_owned(),
        });
        Ok(())
    }

    /// Adds the logins in a variable, in the form of Docker's file. GitLab's runner and Docker read it
    /// too.
    fn add_variable(&mut self, host: &Host, names: [&str; 2]) -> Result<(), CredentialError> {
        let Some(text) = host.env.get(LOGINS) else {
            return Ok(());
        };
        let source = Path::new(LOGINS);
        self.looked.push(format!("`{LOGINS}`"));
        let file = docker_config::parse(text.as_bytes(), source)?;
        self.add_file(host, source, &file, names)
    }

    /// Adds the login that `docker/login-action` stores for Buildx only, if exactly one matches.
    fn add_scoped(
        &mut self,
        host: &Host,
        [registry, repository]: [&str; 2],
        right: Right,
    ) -> Result<(), CredentialError> {
        let logins = buildx::find(host, registry);
        let mut fitting = logins.iter().filter(|login| login.is_for(repository, right));
        self.has_scopes = !logins.is_empty();
        let (Some(login), None) = (fitting.next(), fitting.next()) else {
            return Ok(());
        };
        self.looked.push(login.file.display().to_string());
        if let Some(file) = docker_config::read(&login.file)? {
            self.add_file(host, &login.file, &file, [registry, repository])?;
        }
        if self.is_decided() {
            let path = login.file.display();
            self.warn(
                SCOPED_LOGIN,
                format!(
                    "the login for {registry} is in `{path}`, which is for Buildx only: remove \
                     `scope:` from docker/login-action, so that other programs find it too"
                ),
            );
        }
        Ok(())
    }

    /// The job's own credential, for the platform's own registry only.
    fn add_platform(&mut self, host: &Host, registry: &str) {
        let own = of_the_platform(host, &self.realm, registry, &mut self.looked);
        let ready = own.map(|credential| Candidate::Ready(Arc::new(credential)));
        self.candidates.extend(ready);
        if is_google(registry) && gce::is_here(host) {
            self.looked.push("the access token of this machine".to_owned());
            self.candidates.push(Candidate::Machine);
        }
    }
}

/// Whether the user named a file, or it is in a default place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    ByNobody,
    ByVariable,
}

/// The files of container tools, in the order in which they are read.
fn files(host: &Host) -> Vec<(PathBuf, Named)> {
    let variable = |name| Some((PathBuf::from(host.env.get(name)?), Named::ByVariable));
    let home = |folder: &str| Some((host.home()?.join(folder), Named::ByNobody));
    let below = |folder: Option<(PathBuf, Named)>, file: &str| {
        folder.map(|(path, named)| (path.join(file), named))
    };
    let docker = variable("DOCKER_CONFIG").or_else(|| home(".docker"));
    let config = variable("XDG_CONFIG_HOME").or_else(|| home(".config"));
    let build = gce::is_cloud_build(host).then(|| (host.path(CLOUD_BUILD), Named::ByNobody));
    let mut files: Vec<_> = [
        below(docker, "config.json"),
        variable("REGISTRY_AUTH_FILE"),
        below(variable("XDG_RUNTIME_DIR"), "containers/auth.json"),
        below(config, "containers/auth.json"),
    ]
    .into_iter()
    .flatten()
    .collect();
    files.extend(build.filter(|build| !files.contains(build)));
    files
}

/// Returns `true` if the file belongs to another user, as in a container that does not run as root.
fn is_closed(path: &Path) -> bool {
    let denied = |error: &io::Error| error.kind() == ErrorKind::PermissionDenied;
    match path.metadata() {
        // Opening a pipe would wait for its writer.
        Ok(found) => found.is_file() && File::open(path).is_err_and(|error| denied(&error)),
        Err(error) => denied(&error),
    }
}

fn closed(path: &Path) -> String {
    format!("`{}` may hold the login, but this user may not read it", path.display())
}

/// What a helper says that has no credential.
fn remark(program: &str, remark: &str) -> String {
    if remark.is_empty() { String::new() } else { format!("; `{program}` says `{remark}`") }
}

/// The warning that another credential is used instead of a helper.
fn instead(missing: &CredentialError, credential: &Credential) -> Warning {
    Warning {
        code: HELPER_MISSING,
        message: format!("{missing}: the credential of {} is used instead", credential.source),
    }
}

/// The access token of the account of this machine.
async fn of_the_machine(host: &Host) -> Result<Option<Arc<Credential>>, CredentialError> {
    let token = gce::access_token(host)
        .await
        .map_err(|source| CredentialError::Machine { source: Box::new(source) })?;
    Ok(token.map(|password| {
        Arc::new(Credential {
            source: "this Google machine's account".to_owned(),
            secret: Secret::Basic { user: GOOGLE_USER.to_owned(), password },
            reach: CredentialScope::Google,
        })
    }))
}

/// The job's own credential, for the platform's own registry only.
fn of_the_platform(
    host: &Host,
    realm: &Realm,
    registry: &str,
    looked: &mut Vec<String>,
) -> Option<Credential> {
    let basic = |user: &str, password: &str, variable: &str, reach| {
        host.net.guard(password);
        Some(Credential {
            source: format!("user {user:?} of `{variable}`"),
            secret: Secret::Basic { user: user.to_owned(), password: Token::new(password)? },
            reach,
        })
    };
    if registry == GHCR {
        looked.push("`GITHUB_TOKEN`".to_owned());
        // The registry checks only the token, so any name works.
        let user = host.env.get("GITHUB_ACTOR").unwrap_or("x-access-token");
        let token = host.env.get("GITHUB_TOKEN")?;
        return basic(user, token, "GITHUB_TOKEN", CredentialScope::Same);
    }
    match hosts::gitlab(host, realm, registry) {
        Gitlab::No => None,
        Gitlab::Unknown => {
            looked.push(
                "`CI_REGISTRY_PASSWORD` (which `--public-instance` keeps for the registry of \
                 gitlab.com or of the GitLab that `--require-issuer` names)"
                    .to_owned(),
            );
            None
        }
        Gitlab::Own => {
            looked.push("`CI_REGISTRY_PASSWORD`".to_owned());
            let user = host.env.get("CI_REGISTRY_USER")?;
            let password = host.env.get("CI_REGISTRY_PASSWORD")?;
            // GitLab itself is the token endpoint of its registry.
            let reach = CredentialScope::Hosts(hosts::gitlab_endpoints(host, realm, registry));
            basic(user, password, "CI_REGISTRY_PASSWORD", reach)
        }
    }
}
