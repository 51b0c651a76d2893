// SPDX-License-Identifier: Apache-2.0
//! Foreign text in our messages.

/// The longest piece of foreign text that a message shows, in characters.
const LONGEST: usize = 128;

/// The beginning of `text`: what others wrote is as long as they like, a message is not.
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
