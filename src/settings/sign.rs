// SPDX-License-Identifier: Apache-2.0
//! The settings of `sign`.

use std::path::Path;

use ambisign_host::Env;
use ambisign_providers::GivenToken;

use super::groups::Groups;
use super::{ImageSettings, Names, Settings, SettingsError, Signing, WAYS, annotations};
use crate::cli::SignArgs;

impl Settings {
    /// Reads the flags and the variables of `env`.
    ///
    /// # Errors
    /// An invalid value, conflicting settings, a misspelled `AMBISIGN_*` variable, no image, or with
    /// `--public-instance` a variable that decides who gets the token.
    pub fn resolve(args: SignArgs, env: &Env) -> Result<Self, SettingsError> {
        let settings = Self::with_or_without_images(args, env)?;
        match &settings.images.names {
            Names::Given(lists) if lists.is_empty() => Err(SettingsError::NoImages { ways: WAYS }),
            Names::Artifacts(_) | Names::File(_) | Names::Given(_) | Names::Metadata(..) => {
                Ok(settings)
            }
        }
    }

    /// Like [`Settings::resolve`], for `doctor`, which does not need an image.
    ///
    /// # Errors
    /// Those of [`Settings::resolve`], except for a missing image.
    pub fn with_or_without_images(args: SignArgs, env: &Env) -> Result<Self, SettingsError> {
        let mut groups = Groups::new(env, &args.signing.trust)?;
        groups.bind(args.signing.identity.require_issuer.as_deref());
        let mut inputs = args.inputs;
        let annotations = annotations::signed(
            std::mem::take(&mut inputs.annotations),
            groups.variables.get("annotations"),
            &mut groups.warnings,
        )?;
        let given = (&groups.variables, env);
        let settings = Self {
            images: ImageSettings::resolve(inputs, given, &mut groups.warnings)?,
            bundles: groups.bundles(args.bundles)?,
            registry: groups.registry(args.registry)?,
            signing: Signing { annotations, ..groups.signing(args.signing)? },
        };
        settings.check_input()?;
        Ok(settings)
    }

    /// Standard input can be read only once.
    fn check_input(&self) -> Result<(), SettingsError> {
        let (Names::File(images), Some(GivenToken::File(token))) =
            (&self.images.names, &self.signing.identity.options.token)
        else {
            return Ok(());
        };
        let input = Path::new("-");
        if images != input || token != input {
            return Ok(());
        }
        Err(SettingsError::Conflict {
            one: "--images-file -".to_owned(),
            other: "--identity-token-file -".to_owned(),
        })
    }
}
