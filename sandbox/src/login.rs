// SPDX-License-Identifier: Apache-2.0
//! The token login of a registry (distribution's token authentication).

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::World;
use crate::http::{Reply, Request, failed, reply_json, with};
use crate::keys::sha256;

/// Name and password that buy a token.
pub(crate) const LOGIN: &str = "sandbox:sandbox-password";

/// Asks for tokens, and gives them.
pub(crate) struct Login {
    /// `host:port` of the registry.
    address: String,
    /// What tokens are made of.
    secret: [u8; 32],
}

impl Login {
    /// For the registry at `address`.
    pub(crate) fn new(address: String, world: &World) -> Self {
        Self { address, secret: world.seed.bytes("registry tokens") }
    }

    /// None when the request may pass; else the challenge.
    pub(crate) fn challenge(&self, request: &Request, name: &str) -> Option<Reply> {
        let read = matches!(request.method.as_str(), "GET" | "HEAD");
        let action = if read { "pull" } else { "push" };
        let granted = request.bearer().and_then(|token| {
            let (scopes, mark) = token.split_once('.')?;
            let scopes = String::from_utf8(hex::decode(scopes).ok()?).ok()?;
            (mark == self.mark(&scopes)).then_some(scopes)
        });
        let allowed = granted.is_some_and(|scopes| {
            let wanted = format!("repository:{name}:");
            let actions = scopes.split(' ').filter_map(|scope| scope.strip_prefix(&wanted));
            name.is_empty() || actions.flat_map(|all| all.split(',')).any(|one| one == action)
        });
        if allowed {
            return None;
        }
        let mut header =
            format!(r#"Bearer realm="http://{}/token",service="sandbox""#, self.address);
        if !name.is_empty() {
            let actions = if read { "pull" } else { "pull,push" };
            header.push_str(&format!(r#",scope="repository:{name}:{actions}""#));
        }
        let reply = failed(401, "UNAUTHORIZED", "authentication required");
        Some(with(reply, "www-authenticate", &header))
    }

    fn mark(&self, scopes: &str) -> String {
        hex::encode(sha256(&[&self.secret, scopes.as_bytes()]))
    }

    /// The token endpoint: all scopes that were asked for go to who knows the password.
    pub(crate) fn token(&self, request: &Request) -> Reply {
        let expected = format!("Basic {}", BASE64_STANDARD.encode(LOGIN));
        if request.header("authorization") != Some(&expected) {
            return failed(401, "UNAUTHORIZED", "wrong name or password");
        }
        let scopes = request.query.iter().filter(|(name, _)| name == "scope");
        let scopes = scopes.map(|(_, scope)| scope.as_str()).collect::<Vec<_>>().join(" ");
        let token = format!("{}.{}", hex::encode(&scopes), self.mark(&scopes));
        reply_json(200, &json!({"token": token, "access_token": token, "expires_in": 300}))
    }
}
