// SPDX-License-Identifier: Apache-2.0
//! Compares the trusted root with the services before anything is public, as far as they describe
//! themselves.
//!
//! The requests leave no traces. A service that does not answer them is not an error, because some
//! deployments expose only what signing needs.

mod authority;
mod error;
mod log;
mod names;

use std::time::SystemTime;

use ambisign_host::{Answer, Host, Warning, request};
use futures_util::future::{join_all, join3};
use url::Url;

use crate::fulcio::{self, Objection};
use crate::identity::Identity;
use crate::service::{self, Kind, QUESTION};
use crate::trust::{Service, Trust};
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
    mistaken: Option<service::Error>,
}

impl Answers {
    /// Asks every service of `trust`, together, for seconds at most.
    pub async fn ask(host: &Host, trust: &Trust) -> Self {
        let services = trust.services();
        let authority = async {
            // One after the other, over one connection.
            let url = &services.fulcio.url;
            let bundle = ask(host, (Kind::Fulcio, url), trust_bundle(url)).await;
            let configuration = match bundle {
                Asked::Told(_) | Asked::Untold => get(host, fulcio::configuration(url)).await,
                Asked::Mistaken(_) => None,
            };
            (bundle, configuration)
        };
        let heads = services.logs.iter().map(|log| {
            let kind = log_kind(log);
            ask(host, (kind, &log.url), tree_head(log))
        });
        let stamps = services.authorities.iter().map(|one| {
            let kind = Kind::TimestampAuthority;
            ask(host, (kind, &one.url), one.url.clone())
        });
        let all = join3(authority, join_all(heads), join_all(stamps)).await;
        let ((bundle, configuration), heads, stamps) = all;
        let mut answers = Self::default();
        answers.bundle = answers.told(bundle);
        answers.configuration = configuration;
        for head in heads {
            let head = answers.told(head);
            answers.heads.push(head);
        }
        for stamp in stamps {
            let _nothing = answers.told(stamp);
        }
        answers
    }

    fn told(&mut self, asked: Asked) -> Option<Answer> {
        match asked {
            Asked::Told(answer) => Some(answer),
            Asked::Untold => None,
            Asked::Mistaken(error) => {
                self.mistaken = self.mistaken.take().or(Some(error));
                None
            }
        }
    }

    /// Checks that the trusted root of `trust` matches the answers at `now`, and returns warnings.
    ///
    /// # Errors
    /// Another service answers at a URL, or the trusted root belongs to another Fulcio or log.
    pub fn verify(&mut self, trust: &Trust, now: SystemTime) -> Result<Vec<Warning>, Error> {
        if let Some(error) = self.mistaken.take() {
            return Err(error.into());
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

    /// Whether Fulcio takes the token of `identity`, by its own configuration.
    ///
    /// # Errors
    /// [`fulcio::Error::Objected`]
    pub fn accept(&self, identity: &Identity) -> Result<(), fulcio::Error> {
        let configuration = self.configuration.as_ref();
        match configuration.and_then(|answer| fulcio::objection(answer, identity)) {
            None | Some(Objection::None | Objection::Quoted | Objection::Unread) => Ok(()),
            Some(objection) => {
                Err(fulcio::Error::Objected { issuer: identity.issuer().to_owned(), objection })
            }
        }
    }
}

/// What came of a question.
enum Asked {
    Told(Answer),
    Untold,
    Mistaken(service::Error),
}

async fn get(host: &Host, url: Url) -> Option<Answer> {
    let answer = host.net.send(&QUESTION, request::get_json(url)).await;
    answer.ok()
}

/// Asks the service of `kind` at `url` the `question`. Where that is not answered, the service shows
/// by a request that it cannot use whether it is one at all.
async fn ask(host: &Host, (kind, url): (Kind, &Url), question: Url) -> Asked {
    let Some(answer) = get(host, question).await else {
        return Asked::Untold;
    };
    let is_good = answer.status.is_success() && !service::is_page(&answer.body);
    // An authority answers no GET, but tells another path from this one.
    let is_no_get = kind == Kind::TimestampAuthority && answer.status.as_u16() == 405;
    if is_good && kind != Kind::TimestampAuthority || is_no_get {
        return Asked::Told(answer);
    }
    service::confirm(host, kind, url).await.map_or(Asked::Untold, Asked::Mistaken)
}
