// SPDX-License-Identifier: Apache-2.0
//! Which TUF mirror is asked, and by which root it is judged.

use std::path::PathBuf;

use ambisign_host::Env;
use ambisign_sigstore::trust::Mirror;
use ambisign_sigstore::trust::tuf::instance_of;
use url::Url;

use super::SettingsError;
use super::provenance::Override;
use super::value::{self, Origin, Sourced};

/// The variables in which older versions of cosign name keys and certificates one by one. They are no
/// trusted root, and to go on without them would be to believe the public instance instead.
const OLDER_TRUST: [&str; 4] = [
    "SIGSTORE_ROOT_FILE",
    "SIGSTORE_REKOR_PUBLIC_KEY",
    "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE",
    "SIGSTORE_TSA_CERTIFICATE_FILE",
];

/// What the variables of cosign say.
pub(super) struct Foreign {
    older_trust: Option<&'static str>,
    mirror: Option<String>,
    root: Option<String>,
    /// The repository that has the signatures.
    pub(super) signatures: Option<String>,
}

impl Foreign {
    pub(super) fn read(env: &Env) -> Self {
        let read = |name: &str| env.get(name).map(str::to_owned);
        let mut older_trust = OLDER_TRUST.into_iter();
        Self {
            older_trust: older_trust
                .find(|name| env.get(name).is_some_and(|value| !value.is_empty())),
            mirror: read("TUF_MIRROR"),
            root: read("TUF_ROOT_JSON"),
            signatures: read("COSIGN_REPOSITORY"),
        }
    }
}

/// What our own flags and variables say.
pub(super) struct GivenMirror {
    pub(super) mirror: Option<Sourced<String>>,
    pub(super) root: Option<Sourced<PathBuf>>,
    /// Where it is said that the staging instance is meant.
    pub(super) staging: Option<Origin>,
}

impl GivenMirror {
    /// The mirror, and what is to be told of it.
    ///
    /// # Errors
    /// A URL that is none, a mirror without root or a root without mirror, or the staging instance
    /// beside either; or no mirror and, unless `has_root`, keys that are named one by one.
    pub(super) fn resolve(
        self,
        foreign: &Foreign,
        has_root: bool,
    ) -> Result<(Mirror, Vec<Override>), SettingsError> {
        let Self {
            mirror,
            root,
            staging,
        } = self;
        let mirror = mirror.or_else(|| {
            let value = foreign.mirror.clone()?;
            let from = Origin::Foreign("TUF_MIRROR");
            Some(Sourced { value, from })
        });
        if let Some(staging) = staging {
            let others = [
                mirror.as_ref().map(|given| &given.from),
                root.as_ref().map(|given| &given.from),
            ];
            return match others.into_iter().flatten().next() {
                Some(other) => Err(SettingsError::Conflict {
                    one: staging.to_string(),
                    other: other.to_string(),
                }),
                None => Ok((Mirror::Staging, vec![Override::of_staging(staging)])),
            };
        }
        match (mirror, root) {
            (None, None) => match foreign.older_trust.filter(|_| !has_root) {
                Some(name) => Err(SettingsError::OlderTrust {
                    name: name.to_owned(),
                }),
                None => Ok((Mirror::Public, Vec::new())),
            },
            (None, Some(root)) => Err(root.incomplete("--tuf-mirror")),
            (Some(mirror), root) => {
                // As for cosign, this variable counts for nothing without a mirror.
                let root = root.or_else(|| {
                    let value = foreign.root.clone()?.into();
                    let from = Origin::Foreign("TUF_ROOT_JSON");
                    Some(Sourced { value, from })
                });
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
        return Ok((instance, told(overrides)));
    };
    overrides.push(Override::of_path(&root));
    let mirror = Mirror::Other {
        url: mirror.value,
        root: root.value,
    };
    Ok((mirror, told(overrides)))
}

/// The variables that are not ours are told whether they count or not.
fn told(mut overrides: Vec<Override>) -> Vec<Override> {
    overrides.retain(|notice| match notice.from {
        Origin::Flag(_) | Origin::Variable(_) => true,
        Origin::Foreign(_) => false,
    });
    overrides
}
