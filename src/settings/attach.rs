// SPDX-License-Identifier: Apache-2.0
//! The settings of `attach`.

use std::path::PathBuf;

use ambisign_host::Env;

use super::groups::Groups;
use super::images::each_once;
use super::value::path;
use super::verify::{predicate_types, signer};
use super::{RegistrySettings, RunSettings, SettingsError, SignerSettings, TrustSettings};
use crate::cli::{AttachArgs, SignerArgs};

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
    pub registry: RegistrySettings,
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
        let variables = &groups.variables;
        // If a flag names bundles, no variable adds others.
        let by_flag = args.bundle_dir.is_some() || !args.bundle.is_empty();
        let variables = (!by_flag).then_some(variables);
        let of_variable = variables.and_then(|given| given.bundle_dir.clone());
        let folder = path("bundle-dir", args.bundle_dir, of_variable);
        let mut files = args.bundle;
        files.extend(variables.and_then(|given| given.bundle.clone()).map(PathBuf::from));
        if files.is_empty() && folder.is_none() {
            return Err(SettingsError::NoBundles);
        }
        let images = each_once(&args.images)?;
        if images.is_empty() {
            return Err(SettingsError::NoImages { ways: "" });
        }
        let anybody = args.certificate_identity.is_none() && args.certificate_oidc_issuer.is_none();
        let names = SignerArgs {
            certificate_identity: args.certificate_identity,
            certificate_oidc_issuer: args.certificate_oidc_issuer,
            ..SignerArgs::default()
        };
        Ok(Self {
            images,
            files,
            folder: folder.map(|given| given.value),
            signer: (!anybody).then(|| signer(names)).transpose()?,
            predicate_types: predicate_types(args.predicate_type)?,
            trust: groups.trust(args.trust)?,
            registry: groups.registry(args.registry)?,
            run: groups.run(args.run)?,
        })
    }
}
