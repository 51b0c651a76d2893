// SPDX-License-Identifier: Apache-2.0
//! The list of referrers at the fallback tag (OCI distribution specification, "Referrers Tag Schema").
//! All signers of the image share it, so the entries of others keep their exact bytes.

use std::collections::BTreeSet;
use std::fmt;

use ambisign_sigstore::digest::Digest;
use oci_client::manifest::OCI_IMAGE_INDEX_MEDIA_TYPE;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::read::manifest::essence;

/// A descriptor of this program.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The manifest that it points to.
    pub(crate) digest: Digest,
    /// The descriptor as JSON.
    pub(crate) json: Box<RawValue>,
}

/// An index, with its original bytes.
#[derive(Debug)]
pub(crate) struct Index {
    members: Vec<(String, Box<RawValue>)>,
    descriptors: Vec<Box<RawValue>>,
    digests: Vec<String>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

impl Index {
    /// An index without entries.
    pub(crate) fn empty() -> Result<Self, serde_json::Error> {
        let member = |name: &str, json: String| {
            RawValue::from_string(json).map(|value| (name.to_owned(), value))
        };
        Ok(Self {
            members: vec![
                member("schemaVersion", "2".to_owned())?,
                member("mediaType", format!("{OCI_IMAGE_INDEX_MEDIA_TYPE:?}"))?,
                member("manifests", "[]".to_owned())?,
            ],
            descriptors: Vec::new(),
            digests: Vec::new(),
        })
    }

    /// Parses the content of the tag.
    ///
    /// # Errors
    /// The reason why it is not an index of version 2, as the end of a sentence.
    pub(crate) fn read(bytes: &[u8], media_type: Option<&str>) -> Result<Self, String> {
        let found = media_type.map(essence).unwrap_or_default();
        if found != OCI_IMAGE_INDEX_MEDIA_TYPE {
            let found: String = found.chars().take(80).collect();
            return Err(format!("its media type is {found:?}"));
        }
        let Members(members) =
            ambisign_host::json::parse(bytes).map_err(|error| error.to_string())?;
        let find = |wanted: &str| members.iter().find(|(name, _)| name == wanted);
        if find("schemaVersion").is_none_or(|(_, version)| version.get() != "2") {
            return Err("its `schemaVersion` is not 2".to_owned());
        }
        let member: Option<String> = part(find("mediaType"))?;
        if member.is_some_and(|member| member != OCI_IMAGE_INDEX_MEDIA_TYPE) {
            return Err("its `mediaType` is not that of an index".to_owned());
        }
        // Go writes an empty list as `null`.
        let descriptors: Option<Vec<Box<RawValue>>> = part(find("manifests"))?;
        let descriptors = descriptors.unwrap_or_default();
        let digest = |json: &RawValue| -> Result<String, String> {
            let descriptor: Descriptor = ambisign_host::json::parse(json.get().as_bytes())
                .map_err(|error| error.to_string())?;
            Ok(descriptor.digest)
        };
        let digests = descriptors.iter().map(|json| digest(json)).collect::<Result<_, _>>()?;
        Ok(Self { members, descriptors, digests })
    }

    /// Returns `true` if all of `entries` are listed.
    pub(crate) fn lists(&self, entries: &[Entry]) -> bool {
        entries.iter().all(|entry| self.has(&entry.digest))
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.descriptors.len()
    }

    /// The manifests that it lists with a SHA-256 digest.
    pub(crate) fn digests(&self) -> impl Iterator<Item = Digest> {
        self.digests.iter().filter_map(|digest| Digest::parse(digest))
    }

    /// The index without the manifests in `gone`, and with `entries` at the end. Entries that are already
    /// listed are unchanged.
    pub(crate) fn with(&self, entries: &[Entry], gone: &BTreeSet<Digest>) -> String {
        let new = entries.iter().filter(|entry| !self.has(&entry.digest));
        let is_here = |digest: &str| Digest::parse(digest).is_none_or(|d| !gone.contains(&d));
        let old = self.digests.iter().zip(&self.descriptors);
        let list: Vec<&str> = old
            .filter(|(digest, _)| is_here(digest))
            .map(|(_, json)| json.get())
            .chain(new.map(|entry| entry.json.get()))
            .collect();
        let list = format!("[{}]", list.join(","));
        let mut members: Vec<String> = Vec::new();
        let mut listed = false;
        for (name, value) in &self.members {
            let is_list = name == "manifests";
            listed |= is_list;
            let value = if is_list { &list } else { value.get() };
            members.push(format!("{}:{value}", serde_json::Value::from(name.as_str())));
        }
        if !listed {
            members.push(format!("\"manifests\":{list}"));
        }
        format!("{{{}}}", members.join(","))
    }

