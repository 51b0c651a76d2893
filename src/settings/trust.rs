// SPDX-License-Identifier: Apache-2.0
//! The settings of `trust show` and `trust update`.

use ambisign_host::Env;

use super::groups::Groups;
use super::{RunSettings, ServiceSettings, SettingsError, TrustSettings};
use crate::cli::{ServiceArgs, ShowArgs, UpdateArgs};

/// What a command about trust material is asked to do.
#[derive(Debug)]
pub struct MaterialSettings {
    /// Which services a run would use.
    pub services: ServiceSettings,
    /// Whom to believe.
    pub trust: TrustSettings,
    /// Timeout and output options.
    pub run: RunSettings,
}

impl MaterialSettings {
    /// The settings of `trust show`.
    ///
    /// # Errors
    /// As for [`super::Settings::resolve`].
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
    /// As for [`super::Settings::resolve`]; or a file was given, which no mirror updates.
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
