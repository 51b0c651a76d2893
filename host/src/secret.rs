// SPDX-License-Identifier: Apache-2.0
//! Secrets that cannot be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A token as a credential channel handed it over: secret, not empty, and not yet parsed.
///
/// There is no `Display`, `Clone` or `Serialize`, and the memory is wiped on drop.
pub struct Token(SecretString);

impl Token {
    /// Takes `text` without the ASCII white space around it; `None` when nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        (!text.is_empty()).then(|| Self(text.to_owned().into()))
    }

    /// A second copy, wiped on its own drop: for a source that is asked more than once.
    pub fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    /// The secret itself, for the one header that needs it and for reading its claims.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn trims_and_refuses_nothing() {
        assert_eq!(Token::new(" a.b.c\r\n").unwrap().expose(), "a.b.c");
        assert!(Token::new(" \n").is_none());
    }

    #[test]
    fn cannot_be_printed() {
        assert_eq!(format!("{:?}", Token::new("secret")), "Some(Token(***))");
    }
}
