// SPDX-License-Identifier: Apache-2.0
//! Signed notes (C2SP signed-note): a text and the signatures over it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// More signature lines than this are refused; witnesses add one each.
const MOST_SIGNATURES: usize = 100;

/// The prefix of a signature line: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// A parsed note. Nothing in it is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// The signed text: whole lines, including the last line feed.
    pub text: &'a str,
    /// The signatures, in their order.
    pub signatures: Vec<Signature<'a>>,
}

/// One signature of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    /// The name of the key.
    pub name: &'a str,
    /// The beginning of the ID of the key.
    pub hint: [u8; 4],
    /// The signature itself.
    pub bytes: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Splits a note at its last blank line; `None` if it has none, or if a line after it is not a
    /// signature line.
    pub fn parse(note: &'a str) -> Option<Self> {
        let (text, _) = note.rsplit_once("\n\n")?;
        let (text, rest) = note.split_at_checked(text.len() + 1)?;
        let lines = rest.strip_prefix('\n')?.strip_suffix('\n')?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MOST_SIGNATURES {
                return None;
            }
            signatures.push(signature(line)?);
        }
        Some(Self { text, signatures })
    }
}

fn signature(line: &str) -> Option<Signature<'_>> {
    let (name, bytes) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = STANDARD.decode(bytes).ok()?;
    let (hint, bytes) = bytes.split_first_chunk()?;
    (!name.is_empty() && !name.contains('+')).then(|| Signature {
        name,
        hint: *hint,
        bytes: bytes.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::Note;

    #[test]
    fn splits_at_the_last_blank_line() {
        let note = Note::parse("a\n\nb\n\n\u{2014} c AAECAwQ=\n").unwrap();
        assert_eq!(note.text, "a\n\nb\n");
        assert_eq!(note.signatures.len(), 1);
        assert_eq!(note.signatures[0].name, "c");
        assert_eq!(note.signatures[0].hint, [0, 1, 2, 3]);
        assert_eq!(note.signatures[0].bytes, [4]);
    }

    #[test]
    fn refuses_other_lines() {
        for note in [
            "",
            "a\n",
            "a\n\n",
            "a\n\n\u{2014} c AAECAwQ=",
            "a\n\nb\n",
            "a\n\n- c AAECAwQ=\n",
            "a\n\n\u{2014} c AAEC\n",
            "a\n\n\u{2014} AAECAwQ=\n",
            "a\n\n\u{2014} c AAECAwQ=\n\u{2014} d\n",
            "a\n\n\u{2014} c+d AAECAwQ=\n",
            "a\n\n\u{2014}  AAECAwQ=\n",
        ] {
            assert_eq!(Note::parse(note), None, "{note:?}");
        }
    }

    #[test]
    fn has_at_most_100_signatures() {
        let of = |count| format!("a\n\n{}", "\u{2014} c AAECAwQ=\n".repeat(count));
        assert_eq!(Note::parse(&of(100)).unwrap().signatures.len(), 100);
        assert_eq!(Note::parse(&of(101)), None);
    }
}
