// SPDX-License-Identifier: Apache-2.0
//! Strict JSON parsing. Objects with a repeated key are refused, because two readers may each use a
//! different one of its values, and so are arrays in place of objects.

mod objects;

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use objects::Strict;

/// The most characters of a document that an error quotes.
const LONGEST_QUOTE: usize = 128;

/// The bytes are not the expected JSON.
///
/// The message may quote the document. If that may contain secrets, show only the position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {line} column {column}")]
pub struct Error {
    what: String,
    line: usize,
    column: usize,
}

impl Error {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in bytes, from 1; 0 before the first.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl From<serde_json::Error> for Error {
    /// Shortens the message, because the parser quotes unexpected values of any length.
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let said = error.to_string();
        let place = format!(" at line {line} column {column}");
        let said = said.strip_suffix(&place).unwrap_or(&said);
        let mut what: String = said.chars().take(LONGEST_QUOTE).collect();
        if what.len() < said.len() {
            what.push_str("...");
        }
        Self { what, line, column }
    }
}

/// Parses `bytes` as a `T`.
///
/// # Errors
/// The bytes are not JSON, have another shape, are nested more than 127 levels deep, contain an object
/// with a repeated key, or have an array where a struct is read.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    UniqueKeys.deserialize(&mut reader)?;
    reader.end()?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Ok(T::deserialize(Strict(&mut reader))?)
}

/// Reads a `T` from `value`, which is a part of what [`parse`] read.
///
/// # Errors
/// The value has another shape, or an array where a struct is read.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    Ok(T::deserialize(Strict(value))?)
}

/// Visits a whole value, only to check its keys.
struct UniqueKeys;

impl<'de> DeserializeSeed<'de> for UniqueKeys {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated keys")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = members.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} appears twice")));
            }
            seen.insert(key);
            members.next_value_seed(Self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn refuses_repeated_keys_at_any_depth() {
        assert!(super::parse::<Value>(br#"{"a":1,"b":[{"a":1}]}"#).is_ok());
        assert!(super::parse::<Value>(br#"{"a":1,"a":2}"#).is_err());
        assert!(super::parse::<Value>(br#"{"a":[{"b":1,"b":1}]}"#).is_err());
        assert!(super::parse::<Value>(br#"{"a":1} x"#).is_err());
    }

    #[test]
    fn refuses_deep_nesting() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(super::parse::<Value>(nested(127).as_bytes()).is_ok());
        for depth in [128, 100_000] {
            assert!(super::parse::<Value>(nested(depth).as_bytes()).is_err());
            let inside = format!(r#"{{"a":{{"b":{}}}}}"#, nested(depth));
            let nothing = super::parse::<serde::de::IgnoredAny>(inside.as_bytes());
            assert!(nothing.is_err(), "also where nobody looks");
        }
    }

    #[test]
    fn quotes_little() {
        let long = "x".repeat(100_000);
        let error = super::parse::<u8>(format!("\n{long:?}").as_bytes()).unwrap_err();
        assert_eq!((error.line(), error.column()), (2, 100_002));
        let said = error.to_string();
        assert!(said.len() < 200, "{said}");
        assert!(said.ends_with("xxx... at line 2 column 100002"), "{said}");
        let twice = format!("{{{long:?}:1,{long:?}:2}}");
        let error = super::parse::<Value>(twice.as_bytes()).unwrap_err();
        assert!(error.to_string().len() < 200, "{error}");
        let error = super::parse::<u8>(b"256").unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid value: integer `256`, expected u8 at line 1 column 3"
        );
    }
}
