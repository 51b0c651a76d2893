// SPDX-License-Identifier: Apache-2.0
//! Compares the trusted root with the services before anything is public, as far as they describe
//! themselves.
//!
//! The requests make nothing public: an authority timestamps random bytes. A service that does not answer
//! them is not an error, because some deployments expose only what signing needs.

mod authority;
mod error;
mod log;
mod names;
mod stamp;

use std::time::SystemTime;

use ambisign_host::{Answer, Host, HttpError, HttpReason, Warning, request};
use futures_util::future::{join, join_all, join3};
use url::Url;

use crate::fulcio::{self, Objection};
use crate::identity::Identity;
use crate::service::{self, Kind, QUESTION};
use crate::trust::{Service, Trust};
use crate::witness::{self, Trial, Witnesses};
pub use authority::authority;
pub use error::{Error, Flaw, WARNINGS};
pub use log::head;
pub use names::permit;

/// Where the Fulcio at `base` shows the chains of its authorities.
pub fn trust_bundle(base: &Url) -> Url {
    request::below(base, "api/v2/trustBundle")
}

/// Where the log `service` shows the signed state of its tree.
pub fn tree_head(service: &Service) -> Url {
    let path = match log_kind(service) {
        Kind::RekorV2 => "api/v2/checkpoint",
        Kind::Fulcio | Kind::RekorV1 | Kind::TimestampAuthority => "api/v1/log",
    };
    request::below(&service.url, path)
}

fn log_kind(service: &Service) -> Kind {
    match service.version {
        2 => Kind::RekorV2,
        _ => Kind::RekorV1,
    }
}

/// The answers of the services.
#[derive(Debug, Default)]
pub struct Answers {
    bundle: Option<Answer>,
    configuration: Option<Answer>,
    heads: Vec<Option<Answer>>,
    stamps: Vec<Result<(), witness::Error>>,
    /// The first failure of Fulcio or a log.
    failed: Option<Error>,
}

impl Answers {
    /// Asks every service of `trust`, together, for seconds at most, and the timestamp authorities for
    /// the `trial`.
    pub async fn ask(host: &Host, trust: &Trust, trial: &Trial) -> Self {
        let services = trust.services();
        let url = &services.fulcio.url;
        // Together, because a round trip more would be longer than the registry takes.
        let authority = join(
            ask(host, (Kind::Fulcio, url), trust_bundle(url)),
            get(host, fulcio::configuration(url)),
        );
        let heads = services.logs.iter().map(|log| {
            let kind = log_kind(log);
            ask(host, (kind, &log.url), tree_head(log))
        });
        let witnesses = Witnesses::new(host, trust);
        let stamps = Box::pin(witnesses.try_stamps(trial));
        let all = join3(Box::pin(authority), join_all(heads), stamps).await;
        let ((bundle, configuration), heads, stamps) = all;
        let mut answers = Self::default();
        answers.bundle = answers.told(bundle);
        answers.configuration = configuration.ok();
        for head in heads {
            let head = answers.told(head);
            answers.heads.push(head);
        }
        answers.stamps = stamps;
        answers
    }

    fn told(&mut self, asked: Asked) -> Option<Answer> {
        match asked {
            Asked::Told(answer) => Some(answer),
            Asked::Untold => None,
            Asked::Failed(error) => {
                self.failed = self.failed.take().or(Some(error));
                None
            }
        }
    }

    /// Checks that the trusted root of `trust` matches the answers at `now`, and returns warnings.
    ///
    /// # Errors
    /// Another service answers at a URL, no connection to a log or a timestamp authority is possible, or
    /// the trusted root belongs to another Fulcio, log or timestamp authority.
    pub fn verify(&mut self, trust: &Trust, now: SystemTime) -> Result<Vec<Warning>, Error> {
        let warnings = self.verify_described(trust, now)?;
        self.verify_stamps(trust)?;
        Ok(warnings)
    }

    /// The part of [`Answers::verify`] that is about what Fulcio and the logs show of themselves.
    ///
    /// # Errors
    /// Those of [`Answers::verify`].
    pub fn verify_described(
        &mut self,
        trust: &Trust,
        now: SystemTime,
    ) -> Result<Vec<Warning>, Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let (root, services) = (trust.root(), trust.services());
        if let Some(bundle) = &self.bundle {
            authority(bundle, root, (&services.fulcio.url, now))?;
        }
        let mut warnings = Vec::new();
        for (log, answer) in services.logs.iter().zip(&self.heads) {
            if let Some(answer) = answer {
                warnings.extend(head(answer, log, root)?);
            }
        }
        Ok(warnings)
    }

    /// The part of [`Answers::verify`] that is about the timestamps. Returns how many were verified.
    ///
    /// # Errors
    /// An authority refuses, or returns what does not verify with the trusted root.
    pub fn verify_stamps(&mut self, trust: &Trust) -> Result<usize, Error> {
        let mut verified = 0;
        for (authority, stamp) in trust.services().authorities.iter().zip(self.stamps.drain(..)) {
            verified += usize::from(stamp::verified(&authority.url, stamp)?);
        }
        Ok(verified)
    }

    /// Whether Fulcio takes the token of `identity`, by its own configuration.
    ///
    /// # Errors
    /// [`fulcio::Error::Objected`]
    pub fn accept(&self, identity: &Identity) -> Result<(), fulcio::Error> {
        let configuration = self.configuration.as_ref();
        match configuration.and_then(|answer| fulcio::objection(answer, identity)) {
            None | Some(Objection::None | Objection::Quoted | Objection::Unread) => Ok(()),
            Some(objection) => {
                let (place, issuer) = (identity.place().cloned(), identity.issuer().to_owned());
                Err(fulcio::Error::Objected { place, issuer, objection })
            }
        }
    }
}

/// What came of a question.
enum Asked {
    Told(Answer),
    Untold,
    Failed(Error),
}

async fn get(host: &Host, url: Url) -> Result<Answer, HttpError> {
    host.net.send(&QUESTION, request::get_json(url)).await
}

/// Asks the service of `kind` at `url` the `question`. Where that is not answered, the service shows
/// by a request that it cannot use whether it is one at all.
async fn ask(host: &Host, (kind, url): (Kind, &Url), question: Url) -> Asked {
    let answer = match get(host, question).await {
        Ok(answer) => answer,
        // The request for the certificate shows the same of Fulcio.
        Err(error) if kind != Kind::Fulcio && is_of_connection(&error.reason) => {
            return Asked::Failed(witness::Error::Log(error).into());
        }
        Err(_) => return Asked::Untold,
    };
    if answer.status.is_success() && !service::is_page(&answer.body) {
        return Asked::Told(answer);
    }
    let mistaken = service::confirm(host, kind, url).await;
    mistaken.map_or(Asked::Untold, |error| Asked::Failed(error.into()))
}

impl Error {
    /// Whether no request to the service can succeed, because no connection to it is possible.
    pub fn is_of_connection(&self) -> bool {
        use witness::Error::{Log, Timestamp};
        matches!(self, Self::Witness(Log(error) | Timestamp(error)) if is_of_connection(&error.reason))
    }
}

/// Whether every request to the host fails for this reason, and another try does not help.
fn is_of_connection(reason: &HttpReason) -> bool {
    matches!(
        reason,
        HttpReason::NotTls
            | HttpReason::Proxy(_)
            | HttpReason::ProxyTls(_)
            | HttpReason::Tls { .. }
    )
}
