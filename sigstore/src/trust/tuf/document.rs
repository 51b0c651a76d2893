// SPDX-License-Identifier: Apache-2.0
//! Metadata as it came.
//!
//! `tough` reads it and verifies signatures, and what it does otherwise than others is made up for
//! here:
//!
//! - It verifies what it would write itself, where a member that it does not know is missing and a
//!   time may have another form. Here signatures are over what came.
//! - It asks neither for the type nor for the version of the specification.
//! - It refuses all that lists one key of a kind that it does not know.
//! - It refuses a key whose ID is not the digest of its members, as version 11 of the public
//!   instance's root has one. What such a digest is for is that no key counts twice for a threshold;
//!   so here an ID is a name, and each key has one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroU64;

use ambisign_host::excerpt;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use tough::schema::decoded::{Decoded, Hex};
use tough::schema::key::Key;
use tough::schema::{Delegations, Role, RoleType, Root, Signed, Snapshot, Targets, Timestamp};

use super::hashes;
use crate::pki::keys::PublicKey;

/// How many bytes a public key of Ed25519 has.
const ED25519_LENGTH: usize = 32;
/// How many bytes an uncompressed point of P-256 has.
const P256_LENGTH: usize = 65;

type Keys = HashMap<Decoded<Hex>, Key>;

/// Metadata of one kind, and where it lists keys.
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

/// What metadata says, beside the member that was signed as it came.
#[derive(Debug)]
pub(super) struct Received<R> {
    /// What it says.
    pub(super) role: R,
    signed: Value,
}

/// What signatures are about.
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

/// Reads metadata with its keys.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read<R: Listing>(bytes: &[u8]) -> Result<Signed<Received<R>>, String> {
    let mut document: Value = parsed(ambisign_host::json::parse(bytes))?;
    of_kind(&document, &R::TYPE.to_string())?;
    let received = document.get("signed").cloned().unwrap_or_default();
    hashes::make_readable(&mut document);
    let mut listed = Map::new();
    if let Some(Value::Object(keys)) = document.pointer_mut(R::AT) {
        std::mem::swap(keys, &mut listed);
    }
    let Signed {
        mut signed,
        signatures,
    } = parsed(serde_json::from_value::<Signed<R>>(document))?;
    if let Some((keys, extra)) = signed.keys() {
        let (known, unknown) = unique(listed)?;
        *keys = known;
        extra.insert(UNKNOWN.to_owned(), unknown.into());
    }
    let signed = Received {
        role: signed,
        signed: received,
    };
    Ok(Signed { signed, signatures })
}

/// That `document` is metadata of this kind, of the first version of the specification.
fn of_kind(document: &Value, kind: &str) -> Result<(), String> {
    let text = |at| {
        document
            .pointer(at)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if text("/signed/_type") != kind {
        return Err(format!("it is not of the type `{kind}`"));
    }
    if text("/signed/spec_version").split('.').next() != Some("1") {
        return Err("it is not of version 1 of the specification".to_owned());
    }
    Ok(())
}

/// The keys of `listed`, each with its ID. One of a kind or in a form that is not known signs nothing
/// for us, and must not keep us from the others.
fn unique(listed: Map<String, Value>) -> Result<(Keys, Map<String, Value>), String> {
    let twice = || "it lists a key or an ID of a key twice".to_owned();
    let (mut keys, mut ids) = (Keys::new(), HashSet::new());
    let mut unknown = Map::new();
    for (id, key) in listed {
        // IDs in upper and lower case are one ID.
        let id: Decoded<Hex> = parsed(serde_json::from_value(id.into()))?;
        if !ids.insert(id.clone()) {
            return Err(twice());
        }
        let kind = kind_of(&key);
        match serde_json::from_value::<Key>(key) {
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

/// Whether the public half has the one form of its kind. Signatures verify with others, too, and then
/// one key in two forms would count twice.
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

/// The public half, whether it was PEM or hexadecimal digits.
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
