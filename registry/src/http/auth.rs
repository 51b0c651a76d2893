// SPDX-License-Identifier: Apache-2.0
//! Authorization for a registry: a token from its token endpoint, or user name and password.
//!
//! A credential is only sent to its registry, or to the token endpoint that this registry names and
//! [`address::permit`] allows.

use std::time::Duration;

use ambisign_host::request::bearer;
use ambisign_host::{Answer, Reach};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use serde::Deserialize;
use tokio::time::Instant;
use url::{Url, form_urlencoded};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use crate::error::Error;
use crate::hosts::is_google;
use crate::http::access::origin;
use crate::http::address;
use crate::http::challenge::Challenge;
use crate::http::connection::{Connection, Repository};
use crate::limits::REGISTRY_TOKEN;
use crate::login::credential::{Credential, CredentialScope, Secret};

/// The life of a token if the endpoint does not specify it (token authentication of the OCI registries,
/// "Token Response Fields").
const DEFAULT_LIFE: Duration = Duration::from_secs(60);

/// The time before its expiry when a token is no longer used, because of requests in progress.
const MARGIN: Duration = Duration::from_secs(10);

/// The most scopes in one request.
const MOST_SCOPES: usize = 8;

/// The client name in requests for tokens.
const CLIENT: &str = "ambisign";

/// The answer of a token endpoint. OAuth 2.0 calls the token `access_token`, Docker `token`.
#[derive(Deserialize, ZeroizeOnDrop)]
pub(crate) struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    /// Seconds. Some endpoints write -1, or a string.
    #[zeroize(skip)]
    expires_in: Option<serde_json::Value>,
}

impl TokenAnswer {
    /// The life of the token, if the endpoint specifies it.
    fn life(&self) -> Option<Duration> {
        let written = self.expires_in.as_ref()?;
        let seconds = written.as_f64().or_else(|| written.as_str()?.parse().ok())?;
        let life = Duration::try_from_secs_f64(seconds).ok()?;
        (life > Duration::ZERO).then_some(life)
    }
}

impl Connection<'_> {
    /// The header that answers `challenge`; `None` if it needs a credential and there is none.
    ///
    /// # Errors
    /// The token endpoint refuses, is unreachable, or must not receive the credential.
    pub(crate) async fn meet(
        &self,
        challenge: &Challenge,
        credential: Option<&Credential>,
    ) -> Result<Option<(HeaderValue, Option<Instant>)>, Error> {
        let secret = credential.map(|credential| &credential.secret);
        match (challenge, secret) {
            (_, Some(Secret::Registry(token))) => Ok(Some((self.bearer(token.expose())?, None))),
            (Challenge::Basic, Some(Secret::Basic { user, password })) => {
                Ok(Some((basic(user, password.expose()), None)))
            }
            (Challenge::Basic, Some(Secret::Identity(_)) | None) => Ok(None),
            (Challenge::Bearer { realm, service, scope }, _) => {
                let origin = origin(realm);
                let scope_of_login = credential.map(|credential| &credential.reach);
                let reach = self.permit_realm(realm, scope_of_login).await?;
                let scopes = self.scopes(scope.as_deref().unwrap_or_default());
                let request = self.token_request((realm, service.as_deref()), &scopes, secret);
                let mut hop = self.hop(&REGISTRY_TOKEN, request.url());
                hop.profile.reach = reach;
                let answer = self.host.net.send(&hop, request).await?;
                self.read_token(&origin, &answer).map(Some)
            }
        }
    }

    /// Checks that the token endpoint `realm` may be asked, with a credential of that scope, and tells where the
    /// request may connect to.
    ///
    /// # Errors
    /// [`Error::Realm`]
    async fn permit_realm(
        &self,
        realm: &Url,
        scope: Option<&CredentialScope>,
    ) -> Result<Reach, Error> {
        let place = self.place();
        let permitted = match address::permit(&self.host.net, &place, realm).await {
            Ok(reach) => {
                scope.map_or(Ok(()), |scope| permit(scope, &place.url, realm)).map(|()| reach)
            }
            refused => refused,
        };
        permitted.map_err(|why| Error::Realm {
            registry: self.repository.registry.clone(),
            realm: origin(realm),
            why,
        })
    }

    /// The scopes to request: our own, and those of the registry with no more rights than ours.
    fn scopes(&self, asked: &str) -> Vec<String> {
        let Repository { name, right, .. } = &*self.repository;
        let mut scopes = vec![format!("repository:{name}:{}", right.actions())];
        for scope in asked.split_whitespace() {
            let Some((resource, actions)) = scope.rsplit_once(':') else {
                continue;
            };
            let allowed = |action: &&str| right.actions().split(',').any(|ours| ours == *action);
            let actions: Vec<_> = actions.split(',').filter(allowed).collect();
            let scope = format!("{resource}:{}", actions.join(","));
            let is_repository = resource.starts_with("repository:") && !actions.is_empty();
            if is_repository && scopes.len() < MOST_SCOPES && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes
    }

    fn token_request(
        &self,
        (realm, service): (&Url, Option<&str>),
        scopes: &[String],
        secret: Option<&Secret>,
    ) -> Request {
        let mut url = realm.clone();
        url.set_fragment(None);
        if let Some(Secret::Identity(token)) = secret {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token")
                .append_pair("service", service.unwrap_or(&self.repository.registry))
                .append_pair("client_id", CLIENT)
                .append_pair("scope", &scopes.join(" "))
                .append_pair("refresh_token", token.expose());
            let mut request = Request::new(Method::POST, url);
            let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(CONTENT_TYPE, form_type);
            *request.body_mut() = Some(form.finish().into());
            return request;
        }
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", service);
        }
        for scope in scopes {
            url.query_pairs_mut().append_pair("scope", scope);
        }
        let mut request = Request::new(Method::GET, url);
        if let Some(Secret::Basic { user, password }) = secret {
            let header = basic(user, password.expose());
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        request
    }

    fn read_token(
        &self,
        realm: &str,
        answer: &Answer,
    ) -> Result<(HeaderValue, Option<Instant>), Error> {
        match answer.status.as_u16() {
            200 => {}
            401 | 403 => return Err(self.unauthorized(answer)),
            _ => return Err(self.refused(format!("a token at {realm}"), answer)),
        }
        let unusable = || Error::Token { realm: realm.to_owned() };
        let mut parsed: TokenAnswer =
            ambisign_host::json::parse(&answer.body).map_err(|_may_hold_the_token| unusable())?;
        let life = parsed.life().unwrap_or(DEFAULT_LIFE);
        let mut token = [parsed.token.take(), parsed.access_token.take()]
            .into_iter()
            .flatten()
            .find(|token| !token.is_empty())
            .ok_or_else(unusable)?;
        // A token that expires within the margin is used once and renewed.
        let until = Instant::now().checked_add(life.saturating_sub(MARGIN));
        self.host.net.guard(&token);
        let header = bearer(&token).ok_or_else(unusable);
        token.zeroize();
        Ok((header?, until))
    }

    /// The header for a given bearer token.
    ///
    /// # Errors
    /// The token contains characters that are not allowed in a header.
    pub(crate) fn bearer(&self, token: &str) -> Result<HeaderValue, Error> {
        bearer(token).ok_or_else(|| Error::Token { realm: "that was given".to_owned() })
    }
}

