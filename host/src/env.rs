// SPDX-License-Identifier: Apache-2.0
//! A snapshot of the environment variables.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;

/// The environment variables of the process, read once.
///
/// Names and values need not be UTF-8: a foreign variable in another encoding must not stop a run.
#[derive(Clone, Default)]
pub struct Env {
    variables: BTreeMap<OsString, OsString>,
    hidden: BTreeSet<&'static str>,
}

impl Env {
    /// The variables of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment enters")]
    pub fn from_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of `name`, if it is set, not empty and valid UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name)?.to_str().filter(|value| !value.is_empty())
    }

    /// The value of `name` unchanged, even if it is empty or not UTF-8.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Returns `true` if `name` is set, even to the empty string.
    pub fn is_set(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// Hides the variables in `names` from child processes that do not ask for them.
    #[must_use]
    pub fn hide(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.hidden.extend(names);
        self
    }

    /// Returns `true` if `name` is hidden from child processes that do not ask for it.
    pub(crate) fn is_hidden(&self, name: &str) -> bool {
        self.hidden.contains(name)
    }

    /// Removes the variables in `names`.
    pub fn without(self, names: &BTreeSet<String>) -> Self {
        let is_named = |name: &OsStr| name.to_str().is_some_and(|name| names.contains(name));
        let others = self.variables.into_iter().filter(|(name, _)| !is_named(name));
        Self { variables: others.collect(), hidden: self.hidden }
    }

    /// Sets `name` to `value`, in place of what it was set to.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// All variables whose name and value are UTF-8, sorted by name.
    pub fn utf8(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }

    /// All variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self {
            variables: pairs.map(|(name, value)| (name.into(), value.into())).collect(),
            hidden: BTreeSet::new(),
        }
    }
}

/// Names only: values may be secret.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}
