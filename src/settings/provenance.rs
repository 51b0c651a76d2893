// SPDX-License-Identifier: Apache-2.0
//! The settings that decide who gets the token or what is trusted. Every run reports them, and
//! `--public-instance` refuses them from variables.
//!
//! In CI systems, one job can set the variables of another, so a variable may not come from the author
//! of the job.

use std::fmt;
use std::path::PathBuf;

use ambisign_host::Env;
use url::Url;

use super::value::Sourced;
use super::{Origin, SettingsError};
use crate::cli::variables::{PREFIX, Role, VARIABLES};
use ambisign_registry::PlainHttp;
use ambisign_registry::reference::Reference;

/// The variables of the proxy. The first spelling takes precedence.
const PROXIES: [[&str; 4]; 2] = [
    ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
    ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
];

/// A destination or trust input that is not the default, which is shown as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The value: a URL without parts that could be secret, or a path.
    pub value: String,
    /// Where it came from.
    pub from: Origin,
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (from {})", self.value, self.from)
    }
}

impl Override {
    pub(super) fn of_url(given: &Sourced<Url>) -> Self {
        // Parsed URLs have neither user nor query.
        Self {
            value: given.value.to_string(),
            from: given.from.clone(),
        }
    }

    pub(super) fn of_staging(from: Origin) -> Self {
        Self {
            value: "the staging instance".to_owned(),
            from,
        }
    }

    pub(super) fn of_signatures(given: &Sourced<Reference>) -> Self {
        let (registry, name) = (given.value.registry(), given.value.repository());
        Self {
            value: format!("signatures in {registry}/{name}"),
            from: given.from.clone(),
        }
    }

    pub(super) fn of_plain_http(registries: &PlainHttp, from: Origin) -> Self {
        let which = match registries {
            PlainHttp::Named(hosts) => {
                let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
                hosts.join(", ")
            }
            PlainHttp::IfNoTls | PlainHttp::Never => "every registry without TLS".to_owned(),
        };
        Self {
            value: format!("plain HTTP for {which}"),
            from,
        }
    }

    pub(super) fn of_path(given: &Sourced<PathBuf>) -> Self {
        Self {
            value: given.value.display().to_string(),
            from: given.from.clone(),
        }
    }
}

/// The overrides from variables of other programs, which have no flag.
pub(super) fn foreign_notices(env: &Env) -> Vec<Override> {
    let deciding = deciding(env)
        .filter(|name| !name.starts_with(PREFIX))
        .map(|name| Override {
            value: origin_or_text(&env.raw(name).unwrap_or_default().to_string_lossy()),
            from: Origin::Foreign(name),
        });
    let mut overrides: Vec<_> = deciding.collect();
    for names in PROXIES {
        let found = names
            .into_iter()
            .find_map(|name| Some((name, env.get(name)?)));
        if let Some((name, value)) = found {
            let value = format!("proxy {}", proxy_origin(value));
            let notice = Override {
                value,
                from: Origin::Foreign(name),
            };
            if !overrides.contains(&notice) {
                overrides.push(notice);
            }
        }
    }
    overrides
}

/// # Errors
/// The first variable that is set and decides who gets the token or what is trusted. It is refused
/// even if a flag takes precedence, because someone set it.
pub(super) fn refuse_deciding_variables(env: &Env) -> Result<(), SettingsError> {
    match deciding(env).next() {
        Some(name) => Err(SettingsError::Decides { name }),
        None => Ok(()),
    }
}

/// The deciding variables that are set and not empty, in any encoding.
fn deciding(env: &Env) -> impl Iterator<Item = &'static str> {
    VARIABLES
        .iter()
        .filter(|row| row.role == Role::Decides)
        .map(|row| row.name)
        .filter(|name| env.raw(name).is_some_and(|value| !value.is_empty()))
}

/// Removes parts of a URL that could be secret; a path is unchanged.
fn origin_or_text(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.has_host() => {
            format!("{}{}", url.origin().ascii_serialization(), url.path())
        }
        Ok(_) | Err(_) => text.to_owned(),
    }
}

/// Proxy variables can contain passwords, and can lack the scheme.
fn proxy_origin(text: &str) -> String {
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    match Url::parse(&with_scheme) {
        Ok(url) => match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) => format!("{}://{host}:{port}", url.scheme()),
            (Some(host), None) => format!("{}://{host}", url.scheme()),
            (None, _) => "(unreadable)".to_owned(),
        },
        Err(_) => "(unreadable)".to_owned(),
    }
}
