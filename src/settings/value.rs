// SPDX-License-Identifier: Apache-2.0
//! One setting: its value, its origin, and how to parse it, for flags and variables alike.

use std::fmt;

use ambisign_host::{Token, plain_http_allowed};
use url::Url;

use super::SettingsError;
use crate::cli::variables::variable_of;
use ambisign_registry::reference::Reference;

/// The origin of a setting, shown in the form in which users write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The flag of this name, without dashes.
    Flag(&'static str),
    /// The variable of the flag of this name.
    Variable(&'static str),
    /// A variable of another program, with its name.
    Foreign(&'static str),
    /// The member of this name of the file that `--policy` names.
    Policy(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(&variable_of(name)),
            Self::Foreign(name) => f.write_str(name),
            Self::Policy(name) => write!(f, "--policy: {name}"),
        }
    }
}

/// A value and its origin.
#[derive(Clone)]
pub(super) struct Sourced<T> {
    pub(super) value: T,
    pub(super) from: Origin,
}

impl<T> Sourced<T> {
    /// The same setting, with its value converted.
    pub(super) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: convert(self.value), from: self.from }
    }

    /// The error of an empty value.
    fn empty(&self) -> SettingsError {
        let name = self.from.to_string();
        SettingsError::Empty { name }
    }

    /// The error of a value that needs `missing`.
    pub(super) fn incomplete(&self, missing: &'static str) -> SettingsError {
        let given = self.from.to_string();
        SettingsError::Incomplete { given, missing }
    }

    /// The error of a value that does not have the `expected` form.
    pub(super) fn wrong(&self, expected: &'static str) -> SettingsError {
        let name = self.from.to_string();
        SettingsError::Value { name, expected }
    }
}

/// The flag `name`, which has no variable. An empty value is an error, because the intended one is missing.
pub(super) fn flag(
    name: &'static str,
    value: Option<String>,
) -> Result<Option<Sourced<String>>, SettingsError> {
    given(Origin::Flag(name), value)
}

/// The setting from this origin. An empty value is an error, because the intended one is missing.
pub(super) fn given(
    from: Origin,
    value: Option<String>,
) -> Result<Option<Sourced<String>>, SettingsError> {
    match value.map(|value| Sourced { value, from }) {
        Some(given) if given.value.is_empty() => Err(given.empty()),
        given => Ok(given),
    }
}

/// One of a few words.
pub(super) fn choice<T: Copy>(
    given: Option<Sourced<String>>,
    default: T,
    words: &'static [(&'static str, T)],
) -> Result<T, SettingsError> {
    let Some(given) = given else {
        return Ok(default);
    };
    let word = words.iter().find(|(word, _)| *word == given.value);
    word.map(|(_, value)| *value).ok_or_else(|| given.wrong("one of the words that `--help` lists"))
}

/// Checks that at most one of the two is given.
pub(super) fn exclusive<A, B>(
    one: Option<&Sourced<A>>,
    other: Option<&Sourced<B>>,
) -> Result<(), SettingsError> {
    match (one, other) {
        (Some(one), Some(other)) => Err(SettingsError::Conflict {
            one: one.from.to_string(),
            other: other.from.to_string(),
        }),
        (None, _) | (_, None) => Ok(()),
    }
}

/// The URL of a service: https, or http to a loopback IP literal; no user, query or fragment.
pub(super) fn url(given: Sourced<String>) -> Result<Sourced<Url>, SettingsError> {
    let url = Url::parse(&given.value).ok();
    let url = url
        .filter(|url| plain_http_allowed(url) && url.query().is_none() && url.fragment().is_none());
    match url {
        Some(value) => Ok(Sourced { value, from: given.from }),
        None => Err(given.wrong("an https URL without user name, query and fragment")),
    }
}

/// A repository, without tag and digest.
pub(super) fn repository(given: Sourced<String>) -> Result<Sourced<Reference>, SettingsError> {
    match Reference::parse_repository(&given.value) {
        Ok(value) => Ok(Sourced { value, from: given.from }),
        Err(_) => Err(given.wrong(
            "a repository such as `ghcr.io/acme/signatures`, without scheme, tag and digest",
        )),
    }
}

/// A secret that is not only white space.
pub(super) fn secret(given: Sourced<String>) -> Result<Token, SettingsError> {
    Token::new(&given.value).ok_or_else(|| given.empty())
}
