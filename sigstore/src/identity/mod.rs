// SPDX-License-Identifier: Apache-2.0
//! Identity token -> identity: the claims, and what the certificate will say because of them.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use ambisign_host::{Class, Explain, Token, json, shown};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

pub mod prediction;

pub use prediction::Prediction;

/// A longer token is not looked at, in bytes.
const LONGEST_TOKEN: usize = 16 * 1024;
/// A token must live at least this long, or it is over before Fulcio sees it.
const SHORTEST_LIFE: Duration = Duration::from_secs(30);
/// How far a token may come from the future before the clock is to blame.
const CLOCK_LEEWAY: Duration = Duration::from_secs(60);

/// Claims that say how visible a repository is: GitHub's and GitLab's.
const VISIBILITIES: [&str; 2] = ["repository_visibility", "project_visibility"];
/// What everybody may see.
const PUBLIC: &str = "public";

/// An identity token whose claims are readable, for our audience, and not expired.
///
/// The token's signature is **not** checked: that is Fulcio's work, and the certificate that comes
/// back is checked against [`Identity::prediction`].
#[derive(Debug)]
pub struct Identity {
    token: Token,
    issuer: String,
    subject: String,
    audiences: Vec<String>,
    claims: Map<String, Value>,
    prediction: Prediction,
}

/// Why a token cannot be used as an identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The token was minted for somebody else.
    #[error("the identity token is for audience {found:?}, and this run needs {wanted:?}")]
    Audience {
        /// The audiences of the token.
        found: Vec<String>,
        /// The audience that was asked for.
        wanted: String,
    },
    /// A later token of the run stands for somebody else than the first.
    #[error(
        "a later identity token stands for {what} {found:?}, and this run began with {before:?}"
    )]
    Changed {
        /// `identity` or `issuer`.
        what: &'static str,
        /// What it is now.
        found: String,
        /// What the run began with, and told.
        before: String,
    },
    /// The e-mail address was not verified by the issuer.
    #[error("the identity token of {issuer} does not say that its e-mail address is verified")]
    EmailNotVerified {
        /// The issuer.
        issuer: String,
    },
    /// The token's time is over, or will be before it can be used.
    #[error("the identity token {}", expiry(*ago, *left))]
    Expired {
        /// Since when.
        ago: Duration,
        /// The time it has left.
        left: Duration,
    },
    /// The issuer is not a URL that an issuer can have.
    #[error("the identity token has an issuer that is not an https URL: {issuer:?}")]
    Issuer {
        /// The beginning of the issuer.
        issuer: String,
    },
    /// The certificate needs a claim that the token lacks.
    #[error("the identity token of {issuer} has no claim `{claim}`")]
    MissingClaim {
        /// The issuer.
        issuer: String,
        /// The claim.
        claim: &'static str,
    },
    /// Not a JSON Web Token in its compact form.
    #[error("the identity token is not a JSON Web Token: {why} ({length} bytes)")]
    NotAJwt {
        /// What is wrong with its form; never its content.
        why: &'static str,
        /// The length in bytes.
        length: usize,
    },
    /// The token comes from the future.
    #[error("the identity token becomes valid in {} s, so the clock of this machine is wrong", by.as_secs())]
    NotYetValid {
        /// How far.
        by: Duration,
    },
    /// The identity is not the one that the user insists on.
    #[error("the {what} of this run is {found:?}, and {wanted:?} is required")]
    NotRequired {
        /// `identity` or `issuer`.
        what: &'static str,
        /// What it is, in the certificate or as predicted for it.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// The run took longer than a token that there is only one of.
    #[error(
        "the certificate is too old to sign more, and the identity token that was given is over"
    )]
    Outlived,
    /// A private repository would become known.
    #[error(
        "the repository is {visibility}, and signing puts its name, workflow, commit and the digests \
         of the images into a public log for good"
    )]
    Private {
        /// The visibility as the token says it.
        visibility: String,
    },
    /// Nobody can tell whether the identity has signed an image before.
    #[error(
        "the identity of the certificate is not known before it is issued, and so not whether it has signed before"
    )]
    Unpredicted,
}

