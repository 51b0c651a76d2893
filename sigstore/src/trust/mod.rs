// SPDX-License-Identifier: Apache-2.0
//! Whom a run believes, and whom it asks: trusted root and signing config.
//!
//! Both come from files, or else from a TUF mirror; each URL flag replaces the services of its own
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

use ambisign_host::{Host, HttpError, Warning};
use reqwest::{Method, Request};
use url::Url;

pub use error::{Error, WARNINGS};
pub use material::{MirrorUsed, Updated, update};
pub use options::{Mirror, RekorVersion, TrustOptions};
pub use root::TrustedRoot;
pub use services::{Service, Services, SigningConfig};

use self::kind::ServiceKind;
use self::material::Material;

/// Trusted root and services of one run: loaded together, checked together.
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
    /// A trusted root that came from a mirror, not from a file, must know every service that a flag or
    /// a file names: else a token would go to a service whose certificates that root refuses.
    ///
    /// # Errors
    /// No or bad files; a mirror that cannot be reached or believed; services that cannot be used
    /// now or are not https; a Rekor v2 log without timestamp authority; a trusted root that lacks
    /// something.
    pub async fn load(host: &Host, options: &TrustOptions) -> Result<Self, Error> {
        let material = Material::gather(host, options).await?;
        let services = services(host, options, &material).await?;
        let v2 = services.logs.iter().any(|log| log.version == 2);
        if v2 && services.authorities.is_empty() {
            return Err(Error::NoTimestampAuthority);
        }
        let Material {
            root,
            config,
            mirror,
            warnings,
            ..
        } = material;
        root.sufficient(host.clock.now(), !services.authorities.is_empty())?;
        Ok(Self {
            root,
            services,
            config,
            mirror,
            warnings,
        })
    }

    /// Loads the trusted root alone, for whoever asks no service but verifies what others made; and
    /// what is odd about where it came from. That an authority's time is over is no fault here: what
    /// it vouched for stays.
    ///
    /// # Errors
    /// No or a bad file; a mirror that cannot be reached or believed.
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

    /// Whether what is logged is public for everybody, for good: a log of the public instance is
    /// believed, or all of it came from that instance's mirror.
    pub fn is_public(&self) -> bool {
        let mirror = self.mirror.as_ref().map(|used| &used.mirror);
        self.root.is_public() || mirror == Some(&Mirror::Public)
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

    /// The TUF mirror that the trusted root came from; `None` when a file held it.
    pub fn mirror(&self) -> Option<&MirrorUsed> {
        self.mirror.as_ref()
    }

    /// The signing config, of a file or a mirror; `None` when the services were named.
    pub fn config(&self) -> Option<&SigningConfig> {
        self.config.as_ref()
    }

    /// What is odd but stops nothing.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// The services of a run: those that were named, else those of the signing config.
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
    // The log is last: it may have to be asked, and nothing is asked for a run without hope.
    let logs = match (&options.rekor_url, config) {
        (Some(url), _) => {
            material.vouches_for(&[url], ServiceKind::Log, now)?;
            vec![named_log(host, url, options.rekor_version).await?]
        }
        (None, Some(config)) => config.logs(now)?,
        (None, None) => return Err(material.no_service(ServiceKind::Log)),
    };
    material.vouches_for(&urls(&logs), ServiceKind::Log, now)?;
    Ok(Services {
        fulcio,
        logs,
        authorities,
    })
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
        status => Err(Error::UnknownLog {
            url: answer.url.to_string(),
            status,
        }),
    }
}
