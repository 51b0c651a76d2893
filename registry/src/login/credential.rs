// SPDX-License-Identifier: Apache-2.0
//! Credentials for registries.

use std::path::Path;
use std::sync::Arc;

use ambisign_host::{Host, Token};

use crate::login::docker_config::Entry;
use crate::login::error::CredentialError;
use crate::options::GivenLogin;

/// The user name with which helpers mark an identity token.
pub(crate) const TOKEN_USER: &str = "<token>";

/// A credential for one registry.
#[derive(Debug)]
pub(crate) struct Credential {
    /// Its user and source, for messages: `user "bob" of /home/x/config.json`.
    pub(crate) source: String,
    /// The secret.
    pub(crate) secret: Secret,
    /// The token endpoints that may receive it.
    pub(crate) reach: CredentialScope,
}

/// The token endpoints that may receive a credential, among those that the registry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CredentialScope {
    /// Any, for a login by the user.
    Endpoint,
    /// The one of Google's registries.
    Google,
    /// Those on these hosts.
    Hosts(Vec<String>),
    /// Only one on the same host.
    Same,
}

/// The three kinds of credentials for registries.
#[derive(Debug)]
pub(crate) enum Secret {
    /// A user name and password, for the registry (RFC 7617) or its token endpoint.
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

/// The credential from the flags.
pub(crate) fn explicit(login: &GivenLogin) -> Arc<Credential> {
    let (source, secret) = match login {
        GivenLogin::Token(token) => {
            ("`--registry-token`".to_owned(), Secret::Registry(token.copy()))
        }
        GivenLogin::Password { username: user, password } => (
            format!("user {user:?} of `--registry-username`"),
            Secret::Basic { user: user.clone(), password: password.copy() },
        ),
    };
    Arc::new(Credential { source, secret, reach: CredentialScope::Endpoint })
}

/// The credential in an entry of a configuration file; `None` if a helper has it.
///
/// # Errors
/// The entry is malformed.
pub(crate) fn from_entry(
    host: &Host,
    path: &Path,
    key: &str,
    entry: &Entry,
) -> Result<Option<Credential>, CredentialError> {
    let malformed =
        |why| CredentialError::Entry { path: path.to_owned(), key: key.to_owned(), why };
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
    Ok(Some(Credential { source, secret, reach: CredentialScope::Endpoint }))
}
