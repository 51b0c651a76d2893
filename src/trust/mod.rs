// SPDX-License-Identifier: Apache-2.0
//! Whom a run believes, and whom it asks: trusted root and signing config.
//!
//! Both come from files; each URL flag replaces the services of its own kind.

pub mod create;
mod error;
pub mod keys;
pub mod path;
pub mod root;
pub mod services;
#[cfg(test)]
pub(crate) mod testing;
pub mod window;
pub mod x509;

use std::io;
use std::path::{Path, PathBuf};

use ambisign_providers::{Host, HttpError};
use reqwest::{Method, Request};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

pub use error::Error;
pub use root::TrustedRoot;
pub use services::{Service, Services, SigningConfig};

/// The longest file that may hold a trusted root, in bytes.
const LONGEST_ROOT: u64 = 1024 * 1024;
/// The longest file that may hold a signing config alone, in bytes.
const LONGEST_CONFIG: u64 = 256 * 1024;

/// The media type of a file that holds both.
const CLIENT_TRUST_CONFIG: &str = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";

/// Trusted root and services of one run: loaded together, checked together.
#[derive(Clone, Debug)]
pub struct Trust {
    root: TrustedRoot,
    services: Services,
}

/// What [`Trust::load`] is told.
#[derive(Clone, Debug, Default)]
pub struct TrustOptions {
    /// A file with a trusted root, or with both.
    pub trusted_root: Option<PathBuf>,
    /// A file with a signing config, or with both.
    pub signing_config: Option<PathBuf>,
    /// The Fulcio to use instead of that of the signing config.
    pub fulcio_url: Option<Url>,
    /// The log to use instead of those of the signing config.
    pub rekor_url: Option<Url>,
    /// What `rekor_url` speaks.
    pub rekor_version: RekorVersion,
    /// The timestamp authority to use instead of those of the signing config.
    pub tsa_url: Option<Url>,
}

/// Which API a log speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RekorVersion {
    /// Ask the log.
    #[default]
    Auto,
    /// Rekor v1.
    V1,
    /// Rekor v2.
    V2,
}

impl Trust {
    /// Loads trusted root and signing config, replaces the services that the options name, and
    /// checks that a run with them can succeed (gates G3 and G4).
    ///
    /// # Errors
    /// No or bad files; services that cannot be used now or are not https; a Rekor v2 log without
    /// timestamp authority; a trusted root that lacks something.
    pub async fn load(host: &Host, options: &TrustOptions) -> Result<Self, Error> {
        let files = Files::read(options)?;
        let Some(root) = files.root else {
            return Err(match &files.config {
                Some(_) => Error::MissingRoot,
                None => Error::Missing,
            });
        };
        let services = services(host, options, files.config.as_ref()).await?;
        let v2 = services.logs.iter().any(|log| log.version == 2);
        if v2 && services.authorities.is_empty() {
            return Err(Error::NoTimestampAuthority);
        }
        root.sufficient(host.clock.now(), !services.authorities.is_empty())?;
        Ok(Self { root, services })
    }

    /// The trusted root.
    pub fn root(&self) -> &TrustedRoot {
        &self.root
    }

    /// The services to use.
    pub fn services(&self) -> &Services {
        &self.services
    }
}

/// The services of a run: those that were named, else those of the signing config.
async fn services(
    host: &Host,
    options: &TrustOptions,
    config: Option<&SigningConfig>,
) -> Result<Services, Error> {
    let now = host.clock.now();
    let fulcio = match (&options.fulcio_url, config) {
        (Some(url), _) => services::named(url, 1, "Fulcio")?,
        (None, Some(config)) => config.fulcio(now)?,
        (None, None) => return Err(Error::MissingService { what: "Fulcio" }),
    };
    let authorities = match (&options.tsa_url, config) {
        (Some(url), _) => vec![services::named(url, 1, "timestamp authority")?],
        (None, Some(config)) => config.authorities(now)?,
        (None, None) => Vec::new(),
    };
    // The log is last: it may have to be asked, and nothing is asked for a run without hope.
    let logs = match (&options.rekor_url, config) {
        (Some(url), _) => vec![named_log(host, url, options.rekor_version).await?],
        (None, Some(config)) => config.logs(now)?,
        (None, None) => return Err(Error::MissingService { what: "log" }),
    };
    Ok(Services {
        fulcio,
        logs,
        authorities,
    })
}

async fn named_log(host: &Host, url: &Url, version: RekorVersion) -> Result<Service, Error> {
    let service = services::named(url, 1, "log")?;
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
    let sent: Result<_, HttpError> = host.net.send(&crate::net::REKOR, request).await;
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

/// What the given files hold.
#[derive(Default)]
struct Files {
    root: Option<TrustedRoot>,
    config: Option<SigningConfig>,
}

/// A file that holds both. The halves are read by their own rules.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Both {
    media_type: String,
    trusted_root: Box<RawValue>,
    signing_config: Box<RawValue>,
}

impl Files {
    /// A file that holds both serves for the flag that was not given, too.
    fn read(options: &TrustOptions) -> Result<Self, Error> {
        let mut files = Self::default();
        let mut spare = Self::default();
        if let Some(path) = &options.trusted_root {
            let bytes = read(path, LONGEST_ROOT)?;
            match split(&bytes) {
                Some(both) => {
                    files.root = Some(TrustedRoot::parse(both.trusted_root.get().as_bytes())?);
                    spare.config =
                        Some(SigningConfig::parse(both.signing_config.get().as_bytes())?);
                }
                None => files.root = Some(TrustedRoot::parse(&bytes)?),
            }
        }
        if let Some(path) = &options.signing_config {
            let bytes = read(path, LONGEST_ROOT)?;
            match split(&bytes) {
                Some(both) => {
                    files.config =
                        Some(SigningConfig::parse(both.signing_config.get().as_bytes())?);
                    spare.root = Some(TrustedRoot::parse(both.trusted_root.get().as_bytes())?);
                }
                None => {
                    fits(path, bytes.len(), LONGEST_CONFIG)?;
                    files.config = Some(SigningConfig::parse(&bytes)?);
                }
            }
        }
        files.root = files.root.or(spare.root);
        files.config = files.config.or(spare.config);
        Ok(files)
    }
}

fn split(bytes: &[u8]) -> Option<Both> {
    let both: Both = crate::json::parse(bytes).ok()?;
    (both.media_type == CLIENT_TRUST_CONFIG).then_some(both)
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let path = path.to_owned();
    crate::file::read(&path, limit).map_err(|source| {
        if source.kind() == io::ErrorKind::FileTooLarge {
            Error::FileSize { path, limit }
        } else {
            Error::Read { path, source }
        }
    })
}

fn fits(path: &Path, length: usize, limit: u64) -> Result<(), Error> {
    match u64::try_from(length) {
        Ok(length) if length <= limit => Ok(()),
        Ok(_) | Err(_) => Err(Error::FileSize {
            path: path.to_owned(),
            limit,
        }),
    }
}
