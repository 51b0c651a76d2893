// SPDX-License-Identifier: Apache-2.0
//! The options of the program: names, paths, the audience and the user's choices.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;
use url::Host;

/// The options for finding a token. They contain everything that depends on the program.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The audience of requested tokens.
    pub audience: String,
    /// Variables with a token. Messages recommend the first.
    pub token_variables: Vec<String>,
    /// The path, below the file root, where an operator mounts a token that the platform renews.
    pub token_file: PathBuf,
    /// A token from the user, for instance from a flag.
    pub token: Option<GivenToken>,
    /// The provider to use, by its name or the alias `google`.
    pub provider: Option<String>,
    /// Use only explicit tokens: a given token or a token variable.
    pub disable_ambient: bool,
    /// The server of the platform that may receive the platform's credentials.
    pub realm: Realm,
    /// The names of these settings in the program, for messages.
    pub names: &'static Names,
}

/// The server of a platform that an organisation runs itself, such as GitHub Enterprise Server. Such a server may
/// receive the platform's credentials, as the servers that belong to the platform everywhere may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Realm {
    /// The server that the platform's variables name.
    #[default]
    Environment,
    /// The server with this host, whatever the variables say; no server if it is `None`.
    Named(Option<Host>),
}

/// The names of the settings of [`Options`] in a program, for messages: flags as users type them.
///
/// Without them, messages use the names of the fields.
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
    /// A setting of the program that requires an identity.
    pub require_identity: Option<&'static str>,
    /// A setting of the program whose value, an issuer, names the server of [`Realm::Named`].
    pub realm: Option<&'static str>,
}

impl Default for &'static Names {
    fn default() -> Self {
        &Names::FIELDS
    }
}

impl Names {
    /// The names of the fields, for programs without their own names.
    pub const FIELDS: Self = Self {
        provider: "Options::provider",
        token: "Options::token",
        token_file: "GivenToken::File",
        disable_ambient: "Options::disable_ambient",
        require_identity: None,
        realm: None,
    };

    /// How to request the provider `name`.
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

    /// Returns `true` if the provider `name` is requested.
    pub(crate) fn requests(&self, name: &str) -> bool {
        self.provider.as_deref() == Some(name)
    }
}

/// A token from the user.
#[derive(Clone)]
pub enum GivenToken {
    /// A file with the token; `-` is standard input.
    File(PathBuf),
    /// The token itself, or a path if the text does not have the form of a token.
    Value(SecretString),
}

/// Never shows the value, which may be a secret even if it looks like a path.
impl fmt::Debug for GivenToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Value(_) => f.write_str("Value(***)"),
        }
    }
}
