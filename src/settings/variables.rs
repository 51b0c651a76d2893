// SPDX-License-Identifier: Apache-2.0
//! Reads the `AMBISIGN_*` variables as text. Unknown ones are errors or warnings.

use ambisign_host::{Env, Warning};
use serde::Deserialize;

use super::SettingsError;
use crate::cli::variables::{PREFIX, VARIABLES};

/// An unknown name within this edit distance of a known one is a typing mistake.
const TYPO: usize = 2;

/// The prefixes of variables that Kubernetes sets in every pod if there is a service called `ambisign`.
const KUBERNETES: [&str; 2] = ["AMBISIGN_SERVICE_", "AMBISIGN_PORT"];

/// The variables, as text; `None` if not set or empty. There is one field for each `AMBISIGN_*` row of
/// [`VARIABLES`].
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct Variables {
    pub(super) allow_http_registry: Option<String>,
    pub(super) allow_private_repository: Option<String>,
    pub(super) annotations: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) bundle: Option<String>,
    pub(super) bundle_dir: Option<String>,
    pub(super) ca_file: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) dry_run: Option<String>,
    pub(super) fulcio_url: Option<String>,
    pub(super) identity_token: Option<String>,
    pub(super) identity_token_file: Option<String>,
    pub(super) if_signed: Option<String>,
    pub(super) images: Option<String>,
    pub(super) images_file: Option<String>,
    pub(super) jobs: Option<String>,
    pub(super) metadata: Option<String>,
    pub(super) no_push: Option<String>,
    pub(super) oidc_disable_ambient_providers: Option<String>,
    pub(super) oidc_issuer: Option<String>,
    pub(super) oidc_provider: Option<String>,
    pub(super) output: Option<String>,
    pub(super) public_instance: Option<String>,
    pub(super) recursive: Option<String>,
    pub(super) registry_password: Option<String>,
    pub(super) registry_token: Option<String>,
    pub(super) registry_username: Option<String>,
    pub(super) rekor_url: Option<String>,
    pub(super) rekor_version: Option<String>,
    pub(super) require_digest: Option<String>,
    pub(super) require_identity: Option<String>,
    pub(super) require_issuer: Option<String>,
    pub(super) signature_repository: Option<String>,
    pub(super) signing_config: Option<String>,
    pub(super) staging: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) tags: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) trusted_root: Option<String>,
    pub(super) tsa_url: Option<String>,
    pub(super) tuf_mirror: Option<String>,
    pub(super) tuf_root: Option<String>,
    pub(super) verbose: Option<String>,
    pub(super) yes: Option<String>,
}

/// Reads the variables of `env`.
///
/// # Errors
/// A known variable is not UTF-8, or an unknown one is similar to a known one.
pub(super) fn read(env: &Env) -> Result<(Variables, Vec<Warning>), SettingsError> {
    let mut known = Vec::new();
    let mut warnings = Vec::new();
    for (name, value) in env.iter() {
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || KUBERNETES.iter().any(|foreign| name.starts_with(foreign)) {
            continue;
        }
        if !VARIABLES.iter().any(|row| row.name == name) {
            warnings.push(unknown(&name)?);
            continue;
        }
        let Some(value) = value.to_str() else {
            return Err(SettingsError::NotUtf8 { name: name.into_owned() });
        };
        if !value.is_empty() {
            known.push((name.into_owned(), value.to_owned()));
        }
    }
    let variables = envy::prefixed(PREFIX)
        .from_iter(known)
        .map_err(|error| SettingsError::Variables(named(error)))?;
    Ok((variables, warnings))
}

fn unknown(name: &str) -> Result<Warning, SettingsError> {
    let own = VARIABLES.iter().map(|row| row.name).filter(|known| known.starts_with(PREFIX));
    let nearest = own
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min()
        .filter(|(distance, _)| *distance <= TYPO);
    if let Some((_, nearest)) = nearest {
        return Err(SettingsError::UnknownVariable { name: name.to_owned(), nearest });
    }
    Ok(Warning {
        code: "settings/unknown-variable",
        message: format!("`{name}` is not a variable of this version of ambisign and is not read"),
    })
}

/// Replaces the field names in errors of `envy` with the names of variables.
fn named(error: envy::Error) -> envy::Error {
    match error {
        envy::Error::MissingValue(_) => error,
        envy::Error::Custom(text) => {
            let mut text = text;
            for row in VARIABLES.iter() {
                if let Some(field) = row.name.strip_prefix(PREFIX) {
                    let field = format!("`{}`", field.to_ascii_lowercase());
                    text = text.replace(&field, &format!("`{}`", row.name));
                }
            }
            envy::Error::Custom(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{PREFIX, VARIABLES, Variables};

    #[test]
    fn has_a_field_for_each_row_of_the_table() {
        let fields = serde_json::to_value(Variables::default()).unwrap();
        let fields: BTreeSet<String> = fields
            .as_object()
            .unwrap()
            .keys()
            .map(|field| format!("{PREFIX}{}", field.to_ascii_uppercase()))
            .collect();
        let rows = VARIABLES.iter().map(|row| row.name).filter(|name| name.starts_with(PREFIX));
        assert_eq!(fields, rows.map(str::to_owned).collect());
    }
}
