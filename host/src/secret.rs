// SPDX-License-Identifier: Apache-2.0
//! Secrets that cannot be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// An identity token as its source returned it: secret, not empty, and not yet parsed.
///
/// There is no `Display`, `Clone` or `Serialize`, and the memory is wiped on drop.
pub struct Token(SecretString);

impl Token {
    /// Trims ASCII white space from `text`; `None` if nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        (!text.is_empty()).then(|| Self(text.to_owned().into()))
    }

    /// A second copy, which is wiped on its own drop, for a source that is read more than once.
    pub fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    /// The secret itself, for the header that carries it and for reading its claims.
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
