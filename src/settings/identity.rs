// SPDX-License-Identifier: Apache-2.0
//! Converts settings to the options of identity providers.

use ambisign_providers::{GivenToken, Names, Options};

use super::value::Origin;
use super::{Ambient, IdentitySettings, TokenSource};

/// Variables with an identity token. Messages recommend the first.
const TOKEN_VARIABLES: [&str; 2] = ["SIGSTORE_ID_TOKEN", "SIGSTORE_IDENTITY_TOKEN"];
/// The path where operators mount a token for cosign.
const TOKEN_FILE: &str = "/var/run/sigstore/cosign/oidc-token";

/// The flags that messages of providers name.
const NAMES: Names = Names {
    provider: "--oidc-provider",
    token: "--identity-token",
    token_file: "--identity-token-file",
    disable_ambient: "--oidc-disable-ambient-providers",
    require_identity: Some("--require-identity"),
    realm: Some("--require-issuer"),
};

/// The same where the token is the value of a variable.
const NAMES_OF_VARIABLES: Names = Names { token: "AMBISIGN_IDENTITY_TOKEN", ..NAMES };

/// The options of the providers.
pub(crate) fn identity_options(settings: &IdentitySettings) -> Options {
    let token = settings.token.as_ref().map(|token| match token {
        TokenSource::File(path) => GivenToken::File(path.clone()),
        TokenSource::Value { text, .. } => GivenToken::Value(text.clone()),
    });
    let names = match &settings.token {
        Some(TokenSource::Value { from: Origin::Variable(_), .. }) => &NAMES_OF_VARIABLES,
        Some(TokenSource::Value { .. } | TokenSource::File(_)) | None => &NAMES,
    };
    Options {
        audience: settings.audience.clone(),
        token_variables: TOKEN_VARIABLES.map(str::to_owned).to_vec(),
        token_file: TOKEN_FILE.into(),
        token,
        provider: settings.provider.clone(),
        disable_ambient: settings.ambient == Ambient::Disabled,
        realm: settings.realm.clone(),
        names,
    }
}
