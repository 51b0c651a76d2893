// SPDX-License-Identifier: Apache-2.0
//! The settings of `attach`.

use std::path::PathBuf;

use ambisign_host::Env;

use super::groups::Groups;
use super::images::each_once;
use super::policy::Policy;
use super::verify::{predicate_types, signer};
use super::{RunSettings, SettingsError, SignerSettings, TrustSettings};
use crate::cli::{AttachArgs, SignerArgs};
use ambisign_registry::RegistryOptions;

/// The settings of a run of `attach`.
#[derive(Debug)]
pub struct AttachSettings {
    /// The images, not yet parsed as references.
    pub images: Vec<String>,
    /// Bundles that must belong to one of the images.
    pub files: Vec<PathBuf>,
    /// A folder of bundles. Those that belong to one of the images are attached.
    pub folder: Option<PathBuf>,
    /// The required signer; `None` accepts any valid certificate.
    pub signer: Option<SignerSettings>,
    /// The accepted predicate types.
    pub predicate_types: Vec<String>,
    /// Trust material.
    pub trust: TrustSettings,
    /// Registry options.
    pub registry: RegistryOptions,
    /// Timeout and output options.
    pub run: RunSettings,
}

impl AttachSettings {
    /// Reads the flags and the variables of `env`.
    ///
    /// # Errors
    /// Those of [`super::Settings::resolve`]; no bundle, or an identity without an issuer.
    pub fn resolve(args: AttachArgs, env: &Env) -> Result<Self, SettingsError> {
        let mut groups = Groups::new(env, &args.trust)?;
        let mut files = args.bundle;
        let mut folder = args.bundle_dir;
        // If a flag names bundles, no variable adds others.
        if files.is_empty() && folder.is_none() {
            folder = groups.variables.get("bundle-dir").map(PathBuf::from);
            files.extend(groups.variables.get("bundle").map(PathBuf::from));
        }
        if files.is_empty() && folder.is_none() {
            return Err(SettingsError::NoBundles);
        }
        let images = each_once(&args.images)?;
        if images.is_empty() {
            return Err(SettingsError::NoImages { ways: "" });
        }
        let policy = Policy::default();
        let anybody = args.certificate_identity.is_none() && args.certificate_oidc_issuer.is_none();
        let names = SignerArgs {
            certificate_identity: args.certificate_identity,
            certificate_oidc_issuer: args.certificate_oidc_issuer,
            ..SignerArgs::default()
        };
        Ok(Self {
            images,
            files,
            folder,
            signer: (!anybody).then(|| signer(names, &policy)).transpose()?,
            predicate_types: predicate_types(args.predicate_type, &policy)?,
            trust: groups.trust(args.trust)?,
            registry: groups.registry(args.registry)?,
            run: groups.run(args.run)?,
        })
    }
}
