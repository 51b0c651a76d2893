// SPDX-License-Identifier: Apache-2.0
//! The trusted root and the signing config of a run.
//!
//! Both come from files, or otherwise from a TUF mirror. Each URL option replaces the services of its
//! kind.

pub mod create;
mod error;
mod files;
mod kind;
mod material;
mod options;
pub mod root;
pub mod services;
pub mod tuf;

use std::time::SystemTime;

use ambisign_host::{Host, HttpError, Warning, is_loopback};
use reqwest::{Method, Request};
use url::Url;

pub use error::{Error, WARNINGS};
pub use material::{MirrorUsed, Updated, update};
pub use options::{Mirror, RekorVersion, TrustOptions};
pub use root::TrustedRoot;
pub use services::{Service, Services, SigningConfig};

use self::kind::ServiceKind;
use self::material::Material;

/// The trusted root and the services of a run, loaded and checked together.
#[derive(Clone, Debug)]
pub struct Trust {
    root: TrustedRoot,
    services: Services,
    config: Option<SigningConfig>,
    mirror: Option<MirrorUsed>,
    warnings: Vec<Warning>,
}

impl Trust {
    /// Loads trusted root and signing config, replaces the services that the options name, and
    /// checks that a run with them can succeed (gates G3 and G4).
    ///
    /// A trusted root from a mirror must list every service that an option or a file names. Otherwise a
    /// token would be sent to a service whose certificates this root refuses.
    ///
    /// # Errors
    /// Files are missing or malformed; the mirror is unreachable or does not verify; services are not
    /// usable now or not https; a Rekor v2 log has no timestamp authority; the trusted root lacks an
    /// entry that the run needs.
    pub async fn load(host: &Host, options: &TrustOptions) -> Result<Self, Error> {
        let material = Material::gather(host, options).await?;
        let services = services(host, options, &material).await?;
        let v2 = services.logs.iter().any(|log| log.version == 2);
        if v2 && services.authorities.is_empty() {
            return Err(Error::NoTimestampAuthority);
        }
        let Material { root, config, mirror, warnings, .. } = material;
        root.sufficient(host.clock.now(), !services.authorities.is_empty())?;
        Ok(Self { root, services, config, mirror, warnings })
    }

    /// Loads only the trusted root, for verification, with warnings about its source. Expired authorities
    /// are accepted, because their old signatures stay valid.
    ///
    /// # Errors
    /// The file is missing or malformed, or the mirror is unreachable or does not verify.
    pub async fn load_root(
        host: &Host,
        options: &TrustOptions,
    ) -> Result<(TrustedRoot, Vec<Warning>), Error> {
        material::root(host, options).await
    }

    /// The trusted root.
    pub fn root(&self) -> &TrustedRoot {
        &self.root
    }

    /// The services to use.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Returns `true` if log entries are public permanently: the trusted root lists a log of the public
    /// instance, or all trust material came from that instance's mirror.
    pub fn is_public(&self) -> bool {
        let mirror = self.mirror.as_ref().map(|used| &used.mirror);
        self.root.is_public() || mirror == Some(&Mirror::Public)
    }

    /// Returns `true` if log entries can be read by everybody: those of the public instance, and of the staging
    /// instance, which is as open.
    pub fn publishes(&self) -> bool {
        let services = &self.services;
        let mut used = std::iter::once(&services.fulcio).chain(&services.logs);
        let mirror = self.mirror.as_ref().map(|used| &used.mirror);
        self.is_public()
            || mirror == Some(&Mirror::Staging)
            || used.any(|service| is_of(&service.url, &["sigstage.dev", "sigstore.dev"]))
    }

    /// Returns `true` if Fulcio is that of the public instance: its name shows it, as the connection has TLS, or the
    /// trusted root of that instance names it. One on this machine has no other operator, and counts too.
    pub fn asks_public_fulcio(&self, now: SystemTime) -> bool {
        let url = &self.services.fulcio.url;
        is_of(url, &["sigstore.dev"])
            || is_loopback(url)
            || (self.is_public() && self.root.names(ServiceKind::Fulcio, url, now))
    }

