// SPDX-License-Identifier: Apache-2.0
//! Trusted root and signing config, from files or from a TUF mirror.

use std::path::PathBuf;
use std::time::SystemTime;

use ambisign_host::{Host, Warning};
use futures_util::future::join;
use url::Url;

use super::error::{Error, NO_CT_LOG};
use super::files::{Files, read};
use super::kind::ServiceKind;
use super::options::{Mirror, TrustOptions};
use super::root::TrustedRoot;
use super::services::SigningConfig;
use super::tuf::{self, Repository, Source};

/// The targets of a mirror. Using the signing config that the mirror recommends means that it decides
/// when a new version of the log becomes the default.
const TRUSTED_ROOT: &str = "trusted_root.json";
const SIGNING_CONFIG: &str = "signing_config.v0.2.json";

/// The longest root that starts a chain, in bytes.
const LONGEST_ANCHOR: u64 = 512 * 1024;

/// The TUF mirror that the trusted root came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorUsed {
    /// The mirror.
    pub mirror: Mirror,
    /// The base of its metadata.
    pub url: Url,
    /// The versions of its metadata.
    pub versions: tuf::Versions,
    /// The time at which each of its metadata files expires.
    pub ends: Vec<(&'static str, SystemTime)>,
}

/// Trust material from files and from a mirror.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) root: TrustedRoot,
    pub(super) config: Option<SigningConfig>,
    /// The mirror that was used.
    pub(super) mirror: Option<MirrorUsed>,
    pub(super) warnings: Vec<Warning>,
    root_from: Origin,
    config_from: Origin,
}

/// The source of one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    File,
    Mirror,
}

impl Material {
    /// Reads the files and gets missing parts from the mirror. A trusted root in a file must be given
    /// together with services, because it is not meant for those of the public instance.
    pub(super) async fn gather(host: &Host, options: &TrustOptions) -> Result<Self, Error> {
        let files = Files::read(options).await?;
        let mirror = options.mirror.as_ref().filter(|mirror| match (&files.root, &files.config) {
            (None, _) => true,
            (Some(_), None) => mirror.is_chosen(),
            (Some(_), Some(_)) => false,
        });
        match (mirror, files) {
            (Some(mirror), files) => Self::ask(host, mirror, files).await,
            (None, Files { root, config }) => match (root, config) {
                (Some(root), config) => Ok(Self {
                    warnings: without_ct_log(&root).into_iter().collect(),
                    root,
                    config,
                    mirror: None,
                    root_from: Origin::File,
                    config_from: Origin::File,
                }),
                (None, Some(_)) => Err(Error::MissingRoot),
                (None, None) => Err(Error::Missing),
            },
        }
    }

    async fn ask(host: &Host, mirror: &Mirror, files: Files) -> Result<Self, Error> {
        let source = source(host, mirror).await?;
        let repository = Repository::refresh(host, &source).await?;
        let origin = |in_file| {
            if in_file { Origin::File } else { Origin::Mirror }
        };
        let root_from = origin(files.root.is_some());
        let config_from = origin(files.config.is_some());
        let (root, config) = join(
            async {
                match files.root {
                    Some(root) => Ok(root),
                    None => TrustedRoot::parse(&repository.target(TRUSTED_ROOT).await?),
                }
            },
            async {
                match files.config {
                    Some(config) => Ok(Some(config)),
                    None => signing_config(&repository).await,
                }
            },
        )
        .await;
        let root = root?;
        let kept = repository.warnings().to_vec();
        Ok(Self {
            warnings: without_ct_log(&root).into_iter().chain(kept).collect(),
            root,
            config: config?,
            mirror: Some(MirrorUsed {
                mirror: mirror.clone(),
                url: source.metadata,
                versions: repository.versions(),
                ends: repository.ends(),
            }),
            root_from,
            config_from,
        })
    }

