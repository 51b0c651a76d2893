// SPDX-License-Identifier: Apache-2.0
//! What a command is asked to do: flags and variables, parsed, without conflict.
//!
//! A flag wins over its variable, a variable over the default. Nothing is opened, read or resolved
//! here; every value is parsed, and every contradiction found, before the network is used.

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
use ambisign_sigstore::trust::{Mirror, RekorVersion, TrustOptions};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use self::attach::AttachSettings;
pub(crate) use self::blob::beside;
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
pub use self::trust::MaterialSettings;
pub use self::value::Origin;
pub use self::verify::{SignerSettings, Subject, VerifySettings};

use ambisign_registry::PlainHttp;
use ambisign_registry::reference::Reference;

/// What a run of `sign` is asked to do.
#[derive(Debug)]
pub struct Settings {
    /// What says which images are signed.
    pub images: ImageSettings,
    /// Where bundles are stored and whether they are pushed.
    pub bundles: BundleSettings,
    /// How the registry is talked to.
    pub registry: RegistrySettings,
    /// What signing anything takes.
    pub signing: Signing,
}

/// What a run of `sign-blob` is asked to do.
#[derive(Debug)]
pub struct BlobSettings {
    /// The files, each once, in order, and where the bundle of each goes.
    pub blobs: Vec<BlobPaths>,
    /// What signing anything takes.
    pub signing: Signing,
}

/// A file to sign, and the file for its bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobPaths {
    /// The file; `-` is the standard input.
    pub blob: PathBuf,
    /// Where its bundle goes.
    pub bundle: PathBuf,
}

/// What signing anything takes.
#[derive(Debug)]
pub struct Signing {
    /// Who signs.
    pub identity: IdentitySettings,
    /// Which services are used.
    pub services: ServiceSettings,
    /// Whom to believe.
    pub trust: TrustSettings,
    /// What is said about the images, and signed with them.
    pub annotations: BTreeMap<String, String>,
    /// Whether it is accepted that facts of a private repository become public.
    pub consent: Consent,
    /// Whether anything is published.
    pub mode: Mode,
    /// How many signatures are made at the same time.
    pub jobs: NonZeroUsize,
    /// Timeout and output options.
    pub run: RunSettings,
}

/// How long a command may take, and what it tells.
#[derive(Debug)]
pub struct RunSettings {
    /// The longest time of the run.
    pub timeout: Duration,
    /// What goes to stdout.
    pub output: Output,
    /// Whether each HTTP request is shown.
    pub verbose: bool,
    /// One for each destination or trust input that is not the default, and where it came from.
    pub overrides: Vec<Override>,
    /// What is odd but stops nothing.
    pub warnings: Vec<Warning>,
}

/// Who signs.
#[derive(Debug)]
pub struct IdentitySettings {
    /// An explicit identity token.
    pub token: Option<TokenSource>,
    /// The provider that must be used; not yet compared with those that exist.
    pub provider: Option<String>,
    /// Whether the environment may be searched for an identity.
    pub ambient: Ambient,
    /// The audience of the token.
    pub audience: String,
    /// The SAN that the certificate must carry.
    pub require_identity: Option<String>,
    /// The issuer that the certificate must carry.
    pub require_issuer: Option<String>,
}

/// Where an explicit identity token is.
#[derive(Debug)]
pub enum TokenSource {
    /// In this file; `-` is the standard input.
    File(PathBuf),
    /// The token itself, or a path: whatever has not the form of a token is a path. Never shown: a
    /// damaged token looks like a path.
    Value(SecretString),
}

/// Whether the environment may be searched for an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambient {
    /// It may.
    Allowed,
    /// Only an explicit token counts.
    Disabled,
}

/// Whom to believe.
#[derive(Debug)]
pub struct TrustSettings {
    /// A file with the trusted root.
    pub trusted_root: Option<PathBuf>,
    /// The TUF mirror that says what no file says.
    pub mirror: Mirror,
    /// PEM certificates that are trusted for TLS beside those of the machine.
    pub ca_file: Option<PathBuf>,
}

/// Which services are used.
#[derive(Debug)]
pub struct ServiceSettings {
    /// The certificate authority.
    pub fulcio: Option<Url>,
    /// The transparency log.
    pub rekor: Option<Url>,
    /// What `rekor` speaks.
    pub rekor_version: RekorVersion,
    /// The timestamp authority.
    pub tsa: Option<Url>,
    /// A file that says which services to use.
    pub signing_config: Option<PathBuf>,
}

/// How the registry is talked to.
#[derive(Debug, Default)]
pub struct RegistrySettings {
    /// An explicit login; without it, those of Docker and Podman count.
    pub login: Option<RegistryLogin>,
    /// The repository that has the signatures of all images; without it, each image's own has them.
    pub signatures: Option<Reference>,
    /// Which registries may be spoken to in plain HTTP.
    pub plain_http: PlainHttp,
}

/// An explicit login at the registry of the images.
#[derive(Debug)]
pub enum RegistryLogin {
    /// User and password, as they are.
    Password {
        /// The user.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// A bearer token.
    Token(Token),
}

/// Whether it is accepted that facts of a private repository become public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// By `--yes` or `--allow-private-repository`.
    Given,
    /// Nobody said so.
    NotGiven,
}

/// Whether anything is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything up to the certificate, and nothing public.
    DryRun,
    /// Signatures are published.
    Publish,
}

/// What goes to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// One JSON document.
    Json,
    /// One line for each signed image.
    Text,
}

impl TrustSettings {
    /// As the trust material is loaded with them, and with `services` where any are used.
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
    /// Tells the redactor of `net` the secret in it.
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