fn expiry(ago: Duration, left: Duration) -> String {
    if left.is_zero() {
        format!("expired {} s ago", ago.as_secs())
    } else {
        format!("expires in {} s, before it can be used", left.as_secs())
    }
}

impl Explain for IdentityError {
    fn code(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Audience { .. } => "identity/audience",
            Self::Changed { .. } => "identity/changed",
            Self::EmailNotVerified { .. } => "identity/email-not-verified",
            Self::Expired { .. } => "identity/expired",
            Self::Issuer { .. } => "identity/issuer",
            Self::MissingClaim { .. } => "identity/missing-claim",
            Self::NotAJwt { .. } => "identity/not-a-jwt",
            Self::NotRequired { .. } => "identity/not-required",
            Self::NotYetValid { .. } => "identity/not-yet-valid",
            Self::Outlived => "identity/outlived",
            Self::Private { .. } => "identity/private",
            Self::Unpredicted => "identity/unpredicted",
        })
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Audience { wanted, .. } => format!("mint the token with audience {wanted:?}").into(),
            Self::Changed { .. } => "see who replaces the token while the run goes on".into(),
            Self::EmailNotVerified { .. } => "use an account whose e-mail address is verified".into(),
            Self::Expired { .. } => {
                "mint the token in the step that signs, or let ambisign ask for it".into()
            }
            Self::Issuer { .. } => "check where the token comes from".into(),
            Self::MissingClaim { claim, .. } => missing_claim_fix(claim).into(),
            Self::NotAJwt { .. } => {
                "give the raw token: three base64url parts with dots between, no `Bearer`, no quotes"
                    .into()
            }
            Self::NotRequired { .. } => {
                "sign in the job that has this identity, or change `--require-identity` and \
                 `--require-issuer`"
                    .into()
            }
            Self::NotYetValid { .. } => "set the clock of the machine (NTP)".into(),
            Self::Unpredicted => {
                "pass `--require-identity` and `--require-issuer`, which must then hold".into()
            }
            Self::Outlived => {
                "sign the other images in another run, or let ambisign ask for the token itself"
                    .into()
            }
            Self::Private { .. } => {
                "pass `--allow-private-repository` if its name, workflow and commit may be public, \
                 or sign with an instance of your own"
                    .into()
            }
        })
    }

    fn class(&self) -> Class {
        Class::Identity
    }
}

fn missing_claim_fix(claim: &str) -> &'static str {
    match claim {
        "ci_config_ref_uri" | "ci_config_sha" => {
            "keep .gitlab-ci.yml in the project that signs, and include others from there"
        }
        "oidc.circleci.com/pipeline-definition-id" => {
            "use a pipeline with a pipeline definition (a GitHub App project)"
        }
        "email" => "mint the token with its e-mail (`includeEmail`, `format=full`)",
        _ => "use a token of the CI job itself",
    }
}

impl Identity {
    /// Reads the claims of `token` and judges them at `now`.
    ///
    /// # Errors
    /// The token is no JWT (RFC 7519), is not for `audience`, is not valid now, or lacks what its
    /// issuer's certificates need.
    pub fn parse(token: Token, audience: &str, now: SystemTime) -> Result<Self, IdentityError> {
        let claims = claims(token.expose())?;
        let issuer = issuer(&claims)?;
        let audiences = audiences(&claims);
        if !audiences.iter().any(|found| found == audience) {
            let found = audiences.iter().take(8).map(|one| shown(one)).collect();
            return Err(IdentityError::Audience {
                found,
                wanted: audience.to_owned(),
            });
        }
        check_times(&issuer, &claims, now)?;
        let Some(subject) = text(&claims, "sub") else {
            return Err(IdentityError::MissingClaim {
                issuer,
                claim: "sub",
            });
        };
        let prediction = prediction::predict(&issuer, &claims)?;
        Ok(Self {
            token,
            issuer,
            subject: subject.to_owned(),
            audiences,
            claims,
            prediction,
        })
    }