    /// Checks that the trusted root can be meant for the services at `urls`: it was given as a file, it
    /// lists them, or its mirror recommends them.
    pub(super) fn vouches_for(
        &self,
        urls: &[&Url],
        kind: ServiceKind,
        now: SystemTime,
    ) -> Result<(), Error> {
        let recommended = |url: &Url| {
            let config = self.config.as_ref();
            self.config_from == Origin::Mirror
                && config.is_some_and(|config| config.names(kind, url))
        };
        let unknown = urls.iter().find(|url| !self.root.names(kind, url, now) && !recommended(url));
        match (self.root_from, unknown) {
            (Origin::Mirror, Some(url)) => {
                Err(Error::Unknown { what: kind.name(), url: url.to_string() })
            }
            (Origin::File, _) | (Origin::Mirror, None) => Ok(()),
        }
    }

    /// The error if nothing names a service of a kind.
    pub(super) fn no_service(&self, kind: ServiceKind) -> Error {
        let what = kind.name();
        match self.config_from {
            Origin::File => Error::MissingService { what },
            Origin::Mirror => Error::MissingConfig { name: SIGNING_CONFIG, what },
        }
    }
}

/// The result of [`update`].
#[derive(Debug)]
pub struct Updated {
    /// The mirror.
    pub mirror: MirrorUsed,
    /// The folder of its cache; `None` if there is none or it is not writable.
    pub folder: Option<PathBuf>,
    /// Warnings.
    pub warnings: Vec<Warning>,
}

/// Updates the cache of `mirror`, with everything that a run uses.
///
/// # Errors
/// The mirror is unreachable or does not verify, or it has no readable trusted root.
pub async fn update(host: &Host, mirror: &Mirror) -> Result<Updated, Error> {
    let source = source(host, mirror).await?;
    let repository = Repository::refresh(host, &source).await?;
    let root = async { TrustedRoot::parse(&repository.target(TRUSTED_ROOT).await?) };
    let (root, config) = join(root, signing_config(&repository)).await;
    root?;
    config?;
    Ok(Updated {
        mirror: MirrorUsed {
            mirror: mirror.clone(),
            url: source.metadata,
            versions: repository.versions(),
            ends: repository.ends(),
        },
        folder: repository.folder().await,
        warnings: repository.warnings().to_vec(),
    })
}

/// The trusted root alone, from the file or otherwise from the mirror.
pub(super) async fn root(
    host: &Host,
    options: &TrustOptions,
) -> Result<(TrustedRoot, Vec<Warning>), Error> {
    let (root, kept) = match (Files::read(options).await?.root, &options.mirror) {
        (Some(root), _) => (root, Vec::new()),
        (None, Some(mirror)) => {
            let repository = Repository::refresh(host, &source(host, mirror).await?).await?;
            let root = TrustedRoot::parse(&repository.target(TRUSTED_ROOT).await?)?;
            (root, repository.warnings().to_vec())
        }
        (None, None) => return Err(Error::NoRoot),
    };
    let warnings = without_ct_log(&root).into_iter().chain(kept).collect();
    Ok((root, warnings))
}

/// Warns that certificates are accepted without an SCT because the operator's trusted root has no CT log.
fn without_ct_log(root: &TrustedRoot) -> Option<Warning> {
    (!root.requires_sct()).then(|| Warning {
        code: NO_CT_LOG,
        message: "sct: none, the trusted root names no CT log".to_owned(),
    })
}

/// A mirror without a signing config is not an error, because flags may name the services.
async fn signing_config(repository: &Repository<'_>) -> Result<Option<SigningConfig>, Error> {
    match repository.target(SIGNING_CONFIG).await {
        Ok(bytes) => SigningConfig::parse(&bytes).map(Some),
        Err(tuf::Error::NoTarget { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn source(host: &Host, mirror: &Mirror) -> Result<Source, Error> {
    let instance = match mirror {
        Mirror::Public => Source::public(host),
        Mirror::Staging => Source::staging(host),
        Mirror::Other { url, root } => {
            return Ok(Source::new(host, url, read(root, LONGEST_ANCHOR).await?));
        }
    };
    instance
        .map_err(|error| Error::Malformed { what: "URL of the instance", why: error.to_string() })
}
