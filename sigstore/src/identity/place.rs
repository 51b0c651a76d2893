// SPDX-License-Identifier: Apache-2.0
//! Where a token that was not requested comes from.

use std::fmt;

/// The variable, setting or file into which somebody put a token, and the provider that reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPlace {
    name: String,
    provider: &'static str,
}

impl TokenPlace {
    /// The place `name`, as messages name it: `` `SIGSTORE_ID_TOKEN` ``, `standard input`.
    pub fn new(name: String, provider: &'static str) -> Self {
        Self { name, provider }
    }

    /// The place without the provider.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (provider {})", self.name, self.provider)
    }
}
