// SPDX-License-Identifier: Apache-2.0
//! Credential helpers: programs that keep the secrets of container tools.
//!
//! What a helper writes may be secret, so none of it is ever shown.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ambisign_host::{Child, Host, Token, spawn};
use serde::Deserialize;

use crate::login::credential::{Credential, CredentialScope, Secret, TOKEN_USER};
use crate::login::error::{CredentialError, is_absent};

/// The time that a credential helper has.
const LONGEST: Duration = Duration::from_secs(10);

/// What a helper writes for `get`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// Asks `program`, which the file at `path` names, for the credential of `server`; `None` when it has
/// none.
///
/// # Errors
/// It cannot be run, fails, ends too late or writes something else than an answer.
pub(crate) async fn ask(
    host: &Host,
    program: &str,
    server: &str,
    path: &Path,
) -> Result<Option<Arc<Credential>>, CredentialError> {
    let failed = |why| CredentialError::Helper {
        program: program.to_owned(),
        path: path.to_owned(),
        why,
    };
    let child = Child {
        program,
        args: &["get"],
        input: server.as_bytes(),
        limit: LONGEST,
        needs: needed(host, server),
    };
    let done = spawn(host, child).await.map_err(|source| {
        let why = if is_absent(&source) {
            "is not installed"
        } else {
            "gave no answer"
        };
        CredentialError::HelperProcess {
            program: program.to_owned(),
            path: path.to_owned(),
            why,
            source,
        }
    })?;
    if !done.status.success() {
        // Helpers write this one sentence to their standard output (docker/docker-credential-helpers).
        let said = String::from_utf8_lossy(&done.stdout);
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed("failed"));
    }
    let answer: Answer = ambisign_host::json::parse(&done.stdout)
        .map_err(|_may_hold_the_secret| failed("answered with something else than JSON"))?;
    host.net.guard(&answer.secret);
    let Some(secret) = Token::new(&answer.secret) else {
        return Ok(None);
    };
    let (source, secret) = if answer.username == TOKEN_USER {
        (format!("`{program}`"), Secret::Identity(secret))
    } else {
        let source = format!("user {:?} of `{program}`", answer.username);
        let user = answer.username;
        (
            source,
            Secret::Basic {
                user,
                password: secret,
            },
        )
    };
    Ok(Some(Arc::new(Credential {
        source,
        secret,
        reach: CredentialScope::Endpoint,
    })))
}

/// The logins of the job that a helper may see: those for `server` and no other registry, as
/// everywhere else.
fn needed(host: &Host, server: &str) -> &'static [&'static str] {
    let name = server.strip_prefix("https://").unwrap_or(server);
    let name = name.split('/').next().unwrap_or(name);
    if name == "ghcr.io" {
        &["GITHUB_TOKEN", "GH_TOKEN"]
    } else if host.env.get("CI_REGISTRY") == Some(name) {
        &["CI_REGISTRY_PASSWORD", "CI_JOB_TOKEN", "CI_DEPLOY_PASSWORD"]
    } else {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ambisign_host::{Clock, Env, Host, Net, NetOptions};

    use super::needed;

    #[test]
    fn a_helper_sees_the_logins_for_its_registry() {
        let (env, clock) = (
            Env::from_iter([("CI_REGISTRY", "r.example:5050")]),
            Clock::system(),
        );
        let host = Host {
            net: Net::new(&env, clock, NetOptions::default()),
            env,
            clock,
            root: PathBuf::from("/"),
        };
        for (server, first) in [
            ("ghcr.io", Some("GITHUB_TOKEN")),
            ("https://ghcr.io/v2/", Some("GITHUB_TOKEN")),
            ("r.example:5050", Some("CI_REGISTRY_PASSWORD")),
            ("r.example", None),
            ("ghcr.io.example", None),
            ("https://index.docker.io/v1/", None),
        ] {
            assert_eq!(needed(&host, server).first().copied(), first, "{server}");
        }
    }
}
