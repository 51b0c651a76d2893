// SPDX-License-Identifier: Apache-2.0
//! Reads the `AMBISIGN_*` variables as text. Unknown ones are errors or warnings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ambisign_host::{Env, Warning};

use super::SettingsError;
use super::value::{self, Origin, Sourced};
use crate::cli::variables::{PREFIX, VARIABLES, variable_of};

/// An unknown name within this edit distance of a known one is a typing mistake.
const TYPO: usize = 2;

/// The prefixes of variables that Kubernetes sets in every pod if there is a service called `ambisign`.
const KUBERNETES: [&str; 2] = ["AMBISIGN_SERVICE_", "AMBISIGN_PORT"];

/// The variables that have a value, as text, by the last part of their names in lower case.
#[derive(Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The variable of the flag `name`, which is that of a row of [`VARIABLES`].
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(VARIABLES.iter().any(|row| row.name == variable_of(name)), "{name}");
        self.0.get(&name.replace('-', "_")).map(String::as_str)
    }

    /// The flag, otherwise the variable.
    ///
    /// # Errors
    /// The value of the flag is empty.
    pub(super) fn text(
        &self,
        name: &'static str,
        flag: Option<String>,
    ) -> Result<Option<Sourced<String>>, SettingsError> {
        Ok(value::flag(name, flag)?.or_else(|| self.sourced(name)))
    }

    /// The flag, otherwise the variable. clap refuses an empty path itself.
    pub(super) fn path(
        &self,
        name: &'static str,
        flag: Option<PathBuf>,
    ) -> Option<Sourced<PathBuf>> {
        let flag = flag.map(|value| Sourced { value, from: Origin::Flag(name) });
        flag.or_else(|| self.sourced(name))
    }

    /// Returns `true` if the switch `name` is on. The flag can only turn it on; the variable can do both.
    ///
    /// # Errors
    /// The variable is neither `true` nor `false`.
    pub(super) fn switch(&self, name: &'static str, flag: bool) -> Result<bool, SettingsError> {
        match self.get(name) {
            _ if flag => Ok(true),
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => {
                Err(Sourced { value: (), from: Origin::Variable(name) }.wrong("`true` or `false`"))
            }
        }
    }

    fn sourced<T: for<'a> From<&'a str>>(&self, name: &'static str) -> Option<Sourced<T>> {
        let value = self.get(name)?.into();
        Some(Sourced { value, from: Origin::Variable(name) })
    }
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
    // Reading texts as texts cannot fail.
    let variables = envy::prefixed(PREFIX).from_iter(known).unwrap_or_default();
    Ok((Variables(variables), warnings))
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
