// SPDX-License-Identifier: Apache-2.0
//! What the program decides: names, paths, the audience and the user's wishes.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

/// What to look for, and under which names. The crate itself knows no consumer of tokens.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The audience that tokens are asked for.
    pub audience: String,
    /// Variables that hold a token; the first is the one that messages recommend.
    pub token_variables: Vec<String>,
    /// Where an operator mounts a token that the platform keeps fresh; below the file root.
    pub token_file: PathBuf,
    /// A token that was given by a flag.
    pub token: Option<GivenToken>,
    /// The one provider to use, by its name or by the alias `google`.
    pub provider: Option<String>,
    /// Use only what was handed over: a flag or a token variable.
    pub disable_ambient: bool,
}

impl Options {
    /// The variable that messages recommend.
    pub(crate) fn variable(&self) -> String {
        self.token_variables.first().cloned().unwrap_or_default()
    }

    /// Whether the provider `name` is requested.
    pub(crate) fn requests(&self, name: &str) -> bool {
        self.provider.as_deref() == Some(name)
    }
}

/// A token on the command line.
#[derive(Clone)]
pub enum GivenToken {
    /// A file that holds the token; `-` is the standard input.
    File(PathBuf),
    /// The token itself, or a path: whatever has not the form of a token is a path.
    Value(SecretString),
}

/// Never the value: it may be a secret, even when it looks like a path.
impl fmt::Debug for GivenToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Value(_) => f.write_str("Value(***)"),
        }
    }
}
