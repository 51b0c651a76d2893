// SPDX-License-Identifier: Apache-2.0
//! The signing config: which Fulcio, logs and timestamp authorities a run uses
//! (`sigstore_trustroot.proto`, `SigningConfig`).

use std::collections::BTreeSet;
use std::time::SystemTime;

use ambisign_providers::plain_http_allowed;
use serde::Deserialize;
use url::Url;

use super::error::Error;
use super::root::same_url;
use super::window::{self, Window};
use crate::protojson::nullable;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

/// A signing config: everything that it offers.
#[derive(Clone, Debug)]
pub struct SigningConfig {
    fulcio: Vec<Offer>,
    logs: Vec<Offer>,
    log_rule: Rule,
    authorities: Vec<Offer>,
    authority_rule: Rule,
}

/// The services of one run.
#[derive(Clone, Debug)]
pub struct Services {
    /// Issues the certificate.
    pub fulcio: Service,
    /// Where signatures are logged: one or more.
    pub logs: Vec<Service>,
    /// Where signatures are timestamped: none or more.
    pub authorities: Vec<Service>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The base URL; of a timestamp authority the whole URL. It is https or a loopback address.
    pub url: Url,
    /// The major version of its API.
    pub version: u32,
    /// Who runs it.
    pub operator: String,
}

/// A service as the signing config lists it.
#[derive(Clone, Debug)]
struct Offer {
    service: Service,
    window: Window,
}

/// How many of the services to use.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// All, one of each operator.
    All,
    /// Any one.
    Any,
    /// So many, each of another operator.
    Exact(usize),
    /// The config does not say, or says something unknown.
    Undefined,
}

/// A kind of service: its name in messages and the versions that are spoken here.
#[derive(Clone, Copy)]
struct Sort {
    what: &'static str,
    versions: &'static [u32],
}

const FULCIO: Sort = Sort {
    what: "Fulcio",
    versions: &[1],
};
const LOG: Sort = Sort {
    what: "log",
    versions: &[1, 2],
};
const TSA: Sort = Sort {
    what: "timestamp authority",
    versions: &[1],
};

impl SigningConfig {
    /// Reads a signing config of version 0.2.
    ///
    /// # Errors
    /// Not such a file; a window without start; a URL that is none, or that is plain HTTP to
    /// another machine.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let wire: Wire = crate::json::parse(json).map_err(|error| malformed(error.to_string()))?;
        if wire.media_type != MEDIA_TYPE {
            return Err(malformed(format!("media type {:?}", wire.media_type)));
        }
        Ok(Self {
            fulcio: offers(&wire.ca_urls, FULCIO)?,
            logs: offers(&wire.rekor_tlog_urls, LOG)?,
            log_rule: wire.rekor_tlog_config.rule(),
            authorities: offers(&wire.tsa_urls, TSA)?,
            authority_rule: wire.tsa_config.rule(),
        })
    }

    /// The services to use at `now`.
    ///
    /// # Errors
    /// Of Fulcio or of the logs none can be used now; timestamp authorities are listed, but none
    /// can be used now; there are too few of them; no rule says how many.
    pub fn select(&self, now: SystemTime) -> Result<Services, Error> {
        let fulcio = self.fulcio(now)?;
        let logs = self.logs(now)?;
        let authorities = self.authorities(now)?;
        Ok(Services {
            fulcio,
            logs,
            authorities,
        })
    }

    pub(crate) fn fulcio(&self, now: SystemTime) -> Result<Service, Error> {
        let fulcio = choose(&self.fulcio, Rule::Any, FULCIO, now)?;
        let none = Error::NoService { what: FULCIO.what };
        fulcio.into_iter().next().ok_or(none)
    }

    /// A config without log means that nothing is logged, which is not done here.
    pub(crate) fn logs(&self, now: SystemTime) -> Result<Vec<Service>, Error> {
        choose(&self.logs, self.log_rule, LOG, now)
    }

    pub(crate) fn authorities(&self, now: SystemTime) -> Result<Vec<Service>, Error> {
        if self.authorities.is_empty() {
            return Ok(Vec::new());
        }
        choose(&self.authorities, self.authority_rule, TSA, now)
    }

    /// Whether the config lists this URL; a slash at the end does not matter.
    pub fn names_url(&self, url: &Url) -> bool {
        let mut all = self
            .fulcio
            .iter()
            .chain(&self.logs)
            .chain(&self.authorities);
        all.any(|offer| same_url(&offer.service.url, url))
    }
}

