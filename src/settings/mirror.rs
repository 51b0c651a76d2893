// SPDX-License-Identifier: Apache-2.0
//! The TUF mirror and its root.

use std::path::PathBuf;

use ambisign_host::Env;
use ambisign_sigstore::trust::Mirror;
use ambisign_sigstore::trust::tuf::instance_of;
use url::Url;

use super::SettingsError;
use super::provenance::Override;
use super::value::{self, Origin, Sourced};

/// The variables with which older versions of cosign name single keys and certificates. They do not make a
/// trusted root, and ignoring them would mean to trust the public instance instead.
const OLDER_TRUST: [&str; 4] = [
    "SIGSTORE_ROOT_FILE",
    "SIGSTORE_REKOR_PUBLIC_KEY",
    "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE",
    "SIGSTORE_TSA_CERTIFICATE_FILE",
];

/// The variables of cosign.
pub(super) struct Foreign(Env);

impl Foreign {
    pub(super) fn read(env: &Env) -> Self {
        Self(env.clone())
    }

    /// The variable `name`, if it is set.
    pub(super) fn get<T: for<'a> From<&'a str>>(&self, name: &'static str) -> Option<Sourced<T>> {
        let value = self.0.get(name)?.into();
        Some(Sourced { value, from: Origin::Foreign(name) })
    }

    fn older_trust(&self) -> Option<&'static str> {
        let is_given = |name: &&str| self.0.get(name).is_some_and(|value| !value.is_empty());
        OLDER_TRUST.into_iter().find(is_given)
    }
}

/// The program's own flags and variables.
pub(super) struct GivenMirror {
    pub(super) mirror: Option<Sourced<String>>,
    pub(super) root: Option<Sourced<PathBuf>>,
    /// The setting that selects the staging instance.
    pub(super) staging: Option<Origin>,
}

impl GivenMirror {
    /// The mirror, and the overrides to report.
    ///
    /// # Errors
    /// An invalid URL, a mirror without a root, a root without a mirror, either together with the staging
    /// instance, or without a mirror and unless `has_root`, keys that are named one by one.
    pub(super) fn resolve(
        self,
        foreign: &Foreign,
        has_root: bool,
    ) -> Result<(Mirror, Vec<Override>), SettingsError> {
        let Self { mirror, root, staging } = self;
        let mirror = mirror.or_else(|| foreign.get("TUF_MIRROR"));
        if let Some(staging) = staging {
            let others =
                [mirror.as_ref().map(|given| &given.from), root.as_ref().map(|given| &given.from)];
            return match others.into_iter().flatten().next() {
                Some(other) => Err(SettingsError::Conflict {
                    one: staging.to_string(),
                    other: other.to_string(),
                }),
                None => Ok((Mirror::Staging, vec![Override::of_staging(staging)])),
            };
        }
        match (mirror, root) {
            (None, None) => match foreign.older_trust().filter(|_| !has_root) {
                Some(name) => Err(SettingsError::OlderTrust { name: name.to_owned() }),
                None => Ok((Mirror::Public, Vec::new())),
            },
            (None, Some(root)) => Err(root.incomplete("--tuf-mirror")),
            (Some(mirror), root) => {
                // As in cosign, this variable has no effect without a mirror.
                let root = root.or_else(|| foreign.get("TUF_ROOT_JSON"));
                named(value::url(mirror)?, root)
            }
        }
    }
}

fn named(
    mirror: Sourced<Url>,
    root: Option<Sourced<PathBuf>>,
) -> Result<(Mirror, Vec<Override>), SettingsError> {
    let mut overrides = vec![Override::of_url(&mirror)];
    let Some(root) = root else {
        let instance = instance_of(&mirror.value);
        let instance = instance.ok_or_else(|| mirror.incomplete("--tuf-root"))?;
        return Ok((instance, without_foreign(overrides)));
    };
    overrides.push(Override::of_path(&root));
    let mirror = Mirror::Other { url: mirror.value, root: root.value };
    Ok((mirror, without_foreign(overrides)))
}

/// Removes the variables of cosign, which are reported separately whether they have an effect or not.
fn without_foreign(mut overrides: Vec<Override>) -> Vec<Override> {
    overrides.retain(|notice| match notice.from {
        Origin::Flag(_) | Origin::Variable(_) | Origin::Policy(_) => true,
        Origin::Foreign(_) => false,
    });
    overrides
}
