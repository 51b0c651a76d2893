// SPDX-License-Identifier: Apache-2.0
//! The OIDC issuer, and the places where CI systems hand its tokens out: GitHub's token endpoint,
//! the GCE metadata server, IAM Credentials, Google's token endpoint for service accounts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as URL64};
use serde_json::{Map, Value, json};

use crate::http::{Reply, Request, Service, reply, reply_json, with};
use crate::keys::{self, RsaKey};
use crate::{Clock, Error};

/// Claims of a token.
pub(crate) type Claims = Map<String, Value>;

/// The request token of a GitHub job, the same as the real stack's: a test can take either.
pub const REQUEST_TOKEN: &str = "realstack-request-token";
/// The access token that the Google endpoints give and take.
const ACCESS_TOKEN: &str = "realstack-access-token";
/// The account of the metadata server.
const MACHINE: &str = "ci@demo.iam.gserviceaccount.com";
/// The account of the service-account file.
pub(crate) const ACCOUNT: &str = "sa@demo.iam.gserviceaccount.com";

/// Whom the certificate of a token of the issuer `github` names, unless a claim is changed.
pub const IDENTITY: &str =
    "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main";

/// How Fulcio reads the tokens of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The subject is the e-mail address.
    Email,
    /// The subject is the workflow.
    Github,
}

