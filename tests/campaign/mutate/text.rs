// SPDX-License-Identifier: Apache-2.0
//! Changes that the text of a document shows and its values do not.

use serde_json::Value;

use crate::fuzz::bend::{self, Choices};
use crate::random::Random;

/// The kinds of change.
pub(super) const KINDS: [&str; 4] =
    ["a member twice", "the same in other words", "a byte of the text", "another end of the text"];

/// The text of `document` after the change of this place in [`KINDS`].
pub(super) fn in_text(kind: usize, document: &Value, random: &mut Random) -> Vec<u8> {
    let text = document.to_string();
    match kind {
        0 => bend::member_twice(&text, &mut Choices(&random.choices())).into_bytes(),
        1 => in_other_words(document, random),
        2 => {
            let mut bytes = text.into_bytes();
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            bytes
        }
        _ => match random.below(3) {
            0 => text[..text.floor_char_boundary_of(random.below(text.len()))].into(),
            1 => format!("{text}{}", random.one_of(&["}", "{}", "\0", "x"])).into_bytes(),
            _ => format!("{}{text}", random.one_of(&["\u{feff}", "\0", "x"])).into_bytes(),
        },
    }
}

/// White space, and escapes where letters need none: the meaning is the same.
fn in_other_words(document: &Value, random: &mut Random) -> Vec<u8> {
    let text = match random.once_in(2) {
        true => serde_json::to_string_pretty(document).unwrap(),
        false => document.to_string(),
    };
    let begins: Vec<usize> = text.match_indices("\"a").map(|(at, _)| at).collect();
    let Some(at) = begins.get(random.below(begins.len())) else {
        return format!("\n{text} ").into_bytes();
    };
    format!("{}\"\\u0061{}", &text[..*at], &text[at + 2..]).into_bytes()
}

/// Where a text may be cut.
trait Cut {
    fn floor_char_boundary_of(&self, at: usize) -> usize;
}

impl Cut for String {
    fn floor_char_boundary_of(&self, at: usize) -> usize {
        (0..=at).rev().find(|at| self.is_char_boundary(*at)).unwrap_or_default()
    }
}
