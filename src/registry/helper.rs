// SPDX-License-Identifier: Apache-2.0
//! Credential helpers: programs that keep the secrets of container tools.
//!
//! What a helper writes may be secret, so none of it is ever shown.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ambisign_providers::{Host, Token, spawn};
use serde::Deserialize;

use super::credentials::{Credential, CredentialError, Secret, TOKEN_USER};

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
pub(super) async fn ask(
    host: &Host,
    program: &str,
    server: &str,
    path: &Path,
) -> Result<Option<Arc<Credential>>, CredentialError> {
    let failed = |why, source| CredentialError::Helper {
        program: program.to_owned(),
        path: path.to_owned(),
        why,
        source,
    };
    let done = spawn(host, program, &["get"], server.as_bytes(), LONGEST)
        .await
        .map_err(|source| failed("gave no answer", Some(source)))?;
    if !done.status.success() {
        // Helpers write this one sentence to their standard output (docker/docker-credential-helpers).
        let said = String::from_utf8_lossy(&done.stdout);
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed("failed", None));
    }
    let answer: Answer = crate::json::parse(&done.stdout)
        .map_err(|_may_hold_the_secret| failed("answered with something else than JSON", None))?;
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
    Ok(Some(Arc::new(Credential { source, secret })))
}
