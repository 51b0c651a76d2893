// SPDX-License-Identifier: Apache-2.0
//! Credential helpers: programs that keep the secrets of container tools.
//!
//! What a helper writes may be secret: of a failure the reason is shown, as far as it can be none.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ambisign_host::{Child, Host, Token, spawn};
use serde::Deserialize;

use crate::login::credential::{Credential, CredentialScope, Secret, TOKEN_USER};
use crate::login::error::{CredentialError, is_absent};
use crate::login::remark::reason;

/// The time limit of a credential helper.
const LONGEST: Duration = Duration::from_secs(10);

/// The output of a helper for `get`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// What a helper has to say.
pub(crate) struct Asked {
    /// The credential, if it has one.
    pub(crate) credential: Option<Arc<Credential>>,
    /// Why it has none, as far as it says more than that; or nothing.
    pub(crate) remark: String,
}

/// Asks `program`, which the file at `path` names, for the credential of `server`.
///
/// # Errors
/// It cannot be run, fails, ends too late or writes something else than an answer.
pub(crate) async fn ask(
    host: &Host,
    program: &str,
    server: &str,
    path: &Path,
) -> Result<Asked, CredentialError> {
    let failed = |why: &str, remark: &str| CredentialError::Helper {
        program: program.to_owned(),
        path: path.to_owned(),
        why: match remark {
            "" => why.into(),
            remark => format!("{why}: `{remark}`").into(),
        },
    };
    let nothing = |remark| Asked { credential: None, remark };
    let child = Child {
        program,
        args: &["get"],
        input: server.as_bytes(),
        limit: LONGEST,
        needs: needed(host, server),
    };
    let done = spawn(host, child).await.map_err(|source| {
        let why = if is_absent(&source) { "is not installed" } else { "gave no answer" };
        CredentialError::HelperProcess {
            program: program.to_owned(),
            path: path.to_owned(),
            why,
            source,
        }
    })?;
    if !done.status.success() {
        // Helpers write this sentence to their standard output (docker/docker-credential-helpers).
        let remark = String::from_utf8_lossy(&done.stdout);
        if remark.contains("credentials not found") {
            return Ok(nothing(reason(host, &[&done.stderr])));
        }
        let remark = reason(host, &[&done.stdout, &done.stderr]);
        return Err(failed("failed", &remark));
    }
    let answer: Answer =
        ambisign_host::json::parse(&done.stdout).map_err(|_may_hold_the_secret| {
            let remark = reason(host, &[&done.stderr]);
            failed("answered with something else than JSON", &remark)
        })?;
    host.net.guard(&answer.secret);
    Ok(match Token::new(&answer.secret) {
        Some(secret) => Asked {
            credential: Some(Arc::new(credential(program, answer.username, secret))),
            remark: String::new(),
        },
        None => nothing(reason(host, &[&done.stderr])),
    })
}

fn credential(program: &str, user: String, secret: Token) -> Credential {
    let (source, secret) = if user == TOKEN_USER {
        (format!("`{program}`"), Secret::Identity(secret))
    } else {
        let source = format!("user {user:?} of `{program}`");
        let password = secret;
        (source, Secret::Basic { user, password })
    };
    Credential { source, secret, reach: CredentialScope::Endpoint }
}

/// The logins of the job that a helper may see: only those for `server`.
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
        let (env, clock) = (Env::from_iter([("CI_REGISTRY", "r.example:5050")]), Clock::system());
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
