// SPDX-License-Identifier: Apache-2.0
//! The settings of each command: flags and variables, parsed and without conflicts.
//!
//! A flag takes precedence over its variable, and a variable over the default. Nothing is opened, read
//! or resolved here except the policy of a verifier, whose members are settings. Every value is parsed,
//! and every conflict found, before the network is used.

mod annotations;
mod attach;
mod blob;
mod bundles;
mod error;
mod groups;
mod identity;
mod images;
mod metadata;
mod mirror;
mod plain_http;
mod policy;
mod provenance;
mod registry;
mod requirements;
mod sign;
mod trust;
mod value;
mod variables;
mod verify;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ambisign_host::Warning;
use ambisign_sigstore::trust::{Mirror, RekorVersion, TrustOptions};
use url::Url;

pub use self::attach::AttachSettings;
pub(crate) use self::blob::default_bundle;
pub use self::bundles::{BundlePlace, BundleSettings, Delivery, IfSigned};
pub use self::error::SettingsError;
pub use self::groups::output;
pub(crate) use self::images::WAYS;
pub use self::images::{Extent, ImageSettings, Listed, Names, Source, Tags};
pub use self::metadata::Built;
pub(crate) use self::metadata::read as built;
pub use self::provenance::Override;
pub(crate) use self::registry::check_login;
pub use self::requirements::Evidence;
pub use self::trust::MaterialSettings;
pub use self::value::Origin;
pub use self::verify::{Format, SignerSettings, Subject, VerifySettings};

use ambisign_registry::RegistryOptions;

/// The settings of a run of `sign`.
#[derive(Debug)]
pub struct Settings {
    /// The images to sign.
    pub images: ImageSettings,
    /// Where bundles are stored and whether they are pushed.
    pub bundles: BundleSettings,
    /// Registry options.
    pub registry: RegistryOptions,
    /// Settings of every signing command.
    pub signing: Signing,
}

/// The settings of a run of `sign-blob`.
#[derive(Debug)]
pub struct BlobSettings {
    /// The files, each once, in order, with the paths of their bundles.
    pub blobs: Vec<BlobPaths>,
    /// Settings of every signing command.
    pub signing: Signing,
}

/// A file to sign, and the file for its bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobPaths {
    /// The file; `-` is standard input.
    pub blob: PathBuf,
    /// The path of its bundle.
    pub bundle: PathBuf,
}

/// Settings of every signing command.
#[derive(Debug)]
pub struct Signing {
    /// The identity that signs.
    pub identity: IdentitySettings,
    /// The services to use.
    pub services: ServiceSettings,
    /// Trust material.
    pub trust: TrustSettings,
    /// The annotations in the signed statement.
    pub annotations: BTreeMap<String, String>,
    /// Consent to publishing facts of a private repository.
    pub consent: Consent,
    /// Whether anything is published.
    pub mode: Mode,
    /// The number of simultaneous signatures.
    pub jobs: NonZeroUsize,
    /// Timeout and output options.
    pub run: RunSettings,
}

/// The time limit and output options of a command.
#[derive(Debug)]
pub struct RunSettings {
    /// The time limit of the run.
    pub timeout: Duration,
    /// The format of stdout.
    pub output: Output,
    /// Log each HTTP request.
    pub verbose: bool,
    /// The destinations and trust inputs that are not the default, with their origins.
    pub overrides: Vec<Override>,
    /// Warnings about the settings.
    pub warnings: Vec<Warning>,
}

/// The identity that signs.
#[derive(Debug)]
pub struct IdentitySettings {
    /// How to find the token.
    pub options: ambisign_providers::Options,
    /// The SAN that the certificate must have.
    pub require_identity: Option<String>,
    /// The issuer that the certificate must have.
    pub require_issuer: Option<String>,
}

/// Trust material.
#[derive(Debug)]
pub struct TrustSettings {
    /// A file with the trusted root.
    pub trusted_root: Option<PathBuf>,
    /// The TUF mirror, for trust material that no file contains.
    pub mirror: Mirror,
    /// PEM certificates that are trusted for TLS in addition to the machine's.
    pub ca_file: Option<PathBuf>,
}

/// The services to use.
#[derive(Debug)]
pub struct ServiceSettings {
    /// The certificate authority.
    pub fulcio: Option<Url>,
    /// The transparency log.
    pub rekor: Option<Url>,
    /// The API version of `rekor`.
    pub rekor_version: RekorVersion,
    /// The timestamp authority.
    pub tsa: Option<Url>,
    /// A file with the signing config.
    pub signing_config: Option<PathBuf>,
}

/// Consent to publishing facts of a private repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Given with `--yes` or `--allow-private-repository`.
    Given,
    /// Not given.
    NotGiven,
}

/// Whether anything is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is published: the run ends before the certificate.
    DryRun,
    /// Signatures are published.
    Publish,
}

/// The format of stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// One JSON document.
    Json,
    /// One line for each signed image.
    Text,
}

impl TrustSettings {
    /// The options for loading trust material, with `services` if any are used.
    pub fn options(&self, services: Option<&ServiceSettings>) -> TrustOptions {
        let options = TrustOptions {
            trusted_root: self.trusted_root.clone(),
            mirror: Some(self.mirror.clone()),
            ..TrustOptions::default()
        };
        let Some(services) = services else {
            return options;
        };
        TrustOptions {
            signing_config: services.signing_config.clone(),
            fulcio_url: services.fulcio.clone(),
            rekor_url: services.rekor.clone(),
            rekor_version: services.rekor_version,
            tsa_url: services.tsa.clone(),
            ..options
        }
    }
}

#[cfg(test)]
mod tests;