    /// The token itself, for Fulcio.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// The claim `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The claim `sub`.
    pub fn sub(&self) -> &str {
        &self.subject
    }

    /// The claim `aud`, as a list.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// What the certificate will say.
    pub fn prediction(&self) -> &Prediction {
        &self.prediction
    }

    /// How visible the repository is, where the token says so (GitHub, GitLab). Of several claims one
    /// that is not `public` counts, and one that is no text is not `public`.
    pub fn visibility(&self) -> Option<&str> {
        let said = VISIBILITIES.iter().filter_map(|claim| {
            let claim = self.claims.get(*claim).filter(|claim| !claim.is_null())?;
            Some(claim.as_str().unwrap_or("of unreadable visibility"))
        });
        let mut said: Vec<&str> = said.collect();
        said.sort_by_key(|visibility| *visibility == PUBLIC);
        said.first().copied()
    }

    /// The repository of a GitHub job, `owner/name`: that of whoever calls a reusable workflow.
    pub fn repository(&self) -> Option<&str> {
        text(&self.claims, "repository").filter(|_| self.claims.contains_key("job_workflow_ref"))
    }

    /// When the token ends (`exp`).
    pub fn expires(&self) -> Option<SystemTime> {
        time(&self.claims, "exp")
    }

    /// When the token was made (`iat`), where it says so.
    pub fn issued(&self) -> Option<SystemTime> {
        time(&self.claims, "iat")
    }

    /// Refuses an identity that is known to differ from the required one.
    ///
    /// # Errors
    /// [`IdentityError::NotRequired`]
    pub fn require(
        &self,
        identity: Option<&str>,
        issuer: Option<&str>,
    ) -> Result<(), IdentityError> {
        match &self.prediction {
            Prediction::Known { san, issuer: found } => require((san, found), (identity, issuer)),
            Prediction::Unknown => Ok(()),
        }
    }

    /// Refuses to publish the name of a private repository without consent. With it, gives the
    /// visibility of the repository that becomes known.
    ///
    /// # Errors
    /// [`IdentityError::Private`]
    pub fn guard_privacy(
        &self,
        log_is_public: bool,
        consent: bool,
    ) -> Result<Option<String>, IdentityError> {
        let hidden = self.visibility().filter(|visibility| *visibility != PUBLIC);
        match hidden.map(shown).filter(|_| log_is_public) {
            Some(visibility) if !consent => Err(IdentityError::Private { visibility }),
            published => Ok(published),
        }
    }
}

/// Refuses another identity and issuer than those with which a run began: they are what the reader
/// was told, and what was consented to.
///
/// # Errors
/// [`IdentityError::Changed`]
pub fn unchanged(
    (san, issuer): (&str, &str),
    (first_san, first_issuer): (&str, &str),
) -> Result<(), IdentityError> {
    let pairs = [
        ("identity", san, first_san),
        ("issuer", issuer, first_issuer),
    ];
    match pairs.into_iter().find(|(_, found, before)| found != before) {
        Some((what, found, before)) => Err(IdentityError::Changed {
            what,
            found: shown(found),
            before: shown(before),
        }),
        None => Ok(()),
    }
}

/// Compares a certificate identity and issuer with the required ones.
///
/// # Errors
/// [`IdentityError::NotRequired`]
pub fn require(
    (san, issuer): (&str, &str),
    (wanted_san, wanted_issuer): (Option<&str>, Option<&str>),
) -> Result<(), IdentityError> {
    let differs = |what, found: &str, wanted: Option<&str>| match wanted {
        Some(wanted) if wanted != found => Err(IdentityError::NotRequired {
            what,
            found: shown(found),
            wanted: wanted.to_owned(),
        }),
        Some(_) | None => Ok(()),
    };
    differs("identity", san, wanted_san)?;
    differs("issuer", issuer, wanted_issuer)
}

