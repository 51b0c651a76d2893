// SPDX-License-Identifier: Apache-2.0
//! Credential helpers: programs that keep the secrets of container tools.
//!
//! What a helper writes may be secret: of a failure the reason is shown, as far as it can be none.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ambisign_host::{Child, Host, SpawnError, Token, spawn};
use ambisign_providers::Realm;
use serde::Deserialize;
use zeroize::ZeroizeOnDrop;

use crate::login::credential::{Credential, CredentialScope, Secret, TOKEN_USER};
use crate::login::error::{CredentialError, is_absent};
use crate::login::passed_on;
use crate::login::remark::reason;

/// The time limit of a credential helper.
const LONGEST: Duration = Duration::from_secs(10);

/// The output of a helper for `get`.
#[derive(Deserialize, ZeroizeOnDrop)]
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
    realm: &Realm,
    (program, server): (&str, &str),
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
    let sees = passed_on::sees(program, server);
    let sees: Vec<&str> = sees.iter().map(String::as_str).collect();
    let child = Child {
        program,
        args: &["get"],
        input: server.as_bytes(),
        limit: LONGEST,
        sees: &sees,
        needs: passed_on::needs(host, realm, server),
    };
    let done = spawn(host, child).await.map_err(|source| not_run(program, path, source))?;
    if !done.status.success() {
        // Helpers write this sentence to their standard output (docker/docker-credential-helpers).
        let remark = String::from_utf8_lossy(&done.stdout);
        if remark.contains("credentials not found") {
            return Ok(nothing(reason(host, &[&done.stderr])));
        }
        let remark = reason(host, &[&done.stdout, &done.stderr]);
        return Err(failed("failed", &remark));
    }
    let mut answer: Answer =
        ambisign_host::json::parse(&done.stdout).map_err(|_may_hold_the_secret| {
            let remark = reason(host, &[&done.stderr]);
            failed("answered with something else than JSON", &remark)
        })?;
    host.net.guard(&answer.secret);
    Ok(match Token::new(&answer.secret) {
        Some(secret) => Asked {
            credential: Some(Arc::new(credential(
                program,
                std::mem::take(&mut answer.username),
                secret,
            ))),
            remark: String::new(),
        },
        None => nothing(reason(host, &[&done.stderr])),
    })
}

/// The error of a helper that could not be run to its end.
fn not_run(program: &str, path: &Path, source: SpawnError) -> CredentialError {
    let why = match &source {
        SpawnError::Relative { .. } => "is in no folder that `PATH` names by an absolute path",
        source if is_absent(source) => "is not installed",
        SpawnError::Missing { .. }
        | SpawnError::Output { .. }
        | SpawnError::Start { .. }
        | SpawnError::Time { .. }
        | _ => "gave no answer",
    };
    CredentialError::HelperProcess {
        program: program.to_owned(),
        path: path.to_owned(),
        why,
        source,
    }
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
