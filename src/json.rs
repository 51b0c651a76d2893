// SPDX-License-Identifier: Apache-2.0
//! JSON from outside: an object that says the same thing twice is refused, because two readers may
//! each believe another half of it.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

/// Reads `bytes` as a `T`.
///
/// # Errors
/// Not JSON, another shape, nested too deeply, or an object with the same key twice.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    UniqueKeys.deserialize(&mut reader)?;
    reader.end()?;
    serde_json::from_slice(bytes)
}

/// Walks a value and keeps nothing of it.
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
                return Err(A::Error::custom(format_args!(
                    "the key {key:?} appears twice"
                )));
            }
            seen.insert(key);
            members.next_value_seed(Self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn refuses_repeated_keys_at_any_depth() {
        assert!(super::parse::<Value>(br#"{"a":1,"b":[{"a":1}]}"#).is_ok());
        assert!(super::parse::<Value>(br#"{"a":1,"a":2}"#).is_err());
        assert!(super::parse::<Value>(br#"{"a":[{"b":1,"b":1}]}"#).is_err());
        assert!(super::parse::<Value>(br#"{"a":1} x"#).is_err());
    }

    #[test]
    fn refuses_deep_nesting() {
        let deep = "[".repeat(10_000);
        assert!(super::parse::<Value>(deep.as_bytes()).is_err());
    }
}