/// The payload of a compact JWS. Dots are counted before anything is split, so that a hostile token
/// costs nothing.
fn claims(token: &str) -> Result<Map<String, Value>, IdentityError> {
    let length = token.len();
    let no = |why| Err(IdentityError::NotAJwt { why, length });
    if length > LONGEST_TOKEN {
        return no("it is too long");
    }
    if token.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return no("it has not three parts");
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next())
    else {
        return no("it has not three parts");
    };
    let Some(header) = object(header) else {
        return no("its header is not a JSON object");
    };
    match header.get("alg") {
        Some(Value::String(alg)) if !alg.eq_ignore_ascii_case("none") => {}
        Some(_) | None => return no("it names no signature algorithm"),
    }
    if signature.is_empty() || URL_SAFE_NO_PAD.decode(signature).is_err() {
        return no("its signature is not base64url");
    }
    if object(payload).is_none() {
        return no("its payload is not a JSON object with distinct keys");
    }
    jsonwebtoken::dangerous::insecure_decode_claims(token)
        .or_else(|_reason| no("its payload is not a JSON object"))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    json::parse(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn issuer(claims: &Map<String, Value>) -> Result<String, IdentityError> {
    let issuer = text(claims, "iss").unwrap_or_default();
    let url = url::Url::parse(issuer).ok().filter(|url| {
        ambisign_host::plain_http_allowed(url)
            && url.query().is_none()
            && url.fragment().is_none()
            // Issuers are compared as text, so there must be nothing that a URL parser mends.
            && issuer.starts_with(url.scheme())
            && !issuer.contains(|c: char| c.is_whitespace() || c.is_control())
            && issuer.len() <= 512
    });
    match url {
        Some(_) => Ok(issuer.to_owned()),
        None => Err(IdentityError::Issuer {
            issuer: shown(issuer),
        }),
    }
}

fn audiences(claims: &Map<String, Value>) -> Vec<String> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(_) | None => Vec::new(),
    }
}

fn check_times(
    issuer: &str,
    claims: &Map<String, Value>,
    now: SystemTime,
) -> Result<(), IdentityError> {
    let Some(expires) = time(claims, "exp") else {
        return Err(IdentityError::MissingClaim {
            issuer: issuer.to_owned(),
            claim: "exp",
        });
    };
    let left = expires.duration_since(now).unwrap_or_default();
    if left < SHORTEST_LIFE {
        let ago = now.duration_since(expires).unwrap_or_default();
        return Err(IdentityError::Expired { ago, left });
    }
    for claim in ["nbf", "iat"] {
        let ahead = time(claims, claim).and_then(|time| time.duration_since(now).ok());
        if let Some(by) = ahead.filter(|by| *by > CLOCK_LEEWAY) {
            return Err(IdentityError::NotYetValid { by });
        }
    }
    Ok(())
}

/// A NumericDate (RFC 7519 2): seconds, possibly with a fraction.
fn time(claims: &Map<String, Value>, claim: &str) -> Option<SystemTime> {
    let seconds = claims
        .get(claim)?
        .as_f64()
        .filter(|s| (0.0..1e11).contains(s))?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds))
}