/// The local issuers: path below the base URL, kind, and claims of their tokens.
pub(crate) fn issuers() -> [(&'static str, Kind, Value); 4] {
    let sha = "a".repeat(40);
    let workflow = "acme/app/.github/workflows/release.yml@refs/heads/main";
    let email = json!({"sub": "1", "email": "dev@example.test", "email_verified": true});
    let google = json!({"sub": "1088", "azp": "1088", "email": MACHINE, "email_verified": true});
    let dex = json!({"sub": "Cg0w", "email": "dev@example.test", "email_verified": true,
        "federated_claims": {"connector_id": "https://github.com/login/oauth", "user_id": "1"}});
    let github = json!({
        "sub": "repo:acme/app:ref:refs/heads/main", "repository": "acme/app",
        "repository_id": "1001", "repository_owner": "acme", "repository_owner_id": "2002",
        "repository_visibility": "public", "workflow": "release", "workflow_ref": workflow,
        "workflow_sha": sha, "job_workflow_ref": workflow, "job_workflow_sha": sha,
        "ref": "refs/heads/main", "ref_type": "branch", "sha": sha, "event_name": "push",
        "run_id": "42", "run_attempt": "1", "run_number": "7", "actor": "octocat",
        "actor_id": "3003", "runner_environment": "github-hosted"});
    [
        ("email", Kind::Email, email),
        ("google", Kind::Email, google),
        ("dex", Kind::Email, dex),
        ("github", Kind::Github, github),
    ]
}

/// The issuer.
pub(crate) struct Issuer {
    /// Base URL; the issuers are `{base}/{name}`.
    base: String,
    key: RsaKey,
    /// Of the service account.
    account: RsaKey,
    clock: Clock,
    /// Number of the next token, so that no two are alike.
    count: AtomicU64,
}

impl Issuer {
    /// An issuer at `base`.
    pub(crate) fn new(base: String, clock: Clock) -> Result<Arc<Self>, Error> {
        let [key, account] = [keys::ISSUER, keys::ACCOUNT].map(RsaKey::from_pkcs8);
        let (key, account, count) = (key?, account?, AtomicU64::new(0));
        Ok(Arc::new(Self { base, key, account, clock, count }))
    }

    /// A token of the issuer `name`; `changes` replace its claims, null removes one.
    pub(crate) fn mint(
        &self,
        name: &str,
        changes: Claims,
        times: Times<'_>,
    ) -> Result<String, Error> {
        let (_, _, claims) = issuers()
            .into_iter()
            .find(|(known, _, _)| *known == name)
            .ok_or_else(|| Error::Issuer(name.to_owned()))?;
        let now = self.clock.seconds();
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut all = json!({"iss": format!("{}/{name}", self.base), "aud": times.audience,
            "iat": now, "nbf": now, "exp": now.saturating_add_signed(times.ttl), "jti": format!("{now}-{count}")});
        if let (Some(all), Value::Object(claims)) = (all.as_object_mut(), claims) {
            all.extend(claims.into_iter().chain(changes));
            all.retain(|_, value| !value.is_null());
        }
        let head = json!({"alg": "RS256", "typ": "JWT", "kid": "sandbox-1"});
        let signed =
            format!("{}.{}", URL64.encode(head.to_string()), URL64.encode(all.to_string()));
        let signature = self.key.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL64.encode(signature)))
    }

    /// The claims of a token that one of our issuers signed for Sigstore, and their issuer's kind.
    pub(crate) fn verify(&self, token: &str) -> Option<(Kind, Claims)> {
        let claims = claims(token, &self.key)?;
        let name = claims.get("iss")?.as_str()?.strip_prefix(&self.base)?.strip_prefix('/')?;
        let (_, kind, _) = issuers().into_iter().find(|(known, _, _)| *known == name)?;
        let audience = claims.get("aud")?;
        let ours = audience == "sigstore"
            || audience.as_array().is_some_and(|all| all.iter().any(|one| one == "sigstore"));
        let now = self.clock.seconds();
        let early = claims.get("nbf").and_then(Value::as_u64).is_some_and(|nbf| nbf > now + 300);
        let late = claims.get("exp")?.as_u64()? <= now;
        (ours && !early && !late).then_some((kind, claims))
    }

    /// What Fulcio says of its issuers.
    pub(crate) fn configuration(&self) -> Value {
        let issuers = issuers().map(|(name, kind, _)| {
            let (kind, claim) = match kind {
                Kind::Email => ("email", "email"),
                Kind::Github => ("ci-provider", "sub"),
            };
            json!({"issuerUrl": format!("{}/{name}", self.base), "audience": "sigstore",
                "challengeClaim": claim, "spiffeTrustDomain": "", "issuerType": kind,
                "subjectDomain": "", "skipEmailVerification": false})
        });
        json!({"issuers": issuers})
    }

    fn keys(&self) -> Reply {
        let (n, e) = self.key.numbers().unwrap_or_default();
        reply_json(
            200,
            &json!({"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig",
            "kid": "sandbox-1", "n": URL64.encode(n), "e": URL64.encode(e)}]}),
        )
    }

    fn discovery(&self, name: &str) -> Reply {
        let issuer = format!("{}/{name}", self.base);
        reply_json(
            200,
            &json!({"issuer": issuer, "jwks_uri": format!("{}/jwks", self.base),
            "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"), "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"]}),
        )
    }

    /// `{"<member>": token}`.
    fn hand_out(&self, member: &str, name: &str, changes: Claims, audience: &str) -> Reply {
        match self.mint(name, changes, Times { audience, ttl: 600 }) {
            Ok(token) => reply_json(200, &json!({member: token})),
            Err(error) => reply_json(500, &json!({"error": error.to_string()})),
        }
    }

    fn github(&self, request: &Request) -> Reply {
        if request.bearer() != Some(REQUEST_TOKEN) {
            return reply_json(401, &json!({"message": "bad credentials"}));
        }
        let audience = request.query("audience").unwrap_or("https://github.com/acme");
        self.hand_out("value", "github", Claims::new(), audience)
    }

    /// The metadata server: the flavour is asked of the request and shown in every answer.
    fn metadata(&self, request: &Request, what: &str) -> Reply {
        if request.header("metadata-flavor") != Some("Google") {
            return reply_json(403, &json!({"error": "missing Metadata-Flavor"}));
        }
        let text = match what {
            "identity" => {
                let Some(audience) = request.query("audience") else {
                    return reply(400, "text/html", "non-empty audience parameter required");
                };
                // The address is in the full format only.
                let full = request.query("format") == Some("full");
                let changes = if full { Claims::new() } else { without_email() };
                match self.mint("google", changes, Times { audience, ttl: 600 }) {
                    Ok(token) => token,
                    Err(error) => return reply(500, "text/plain", error.to_string()),
                }
            }
            "token" => access_token().to_string(),
            "email" => MACHINE.to_owned(),
            "universe-domain" => "googleapis.com".to_owned(),
            _ => "demo".to_owned(),
        };
        with(reply(200, "application/text", text), "metadata-flavor", "Google")
    }

    /// IAM Credentials: a token of `account` for who holds an access token.
    fn impersonate(&self, request: &Request, account: &str) -> Reply {
        if request.bearer() != Some(ACCESS_TOKEN) {
            let error = json!({"code": 401, "status": "UNAUTHENTICATED",
                "message": "invalid credentials"});
            return reply_json(401, &json!({"error": error}));
        }
        let ask = request.json().unwrap_or_default();
        let Some(audience) = ask.get("audience").and_then(Value::as_str) else {
            let error = json!({"code": 400, "status": "INVALID_ARGUMENT",
                "message": "audience is required"});
            return reply_json(400, &json!({"error": error}));
        };
        let included = ask.get("includeEmail").and_then(Value::as_bool) == Some(true);
        let changes = if included { with_email(account) } else { without_email() };
        self.hand_out("token", "google", changes, audience)
    }

    /// Google's token endpoint (RFC 7523): the assertion must be by the service account's key.
    fn exchange(&self, request: &Request) -> Reply {
        let form: Vec<_> = url::form_urlencoded::parse(&request.body).collect();
        let Some((_, assertion)) = form.iter().find(|(name, _)| name == "assertion") else {
            return reply_json(200, &access_token());
        };
        let claims = claims(assertion, &self.account).filter(|claims| {
            claims.get("iss").is_some_and(|iss| iss == ACCOUNT)
                && claims.get("exp").and_then(Value::as_u64) > Some(self.clock.seconds())
        });
        let Some(claims) = claims else {
            let why = "Invalid JWT Signature.";
            return reply_json(400, &json!({"error": "invalid_grant", "error_description": why}));
        };
        match claims.get("target_audience").and_then(Value::as_str) {
            Some(audience) => self.hand_out("id_token", "google", with_email(ACCOUNT), audience),
            None => reply_json(200, &access_token()),
        }
    }
}

