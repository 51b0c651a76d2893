// SPDX-License-Identifier: Apache-2.0
//! Text without the outer one of two encodings, such as JSON in a form. The inner one is read by [`super::read`].

use zeroize::Zeroizing;

use super::read;

/// An encoding of whole texts, by the character that begins an escape.
const ENCODINGS: [char; 3] = ['%', '\\', '&'];

/// A text with one encoding removed, and where each of its characters comes from.
pub(super) struct Decoded {
    pub(super) text: Zeroizing<String>,
    /// Offsets in `text`, with those in the original.
    origins: Vec<(usize, usize)>,
}

impl Decoded {
    /// `text` without each of the encodings that it has.
    pub(super) fn all(text: &str) -> impl Iterator<Item = Self> {
        let used = ENCODINGS.into_iter().filter(|escape| text.contains(*escape));
        used.map(|escape| Self::new(text, escape))
    }

    fn new(text: &str, escape: char) -> Self {
        let mut decoded = Zeroizing::new(String::with_capacity(text.len()));
        let (mut origins, mut found, mut at) = (Vec::new(), Vec::new(), 0);
        loop {
            origins.push((decoded.len(), at));
            read::characters(text, at, &mut found);
            let Some(plain) = found.first().copied() else { break };
            let one_layer = match escape {
                // Two backslashes are one, whatever stands behind them.
                '\\' if at_two_backslashes(text, at) => Some(('\\', at + 2)),
                '\\' => found.last().copied(),
                // Readings of more layers come behind.
                _ => found.get(1).copied(),
            };
            // Everything but an escape is as it is.
            let (c, end) = one_layer.filter(|_| plain.0 == escape).unwrap_or(plain);
            decoded.push(c);
            at = end;
        }
        Self { text: decoded, origins }
    }

    /// The part of the original from which the part `start` to `end` of the text comes.
    pub(super) fn origin(&self, (start, end): (usize, usize)) -> Option<(usize, usize)> {
        let of = |offset: usize| {
            let at = self.origins.binary_search_by_key(&offset, |(decoded, _)| *decoded).ok()?;
            self.origins.get(at).map(|(_, original)| *original)
        };
        Some((of(start)?, of(end)?))
    }
}

fn at_two_backslashes(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(r"\\"))
}
