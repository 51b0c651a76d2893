// SPDX-License-Identifier: Apache-2.0
//! The JSON form of protocol buffers, as Sigstore's files and services use it: bytes are padded
//! standard base64, 64-bit integers are decimal strings, and an absent member, `null` and the zero
//! value mean the same.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Serialize, Serializer};

/// Bytes, in JSON as padded standard base64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Base64(pub(crate) Vec<u8>);

impl Base64 {
    /// Returns `true` if there are no bytes; such a member is omitted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = String::deserialize(reader)?;
        let bytes = STANDARD
            .decode(text)
            .map_err(|_position| D::Error::custom("not padded standard base64"))?;
        Ok(Self(bytes))
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.serialize_str(&STANDARD.encode(&self.0))
    }
}

/// An `int64` that must not be negative, in JSON a decimal string; a number is read too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Int64(pub(crate) u64);

impl Int64 {
    /// Returns `true` for the zero value; such a member is omitted.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(crate) fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

struct Int64Visitor;

impl Visitor<'_> for Int64Visitor {
    type Value = Int64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 to 2^63 - 1, as a string")
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Int64, E> {
        if i64::try_from(value).is_err() {
            return Err(E::custom("the number is too large"));
        }
        Ok(Int64(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Int64, E> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(E::custom("not a whole number"));
        }
        let value = text.parse().map_err(|_overflow| E::custom("the number is too large"))?;
        self.visit_u64(value)
    }
}

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Int64Visitor)
    }
}

impl Serialize for Int64 {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.collect_str(&self.0)
    }
}

/// Reads `null` as the zero value. For use with `deserialize_with` and `default`.
pub(crate) fn nullable<'de, D, T>(reader: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(reader)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Base64, Int64};

    #[test]
    fn reads_integers_in_both_forms_and_refuses_others() {
        for (json, value) in [("\"0\"", 0), ("7", 7), ("\"9223372036854775807\"", i64::MAX)] {
            let read: Int64 = serde_json::from_str(json).unwrap();
            assert_eq!(i64::try_from(read.0), Ok(value), "{json}");
        }
        for json in ["-1", "\"-1\"", "\"+1\"", "\"\"", "1.5", "\"9223372036854775808\""] {
            assert!(serde_json::from_str::<Int64>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn refuses_other_base64() {
        assert_eq!(serde_json::from_str::<Base64>("\"+/8=\"").unwrap().0, [0xfb, 0xff]);
        for json in ["\"-_8=\"", "\"+/8\"", "\"+/9=\"", "\" +/8=\"", "\"*\""] {
            assert!(serde_json::from_str::<Base64>(json).is_err(), "{json}");
        }
    }
}