/// The claim as text, when it is text and not empty.
pub(crate) fn text<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a str> {
    claims.get(claim)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use ambisign_host::{Explain, Token};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::{Identity, IdentityError};

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
    }

    fn token(claims: &Value) -> Token {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "RS256"});
        Token::new(&format!("{}.{}.c2ln", part(&header), part(claims))).unwrap()
    }

    fn claims() -> Value {
        json!({"iss": "https://issuer.example", "sub": "s", "aud": "sigstore",
               "exp": 1_795_000_300, "iat": 1_795_000_000})
    }

    fn with(claim: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[claim] = value;
        claims
    }

    fn code(token: Token) -> String {
        match Identity::parse(token, "sigstore", now()) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.code().into_owned(),
        }
    }

    #[test]
    fn judges_claims() {
        for (claims, expected) in [
            (claims(), "ok"),
            (with("aud", json!(["other", "sigstore"])), "ok"),
            (with("exp", json!(1_795_000_300.5)), "ok"),
            (with("iss", json!("http://127.0.0.1:23000/github")), "ok"),
            (with("aud", json!("Sigstore")), "identity/audience"),
            (with("aud", json!(null)), "identity/audience"),
            (with("exp", json!(1_794_999_999)), "identity/expired"),
            (with("exp", json!(1_795_000_010)), "identity/expired"),
            (with("exp", json!("soon")), "identity/missing-claim"),
            (with("nbf", json!(1_795_000_200)), "identity/not-yet-valid"),
            (with("sub", json!("")), "identity/missing-claim"),
            (
                with("iss", json!("http://issuer.example")),
                "identity/issuer",
            ),
            (
                with("iss", json!("https://user@issuer.example")),
                "identity/issuer",
            ),
            (with("iss", json!("htTps://a.example")), "identity/issuer"),
            (with("iss", json!(" https://a.example")), "identity/issuer"),
            (with("iss", json!("https://a.exa\tmple")), "identity/issuer"),
        ] {
            assert_eq!(code(token(&claims)), expected, "{claims}");
        }
    }

    #[test]
    fn refuses_what_is_no_token_and_never_shows_it() {
        let twice = URL_SAFE_NO_PAD.encode(r#"{"iss":"https://a","iss":"https://b"}"#);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let body = URL_SAFE_NO_PAD.encode(claims().to_string());
        for text in [
            "Bearer canary".to_owned(),
            "{\"value\":\"canary\"}".to_owned(),
            "canary.canary.canary".to_owned(),
            format!("{header}.{twice}.c2ln"),
            format!("{none}.{body}.c2ln"),
            format!("{header}.{body}."),
            format!("{header}.{body}.c2ln.c2ln.c2ln"),
            "canary.".repeat(3_000),
        ] {
            let error = Identity::parse(Token::new(&text).unwrap(), "sigstore", now()).unwrap_err();
            assert_eq!(error.code(), "identity/not-a-jwt", "{text}");
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn guards_private_repositories() {
        let claims = with("repository_visibility", json!("internal"));
        let identity = Identity::parse(token(&claims), "sigstore", now()).unwrap();
        assert!(matches!(
            identity.guard_privacy(true, false),
            Err(IdentityError::Private { .. })
        ));
        let published = identity.guard_privacy(true, true);
        assert_eq!(published.unwrap().as_deref(), Some("internal"));
        assert_eq!(identity.guard_privacy(false, false).unwrap(), None);
    }

    #[test]
    fn only_what_is_called_public_is_public() {
        let guarded = |pairs: &[(&str, Value)]| {
            let mut claims = claims();
            for (claim, value) in pairs {
                claims[*claim] = value.clone();
            }
            let identity = Identity::parse(token(&claims), "sigstore", now()).unwrap();
            identity.guard_privacy(true, false).is_err()
        };
        let (github, gitlab) = ("repository_visibility", "project_visibility");
        for value in [
            json!("private"),
            json!("internal"),
            json!("Public"),
            json!(" public"),
            json!(""),
            json!(false),
            json!(0),
            json!(["public"]),
            json!({"public": true}),
        ] {
            assert!(guarded(&[(github, value.clone())]), "{value}");
            assert!(guarded(&[(gitlab, value.clone())]), "{value}");
            let one = (github, json!("public"));
            assert!(guarded(&[one, (gitlab, value.clone())]), "{value}");
        }
        assert!(!guarded(&[(github, json!("public"))]));
        assert!(!guarded(&[(gitlab, json!("public"))]));
        assert!(!guarded(&[(github, Value::Null)]));
        assert!(!guarded(&[]));
    }
}
