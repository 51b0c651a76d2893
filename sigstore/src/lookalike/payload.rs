// SPDX-License-Identifier: Apache-2.0
//! Whether JSON has what a verifier of the older layout reads of a payload: the digest of an image.

use std::cell::Cell;
use std::fmt;
use std::io::{BufRead, BufReader, Cursor, Read};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The fewest characters of a digest.
const SHORTEST_DIGEST: usize = 32;

/// Whether `reader` returns a payload. What follows after the member with the digest does not count, so that a
/// verifier may be as lenient as it likes about it.
pub(super) fn is_payload(reader: impl Read) -> bool {
    let found = Cell::new(false);
    let mut reader = BufReader::new(reader);
    let Some(first) = first(&mut reader) else { return false };
    if !matches!(first, b'{' | b'[') {
        return false;
    }
    let whole = Cursor::new([first]).chain(reader);
    let mut reader = serde_json::Deserializer::from_reader(whole);
    // No reader continues behind an error.
    let _end = Look { level: Level::Document, found: &found }.deserialize(&mut reader);
    found.get()
}

/// The first byte that is not white space (RFC 8259 2).
fn first(reader: &mut impl BufRead) -> Option<u8> {
    let bytes = reader.bytes().map_while(Result::ok);
    let mut rest = bytes.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    rest.next()
}

/// How deep a value is in a payload.
#[derive(Clone, Copy)]
enum Level {
    Document,
    Critical,
    Image,
    Digest,
}

impl Level {
    /// The member that leads deeper, in lower case, and where to.
    fn below(self) -> Option<(&'static str, Self)> {
        match self {
            Self::Document => Some(("critical", Self::Critical)),
            Self::Critical => Some(("image", Self::Image)),
            Self::Image => Some(("docker-manifest-digest", Self::Digest)),
            Self::Digest => None,
        }
    }
}

/// Visits a value of a level. Every one of several members with the same name counts, because readers differ
/// in which one they use.
#[derive(Clone, Copy)]
struct Look<'a> {
    level: Level,
    found: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key_seed(Name)? {
            match self.level.below() {
                Some((wanted, Level::Digest)) if name == wanted => {
                    self.found.set(true);
                    members.next_value::<IgnoredAny>()?;
                }
                Some((wanted, level)) if name == wanted => {
                    members.next_value_seed(Look { level, ..self })?;
                }
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    /// The members of a struct, in some order, if a reader takes arrays for objects.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        match self.level.below() {
            Some((_, level)) => while items.next_element_seed(Look { level, ..self })?.is_some() {},
            None => while items.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Level::Digest = self.level
            && is_digest(text)
        {
            self.found.set(true);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A digest by any algorithm (OCI image specification, "Digests").
fn is_digest(text: &str) -> bool {
    let digits = text.split_once(':').map(|(_, digits)| digits);
    digits.is_some_and(|digits| {
        digits.len() >= SHORTEST_DIGEST && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// The name of a member, folded as Go does when it looks for the field of a struct (`encoding/json`).
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    /// As bytes: names that are not UTF-8 or have half of a surrogate pair are an error as text, but not for
    /// other readers.
    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<String, D::Error> {
        reader.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<String, E> {
        let name = String::from_utf8_lossy(name);
        Ok(name.chars().map(folded).collect())
    }
}

/// The two characters beyond ASCII that Unicode folds to letters of ASCII are among them.
fn folded(character: char) -> char {
    match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_payload;

    const DIGEST: &str = "sha256:9f2c41d09f2c41d09f2c41d09f2c41d09f2c41d09f2c41d09f2c41d09f2c41d0";

    fn found(text: &str) -> bool {
        is_payload(text.replace('#', &format!("{DIGEST:?}")).as_bytes())
    }

    #[test]
    fn what_a_verifier_reads_as_a_payload_is_one() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        for text in [
            r#"{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":#},"type":"cosign container image signature"},"optional":null}"#,
            // Verifiers do not all look at the type.
            r#"{"critical":{"image":{"docker-manifest-digest":#}}}"#,
            "\n\t \r{ \"critical\" : { \"image\" : { \"docker-manifest-digest\" : # } } }",
            r#"{"Critical":{"IMAGE":{"Docker-Manifest-DIGEST":#}}}"#,
            "{\"critical\":{\"image\":{\"doc\u{212a}er-manife\u{17f}t-digest\":#}}}",
            r#"{"critical":{"im\u0061ge":{"docker\u002dmanifest-digest":#}}}"#,
            // Whichever of the two a reader takes.
            r#"{"critical":null,"critical":{"image":1,"image":{"docker-manifest-digest":#}}}"#,
            r#"{"critical":{"image":{"docker-manifest-digest":#}},"critical":null}"#,
            // What other members have that some parsers refuse.
            r#"{"\ud800":"\udfff","x":1e99999,"critical":{"image":{"docker-manifest-digest":#}}}"#,
            &format!(
                "{{\"x\":{deep},\"critical\":{{\"image\":{{\"docker-manifest-digest\":#}}}}}}"
            ),
            // Readers that ignore the rest.
            r#"{"critical":{"image":{"docker-manifest-digest":#}}} and more"#,
            r#"{"critical":{"image":{"docker-manifest-digest":#"#,
            // Arrays for objects.
            "[[[#], {}, \"cosign container image signature\"], null]",
            r#"[{"type":"","image":[#]}]"#,
            r#"{"critical":["",{"docker-manifest-digest":#}]}"#,
        ] {
            assert!(found(text), "{text}");
        }
        assert!(is_payload(
            &b"{\"\xff\":0,\"critical\":{\"image\":{\"docker-manifest-digest\":0}}}"[..]
        ));
    }

    #[test]
    fn other_json_is_none() {
        for text in [
            "",
            "{}",
            "[]",
            "#",
            r#"{"critical":3,"high":5}"#,
            r#"{"critical":{"image":"app","count":2}}"#,
            r#"{"critical":{"image":{"digest":#}}}"#,
            r#"{"image":{"docker-manifest-digest":#}}"#,
            r#"{"x":{"critical":{"image":{"docker-manifest-digest":#}}}}"#,
            r#"[[["a","b"],[1.5,2]],[["c:d"]]]"#,
            r#"{"image": 1} {"critical":{"image":{"docker-manifest-digest":#}}}"#,
            r#"// {"critical":{"image":{"docker-manifest-digest":#}}}"#,
            "critical: {image: {docker-manifest-digest: #}}",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