/// For whom a token is, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Times<'a> {
    pub(crate) audience: &'a str,
    /// Seconds; negative for a token that has expired.
    pub(crate) ttl: i64,
}

impl Service for Issuer {
    fn name(&self) -> &'static str {
        "oidc"
    }

    fn answer(&self, request: &Request) -> Reply {
        let known = |name: &str| issuers().iter().any(|(issuer, _, _)| *issuer == name);
        let account = || {
            let path = request.path.strip_prefix("/v1/projects/-/serviceAccounts/")?;
            path.strip_suffix(":generateIdToken")
        };
        match (request.method.as_str(), request.parts().as_slice()) {
            // What clients probe to see whether a metadata server is there.
            ("GET", [""]) => with(reply(200, "text/plain", ""), "metadata-flavor", "Google"),
            ("GET", ["jwks"]) => self.keys(),
            ("GET", [name, ".well-known", "openid-configuration"]) if known(name) => {
                self.discovery(name)
            }
            ("GET", ["actions", "token"]) => self.github(request),
            ("GET", ["computeMetadata", "v1", .., what]) => self.metadata(request, what),
            ("POST", ["token"]) => self.exchange(request),
            ("POST", _) if account().is_some() => {
                self.impersonate(request, account().unwrap_or_default())
            }
            _ => reply_json(404, &json!({"error": "not found"})),
        }
    }
}

/// The claims of a JWT that `key` signed with RS256.
fn claims(token: &str, key: &RsaKey) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, body) = signed.split_once('.')?;
    let head: Value = serde_json::from_slice(&URL64.decode(head).ok()?).ok()?;
    let genuine = head.get("alg").is_some_and(|alg| alg == "RS256")
        && key.verifies(signed.as_bytes(), &URL64.decode(signature).ok()?);
    genuine.then(|| serde_json::from_slice(&URL64.decode(body).ok()?).ok()).flatten()
}

fn access_token() -> Value {
    json!({"access_token": ACCESS_TOKEN, "expires_in": 3599, "token_type": "Bearer"})
}

fn with_email(account: &str) -> Claims {
    [("email".to_owned(), account.into()), ("email_verified".to_owned(), true.into())]
        .into_iter()
        .collect()
}

fn without_email() -> Claims {
    ["email", "email_verified"].map(|name| (name.to_owned(), Value::Null)).into_iter().collect()
}
