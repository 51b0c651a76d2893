// SPDX-License-Identifier: Apache-2.0
//! The settings of `verify` and `verify-blob`.

use std::fmt;
use std::path::PathBuf;

use ambisign_host::Env;
use ambisign_sigstore::statement::SIGN;
use ambisign_sigstore::verify::policy::Identity;

use super::annotations::pair;
use super::blob::default_bundle;
use super::groups::Groups;
use super::images::each_once;
use super::policy::{Policy, narrowed};
use super::requirements::{self, Evidence, one};
use super::value::{Origin, Sourced, choice, exclusive, flag};
use super::{RunSettings, SettingsError, TrustSettings};
use crate::cli::{SignerArgs, VerifyArgs, VerifyBlobArgs};
use ambisign_registry::RegistryOptions;
use ambisign_registry::reference::Reference;

/// The settings of a run of `verify` or `verify-blob`.
#[derive(Debug)]
pub struct VerifySettings {
    /// The artifacts to verify.
    pub subject: Subject,
    /// The required signer.
    pub signer: SignerSettings,
    /// The required annotations.
    pub annotations: Vec<(String, String)>,
    /// The accepted predicate types. If empty, all are accepted, and so is content that is not a
    /// statement.
    pub predicate_types: Vec<String>,
    /// The required evidence.
    pub evidence: Evidence,
    /// The accepted format of signatures in registries.
    pub format: Format,
    /// Judge everything that is attached to an image.
    pub all: bool,
    /// Trust material.
    pub trust: TrustSettings,
    /// Registry options.
    pub registry: RegistryOptions,
    /// Timeout and output options.
    pub run: RunSettings,
}

/// The artifacts to verify.
#[derive(Debug)]
pub enum Subject {
    /// A file, or a digest if there is no such file, with its bundle.
    Blob {
        /// The file, `-` for standard input, or the digest.
        artifact: PathBuf,
        /// The bundle.
        bundle: PathBuf,
    },
    /// One image by its digest, with its bundle. No registry is contacted.
    Detached {
        /// The image, not yet parsed.
        image: String,
        /// The bundle.
        bundle: PathBuf,
    },
    /// Images, with the signatures in their registries. Not yet parsed as references.
    Images(Vec<String>),
}

/// Formats the first line of a run.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blob { .. } => f.write_str("verify 1 file"),
            Self::Detached { .. } => f.write_str("verify 1 image"),
            Self::Images(images) if images.len() == 1 => f.write_str("verify 1 image"),
            Self::Images(images) => write!(f, "verify {} images", images.len()),
        }
    }
}

/// The format of a signature in a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Any.
    Any,
    /// A bundle.
    Bundle,
    /// A layer under the tag `sha256-<hex>.sig`.
    Legacy,
}

impl Format {
    const WORDS: &[(&str, Self)] =
        &[("any", Self::Any), ("bundle", Self::Bundle), ("legacy", Self::Legacy)];

    /// The name, as `--format` takes it.
    pub fn name(self) -> &'static str {
        let mut words = Self::WORDS.iter().filter(|(_, format)| *format == self);
        words.next().map_or("any", |(word, _)| word)
    }
}

/// The accepted format. A flag that names another format than the policy accepts more.
fn format(given: Option<String>, policy: &Policy) -> Result<Format, SettingsError> {
    let of_policy = choice(policy.format()?, Format::Any, Format::WORDS)?;
    let of_flag = choice(flag("format", given)?, of_policy, Format::WORDS)?;
    if of_policy == Format::Any || of_flag == of_policy {
        Ok(of_flag)
    } else {
        Err(SettingsError::Wider { flag: Origin::Flag("format").to_string() })
    }
}

/// The required signer.
#[derive(Debug)]
pub enum SignerSettings {
    /// The identity in the certificate.
    Identity(Identity),
    /// The holder of the key in this PEM file.
    Key(PathBuf),
}

impl VerifySettings {
    /// Returns `true` if files have everything, so that no request is needed.
    pub fn is_offline(&self) -> bool {
        let is_read = matches!(self.subject, Subject::Images(_));
        !is_read && self.trust.trusted_root.is_some()
    }

