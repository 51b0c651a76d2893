// SPDX-License-Identifier: Apache-2.0
//! Metadata in the form in which it was received.
//!
//! `tough` parses it and verifies signatures. This module corrects its differences from other clients:
//!
//! - `tough` verifies signatures over its own serialization, which lacks unknown members and may change
//!   the form of a time. Here, signatures cover the received document.
//! - It checks neither the type nor the version of the specification.
//! - It refuses all metadata that lists a key of an unknown kind.
//! - It refuses a key whose ID is not the digest of its members, such as one in version 11 of the public
//!   instance's root. Such digests only ensure that no key counts twice for a threshold. Here, IDs are
//!   names, and each key may have only one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroU64;

use ambisign_host::{excerpt, json};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use tough::schema::decoded::{Decoded, Hex};
use tough::schema::key::Key;
use tough::schema::{Delegations, Role, RoleType, Root, Signed, Snapshot, Targets, Timestamp};

use super::hashes;
use crate::pki::keys::PublicKey;

/// The length of an Ed25519 public key, in bytes.
const ED25519_LENGTH: usize = 32;
/// The length of an uncompressed point of P-256, in bytes.
const P256_LENGTH: usize = 65;

type Keys = HashMap<Decoded<Hex>, Key>;

/// A kind of metadata, and the place of its keys.
pub(super) trait Listing: Role + DeserializeOwned {
    /// The place, as a JSON pointer.
    const AT: &'static str = "/signed/keys";

    /// The same place, after reading; with what else stands there.
    fn keys(&mut self) -> Option<(&mut Keys, &mut HashMap<String, Value>)>;
}

/// Where the kinds of the keys are kept that sign nothing for us. Nothing reads what else stands there.
const UNKNOWN: &str = "kinds of keys that are not known";

/// The kinds of those keys of a list with `extra` that have one of `ids` and are not known here.
pub(super) fn unknown_kinds(
    extra: &HashMap<String, Value>,
    ids: &[Decoded<Hex>],
) -> BTreeSet<String> {
    let unknown = extra.get(UNKNOWN).and_then(Value::as_object);
    let unknown = unknown.into_iter().flatten();
    let wanted: Vec<_> = ids.iter().map(|id| hex::encode(&**id)).collect();
    let named = unknown.filter(|(id, _)| wanted.contains(id));
    let kinds = named.filter_map(|(_, kind)| kind.as_str());
    kinds.map(excerpt).collect()
}

impl Listing for Root {
    fn keys(&mut self) -> Option<(&mut Keys, &mut HashMap<String, Value>)> {
        Some((&mut self.keys, &mut self._extra))
    }
}

impl Listing for Targets {
    const AT: &'static str = "/signed/delegations/keys";

    fn keys(&mut self) -> Option<(&mut Keys, &mut HashMap<String, Value>)> {
        let delegations: Option<&mut Delegations> = self.delegations.as_mut();
        delegations.map(|delegations| (&mut delegations.keys, &mut self._extra))
    }
}

impl Listing for Timestamp {
    fn keys(&mut self) -> Option<(&mut Keys, &mut HashMap<String, Value>)> {
        None
    }
}

impl Listing for Snapshot {
    fn keys(&mut self) -> Option<(&mut Keys, &mut HashMap<String, Value>)> {
        None
    }
}

/// Parsed metadata together with the received `signed` member.
#[derive(Debug)]
pub(super) struct Received<R> {
    /// The parsed metadata.
    pub(super) role: R,
    signed: Value,
}

/// Serializes the received member, which the signatures cover.
impl<R> Serialize for Received<R> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        self.signed.serialize(writer)
    }
}

impl<R: Role> Role for Received<R> {
    const TYPE: RoleType = R::TYPE;

    fn expires(&self) -> jiff::Timestamp {
        self.role.expires()
    }

    fn version(&self) -> NonZeroU64 {
        self.role.version()
    }

    fn filename(&self, consistent_snapshot: bool) -> String {
        self.role.filename(consistent_snapshot)
    }
}

/// Parses metadata with its keys.
///
/// # Errors
/// The metadata is malformed.
pub(super) fn read<R: Listing>(bytes: &[u8]) -> Result<Signed<Received<R>>, String> {
    let mut document: Value = parsed(json::parse(bytes))?;
    of_kind(&document, &R::TYPE.to_string())?;
    let received = document.get("signed").cloned().unwrap_or_default();
    hashes::make_readable(&mut document);
    let mut listed = Map::new();
    if let Some(Value::Object(keys)) = document.pointer_mut(R::AT) {
        std::mem::swap(keys, &mut listed);
    }
    let Signed { mut signed, signatures } = parsed(json::read::<Signed<R>>(document))?;
    if let Some((keys, extra)) = signed.keys() {
        let (known, unknown) = unique(listed)?;
        *keys = known;
        extra.insert(UNKNOWN.to_owned(), unknown.into());
    }
    let signed = Received { role: signed, signed: received };
    Ok(Signed { signed, signatures })
}

/// Checks that `document` is metadata of this kind, for version 1 of the specification.
fn of_kind(document: &Value, kind: &str) -> Result<(), String> {
    let text = |at| document.pointer(at).and_then(Value::as_str).unwrap_or_default();
    if text("/signed/_type") != kind {
        return Err(format!("it does not have the type `{kind}`"));
    }
    if text("/signed/spec_version").split('.').next() != Some("1") {
        return Err("it is not for version 1 of the specification".to_owned());
    }
    Ok(())
}

