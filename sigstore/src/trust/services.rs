// SPDX-License-Identifier: Apache-2.0
//! The signing config: which Fulcio, logs and timestamp authorities a run uses
//! (`sigstore_trustroot.proto`, `SigningConfig`).

use std::collections::BTreeSet;
use std::time::SystemTime;

use ambisign_host::request::same_url;
use ambisign_host::{excerpt, plain_http_allowed};
use serde::Deserialize;
use url::Url;

use super::error::Error;
use super::kind::ServiceKind;
use crate::pki::window::{self, Window};
use crate::protojson::nullable;

/// The media type that is read and written.
pub(super) const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

/// A signing config, with everything that it lists.
#[derive(Clone, Debug)]
pub struct SigningConfig {
    fulcio: Vec<ServiceEntry>,
    logs: Vec<ServiceEntry>,
    log_selector: ServiceSelector,
    authorities: Vec<ServiceEntry>,
    authority_selector: ServiceSelector,
}

/// The services of one run.
#[derive(Clone, Debug)]
pub struct Services {
    /// The Fulcio that issues the certificate.
    pub fulcio: Service,
    /// The logs for signatures, at least one.
    pub logs: Vec<Service>,
    /// The timestamp authorities, if any.
    pub authorities: Vec<Service>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The base URL, or the whole URL of a timestamp authority. It is https or a loopback address.
    pub url: Url,
    /// The major version of its API.
    pub version: u32,
    /// The operator.
    pub operator: String,
}

/// A service in a signing config.
#[derive(Clone, Debug)]
struct ServiceEntry {
    service: Service,
    window: Window,
}

/// The number of services to use.
#[derive(Clone, Copy, Debug)]
enum ServiceSelector {
    /// All, one of each operator.
    All,
    /// Any one.
    Any,
    /// This number, each of another operator.
    Exact(usize),
    /// The config does not specify the number, or has an unknown value.
    Undefined,
}

impl SigningConfig {
    /// Parses a signing config of version 0.2.
    ///
    /// # Errors
    /// It is not a signing config, a window has no start, or a URL is invalid or is plain HTTP to
    /// another machine.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let wire: Wire =
            ambisign_host::json::parse(json).map_err(|error| malformed(error.to_string()))?;
        if wire.media_type != MEDIA_TYPE {
            return Err(malformed(format!("media type {:?}", excerpt(&wire.media_type))));
        }
        Ok(Self {
            fulcio: entries(&wire.ca_urls, ServiceKind::Fulcio)?,
            logs: entries(&wire.rekor_tlog_urls, ServiceKind::Log)?,
            log_selector: wire.rekor_tlog_config.selector(),
            authorities: entries(&wire.tsa_urls, ServiceKind::TimestampAuthority)?,
            authority_selector: wire.tsa_config.selector(),
        })
    }

    /// The services to use at `now`.
    ///
    /// # Errors
    /// No Fulcio or no log is usable now; timestamp authorities are listed, but none is usable now; too
    /// few services are listed; or the number of services to use is not specified.
    pub fn select(&self, now: SystemTime) -> Result<Services, Error> {
        let fulcio = self.fulcio(now)?;
        let logs = self.logs(now)?;
        let authorities = self.authorities(now)?;
        Ok(Services { fulcio, logs, authorities })
    }

    pub(crate) fn fulcio(&self, now: SystemTime) -> Result<Service, Error> {
        let fulcio = choose(&self.fulcio, ServiceSelector::Any, ServiceKind::Fulcio, now)?;
        let what = ServiceKind::Fulcio.name();
        let none = Error::NoService { what };
        fulcio.into_iter().next().ok_or(none)
    }

    /// The logs to use. A config without logs means no logging, which this program does not support.
    pub(crate) fn logs(&self, now: SystemTime) -> Result<Vec<Service>, Error> {
        choose(&self.logs, self.log_selector, ServiceKind::Log, now)
    }

    pub(crate) fn authorities(&self, now: SystemTime) -> Result<Vec<Service>, Error> {
        if self.authorities.is_empty() {
            return Ok(Vec::new());
        }
        choose(&self.authorities, self.authority_selector, ServiceKind::TimestampAuthority, now)
    }

    /// The end of the window of `service`; `None` if it has no end or is not listed.
    pub fn end_of(&self, service: &Service) -> Option<SystemTime> {
        let all = [&self.fulcio, &self.logs, &self.authorities];
        let mut entries = all.into_iter().flatten();
        let entry = entries.find(|entry| entry.service == *service)?;
        entry.window.end()
    }

    /// Returns `true` if the config lists a service of this kind at this URL; a trailing slash does not
    /// matter.
    pub(super) fn names(&self, kind: ServiceKind, url: &Url) -> bool {
        let entries = match kind {
            ServiceKind::Fulcio => &self.fulcio,
            ServiceKind::Log => &self.logs,
            ServiceKind::TimestampAuthority => &self.authorities,
        };
        let mut entries = entries.iter();
        entries.any(|entry| same_url(&entry.service.url, url))
    }
}

