// SPDX-License-Identifier: Apache-2.0
//! Reads structs from objects alone. Serde also takes an array of their members, in their order in our
//! source, which no format means and no other reader accepts.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

/// A part of a reader. It does what the part within does, but refuses arrays in place of structs, at
/// any depth.
pub(super) struct Strict<T>(pub(super) T);

/// A visitor of a value.
struct Watched<V> {
    visitor: V,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Any,
    Object,
}

impl<V> Watched<V> {
    fn any(visitor: V) -> Self {
        Self { visitor, shape: Shape::Any }
    }

    fn object(visitor: V) -> Self {
        Self { visitor, shape: Shape::Object }
    }
}

macro_rules! of_any_shape {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        $(
            fn $method<V: Visitor<'de>>(
                self,
                $($argument: $type,)*
                visitor: V,
            ) -> Result<V::Value, R::Error> {
                self.0.$method($($argument,)* Watched::any(visitor))
            }
        )*
    };
}

impl<'de, R: Deserializer<'de>> Deserializer<'de> for Strict<R> {
    type Error = R::Error;

    of_any_shape! {
        deserialize_any()
        deserialize_bool()
        deserialize_i8()
        deserialize_i16()
        deserialize_i32()
        deserialize_i64()
        deserialize_i128()
        deserialize_u8()
        deserialize_u16()
        deserialize_u32()
        deserialize_u64()
        deserialize_u128()
        deserialize_f32()
        deserialize_f64()
        deserialize_char()
        deserialize_str()
        deserialize_string()
        deserialize_bytes()
        deserialize_byte_buf()
        deserialize_option()
        deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_map()
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
        deserialize_ignored_any()
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, R::Error> {
        self.0.deserialize_struct(name, fields, Watched::object(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! scalars {
    ($($method:ident: $type:ty)*) => {
        $(
            fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
                self.visitor.$method(value)
            }
        )*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watched<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    scalars! {
        visit_bool: bool
        visit_i8: i8
        visit_i16: i16
        visit_i32: i32
        visit_i64: i64
        visit_i128: i128
        visit_u8: u8
        visit_u16: u16
        visit_u32: u32
        visit_u64: u64
        visit_u128: u128
        visit_f32: f32
        visit_f64: f64
        visit_char: char
        visit_str: &str
        visit_borrowed_str: &'de str
        visit_string: String
        visit_bytes: &[u8]
        visit_borrowed_bytes: &'de [u8]
        visit_byte_buf: Vec<u8>
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_some<R: Deserializer<'de>>(self, reader: R) -> Result<V::Value, R::Error> {
        self.visitor.visit_some(Strict(reader))
    }

    fn visit_newtype_struct<R: Deserializer<'de>>(self, reader: R) -> Result<V::Value, R::Error> {
        self.visitor.visit_newtype_struct(Strict(reader))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        match self.shape {
            Shape::Any => self.visitor.visit_seq(Strict(items)),
            Shape::Object => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Strict(members))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Strict(variant))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<R: Deserializer<'de>>(self, reader: R) -> Result<S::Value, R::Error> {
        self.0.deserialize(Strict(reader))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Strict(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Strict<A> {
    type Error = A::Error;
    type Variant = Strict<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(Strict(seed))?;
        Ok((value, Strict(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Strict(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, Watched::any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Watched::object(visitor))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use crate::json::{parse, read};

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Inner {
        number: u8,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    enum Kind {
        Unit,
        One(Inner),
        Two(u8, Inner),
        Named { inner: Inner },
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Pair(u8, Inner);

    #[derive(Debug, Deserialize)]
    struct Outer {
        inner: Inner,
        #[serde(default)]
        maybe: Option<Inner>,
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        map: BTreeMap<String, Inner>,
        #[serde(default)]
        kinds: Vec<Kind>,
        #[serde(default)]
        pair: Option<Pair>,
        #[serde(default)]
        raw: Option<Box<RawValue>>,
        #[serde(default)]
        any: Value,
    }

    #[test]
    fn everything_else_is_read_as_before() {
        let json = json!({
            "inner": {"number": 1}, "maybe": {"number": 2}, "list": [{"number": 3}],
            "map": {"a": {"number": 4}},
            "kinds": ["Unit", {"One": {"number": 5}}, {"Two": [6, {"number": 7}]},
                {"Named": {"inner": {"number": 8}}}],
            "pair": [9, {"number": 10}], "raw": [1, {"a": [2]}], "any": {"b": [1.5, null, "x"]},
        });
        let inner = |number| Inner { number };
        let outer = parse::<Outer>(json.to_string().as_bytes()).unwrap();
        assert_eq!((outer.inner, outer.maybe), (inner(1), Some(inner(2))));
        assert_eq!((outer.list, &outer.map["a"]), (vec![inner(3)], &inner(4)));
        let kinds = [
            Kind::Unit,
            Kind::One(inner(5)),
            Kind::Two(6, inner(7)),
            Kind::Named { inner: inner(8) },
        ];
        assert_eq!(outer.kinds, kinds);
        assert_eq!(outer.pair, Some(Pair(9, inner(10))));
        assert_eq!(outer.raw.unwrap().get(), r#"[1,{"a":[2]}]"#);
        assert_eq!(outer.any, json!({"b": [1.5, null, "x"]}));
    }

    /// Each of these is what serde alone takes for the same.
    #[test]
    fn an_array_is_no_object_at_any_depth() {
        for json in [
            json!([{"number": 1}]),
            json!({"inner": [1]}),
            json!({"inner": {"number": 1}, "maybe": [2]}),
            json!({"inner": {"number": 1}, "list": [[3]]}),
            json!({"inner": {"number": 1}, "map": {"a": [4]}}),
            json!({"inner": {"number": 1}, "kinds": [{"One": [5]}]}),
            json!({"inner": {"number": 1}, "kinds": [{"Two": [6, [7]]}]}),
            json!({"inner": {"number": 1}, "kinds": [{"Named": [{"number": 8}]}]}),
            json!({"inner": {"number": 1}, "kinds": [{"Named": {"inner": [8]}}]}),
            json!({"inner": {"number": 1}, "pair": [9, [10]]}),
        ] {
            let text = json.to_string();
            assert!(serde_json::from_str::<Outer>(&text).is_ok(), "{text}");
            let error = parse::<Outer>(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("invalid type: sequence, expected"), "{error}");
            assert!(read::<Outer>(json).is_err(), "{text}");
        }
    }
}
