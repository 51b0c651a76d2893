// SPDX-License-Identifier: Apache-2.0
//! Removes secrets from text that is about to be shown.

use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

/// Shorter values are not treated as secrets, because masking them would make messages unreadable.
const SHORTEST_SECRET: usize = 4;

/// Replaces a secret in text.
const MASK: &str = "***";

/// The secrets of one run.
#[derive(Default)]
pub(crate) struct Redactor(Mutex<Vec<SecretString>>);

impl Redactor {
    /// Remembers `secret`, also in the forms that it has in JSON and in URLs. The signature of a JWT is
    /// remembered separately too, because servers echo parts of tokens.
    pub(crate) fn guard(&self, secret: &str) {
        // Checked for the plain form, because the encoded ones can be longer.
        if secret.len() < SHORTEST_SECRET {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let signature = secret.rsplit_once('.').map(|(_, signature)| signature);
        let parts = std::iter::once(secret).chain(signature);
        for part in parts.map(str::to_owned).chain(written(secret)) {
            if part.len() >= SHORTEST_SECRET && !known.iter().any(|k| k.expose_secret() == part) {
                known.push(part.into());
            }
        }
        // Longest first: masking a part first would leave the rest of the secret in the text.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
    }

    /// Masks the known secrets in `text`, and anything that looks like a JWT.
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

/// `secret` as it is written elsewhere. Servers have it in a string of JSON, with the characters of HTML
/// escaped or not, and in a form or a URL, with capital or small hexadecimal digits. A command that is
/// shown has it between quotes of a shell, and perhaps in a field of CSV there.
fn written(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
    let json = json.unwrap_or_default().to_owned();
    // Like Go's `encoding/json`.
    let html = json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = form.replace('+', "%20");
    let shell = |text: &str| text.replace('\'', r"'\''");
    let csv = secret.replace('"', "\"\"");
    let mut forms = vec![json, html, small_hex(&form), small_hex(&url), form, url];
    forms.extend([shell(secret), shell(&csv), csv]);
    forms.retain(|form| form != secret);
    forms
}

/// Lower-cases the hexadecimal digits of each `%XX` in `encoded`.
fn small_hex(encoded: &str) -> String {
    let mut digits = 0;
    let small = |c: char| {
        if c == '%' {
            digits = 2;
        } else if digits > 0 {
            digits -= 1;
            return c.to_ascii_lowercase();
        }
        c
    };
    encoded.chars().map(small).collect()
}

/// Masks every run of JWT characters that begins like a base64url JSON object (`eyJ`).
fn mask_jwts(text: &str) -> String {
    let is_jwt_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let (before, tail) = rest.split_at(start);
        let end = tail.find(|c| !is_jwt_char(c)).unwrap_or(tail.len());
        let (run, after) = tail.split_at(end);
        out.push_str(before);
        out.push_str(if run.len() > 20 && run.contains('.') { MASK } else { run });
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
        assert_eq!(redactor.redact("got header.payload.signature-part!"), "got ***!");
        assert_eq!(redactor.redact("ends in signature-part"), "ends in ***");
    }

    #[test]
    fn masks_secrets_as_servers_write_them() {
        let redactor = Redactor::default();
        redactor.guard(r#"a<"b &c/D"#);
        for text in [
            r#"a<"b &c/D"#,
            r#"{"was":"a<\"b &c/D"}"#,
            r#"{"was":"a\u003c\"b \u0026c/D"}"#,
            "was=a%3C%22b+%26c%2FD&x",
            "/a%3C%22b%20%26c%2FD",
            "/a%3c%22b%20%26c%2fD",
        ] {
            let shown = redactor.redact(text);
            assert!(shown.contains("***") && !shown.contains('D'), "{shown}");
        }
        redactor.guard(r#"e'f"D"#);
        for text in [r#"'e'\''f"D'"#, r#"'"k=e'\''f""D"'"#, r#"k=e'f""D"#] {
            let shown = redactor.redact(text);
            assert!(shown.contains("***") && !shown.contains('D'), "{shown}");
        }
        // What is too short to be a secret is so in every form.
        redactor.guard("/");
        assert_eq!(redactor.redact("%2F"), "%2F");
    }

    #[test]
    fn masks_what_looks_like_a_jwt() {
        let redactor = Redactor::default();
        let text = "body: {\"token\":\"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln\"} eyJ";
        assert_eq!(redactor.redact(text), "body: {\"token\":\"***\"} eyJ");
    }
}