    fn has(&self, digest: &Digest) -> bool {
        let digest = digest.to_string();
        self.digests.contains(&digest)
    }
}

fn part<T: DeserializeOwned>(
    member: Option<&(String, Box<RawValue>)>,
) -> Result<Option<T>, String> {
    member.map_or(Ok(None), |(name, value)| {
        ambisign_host::json::parse(value.get().as_bytes())
            .map_err(|_shape| format!("its `{name}` has another form"))
    })
}

/// An object with its members in their original order.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::slice::from_ref;

    use ambisign_sigstore::digest::Digest;
    use serde_json::value::RawValue;

    use super::{Entry, Index};

    const INDEX: &str = "application/vnd.oci.image.index.v1+json";

    fn entry(name: &str) -> Entry {
        let digest = Digest::of(name.as_bytes());
        let json = format!(r#"{{"digest":"{digest}","name":"{name}"}}"#);
        let json = RawValue::from_string(json).unwrap();
        Entry { digest, json }
    }

    #[test]
    fn starts_from_nothing() {
        let entry = entry("a");
        let text = Index::empty().unwrap().with(from_ref(&entry), &BTreeSet::new());
        let expected = format!(
            r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#,
            entry.json.get()
        );
        assert_eq!(text, expected);
        let again = Index::read(text.as_bytes(), Some(INDEX)).unwrap();
        assert!(again.lists(from_ref(&entry)));
        assert_eq!(again.with(&[entry], &BTreeSet::new()), expected);
    }

    #[test]
    fn keeps_what_others_wrote() {
        let foreign = r#"{ "digest" : "sha512:xyz", "size":1e0, "x":[1, 2,{"\u0061":null}]}"#;
        let text = format!(
            r#"{{"annotations":{{"z":"1", "a":"2"}},"manifests" : [ {foreign} ],"schemaVersion":2,"x":1.0}}"#
        );
        let (a, b) = (entry("a"), entry("b"));
        let index = Index::read(text.as_bytes(), Some(INDEX)).unwrap();
        let merged = index.with(&[a.clone(), b.clone()], &BTreeSet::new());
        let expected = format!(
            r#"{{"annotations":{{"z":"1", "a":"2"}},"manifests":[{foreign},{},{}],"schemaVersion":2,"x":1.0}}"#,
            a.json.get(),
            b.json.get()
        );
        assert_eq!(merged, expected);
        assert!(!index.lists(&[a]));
        assert_eq!(index.len(), 1);
    }

    #[test]
    fn what_is_gone_goes_alone() {
        let [a, b, c] = ["a", "b", "c"].map(entry);
        let all = [a.clone(), b.clone()];
        let text = Index::empty().unwrap().with(&all, &BTreeSet::new());
        let index = Index::read(text.as_bytes(), Some(INDEX)).unwrap();
        let text = index.with(from_ref(&c), &BTreeSet::from([a.digest]));
        let index = Index::read(text.as_bytes(), Some(INDEX)).unwrap();
        assert_eq!(index.digests().collect::<Vec<_>>(), [b.digest, c.digest]);
    }

    #[test]
    fn takes_null_and_nothing_for_an_empty_list() {
        for text in [r#"{"schemaVersion":2,"manifests":null}"#, r#"{"schemaVersion":2}"#] {
            let index = Index::read(text.as_bytes(), Some(INDEX)).unwrap();
            assert_eq!(index.len(), 0);
            assert!(index.with(&[entry("a")], &BTreeSet::new()).contains("\"manifests\":[{"));
        }
    }

    #[test]
    fn refuses_what_is_no_index() {
        for text in [
            "",
            "<html>",
            "[]",
            "null",
            "{}",
            r#"{"schemaVersion":1,"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":{}}"#,
            r#"{"schemaVersion":2,"manifests":[1]}"#,
            r#"{"schemaVersion":2,"manifests":[{}]}"#,
            r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
            r#"{"schemaVersion":2,"mediaType":"x","manifests":[]}"#,
            r#"{"schemaVersion":2,"mediaType":7,"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":[]"#,
        ] {
            assert!(Index::read(text.as_bytes(), Some(INDEX)).is_err(), "{text}");
        }
        let good = br#"{"schemaVersion":2,"manifests":[]}"#;
        for media_type in [None, Some("text/html"), Some("application/json")] {
            assert!(Index::read(good, media_type).is_err());
        }
    }
}