    /// The settings of `verify`.
    ///
    /// # Errors
    /// An invalid value, conflicting settings, a misspelled `AMBISIGN_*` variable, no image, or no
    /// expected signer.
    pub fn of_images(args: VerifyArgs, env: &Env) -> Result<Self, SettingsError> {
        let mut groups = Groups::new(env, &args.trust)?;
        let policy = Policy::read(args.signer.policy.as_deref())?;
        let images = each_once(&args.images)?;
        if images.is_empty() {
            return Err(SettingsError::NoImages { ways: "" });
        }
        let subject = match (args.bundle, images.as_slice()) {
            (None, _) => Subject::Images(images),
            (Some(bundle), [image]) if is_by_digest(image) => {
                Subject::Detached { image: image.clone(), bundle }
            }
            (Some(_), _) => return Err(SettingsError::Detached),
        };
        Ok(Self {
            subject,
            signer: signer(args.signer, &policy)?,
            annotations: [annotations(args.annotations)?, policy.annotations()].concat(),
            predicate_types: predicate_types(args.predicate_type, &policy)?,
            evidence: requirements::evidence(args.evidence, policy.numbers())?,
            format: format(args.format, &policy)?,
            all: args.all,
            trust: groups.trust(args.trust)?,
            registry: groups.registry(args.registry)?,
            run: groups.run(args.run)?,
        })
    }

    /// The settings of `verify-blob`.
    ///
    /// # Errors
    /// Those of [`VerifySettings::of_images`].
    pub fn of_blob(args: VerifyBlobArgs, env: &Env) -> Result<Self, SettingsError> {
        let mut groups = Groups::new(env, &args.trust)?;
        let policy = Policy::read(args.signer.policy.as_deref())?;
        let bundle = args.bundle.map_or_else(|| default_bundle(&args.artifact), Ok)?;
        Ok(Self {
            subject: Subject::Blob { artifact: args.artifact, bundle },
            signer: signer(args.signer, &policy)?,
            annotations: policy.annotations(),
            predicate_types: policy
                .predicate_types(texts("predicate-type", args.predicate_type)?)?,
            evidence: requirements::evidence(args.evidence, policy.numbers())?,
            format: format(None, &policy)?,
            all: false,
            trust: groups.trust(args.trust)?,
            registry: RegistryOptions::default(),
            run: groups.run(args.run)?,
        })
    }
}

/// An invalid reference is reported later, with its reason.
fn is_by_digest(image: &str) -> bool {
    Reference::parse(image).map_or(true, |reference| reference.digest().is_some())
}

/// The accepted predicate types of a signature of an image.
pub(super) fn predicate_types(
    given: Vec<String>,
    policy: &Policy,
) -> Result<Vec<String>, SettingsError> {
    let mut types = policy.predicate_types(texts("predicate-type", given)?)?;
    if types.is_empty() {
        types.push(SIGN.to_owned());
    }
    Ok(types)
}

fn texts(name: &'static str, given: Vec<String>) -> Result<Vec<String>, SettingsError> {
    let texts = given.into_iter().map(|text| flag(name, Some(text)));
    let texts: Vec<_> = texts.collect::<Result<_, _>>()?;
    Ok(texts.into_iter().flatten().map(|given| given.value).collect())
}

fn annotations(given: Vec<String>) -> Result<Vec<(String, String)>, SettingsError> {
    let from = Origin::Flag("annotations");
    given.iter().map(|text| pair(text, &from)).collect()
}

/// The signer that flags and policy require. Only a flag names a key, and then the policy must not name an
/// identity.
pub(super) fn signer(args: SignerArgs, policy: &Policy) -> Result<SignerSettings, SettingsError> {
    let claims = [requirements::claims(args.job)?, policy.claims()?].concat();
    let san = one(
        flag("certificate-identity", args.certificate_identity)?,
        flag("certificate-identity-regexp", args.certificate_identity_regexp)?,
    )?;
    let issuer = one(
        flag("certificate-oidc-issuer", args.certificate_oidc_issuer)?,
        flag("certificate-oidc-issuer-regexp", args.certificate_oidc_issuer_regexp)?,
    )?;
    let san = narrowed(san, policy.identity()?)?;
    let issuer = narrowed(issuer, policy.issuer()?)?;
    let claimed = claims.first();
    if let Some(path) = args.key {
        let key = Sourced { value: path, from: Origin::Flag("key") };
        exclusive(Some(&key), san.as_ref())?;
        exclusive(Some(&key), issuer.as_ref())?;
        exclusive(Some(&key), claimed)?;
        return Ok(SignerSettings::Key(key.value));
    }
    match (san, issuer) {
        (Some(san), Some(issuer)) => Ok(SignerSettings::Identity(Identity {
            san: san.value,
            issuer: issuer.value,
            claims: claims.into_iter().map(|given| given.value).collect(),
        })),
        (Some(san), None) => Err(san.incomplete("--certificate-oidc-issuer")),
        (None, Some(issuer)) => Err(issuer.incomplete("--certificate-identity")),
        (None, None) => Err(SettingsError::NoSigner),
    }
}
