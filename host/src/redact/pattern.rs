// SPDX-License-Identifier: Apache-2.0
//! A secret as it may be written in text.
//!
//! A program that repeats a secret may escape what must be escaped, and more: each character may stand as itself, behind
//! backslashes (JSON, RFC 8259 7; shells; texts in texts), as `\u00XX`, as `%XX` with large or small digits (RFC 3986
//! 2.1), as a reference of HTML, or as a form has it. So nothing is compared with a list of spellings: each character
//! of the secret is read in every way. Base64 (RFC 4648 4 and 5) is the same with other characters: those that the
//! secret alone determines, for each of the three positions that it may have in the encoded bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::read;

/// The fewest characters of base64 that are taken for a secret.
const SHORTEST_BASE64: usize = 4;

/// What must stand in the text, one character after the other, each in one of two forms (`+` or `-` in base64).
pub(super) struct Pattern {
    characters: Zeroizing<Vec<[char; 2]>>,
    form: Form,
}

/// How the characters may be spread.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    /// Base64, which may be wrapped into lines. The characters next to those of the pattern have bits of the secret too.
    Base64 {
        before: bool,
        after: bool,
    },
}

impl Pattern {
    /// The patterns of `secret`: itself, and the three ways in which base64 has it.
    pub(super) fn all(secret: &str) -> Vec<Self> {
        let plain = secret.chars().map(|c| [c, c]).collect();
        let plain = Self { characters: Zeroizing::new(plain), form: Form::Plain };
        let encoded = (0..3).filter_map(|skipped| Self::base64(secret, skipped));
        std::iter::once(plain).chain(encoded).collect()
    }

    /// `secret` in base64, behind a number of bytes of which `skipped` remain when it is divided by three.
    fn base64(secret: &str, skipped: usize) -> Option<Self> {
        let mut bytes = Zeroizing::new(vec![0; skipped]);
        bytes.extend_from_slice(secret.as_bytes());
        let bits = bytes.len() * 8;
        let text = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
        let start = (skipped * 8).div_ceil(6);
        let own = text.chars().take(bits / 6).skip(start);
        let characters: Vec<[char; 2]> = own
            .map(|c| match c {
                '+' => ['+', '-'],
                '/' => ['/', '_'],
                c => [c, c],
            })
            .collect();
        let form = Form::Base64 { before: skipped > 0, after: !bits.is_multiple_of(6) };
        (characters.len() >= SHORTEST_BASE64)
            .then(|| Self { characters: Zeroizing::new(characters), form })
    }

    /// The characters with which it may begin.
    pub(super) fn first(&self) -> [char; 2] {
        self.characters.first().copied().unwrap_or_default()
    }

    /// The part of `text` that begins at `start` and may be this secret, as far as it goes. Its first character ends
    /// at `end`.
    pub(super) fn find(&self, text: &str, (start, end): (usize, usize)) -> Option<(usize, usize)> {
        let (mut ends, mut found) = (vec![end], Vec::new());
        for character in self.characters.iter().skip(1) {
            if let Form::Base64 { .. } = self.form {
                ends = ends.into_iter().flat_map(|end| read::unwrapped(text, end)).collect();
            }
            if let ([end], Form::Plain) = (ends.as_mut_slice(), self.form)
                && let Some(c) = text.get(*end..).and_then(|rest| rest.chars().next())
                && c.is_ascii_alphanumeric()
            {
                // It stands for itself, which most characters of most texts do.
                if !character.contains(&c) {
                    return None;
                }
                *end += 1;
                continue;
            }
            let mut next = Vec::new();
            for end in ends {
                read::characters(text, end, &mut found);
                let fitting = found.iter().filter(|(c, _)| character.contains(c));
                next.extend(fitting.map(|(_, end)| *end));
            }
            next.sort_unstable();
            next.dedup();
            ends = next;
            if ends.is_empty() {
                return None;
            }
        }
        let end = ends.last().copied()?;
        Some(match self.form {
            Form::Plain => (start, end),
            Form::Base64 { before, after } => {
                let is_base64 = |at: usize| text.as_bytes().get(at).copied().is_some_and(is_base64);
                let earlier = start.checked_sub(1).filter(|earlier| before && is_base64(*earlier));
                let end = if after && is_base64(end) { end + 1 } else { end };
                (earlier.unwrap_or(start), end)
            }
        })
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}