/// The keys in `listed`, by ID. Keys of an unknown kind or form are skipped, and the others are used.
fn unique(listed: Map<String, Value>) -> Result<(Keys, Map<String, Value>), String> {
    let twice = || "it lists a key or an ID of a key twice".to_owned();
    let (mut keys, mut ids) = (Keys::new(), HashSet::new());
    let mut unknown = Map::new();
    for (id, key) in listed {
        // IDs in upper and lower case are one ID.
        let id: Decoded<Hex> = parsed(json::read(id.into()))?;
        if !ids.insert(id.clone()) {
            return Err(twice());
        }
        let kind = kind_of(&key);
        // `tough` reads a key by its type, and then takes an array for its value.
        let is_array = key.is_array() || key.get("keyval").is_some_and(Value::is_array);
        match json::read::<Key>(key) {
            Ok(_) | Err(_) if is_array => {
                return Err("it has an array in place of a key".to_owned());
            }
            Ok(key) if has_its_form(&key) => drop(keys.insert(id, key)),
            // Of a known kind, and in another form than its own.
            Ok(_) | Err(_) if KINDS.contains(&kind.as_str()) => {}
            Ok(_) | Err(_) => drop(unknown.insert(hex::encode(&*id), kind.into())),
        }
    }
    let publics: BTreeSet<&[u8]> = keys.values().map(public).collect();
    if publics.len() != keys.len() {
        return Err(twice());
    }
    Ok((keys, unknown))
}

/// What [`kind_of`] says of the keys that sign for us.
const KINDS: [&str; 4] = [
    "ecdsa with scheme ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp256 with scheme ecdsa-sha2-nistp256",
    "ed25519 with scheme ed25519",
    "rsa with scheme rsassa-pss-sha256",
];

/// Type and scheme of a key, as it names them.
fn kind_of(key: &Value) -> String {
    let text = |name| key.get(name).and_then(Value::as_str).unwrap_or("none");
    format!("{} with scheme {}", text("keytype"), text("scheme"))
}

/// Returns `true` if the public key has the standard form of its kind. Signatures also verify with other
/// forms, and then one key in two forms would count twice.
fn has_its_form(key: &Key) -> bool {
    let public = public(key);
    match key {
        Key::Rsa { .. } => PublicKey::from_pkcs1(public).is_some(),
        Key::Ed25519 { .. } => public.len() == ED25519_LENGTH,
        // An uncompressed point (SEC 1, 2.3.3).
        Key::Ecdsa { .. } | Key::EcdsaOld { .. } => {
            public.len() == P256_LENGTH && public.first() == Some(&4)
        }
    }
}

/// The public key, from PEM or hexadecimal digits.
fn public(key: &Key) -> &[u8] {
    match key {
        Key::Rsa { keyval, .. } => &keyval.public,
        Key::Ed25519 { keyval, .. } => &keyval.public,
        Key::Ecdsa { keyval, .. } | Key::EcdsaOld { keyval, .. } => &keyval.public,
    }
}

fn parsed<T>(result: Result<T, impl ToString>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tough::schema::Root;

    use super::read;

    const ANCHOR: &[u8] = include_bytes!("anchors/production.json");

    /// Whether the anchor can be read after `change`. Nothing verifies it here.
    fn reads(change: impl FnOnce(&mut Value)) -> Result<(), String> {
        let mut document: Value = serde_json::from_slice(ANCHOR).unwrap();
        change(&mut document);
        read::<Root>(document.to_string().as_bytes()).map(drop)
    }

    /// The values of an object, as serde reads a struct from them.
    fn listed(object: &Value, names: &[&str]) -> Value {
        names.iter().map(|name| object[name].clone()).collect()
    }

    fn key(document: &mut Value) -> &mut Value {
        document["signed"]["keys"].as_object_mut().unwrap().values_mut().next().unwrap()
    }

    /// One key in two forms would count twice.
    #[test]
    fn a_key_has_one_form() {
        let count = |public: &str| {
            let mut document: Value = serde_json::from_slice(ANCHOR).unwrap();
            *key(&mut document) = json!({"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256",
                "keyval": {"public": public}});
            let found = read::<Root>(document.to_string().as_bytes()).unwrap();
            found.signed.role.keys.len()
        };
        let all = count(&format!("04{}", "11".repeat(64)));
        for (public, known) in [
            (format!("06{}", "11".repeat(64)), false),
            (format!("04{}", "11".repeat(63)), false),
            (format!("04{}", "11".repeat(65)), false),
            (format!("02{}", "11".repeat(32)), false),
            (format!("04{}", "22".repeat(64)), true),
        ] {
            assert_eq!(count(&public), if known { all } else { all - 1 }, "{public}");
        }
    }

    #[test]
    fn an_array_is_no_object_in_metadata() {
        assert_eq!(reads(|_| {}), Ok(()));
        let role = |document: &mut Value| {
            let role = &mut document["signed"]["roles"]["root"];
            *role = listed(role, &["keyids", "threshold"]);
        };
        assert!(reads(role).is_err());
        let signature = |document: &mut Value| {
            let signature = &mut document["signatures"][0];
            *signature = listed(signature, &["keyid", "sig"]);
        };
        assert!(reads(signature).is_err());
        // `tough` takes a key by its type, and then the array.
        let whole = |document: &mut Value| {
            let found = key(document);
            *found = json!([found["keytype"], found["keyval"], found["scheme"]]);
        };
        assert!(reads(whole).is_err());
        let value = |document: &mut Value| {
            let found = &mut key(document)["keyval"];
            *found = json!([found["public"]]);
        };
        assert!(reads(value).is_err());
    }
}
