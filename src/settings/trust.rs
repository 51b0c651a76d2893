// SPDX-License-Identifier: Apache-2.0
//! The settings of `trust show` and `trust update`.

use ambisign_host::Env;

use super::groups::Groups;
use super::{RunSettings, ServiceSettings, SettingsError, TrustSettings};
use crate::cli::{ServiceArgs, ShowArgs, UpdateArgs};

/// The settings of a command about trust material.
#[derive(Debug)]
pub struct MaterialSettings {
    /// The services that a run would use.
    pub services: ServiceSettings,
    /// Trust material.
    pub trust: TrustSettings,
    /// Timeout and output options.
    pub run: RunSettings,
}

impl MaterialSettings {
    /// The settings of `trust show`.
    ///
    /// # Errors
    /// Those of [`super::Settings::resolve`].
    pub fn of_show(args: ShowArgs, env: &Env) -> Result<Self, SettingsError> {
        let mut groups = Groups::new(env, &args.trust)?;
        Ok(Self {
            services: groups.services(args.services)?,
            trust: groups.trust(args.trust)?,
            run: groups.run(args.run)?,
        })
    }

    /// The settings of `trust update`.
    ///
    /// # Errors
    /// Those of [`super::Settings::resolve`], or a file is given, which a mirror does not update.
    pub fn of_update(args: UpdateArgs, env: &Env) -> Result<Self, SettingsError> {
        let mut groups = Groups::new(env, &args.trust)?;
        let settings = Self {
            services: groups.services(ServiceArgs::default())?,
            trust: groups.trust(args.trust)?,
            run: groups.run(args.run)?,
        };
        match &settings.trust.trusted_root {
            Some(_) => Err(SettingsError::Conflict {
                one: "trust update".to_owned(),
                other: "--trusted-root".to_owned(),
            }),
            None => Ok(settings),
        }
    }
}