/// A service that the user named, of which nothing else is known.
pub(crate) fn named(url: &Url, version: u32, what: &'static str) -> Result<Service, Error> {
    let url = allowed(url.clone(), what)?;
    Ok(Service {
        operator: url.host_str().unwrap_or_default().to_owned(),
        url,
        version,
    })
}

/// The steps of the specification: (1) known versions and valid now, (2) the highest version only,
/// (3) the newest first, (4) one of each operator, (5) as many as the rule says.
fn choose(
    offers: &[Offer],
    rule: Rule,
    sort: Sort,
    now: SystemTime,
) -> Result<Vec<Service>, Error> {
    let what = sort.what;
    let usable = |offer: &&Offer| {
        sort.versions.contains(&offer.service.version) && offer.window.contains(now)
    };
    let mut usable: Vec<_> = offers.iter().filter(usable).collect();
    let highest = usable.iter().map(|offer| offer.service.version).max();
    usable.retain(|offer| Some(offer.service.version) == highest);
    usable.sort_by_key(|offer| std::cmp::Reverse(offer.window.start()));
    let mut operators = BTreeSet::new();
    usable.retain(|offer| operators.insert(offer.service.operator.as_str()));
    if usable.is_empty() {
        return Err(Error::NoService { what });
    }
    let wanted = match rule {
        Rule::All => usable.len(),
        Rule::Any => 1,
        Rule::Exact(count) => count,
        Rule::Undefined => {
            return Err(malformed(format!(
                "it does not say how many of kind {what} to use"
            )));
        }
    };
    let found = usable.len();
    if wanted > found {
        return Err(Error::TooFew {
            what,
            wanted,
            found,
        });
    }
    usable.truncate(wanted);
    Ok(usable
        .into_iter()
        .map(|offer| offer.service.clone())
        .collect())
}

fn offers(wires: &[WireService], sort: Sort) -> Result<Vec<Offer>, Error> {
    wires.iter().map(|wire| read_offer(wire, sort)).collect()
}

fn read_offer(wire: &WireService, sort: Sort) -> Result<Offer, Error> {
    let at = |why: &str| malformed(format!("{} {:?}: {why}", sort.what, wire.url));
    let url = Url::parse(&wire.url).map_err(|_text| at("not a URL"))?;
    let window = wire.valid_for.read();
    Ok(Offer {
        service: Service {
            url: allowed(url, sort.what)?,
            version: wire.major_api_version,
            operator: wire.operator.clone(),
        },
        window: window.ok_or_else(|| at("it has no usable `validFor.start`"))?,
    })
}

fn allowed(url: Url, what: &'static str) -> Result<Url, Error> {
    if plain_http_allowed(&url) {
        return Ok(url);
    }
    let url = url.origin().ascii_serialization();
    Err(Error::Url { what, url })
}

fn malformed(why: impl Into<String>) -> Error {
    Error::Malformed {
        what: "signing config",
        why: why.into(),
    }
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    media_type: String,
    #[serde(default, deserialize_with = "nullable")]
    ca_urls: Vec<WireService>,
    #[serde(default, deserialize_with = "nullable")]
    rekor_tlog_urls: Vec<WireService>,
    #[serde(default, deserialize_with = "nullable")]
    rekor_tlog_config: WireRule,
    #[serde(default, deserialize_with = "nullable")]
    tsa_urls: Vec<WireService>,
    #[serde(default, deserialize_with = "nullable")]
    tsa_config: WireRule,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireService {
    url: String,
    #[serde(default, deserialize_with = "nullable")]
    major_api_version: u32,
    #[serde(default, deserialize_with = "nullable")]
    valid_for: window::Wire,
    #[serde(default, deserialize_with = "nullable")]
    operator: String,
}

#[derive(Debug, Default, Deserialize)]
struct WireRule {
    #[serde(default, deserialize_with = "nullable")]
    selector: String,
    #[serde(default, deserialize_with = "nullable")]
    count: usize,
}

impl WireRule {
    fn rule(&self) -> Rule {
        match (self.selector.as_str(), self.count) {
            ("ALL", _) => Rule::All,
            ("ANY", _) => Rule::Any,
            ("EXACT", count) if count > 0 => Rule::Exact(count),
            _ => Rule::Undefined,
        }
    }
}
