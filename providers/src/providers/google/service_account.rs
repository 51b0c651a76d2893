// SPDX-License-Identifier: Apache-2.0
//! The key of a Google service account. It signs assertions (RFC 7523), for which Google's token endpoint
//! returns an identity token or an access token.

use std::time::UNIX_EPOCH;

use ambisign_host::request::{post, received, shape};
use ambisign_host::{Answer, Host, Net, Token, errors, is_loopback, plain_http_allowed};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};
use zeroize::ZeroizeOnDrop;

use crate::{RequestError, http, limits};

/// Google's token endpoint, if the file does not name one.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// The hosts that may receive an assertion, because the URL comes from the file, which is not trusted.
const TOKEN_HOSTS: &[&str] =
    &["oauth2.googleapis.com", "accounts.google.com", "www.googleapis.com"];

const UNIVERSE: &str = "googleapis.com";

/// RFC 7523 2.1.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The longest life of an assertion that Google accepts, in seconds.
const LIFE: u64 = 3600;

errors! {
    /// A service-account key yields no token.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("Google's token endpoint answered with an empty token")]
        Empty = "service-account/empty", Identity {
            what: "Google returned no token for the key.",
            why: "This is a fault of Google or of a proxy.",
            advice: "Run again.",
        },
        #[error("the key of {account} names {host} as token endpoint, which is not Google's")]
        Host {
            account: String,
            /// Scheme and host.
            host: String,
        } = "service-account/host", Identity {
            what: "The key file names a token endpoint that is not Google's.",
            why: "Assertions signed with the key would be sent to that host.",
            advice: "Download the key file again: its `token_uri` must be `https://oauth2.googleapis.com/token`.",
        },
        /// The request failed.
        #[error("Google's token endpoint gave no usable answer")]
        Http(#[from] error: RequestError) = request error in "service-account" { fix: error.fix() },
        #[error("Google does not accept key {key_id} of {account}: `{excerpt}`")]
        InvalidGrant {
            account: String,
            /// The public ID of the key.
            key_id: String,
            excerpt: String,
        } = "service-account/invalid-grant", Identity {
            what: "Google does not accept the key.",
            why: "The key or its account was deleted or disabled, or the clock of this machine is wrong.",
            advice: "Check the clock of this machine, and that the key still exists.",
        },
        #[error("the private key of {account} cannot be used")]
        Key { account: String } = "service-account/key", Identity {
            what: "The private key in the file cannot be used.",
            why: "It lost its line breaks, usually in a variable.",
            advice: "Download the key file again, and keep it as a file, byte for byte.",
        },
        #[error("Google's token endpoint refused: HTTP {status} `{excerpt}`")]
        Refused { status: u16, excerpt: String } = "service-account/refused", Identity {
            what: "Google refused the request with the key.",
            why: "The message shows its answer, which has the reason.",
            advice: "Act on the answer in the message, then run again.",
        },
        #[error("the key of {account} belongs to the universe {universe:?}, which is not supported")]
        Universe { account: String, universe: String } = "service-account/universe", Identity {
            what: "The key belongs to another cloud than Google's public one.",
            why: "Such clouds have other hosts, which are not known here.",
            advice: "Use an account of Google's public cloud.",
        },
        #[error("the answer of Google's token endpoint cannot be read: {shape}")]
        Unreadable { shape: String } = "service-account/unreadable", Identity {
            what: "The answer to the request with the key could not be read.",
            why: "A proxy probably answered with its own page.",
            advice: "Check that no proxy answers in Google's place, then run again.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

/// The members of the file that are used.
#[derive(Deserialize, ZeroizeOnDrop)]
pub(super) struct File {
    client_email: String,
    client_id: Option<String>,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: Option<String>,
    universe_domain: Option<String>,
}

/// A service account with its key.
pub(crate) struct Key {
    account: String,
    unique_id: Option<String>,
    private_key: SecretString,
    key_id: String,
    token_uri: Url,
}

impl Key {
    pub(super) fn new(net: &Net, mut file: File) -> Result<Self, Error> {
        net.guard(&file.private_key);
        let account = std::mem::take(&mut file.client_email);
        let universe = file.universe_domain.take().filter(|name| name != UNIVERSE);
        if let Some(universe) = universe {
            return Err(Error::Universe { account, universe });
        }
        let token_uri = file.token_uri.as_deref().unwrap_or(TOKEN_URI);
        let url = Url::parse(token_uri).ok();
        let Some(token_uri) = url.clone().filter(is_google) else {
            let host = url.map(|url| url.origin().ascii_serialization());
            return Err(Error::Host { account, host: host.unwrap_or_else(|| "no URL".to_owned()) });
        };
        Ok(Self {
            account,
            unique_id: file.client_id.take(),
            private_key: std::mem::take(&mut file.private_key).into(),
            key_id: file.private_key_id.take().unwrap_or_default(),
            token_uri,
        })
    }

    /// The e-mail address of the account.
    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    /// Returns `true` if `name`, an e-mail address or a unique ID, is this account.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.account == name || self.unique_id.as_deref() == Some(name)
    }

    /// An identity token of the account itself.
    pub(crate) async fn identity_token(&self, host: &Host, audience: &str) -> Result<Token, Error> {
        #[derive(Deserialize, ZeroizeOnDrop)]
        struct Body {
            id_token: String,
        }

        let answer = self.redeem(host, ("target_audience", audience)).await?;
        let body: Body = answer.json().ok_or_else(|| unreadable(&answer))?;
        received(&host.net, &body.id_token).ok_or(Error::Empty)
    }

    /// An access token of the account for Google's APIs.
    pub(crate) async fn access_token(&self, host: &Host) -> Result<Token, Error> {
        #[derive(Deserialize, ZeroizeOnDrop)]
        struct Body {
            access_token: String,
        }

        let answer = self.redeem(host, ("scope", SCOPE)).await?;
        let body: Body = answer.json().ok_or_else(|| unreadable(&answer))?;
        received(&host.net, &body.access_token).ok_or(Error::Empty)
    }

    async fn redeem(&self, host: &Host, wish: (&str, &str)) -> Result<Answer, Error> {
        let now = host.clock.now().duration_since(UNIX_EPOCH);
        let assertion = self.assertion(now.unwrap_or_default().as_secs(), wish)?;
        host.net.guard(&assertion);
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", GRANT)
            .append_pair("assertion", &assertion)
            .finish();
        let media_type = "application/x-www-form-urlencoded";
        let request = post(self.token_uri.clone(), media_type, form);
        let answer = http::send(host, &limits::GOOGLE, request).await?;
        if answer.status == StatusCode::OK {
            return Ok(answer);
        }
        Err(self.refusal(&host.net, &answer))
    }

    fn refusal(&self, net: &Net, answer: &Answer) -> Error {
        // RFC 6749 5.2
        #[derive(Deserialize)]
        struct Body {
            error: String,
        }

        let (status, excerpt) = (answer.status.as_u16(), answer.excerpt(net));
        match answer.json::<Body>() {
            Some(body) if body.error == "invalid_grant" => Error::InvalidGrant {
                account: self.account.clone(),
                key_id: self.key_id.clone(),
                excerpt,
            },
            Some(_) | None => Error::Refused { status, excerpt },
        }
    }

    /// A JWT for the token endpoint, signed with the key (RFC 7523 3). Times are in seconds since 1970.
    fn assertion(&self, now: u64, (wish, value): (&str, &str)) -> Result<String, Error> {
        let unusable = || Error::Key { account: self.account.clone() };
        let pair = key_pair(self.private_key.expose_secret()).ok_or_else(unusable)?;
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let claims = json!({
            "iss": self.account,
            "aud": self.token_uri.as_str(),
            "iat": now,
            "exp": now.saturating_add(LIFE),
            (wish): value,
        });
        let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", segment(&header), segment(&claims));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_unspecified| unusable())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn unreadable(answer: &Answer) -> Error {
    Error::Unreadable { shape: shape(answer) }
}

fn is_google(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let google = TOKEN_HOSTS.contains(&host) && url.port().is_none();
    plain_http_allowed(url) && (google || is_loopback(url))
}

/// Parses PKCS#8, which Google writes, or PKCS#1, to which some tools convert it.
fn key_pair(pem: &str) -> Option<RsaKeyPair> {
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok(),
        PrivateKeyDer::Sec1(_) | _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ambisign_host::Explain;
    use url::Url;

    use super::{File, Key, is_google};
    use crate::choose::tests::Place;

    #[test]
    fn assertions_go_to_google_only() {
        let is = |url: &str| is_google(&Url::parse(url).unwrap());
        for url in [
            "https://oauth2.googleapis.com/token",
            "https://accounts.google.com/o/oauth2/token",
            "https://www.googleapis.com/oauth2/v4/token",
            "http://127.0.0.1:8080/token",
        ] {
            assert!(is(url), "{url}");
        }
        for url in [
            "http://oauth2.googleapis.com/token",
            "https://oauth2.googleapis.com:8443/token",
            "https://oauth2.googleapis.com.evil.example/token",
            "https://user@oauth2.googleapis.com/token",
            "https://evil.example/token",
            "http://localhost/token",
        ] {
            assert!(!is(url), "{url}");
        }
    }

    #[test]
    fn keys_that_cannot_be_used_are_refused() {
        let place = Place::new();
        let key = |extra: &str| {
            let text = format!(
                r#"{{"client_email":"sa@p.iam.gserviceaccount.com","private_key":"c4n4ry"{extra}}}"#
            );
            let file: File = serde_json::from_str(&text).unwrap();
            Key::new(&place.host().net, file)
        };
        let error = |extra| key(extra).err().unwrap();
        assert_eq!(
            error(r#","token_uri":"https://evil.example/x""#).code(),
            "service-account/host"
        );
        assert_eq!(
            error(r#","universe_domain":"example.goog""#).code(),
            "service-account/universe"
        );
        let error = key("").unwrap().assertion(0, ("scope", "x")).unwrap_err();
        assert_eq!(error.code(), "service-account/key");
        assert!(!format!("{error:?} {error}").contains("c4n4ry"));
    }
}
