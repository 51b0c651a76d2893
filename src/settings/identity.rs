// SPDX-License-Identifier: Apache-2.0
//! The options of the providers of identity.

use ambisign_providers::{GivenToken, Names, Options};

use super::value::{Origin, Sourced};

/// The audience that Fulcio expects.
const AUDIENCE: &str = "sigstore";
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

/// The options of the providers, with the token that the user gave and where it comes from.
pub(super) fn options(token: Option<Sourced<GivenToken>>) -> Options {
    let names = match &token {
        Some(Sourced { value: GivenToken::Value(_), from: Origin::Variable(_) }) => {
            &NAMES_OF_VARIABLES
        }
        Some(Sourced { .. }) | None => &NAMES,
    };
    Options {
        audience: AUDIENCE.to_owned(),
        token_variables: TOKEN_VARIABLES.map(str::to_owned).to_vec(),
        token_file: TOKEN_FILE.into(),
        token: token.map(|given| given.value),
        names,
        ..Options::default()
    }
}
