// SPDX-License-Identifier: Apache-2.0
//! The client of Fulcio: it gets a certificate for an identity and a key.

mod error;
#[doc(hidden)]
pub mod fuzzing;
mod wire;

use ambisign_host::request::{self, bearer};
use ambisign_host::{Answer, Host, HttpError, Token};
use rand_core::CryptoRng;
use reqwest::header::AUTHORIZATION;
use url::Url;

use crate::certificate::SigningCertificate;
use crate::credential::Credential;
use crate::identity::prediction;
use crate::identity::{Identity, Mismatch};
use crate::key::EphemeralKey;
use crate::limits::FULCIO;
use crate::service::{self, Kind};
use crate::trust::Trust;
pub use error::{Error, Objection};

/// An artifact whose signature can be delivered.
///
/// Implement it only for types whose construction checks that, because a certificate puts the identity
/// into a public log permanently.
pub trait Deliverable {}

/// The Fulcio of this run.
pub struct Fulcio<'a> {
    host: &'a Host,
    trust: &'a Trust,
}

impl<'a> Fulcio<'a> {
    /// The Fulcio that the signing config of `trust` selects.
    pub fn new(host: &'a Host, trust: &'a Trust) -> Self {
        Self { host, trust }
    }

    /// Requests a certificate for `key` and checks it (gate G5): it is for this key, for the
    /// predicted identity or for one that the token claims, chains to the trusted root, and carries an SCT of a trusted log.
    ///
    /// `_first` and `_rest` are the artifacts to sign. They prove that there is something to sign and
    /// that its signature can be delivered.
    ///
    /// # Errors
    /// Fulcio refuses, cannot be reached, or returns a certificate that is not for this request.
    pub async fn issue<D: Deliverable, R: CryptoRng>(
        &self,
        identity: &Identity,
        _first: &D,
        _rest: &[D],
        rng: &mut R,
    ) -> Result<Credential, Error> {
        let key = EphemeralKey::generate(rng);
        let request = key.request(rng).ok_or(Error::Encoding)?;
        let answer = self.ask(identity.token(), &request).await?;
        let leaf = wire::leaf(&answer.body).filter(|_| answer.status.is_success());
        let Some(leaf) = leaf else {
            return Err(self.without_certificate(&answer, identity).await);
        };
        let certificate = SigningCertificate::parse(&leaf)?;
        self.check(&certificate, &key, identity)?;
        Ok(Credential::new(key, certificate))
    }

    async fn ask(&self, token: &Token, request: &str) -> Result<Answer, HttpError> {
        let url = request::below(&self.trust.services().fulcio.url, "api/v2/signingCert");
        let body = wire::request(request);
        let mut request =
            request::post_accepting(url, "application/json", "application/json", body);
        // Parsed tokens are always valid in a header.
        let bearer = bearer(token.expose()).map(|bearer| (AUTHORIZATION, bearer));
        request.headers_mut().extend(bearer);
        self.host.net.send(&FULCIO, request).await
    }

    fn check(
        &self,
        certificate: &SigningCertificate,
        key: &EphemeralKey,
        identity: &Identity,
    ) -> Result<(), Error> {
        let ours = key.public_key().ok_or(Error::Encoding)?;
        if certificate.spki_der() != ours {
            return Err(Error::KeyMismatch);
        }
        certificate.trusted(self.trust.root())?;
        let (san, issuer) = (certificate.san(), certificate.issuer());
        identity.vouches_for(san, issuer).map_err(|mismatch| {
            let Mismatch { what, found, expected } = mismatch;
            Error::IdentityMismatch { what, found, expected }
        })
    }

    /// What an answer without certificate means. What is not in Fulcio's words is not from Fulcio.
    async fn without_certificate(&self, answer: &Answer, identity: &Identity) -> Error {
        let status = answer.status.as_u16();
        if answer.status.is_success() && wire::is_certificate(&answer.body) {
            return Error::Unreadable;
        }
        let message = wire::message(&answer.body).filter(|_| !answer.status.is_success());
        let Some(message) = message.filter(|_| !service::is_of_url(status)) else {
            if answer.status.is_server_error() && !service::is_of_url(status) {
                let excerpt = answer.excerpt(&self.host.net);
                return Error::Rejected { status, excerpt };
            }
            let url = &self.trust.services().fulcio.url;
            return service::mistaken(self.host, Kind::Fulcio, url, answer).await.into();
        };
        let excerpt = self.host.net.excerpt(message.as_bytes());
        match status {
            400 | 401 | 403 | 413 | 415 | 422 => Error::Refused {
                place: identity.place().cloned(),
                status,
                excerpt,
                issuer: identity.issuer().to_owned(),
                objection: self.objection(identity, &message).await,
            },
            _ => Error::Rejected { status, excerpt },
        }
    }

    /// Fulcio gives one message for nearly every token that it does not like. Its configuration tells
    /// more.
    async fn objection(&self, identity: &Identity, message: &str) -> Objection {
        if message != wire::OF_A_TOKEN {
            return Objection::Quoted;
        }
        let url = configuration(&self.trust.services().fulcio.url);
        let answer = self.host.net.send(&FULCIO, request::get_json(url)).await;
        let objection = answer.ok().and_then(|answer| objection(&answer, identity));
        objection.unwrap_or(Objection::Unread)
    }
}

/// The URL of the configuration of the Fulcio at `base`. Reading it makes nothing public.
pub fn configuration(base: &Url) -> Url {
    request::below(base, "api/v2/configuration")
}

/// Fulcio's objection to `identity`, according to the configuration in `answer`; `None` if that cannot
/// be read.
pub fn objection(answer: &Answer, identity: &Identity) -> Option<Objection> {
    let issuers = Some(answer).filter(|answer| answer.status.is_success())?;
    let issuers = wire::issuers(&issuers.body)?;
    let issuer = identity.issuer();
    let exact = issuers.iter().find(|one| one.issuer_url.as_deref() == Some(issuer));
    let by_pattern = || {
        issuers.iter().find(|one| {
            let pattern = one.wildcard_issuer_url.as_deref();
            pattern.is_some_and(|pattern| prediction::matches(pattern, issuer))
        })
    };
    Some(match exact.or_else(by_pattern) {
        None => Objection::Issuer,
        Some(one) if !identity.audiences().contains(&one.audience) => {
            Objection::Audience { wanted: one.audience.clone() }
        }
        Some(one) if one.is_of_email() && !identity.has_email(one.skip_email_verification) => {
            Objection::Email
        }
        Some(_) => Objection::None,
    })
}
