// SPDX-License-Identifier: Apache-2.0
//! Text from outside, shortened for our messages.

/// The most characters of foreign text that a message shows.
const LONGEST: usize = 128;

/// The beginning of `text`. Foreign text can have any length; a message must stay short.
pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn cuts_between_characters() {
        let whole = "\u{e4}".repeat(128);
        assert_eq!(excerpt(&whole), whole);
        assert_eq!(excerpt(&format!("{whole}b")), format!("{whole}..."));
    }
}
