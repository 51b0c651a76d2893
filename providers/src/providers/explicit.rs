// SPDX-License-Identifier: Apache-2.0
//! A token from the user: the token itself, or a file.

use std::path::{Path, PathBuf};

use ambisign_host::{Host, Token, json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;

use super::env_var::Held;
use super::file::{Error, Origin, StandardInput, TokenFile};
use crate::{Detection, GivenToken, Kind, Options, Provider};

pub(crate) const PROVIDER: Provider = Provider {
    name: "identity-token",
    variables: &[],
    secrets: &[],
    errors: &[],
    kind: Kind::Explicit,
    detect,
};

fn detect(host: &Host, options: &Options) -> Detection {
    match &options.token {
        None => Detection::Absent,
        Some(GivenToken::File(path)) if path == Path::new("-") => {
            Detection::Ready(Box::new(StandardInput))
        }
        Some(GivenToken::File(path)) => file(path.clone(), Origin::File),
        Some(GivenToken::Value(value)) => {
            let Some(token) = Token::new(value.expose_secret()) else {
                let from = format!("`{}`", options.names.token);
                return Detection::Broken(Error::Empty { from }.into());
            };
            if has_form_of_token(token.expose()) {
                host.net.guard(token.expose());
                Detection::Ready(Box::new(Held { token, place: options.names.token.to_owned() }))
            } else {
                file(PathBuf::from(token.expose()), Origin::Value(options.names))
            }
        }
    }
}

fn file(path: PathBuf, origin: Origin) -> Detection {
    Detection::Ready(Box::new(TokenFile { path, origin }))
}

/// Returns `true` if `text` is a token rather than a path: it has exactly two dots, and its first segment
/// decodes to a JSON object with an `alg` (RFC 7515 3.1, 4.1.1).
fn has_form_of_token(text: &str) -> bool {
    let mut segments = text.split('.');
    let header = segments
        .next()
        .and_then(|header| URL_SAFE_NO_PAD.decode(header).ok())
        .and_then(|header| json::parse::<serde_json::Value>(&header).ok());
    segments.count() == 2 && header.is_some_and(|header| header.get("alg").is_some())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::has_form_of_token;
    use crate::choose::tests::{Place, block_on};
    use crate::{GivenToken, Options, choose};

    #[test]
    fn tells_a_token_from_a_path() {
        // {"alg":"ES256"}, then {"typ":"JWT"}
        assert!(has_form_of_token("eyJhbGciOiJFUzI1NiJ9.e30.c2ln"));
        assert!(!has_form_of_token("eyJ0eXAiOiJKV1QifQ.e30.c2ln"));
        for path in ["token.jwt.txt", "/run/token", "a.b", "a.b.c.d", "..", ""] {
            assert!(!has_form_of_token(path), "{path}");
        }
    }

    #[test]
    fn a_value_is_never_echoed() {
        let place = Place::new();
        let value = "Bearer c4n4ry-not-a-token".to_owned();
        let options = Options {
            token: Some(GivenToken::Value(SecretString::from(value))),
            ..place.options()
        };
        let choice = choose(&place.host(), &options).unwrap();
        let error = block_on(choice.source.token(&place.host(), "aud")).unwrap_err();
        assert!(!format!("{error:?} {error} {options:?}").contains("c4n4ry"));
    }
}
