// SPDX-License-Identifier: Apache-2.0
//! The challenge in a registry's answer 401 (RFC 9110 11.6.1, and the token authentication of the OCI
//! registries).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use url::Url;

/// The authorization that a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User name and password (RFC 7617).
    Basic,
    /// A token from a token endpoint.
    Bearer {
        /// The token endpoint.
        realm: Url,
        /// The name of the registry at that endpoint.
        service: Option<String>,
        /// The scopes that the request needs, according to the registry, separated by blanks.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The best challenge of an answer, Bearer before Basic; `None` if none is supported.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut basic = None;
        for header in headers.get_all(WWW_AUTHENTICATE) {
            for (scheme, parameters) in split(header.to_str().unwrap_or_default()) {
                if scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Self::Basic);
                }
                if scheme.eq_ignore_ascii_case("bearer")
                    && let Some(bearer) = Self::bearer(&parameters)
                {
                    return Some(bearer);
                }
            }
        }
        basic
    }

    fn bearer(parameters: &[(String, String)]) -> Option<Self> {
        let find = |wanted: &str| {
            parameters
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.clone())
        };
        let realm = Url::parse(&find("realm")?).ok()?;
        realm.has_host().then(|| Self::Bearer {
            realm,
            service: find("service"),
            scope: find("scope"),
        })
    }

    /// The part that applies to other repositories of the registry too.
    pub(crate) fn of_registry(self) -> Self {
        match self {
            Self::Basic => Self::Basic,
            Self::Bearer { realm, service, .. } => Self::Bearer { realm, service, scope: None },
        }
    }
}

/// Schemes and their parameters. Parsing stops at text that is not a challenge.
fn split(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            return found;
        }
        let after = after.trim_start();
        let Some(value) = after.strip_prefix('=') else {
            found.push((word.to_owned(), Vec::new()));
            rest = after;
            continue;
        };
        let (value, after) = parameter_value(value.trim_start());
        let Some((_, parameters)) = found.last_mut() else {
            return found;
        };
        parameters.push((word.to_owned(), value));
        rest = after;
    }
}

fn token(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    text.split_at(end)
}

/// A token or a quoted string, in which a backslash escapes any character.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            '"' if !escaped => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' if !escaped => escaped = true,
            c => {
                value.push(c);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

    use super::Challenge;

    fn challenge(lines: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(line).unwrap());
        }
        Challenge::of(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        scoped(realm, service, None)
    }

    fn scoped(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer {
            realm: realm.parse().unwrap(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        })
    }

    #[test]
    fn reads_what_registries_send() {
        let docker = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="insufficient_scope""#;
        let realm = "https://auth.docker.io/token";
        let scope = "repository:a/b:pull,push";
        assert_eq!(challenge(&[docker]), scoped(realm, Some("registry.docker.io"), Some(scope)));
        assert_eq!(challenge(&[r#"Basic realm="x, y""#]), Some(Challenge::Basic));
        assert_eq!(challenge(&["basic"]), Some(Challenge::Basic));
        assert_eq!(
            challenge(&[r#"Basic realm="x", Bearer realm="https://a/t""#]),
            bearer("https://a/t", None)
        );
        assert_eq!(
            challenge(&["Negotiate", "Basic realm=x", "BEARER REALM=https://a/t , service = s"]),
            bearer("https://a/t", Some("s"))
        );
        assert_eq!(
            challenge(&[r#"Bearer service="a\"b",realm="https://a/t?x=1""#]),
            bearer("https://a/t?x=1", Some("a\"b"))
        );
    }

    #[test]
    fn ignores_what_is_none() {
        for text in [
            "",
            ",,,",
            "=",
            "\"",
            "Bearer",
            "Bearer realm",
            "Bearer realm=",
            "Bearer realm=\"",
            "Bearer realm=\"/token\"",
            "Bearer realm=\"data:x\"",
            "Negotiate abc==",
            "realm=\"x\"",
        ] {
            assert_eq!(challenge(&[text]), None, "{text}");
        }
        assert_eq!(challenge(&[]), None);
    }
}
