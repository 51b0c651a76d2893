// SPDX-License-Identifier: Apache-2.0
//! Removes secrets from text that is about to be shown.

use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

/// Shorter values are not treated as secrets: they would turn every message into stars.
const SHORTEST_SECRET: usize = 4;

/// What stands in place of a secret.
const MASK: &str = "***";

/// The secrets of one run.
#[derive(Default)]
pub(crate) struct Redactor(Mutex<Vec<SecretString>>);

impl Redactor {
    /// Remembers `secret`. Of a JWT the signature is remembered by itself too: servers echo parts.
    pub(crate) fn guard(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = [
            Some(secret),
            secret.rsplit_once('.').map(|(_, signature)| signature),
        ];
        for part in parts.into_iter().flatten() {
            if part.len() >= SHORTEST_SECRET && !known.iter().any(|k| k.expose_secret() == part) {
                known.push(part.to_owned().into());
            }
        }
        // The longest first, so that a part does not leave the rest of its whole behind.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
    }

    /// `text` without the known secrets and without anything that has the form of a JWT.
    pub(crate) fn redact(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = text.to_owned();
        for secret in known.iter().map(ExposeSecret::expose_secret) {
            if text.contains(secret) {
                text = text.replace(secret, MASK);
            }
        }
        drop(known);
        mask_jwts(&text)
    }
}

/// Masks every run of JWT characters that begins as a base64url JSON object does (`eyJ`).
fn mask_jwts(text: &str) -> String {
    let is_jwt_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let (before, tail) = rest.split_at(start);
        let end = tail.find(|c| !is_jwt_char(c)).unwrap_or(tail.len());
        let (run, after) = tail.split_at(end);
        out.push_str(before);
        out.push_str(if run.len() > 20 && run.contains('.') {
            MASK
        } else {
            run
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    #[test]
    fn masks_known_secrets_and_their_signatures() {
        let redactor = Redactor::default();
        redactor.guard("header.payload.signature-part");
        assert_eq!(
            redactor.redact("got header.payload.signature-part!"),
            "got ***!"
        );
        assert_eq!(redactor.redact("ends in signature-part"), "ends in ***");
    }

    #[test]
    fn masks_what_looks_like_a_jwt() {
        let redactor = Redactor::default();
        let text = "body: {\"token\":\"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln\"} eyJ";
        assert_eq!(redactor.redact(text), "body: {\"token\":\"***\"} eyJ");
    }
}
