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
    /// A token that the user gave, for instance by a flag.
    pub token: Option<GivenToken>,
    /// The one provider to use, by its name or by the alias `google`.
    pub provider: Option<String>,
    /// Use only what was handed over: a token, or a token variable.
    pub disable_ambient: bool,
    /// What the program calls these settings, for its messages.
    pub names: &'static Names,
}

/// What a program calls the settings of [`Options`], for its messages: flags, as they are typed.
///
/// Without names of the program, messages name the fields themselves.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// [`Options::provider`].
    pub provider: &'static str,
    /// [`Options::token`] as a value.
    pub token: &'static str,
    /// [`Options::token`] as a file.
    pub token_file: &'static str,
    /// [`Options::disable_ambient`].
    pub disable_ambient: &'static str,
    /// A setting of the program that insists on one identity.
    pub require_identity: Option<&'static str>,
}

impl Default for &'static Names {
    fn default() -> Self {
        &Names::FIELDS
    }
}

impl Names {
    /// The fields themselves: the names in a program that gives none.
    pub const FIELDS: Self = Self {
        provider: "Options::provider",
        token: "Options::token",
        token_file: "GivenToken::File",
        disable_ambient: "Options::disable_ambient",
        require_identity: None,
    };

    /// How the provider `name` is requested.
    pub(crate) fn request(&self, name: &str) -> String {
        if self.provider.starts_with('-') {
            format!("`{} {name}`", self.provider)
        } else {
            format!("`{}` set to `{name}`", self.provider)
        }
    }
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

/// A token that the user gave.
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