    /// Whether the services are those of the public instance, by its trusted root: then root and
    /// services fit, as its operators see to it.
    pub fn is_of_public_services(&self, now: SystemTime) -> bool {
        let services = &self.services;
        let named = |service: &Service, kind| self.root.names(kind, &service.url, now);
        self.is_public()
            && named(&services.fulcio, ServiceKind::Fulcio)
            && services.logs.iter().all(|log| named(log, ServiceKind::Log))
    }

    /// The TUF mirror that the trusted root came from; `None` if it came from a file.
    pub fn mirror(&self) -> Option<&MirrorUsed> {
        self.mirror.as_ref()
    }

    /// The signing config from a file or a mirror; `None` if options named the services.
    pub fn config(&self) -> Option<&SigningConfig> {
        self.config.as_ref()
    }

    /// Warnings about the trust material.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// Whether the host of `url` is below one of `domains`.
fn is_of(url: &Url, domains: &[&str]) -> bool {
    let host = url.host_str().unwrap_or_default();
    domains.iter().any(|domain| host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.')))
}

/// The services of a run: those that options name, otherwise those of the signing config.
async fn services(
    host: &Host,
    options: &TrustOptions,
    material: &Material,
) -> Result<Services, Error> {
    let now = host.clock.now();
    let config = material.config.as_ref();
    let fulcio = match (&options.fulcio_url, config) {
        (Some(url), _) => services::named(url, 1, ServiceKind::Fulcio)?,
        (None, Some(config)) => config.fulcio(now)?,
        (None, None) => return Err(material.no_service(ServiceKind::Fulcio)),
    };
    material.vouches_for(&[&fulcio.url], ServiceKind::Fulcio, now)?;
    let authorities = match (&options.tsa_url, config) {
        (Some(url), _) => vec![services::named(url, 1, ServiceKind::TimestampAuthority)?],
        (None, Some(config)) => config.authorities(now)?,
        (None, None) => Vec::new(),
    };
    material.vouches_for(&urls(&authorities), ServiceKind::TimestampAuthority, now)?;
    // The log comes last because finding its version may need a request, which is wasted if another
    // service is missing.
    let logs = match (&options.rekor_url, config) {
        (Some(url), _) => {
            material.vouches_for(&[url], ServiceKind::Log, now)?;
            vec![named_log(host, url, options.rekor_version).await?]
        }
        (None, Some(config)) => config.logs(now)?,
        (None, None) => return Err(material.no_service(ServiceKind::Log)),
    };
    material.vouches_for(&urls(&logs), ServiceKind::Log, now)?;
    Ok(Services { fulcio, logs, authorities })
}

fn urls(services: &[Service]) -> Vec<&Url> {
    services.iter().map(|service| &service.url).collect()
}

async fn named_log(host: &Host, url: &Url, version: RekorVersion) -> Result<Service, Error> {
    let service = services::named(url, 1, ServiceKind::Log)?;
    let version = match version {
        RekorVersion::V1 => 1,
        RekorVersion::V2 => 2,
        RekorVersion::Auto => ask_version(host, &service.url).await?,
    };
    Ok(Service { version, ..service })
}

/// Only Rekor v1 has a resource that describes the log.
async fn ask_version(host: &Host, base: &Url) -> Result<u32, Error> {
    let mut url = base.clone();
    url.set_path(&format!("{}/api/v1/log", base.path().trim_end_matches('/')));
    let request = Request::new(Method::GET, url);
    let sent: Result<_, HttpError> = host.net.send(&crate::limits::REKOR, request).await;
    let answer = sent.map_err(Error::Http)?;
    match answer.status.as_u16() {
        200 => Ok(1),
        404 => Ok(2),
        status => Err(Error::UnknownLog { url: answer.url.to_string(), status }),
    }
}
