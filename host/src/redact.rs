// SPDX-License-Identifier: Apache-2.0
//! Removes secrets from text that is about to be shown, however they are written there.

mod layer;
mod pattern;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use self::layer::Decoded;
use self::pattern::Pattern;

/// Shorter values are not treated as secrets, because masking them would make messages unreadable.
const SHORTEST_SECRET: usize = 4;

/// Replaces a secret in text.
const MASK: &str = "***";

/// The secrets of one run.
#[derive(Default)]
pub(crate) struct Redactor(Mutex<Known>);

#[derive(Default)]
struct Known {
    secrets: Vec<SecretString>,
    patterns: Vec<Pattern>,
    /// The patterns that begin with a character.
    starts: BTreeMap<char, Vec<usize>>,
}

impl Redactor {
    /// Remembers `secret`. The signature of a JWT is remembered separately too, because servers echo parts of tokens.
    pub(crate) fn guard(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let signature = secret.rsplit_once('.').map(|(_, signature)| signature);
        for part in std::iter::once(secret).chain(signature) {
            known.add(part);
        }
    }

    /// Masks the known secrets in `text`, in every encoding of [`pattern`], and anything that looks like a JWT.
    pub(crate) fn redact(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spans = known.spans(text);
        drop(known);
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (start, end) in spans {
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(MASK);
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        mask_jwts(&out)
    }
}

impl Known {
    fn add(&mut self, secret: &str) {
        let is_known = self.secrets.iter().any(|known| known.expose_secret() == secret);
        if secret.len() < SHORTEST_SECRET || is_known {
            return;
        }
        for pattern in Pattern::all(secret) {
            let [one, other] = pattern.first();
            let index = self.patterns.len();
            self.starts.entry(one).or_default().push(index);
            if other != one {
                self.starts.entry(other).or_default().push(index);
            }
            self.patterns.push(pattern);
        }
        self.secrets.push(secret.to_owned().into());
    }

    /// The parts of `text` that belong to a secret, in order. Secrets that overlap make one part, so that no rest of one is left next to the other.
    fn spans(&self, text: &str) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        if self.patterns.is_empty() {
            return all;
        }
        self.find(text, &mut all);
        for decoded in Decoded::all(text) {
            let mut found = Vec::new();
            self.find(&decoded.text, &mut found);
            all.extend(found.into_iter().filter_map(|span| decoded.origin(span)));
        }
        all.sort_unstable();
        all.dedup_by(|next, last| {
            let overlaps = next.0 < last.1;
            if overlaps {
                last.1 = last.1.max(next.1);
            }
            overlaps
        });
        all
    }

    /// Adds to `spans` where a secret may be in `text`.
    fn find(&self, text: &str, spans: &mut Vec<(usize, usize)>) {
        let mut found = Vec::new();
        for (at, _) in text.char_indices() {
            read::characters(text, at, &mut found);
            for (c, end) in &found {
                let begin = self.starts.get(c).into_iter().flatten();
                let begin = begin.filter_map(|index| self.patterns.get(*index));
                spans.extend(begin.filter_map(|pattern| pattern.find(text, (at, *end))));
            }
        }
    }
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