/// A service that the user named, known only by its URL and version.
pub(super) fn named(url: &Url, version: u32, kind: ServiceKind) -> Result<Service, Error> {
    let url = allowed(url.clone(), kind)?;
    Ok(Service { operator: url.host_str().unwrap_or_default().to_owned(), url, version })
}

/// The steps of the specification: (1) keep known versions that are valid now, (2) only the highest
/// version, (3) newest first, (4) one of each operator, (5) the specified number.
fn choose(
    entries: &[ServiceEntry],
    selector: ServiceSelector,
    kind: ServiceKind,
    now: SystemTime,
) -> Result<Vec<Service>, Error> {
    let what = kind.name();
    let usable = |entry: &&ServiceEntry| {
        kind.versions().contains(&entry.service.version) && entry.window.contains(now)
    };
    let mut usable: Vec<_> = entries.iter().filter(usable).collect();
    let highest = usable.iter().map(|entry| entry.service.version).max();
    usable.retain(|entry| Some(entry.service.version) == highest);
    usable.sort_by_key(|entry| std::cmp::Reverse(entry.window.start()));
    let mut operators = BTreeSet::new();
    usable.retain(|entry| operators.insert(entry.service.operator.as_str()));
    if usable.is_empty() {
        return Err(Error::NoService { what });
    }
    let wanted = match selector {
        ServiceSelector::All => usable.len(),
        ServiceSelector::Any => 1,
        ServiceSelector::Exact(count) => count,
        ServiceSelector::Undefined => {
            return Err(malformed(format!(
                "it does not specify how many services of kind {what} to use"
            )));
        }
    };
    let found = usable.len();
    if wanted > found {
        return Err(Error::TooFew { what, wanted, found });
    }
    usable.truncate(wanted);
    Ok(usable.into_iter().map(|entry| entry.service.clone()).collect())
}

fn entries(wires: &[WireService], kind: ServiceKind) -> Result<Vec<ServiceEntry>, Error> {
    wires.iter().map(|wire| read_entry(wire, kind)).collect()
}

fn read_entry(wire: &WireService, kind: ServiceKind) -> Result<ServiceEntry, Error> {
    let at = |why: &str| malformed(format!("{} {:?}: {why}", kind.name(), excerpt(&wire.url)));
    let url = Url::parse(&wire.url).map_err(|_text| at("not a URL"))?;
    let window = wire.valid_for.read();
    Ok(ServiceEntry {
        service: Service {
            url: allowed(url, kind)?,
            version: wire.major_api_version,
            operator: wire.operator.clone(),
        },
        window: window.ok_or_else(|| at("it has no usable `validFor.start`"))?,
    })
}

fn allowed(url: Url, kind: ServiceKind) -> Result<Url, Error> {
    if plain_http_allowed(&url) {
        return Ok(url);
    }
    Err(Error::Url { what: kind.name(), url: excerpt(&url.origin().ascii_serialization()) })
}

