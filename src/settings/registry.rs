// SPDX-License-Identifier: Apache-2.0
//! A login belongs to one registry.

use ambisign_registry::RegistryOptions;
use ambisign_registry::reference::Reference;

use super::SettingsError;

/// Checks that a login is only given for one registry.
///
/// # Errors
/// A login is given, but `references` and the signatures are in several registries.
pub(crate) fn check_login(
    settings: &RegistryOptions,
    references: &[Reference],
) -> Result<(), SettingsError> {
    let registries = references.iter().chain(&settings.signatures);
    let mut registries = registries.map(Reference::registry);
    if let (Some(_), Some(one)) = (&settings.login, registries.next())
        && let Some(other) = registries.find(|other| *other != one)
    {
        let (one, other) = (one.to_owned(), other.to_owned());
        return Err(SettingsError::Login { one, other });
    }
    Ok(())
}