/// Checks that a credential of `reach` for the registry at `base` may be sent to the token endpoint
/// `realm`, which must be https or as local as the registry.
///
/// # Errors
/// The reason, as the end of a sentence that begins with the realm.
fn permit(reach: &CredentialScope, base: &Url, realm: &Url) -> Result<(), &'static str> {
    let google = || {
        let host = realm.host_str().filter(|_| realm.port().is_none());
        host.is_some_and(is_google)
    };
    match reach {
        CredentialScope::Endpoint => Ok(()),
        CredentialScope::Google if google() => Ok(()),
        CredentialScope::Google => Err("must not receive the access token of this machine"),
        CredentialScope::Hosts(hosts)
            if hosts.iter().any(|host| realm.host_str() == Some(host)) =>
        {
            Ok(())
        }
        CredentialScope::Same if realm.origin() == base.origin() => Ok(()),
        CredentialScope::Hosts(_) | CredentialScope::Same => {
            Err("must not receive the token of this job")
        }
    }
}

fn basic(user: &str, password: &str) -> HeaderValue {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    let pair = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    // Base64 is always a valid header value, so the empty fallback is never used.
    let mut header = HeaderValue::from_str(&format!("Basic {}", &*pair))
        .unwrap_or_else(|_never| HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::{CredentialScope, permit};

    #[test]
    fn what_a_job_or_a_machine_is_given_stays_with_its_platform() {
        let url = |text: &str| text.parse().unwrap();
        let gitlab = || {
            let hosts = ["registry.gitlab.com", "gitlab.com"];
            CredentialScope::Hosts(hosts.map(str::to_owned).to_vec())
        };
        for (reach, base, realm, ok) in [
            (CredentialScope::Same, "https://ghcr.io/v2/a/", "https://ghcr.io/token", true),
            (CredentialScope::Same, "https://ghcr.io/v2/a/", "https://ghcr.io:8443/token", false),
            (CredentialScope::Same, "https://ghcr.io/v2/a/", "https://evil.example/token", false),
            (CredentialScope::Google, "https://gcr.io/v2/a/", "https://gcr.io/v2/token", true),
            (
                CredentialScope::Google,
                "https://eu.gcr.io/v2/a/",
                "https://europe-docker.pkg.dev/v2/token",
                true,
            ),
            (
                CredentialScope::Google,
                "https://gcr.io/v2/a/",
                "https://gcr.io:8443/v2/token",
                false,
            ),
            (CredentialScope::Google, "https://gcr.io/v2/a/", "https://evil.example/gcr.io", false),
            (
                CredentialScope::Endpoint,
                "https://registry.example/v2/a/",
                "https://auth.example/token",
                true,
            ),
            (gitlab(), "https://registry.gitlab.com/v2/a/", "https://gitlab.com/jwt/auth", true),
            (gitlab(), "https://registry.gitlab.com/v2/a/", "https://evil.example/jwt/auth", false),
        ] {
            assert_eq!(permit(&reach, &url(base), &url(realm)).is_ok(), ok, "{base} {realm}");
        }
    }
}