fn malformed(why: impl Into<String>) -> Error {
    Error::Malformed { what: "signing config", why: why.into() }
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
    fn selector(&self) -> ServiceSelector {
        match (self.selector.as_str(), self.count) {
            ("ALL", _) => ServiceSelector::All,
            ("ANY", _) => ServiceSelector::Any,
            ("EXACT", count) if count > 0 => ServiceSelector::Exact(count),
            _ => ServiceSelector::Undefined,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Error, Services, SigningConfig};

    const NOW: &str = "2026-11-25T00:00:00Z";

    fn service(url: &str, version: u32, start: &str, operator: &str) -> Value {
        json!({"url": url, "majorApiVersion": version, "operator": operator,
            "validFor": {"start": format!("{start}T00:00:00Z")}})
    }

    fn config() -> Value {
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [
                service("https://future.test", 1, "2027-01-01", "a"),
                service("https://old.test", 1, "2025-01-01", "a"),
                service("https://new.test", 1, "2026-01-01", "a"),
                service("https://unknown.test", 2, "2026-02-01", "a"),
            ],
            "rekorTlogUrls": [
                service("https://v1.test", 1, "2026-05-01", "a"),
                service("https://v2-a-old.test", 2, "2025-01-01", "a"),
                service("https://v2-a.test", 2, "2026-01-01", "a"),
                service("https://v2-b.test", 2, "2025-06-01", "b"),
                service("https://v3.test", 3, "2026-01-01", "c"),
            ],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [service("https://tsa.test/stamp", 1, "2025-01-01", "a")],
            "tsaConfig": {"selector": "EXACT", "count": 1},
        })
    }

    fn select(config: &Value, now: &str) -> Result<Services, Error> {
        let now = humantime::parse_rfc3339(now).unwrap();
        SigningConfig::parse(config.to_string().as_bytes())?.select(now)
    }

    fn logs(selector: Value) -> Result<Vec<String>, Error> {
        let mut config = config();
        config["rekorTlogConfig"] = selector;
        let logs = select(&config, NOW)?.logs;
        Ok(logs.iter().map(|log| log.url.to_string()).collect())
    }

    #[test]
    fn takes_the_newest_of_the_highest_version() {
        let services = select(&config(), NOW).unwrap();
        assert_eq!(services.fulcio.url.as_str(), "https://new.test/");
        assert_eq!(services.logs[0].url.as_str(), "https://v2-a.test/");
        assert_eq!(services.logs[0].version, 2);
        assert_eq!(services.authorities[0].url.as_str(), "https://tsa.test/stamp");
    }

    #[test]
    fn takes_one_service_of_each_operator() {
        let both = ["https://v2-a.test/", "https://v2-b.test/"];
        assert_eq!(logs(json!({"selector": "ANY"})).unwrap(), both[..1]);
        assert_eq!(logs(json!({"selector": "ALL"})).unwrap(), both);
        let exact = |count: u32| logs(json!({"selector": "EXACT", "count": count}));
        assert_eq!(exact(1).unwrap(), both[..1]);
        assert_eq!(exact(2).unwrap(), both);
        assert!(matches!(exact(3), Err(Error::TooFew { wanted: 3, found: 2, .. })));
    }

    #[test]
    fn needs_a_rule() {
        for selector in [
            json!(null),
            json!({"selector": "SERVICE_SELECTOR_UNDEFINED"}),
            json!({"selector": "EXACT"}),
            json!({"selector": "EXACT", "count": 0}),
        ] {
            assert!(matches!(logs(selector), Err(Error::Malformed { .. })));
        }
    }

    #[test]
    fn needs_usable_services() {
        for member in ["caUrls", "rekorTlogUrls"] {
            let mut config = config();
            config[member] = json!([]);
            assert!(matches!(select(&config, NOW), Err(Error::NoService { .. })));
        }
        let mut without = config();
        without["tsaUrls"] = json!([]);
        assert_eq!(select(&without, NOW).unwrap().authorities, []);
        let mut ended = config();
        ended["tsaUrls"][0]["validFor"]["end"] = "2026-11-24T23:59:59Z".into();
        assert!(matches!(select(&ended, NOW), Err(Error::NoService { .. })));
        ended["tsaUrls"][0]["validFor"]["end"] = NOW.into();
        assert!(select(&ended, NOW).is_ok());
    }

    #[test]
    fn refuses_what_is_broken() {
        for (pointer, value) in [
            ("/mediaType", json!("application/vnd.dev.sigstore.signingconfig.v0.1+json")),
            ("/caUrls/0/url", json!("not a URL")),
            ("/caUrls/0/validFor", json!({})),
            ("/caUrls/0/majorApiVersion", json!(-1)),
        ] {
            let mut config = config();
            *config.pointer_mut(pointer).unwrap() = value;
            assert!(matches!(select(&config, NOW), Err(Error::Malformed { .. })), "{pointer}");
        }
    }

    #[test]
    fn refuses_plain_http_to_another_machine() {
        for (url, good) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080", false),
            ("http://ca.test", false),
            ("https://user@ca.test", false),
        ] {
            let mut config = config();
            config["caUrls"][1]["url"] = url.into();
            let found = select(&config, NOW);
            assert_eq!(found.is_ok(), good, "{url}");
            assert!(good || matches!(found, Err(Error::Url { .. })));
        }
    }
}
