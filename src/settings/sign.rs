// SPDX-License-Identifier: Apache-2.0
//! The settings of `sign`.

use ambisign_providers::Env;

use super::groups::Groups;
use super::{ImageSettings, Settings, SettingsError, Signing, annotations};
use crate::cli::SignArgs;

impl Settings {
    /// Reads the flags and the variables of `env`.
    ///
    /// # Errors
    /// A value that cannot be read, settings that contradict each other, a misspelt `AMBISIGN_*`
    /// variable, no image, or with `--public-instance` a variable that decides who gets the token.
    pub fn resolve(args: SignArgs, env: &Env) -> Result<Self, SettingsError> {
        let mut groups = Groups::new(env, &args.signing.trust)?;
        let mut inputs = args.inputs;
        let annotations = annotations::signed(
            std::mem::take(&mut inputs.annotations),
            groups.variables.annotations.as_deref(),
            &mut groups.warnings,
        )?;
        let given = (&groups.variables, env);
        Ok(Self {
            images: ImageSettings::resolve(inputs, given, &mut groups.warnings)?,
            registry: groups.registry(args.registry)?,
            signing: Signing {
                annotations,
                ..groups.signing(args.signing)?
            },
        })
    }
}
