// SPDX-License-Identifier: Apache-2.0
//! The settings of each command: flags and variables, parsed and without conflicts.
//!
//! A flag takes precedence over its variable, and a variable over the default. Nothing is opened, read
//! or resolved here. Every value is parsed, and every conflict found, before the network is used.

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

use ambisign_host::{Net, Token, Warning};
use ambisign_providers::Realm;
use ambisign_sigstore::trust::{Mirror, RekorVersion, TrustOptions};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use self::attach::AttachSettings;
pub(crate) use self::blob::default_bundle;
pub use self::bundles::{BundlePlace, BundleSettings, Delivery, IfSigned};
pub use self::error::SettingsError;
pub use self::groups::output;
pub(crate) use self::identity::identity_options;
pub(crate) use self::images::WAYS;
pub use self::images::{Extent, ImageSettings, Listed, Names, Source, Tags};
pub use self::metadata::Built;
pub(crate) use self::metadata::read as built;
pub use self::provenance::Override;
pub(crate) use self::registry::registry_options;
pub use self::requirements::Evidence;
pub use self::trust::MaterialSettings;
pub use self::value::Origin;
pub use self::verify::{Format, SignerSettings, Subject, VerifySettings};

use ambisign_registry::PlainHttp;
use ambisign_registry::reference::Reference;

/// The settings of a run of `sign`.
#[derive(Debug)]
pub struct Settings {
    /// The images to sign.
    pub images: ImageSettings,
    /// Where bundles are stored and whether they are pushed.
    pub bundles: BundleSettings,
    /// Registry options.
    pub registry: RegistrySettings,
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
    /// An explicit identity token.
    pub token: Option<TokenSource>,
    /// The required provider, which may not exist.
    pub provider: Option<String>,
    /// Whether the environment may be searched for an identity.
    pub ambient: Ambient,
    /// The server of the platform that may receive the job's credentials.
    pub realm: Realm,
    /// The audience of the token.
    pub audience: String,
    /// The SAN that the certificate must have.
    pub require_identity: Option<String>,
    /// The issuer that the certificate must have.
    pub require_issuer: Option<String>,
}

/// An explicit identity token.
#[derive(Debug)]
pub enum TokenSource {
    /// In this file; `-` is standard input.
    File(PathBuf),
    /// The token itself, or a path if the text does not have the form of a token. It is never shown,
    /// because a damaged token looks like a path.
    Value {
        /// The text.
        text: SecretString,
        /// The flag or variable that has it.
        from: Origin,
    },
}

/// Whether the environment may be searched for an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambient {
    /// The environment is searched.
    Allowed,
    /// Only an explicit token counts.
    Disabled,
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

/// Registry options.
#[derive(Debug, Default)]
pub struct RegistrySettings {
    /// An explicit login; without it, those of Docker and Podman are used.
    pub login: Option<RegistryLogin>,
    /// The repository for the signatures of all images; without it, each image's own repository.
    pub signatures: Option<Reference>,
    /// The registries that may use plain HTTP.
    pub plain_http: PlainHttp,
    /// The GitLab whose registry may receive the job's password.
    pub realm: Realm,
}

/// An explicit login at the registry of the images.
#[derive(Debug)]
pub enum RegistryLogin {
    /// User and password.
    Password {
        /// The user.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// A bearer token.
    Token(Token),
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

impl RegistrySettings {
    /// Registers the secret with the redactor of `net`.
    pub fn guard_login(&self, net: &Net) {
        if let Some(secret) = self.secret() {
            net.guard(secret);
        }
    }

    fn secret(&self) -> Option<&str> {
        self.login.as_ref().map(|login| match login {
            RegistryLogin::Password { password, .. } => password.expose_secret(),
            RegistryLogin::Token(token) => token.expose(),
        })
    }
}

#[cfg(test)]
mod tests;
