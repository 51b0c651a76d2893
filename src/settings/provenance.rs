// SPDX-License-Identifier: Apache-2.0
//! The settings that decide who gets the token or what is trusted. Every run reports them, and
//! `--public-instance` refuses them from variables.
//!
//! In CI systems, one job can set the variables of another, so a variable may not come from the author
//! of the job.

use std::fmt;
use std::path::PathBuf;

use ambisign_host::{Env, Proxies};
use url::Url;

use super::value::Sourced;
use super::{Origin, SettingsError};
use crate::cli::variables::{PREFIX, Role, VARIABLES};
use ambisign_registry::PlainHttp;
use ambisign_registry::reference::Reference;

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
        Self { value: given.value.to_string(), from: given.from.clone() }
    }

    pub(super) fn of_staging(from: Origin) -> Self {
        Self { value: "the staging instance".to_owned(), from }
    }

    pub(super) fn of_signatures(given: &Sourced<Reference>) -> Self {
        let (registry, name) = (given.value.registry(), given.value.repository());
        Self { value: format!("signatures in {registry}/{name}"), from: given.from.clone() }
    }

    pub(super) fn of_plain_http(registries: &PlainHttp, from: Origin) -> Self {
        let which = match registries {
            PlainHttp::Named(hosts) => {
                let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
                hosts.join(", ")
            }
            PlainHttp::IfNoTls | PlainHttp::Never => "every registry without TLS".to_owned(),
        };
        Self { value: format!("plain HTTP for {which}"), from }
    }

    pub(super) fn of_path(given: &Sourced<PathBuf>) -> Self {
        Self { value: given.value.display().to_string(), from: given.from.clone() }
    }
}

/// The overrides from variables of other programs, which have no flag.
pub(super) fn foreign_notices(env: &Env, proxies: &Proxies) -> Vec<Override> {
    let deciding = deciding(env).filter(|name| !name.starts_with(PREFIX)).map(|name| Override {
        value: origin_or_text(&env.raw(name).unwrap_or_default().to_string_lossy()),
        from: Origin::Foreign(name),
    });
    let mut overrides: Vec<_> = deciding.collect();
    for proxy in proxies.all() {
        let notice =
            Override { value: format!("proxy {proxy}"), from: Origin::Foreign(proxy.variable()) };
        if !overrides.contains(&notice) {
            overrides.push(notice);
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

/// The deciding variables that are set to a value that decides something.
fn deciding(env: &Env) -> impl Iterator<Item = &'static str> {
    VARIABLES
        .iter()
        .filter(|row| row.role == Role::Decides && row.is_given(env))
        .map(|row| row.name)
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
