// SPDX-License-Identifier: Apache-2.0
//! Converts settings to the options of registries.

use ambisign_host::Token;
use ambisign_registry::RegistryOptions;
use ambisign_registry::reference::Reference;
use secrecy::ExposeSecret;

use super::{RegistryLogin, RegistrySettings, SettingsError};

/// The options for the registries of `references`.
///
/// # Errors
/// A login is given, but the references are in several registries.
pub(crate) fn registry_options(
    settings: &RegistrySettings,
    references: &[Reference],
) -> Result<RegistryOptions, SettingsError> {
    let registries = references.iter().chain(&settings.signatures);
    let mut registries = registries.map(Reference::registry);
    if let (Some(_), Some(one)) = (&settings.login, registries.next())
        && let Some(other) = registries.find(|other| *other != one)
    {
        let (one, other) = (one.to_owned(), other.to_owned());
        return Err(SettingsError::Login { one, other });
    }
    let copy = |token: &Token| Token::new(token.expose());
    let options = RegistryOptions {
        signatures: settings.signatures.clone(),
        plain_http: settings.plain_http.clone(),
        realm: settings.realm.clone(),
        ..RegistryOptions::default()
    };
    Ok(match &settings.login {
        Some(RegistryLogin::Password { username, password }) => RegistryOptions {
            username: Some(username.clone()),
            password: Token::new(password.expose_secret()),
            ..options
        },
        Some(RegistryLogin::Token(token)) => RegistryOptions { token: copy(token), ..options },
        None => options,
    })
}
