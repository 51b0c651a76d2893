// SPDX-License-Identifier: Apache-2.0
//! A TUF repository in memory, as a test wants it.
//!
//! It knows how metadata is made, and never whether that is wise: every lie can be told by changing
//! `signed` or the signers of a role before it is published.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use super::key::Key;
use super::server::Server;

/// The day 0 of all repositories.
pub(crate) const START: &str = "2027-03-01T12:00:00Z";

pub(crate) const ROOT: &str = "root";
pub(crate) const TIMESTAMP: &str = "timestamp";
pub(crate) const SNAPSHOT: &str = "snapshot";
pub(crate) const TARGETS: &str = "targets";
pub(crate) const TOP_LEVEL: [&str; 4] = [ROOT, TIMESTAMP, SNAPSHOT, TARGETS];

/// What is published next under the name of a role, and who signs it.
pub(crate) struct Role {
    pub(crate) signed: Value,
    pub(crate) signers: Vec<Key>,
}

pub(crate) struct Repository {
    pub(crate) server: Server,
    /// Whether the timestamp and the snapshot give hashes and lengths.
    pub(crate) pins: bool,
    roles: BTreeMap<String, Role>,
}

impl Repository {
    /// Four roles at version 1, each with one key and a threshold of 1, for 30 days.
    pub(crate) fn new() -> Self {
        let mut new = Self { server: Server::start(), pins: false, roles: BTreeMap::new() };
        new.add(ROOT, json!({"consistent_snapshot": true, "keys": {}, "roles": {}}));
        new.add(TIMESTAMP, json!({"meta": {}}));
        new.add(SNAPSHOT, json!({"meta": {}}));
        new.add(TARGETS, json!({"targets": {}}));
        for role in TOP_LEVEL {
            new.set_keys(role, &[Key::ecdsa()], 1);
        }
        new.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
        new
    }

    fn add(&mut self, name: &str, mut signed: Value) {
        let kind = if TOP_LEVEL.contains(&name) { name } else { TARGETS };
        signed["_type"] = json!(kind);
        signed["spec_version"] = json!("1.0.31");
        signed["version"] = json!(0);
        signed["expires"] = json!(day(30));
        let signers = Vec::new();
        self.roles.insert(name.to_owned(), Role { signed, signers });
    }

    /// What is published next as `name`.
    pub(crate) fn role(&mut self, name: &str) -> &mut Role {
        self.roles.get_mut(name).unwrap()
    }

    /// What is signed next as `name`.
    pub(crate) fn signed(&mut self, name: &str) -> &mut Value {
        &mut self.role(name).signed
    }

    /// The signers of `name`.
    pub(crate) fn signers(&mut self, name: &str) -> &mut Vec<Key> {
        &mut self.role(name).signers
    }

    /// Signs and serves the next version of each of `names`, in this order.
    pub(crate) fn publish(&mut self, names: &[&str]) {
        for name in names {
            let version = self.role(name).next_version();
            let bytes = self.document(name);
            self.serve(name, version, bytes);
        }
    }

    /// Like [`Self::publish`] for one role, with a change to the file after it was signed.
    pub(crate) fn publish_bent(&mut self, name: &str, bend: impl FnOnce(&mut Value)) {
        let version = self.role(name).next_version();
        let mut document: Value = serde_json::from_slice(&self.document(name)).unwrap();
        bend(&mut document);
        self.serve(name, version, document.to_string().into_bytes());
    }

    /// The file of `name` as it would be signed now.
    fn document(&mut self, name: &str) -> Vec<u8> {
        let Role { signed, signers } = self.role(name);
        let signatures: Vec<Value> = signers.iter().map(|key| key.sign(signed)).collect();
        let document = json!({"signatures": signatures, "signed": signed});
        serde_json::to_vec_pretty(&document).unwrap()
    }

    fn serve(&mut self, name: &str, version: u64, bytes: Vec<u8>) {
        let mut meta = json!({ "version": version });
        if self.pins {
            meta["length"] = json!(bytes.len());
            meta["hashes"] = json!({"sha256": hex::encode(Sha256::digest(&bytes))});
        }
        match name {
            ROOT | TIMESTAMP => {}
            SNAPSHOT => self.signed(TIMESTAMP)["meta"]["snapshot.json"] = meta,
            _ => self.signed(SNAPSHOT)["meta"][format!("{name}.json")] = meta,
        }
        self.server.put(&path(name, version), bytes);
    }

    /// The file of `name` as it is served.
    pub(crate) fn served(&self, name: &str, version: u64) -> Vec<u8> {
        self.server.file(&path(name, version)).unwrap()
    }

    /// Serves these bytes as a version of `name`, whatever the rest says of it.
    pub(crate) fn replace(&self, name: &str, version: u64, bytes: impl Into<Vec<u8>>) {
        self.server.put(&path(name, version), bytes);
    }

    /// What was asked for since the last call, without the folder of metadata.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.server.asked().into_iter();
        asked.map(|path| path.strip_prefix("metadata/").unwrap_or(&path).to_owned()).collect()
    }
}

/// Keys and delegations.
impl Repository {
    /// Lets `keys` sign for a top-level role, as many of them as `threshold` says.
    pub(crate) fn set_keys(&mut self, name: &str, keys: &[Key], threshold: usize) {
        let ids: Vec<String> = keys.iter().map(Key::id).collect();
        let root = self.signed(ROOT);
        root["roles"][name] = json!({"keyids": ids, "threshold": threshold});
        for key in keys {
            root["keys"][key.id()] = key.public().clone();
        }
        self.role(name).signers = keys.to_vec();
    }

    /// Puts a new key in the place of those of a top-level role.
    pub(crate) fn rotate(&mut self, name: &str) {
        self.set_keys(name, &[Key::ecdsa()], 1);
    }

    /// Adds `key` to a top-level role and its signers.
    pub(crate) fn add_key(&mut self, name: &str, key: Key) {
        let root = self.signed(ROOT);
        root["keys"][key.id()] = key.public().clone();
        let ids = &mut root["roles"][name]["keyids"];
        ids.as_array_mut().unwrap().push(json!(key.id()));
        self.role(name).signers.push(key);
    }

    pub(crate) fn set_threshold(&mut self, name: &str, threshold: usize) {
        self.signed(ROOT)["roles"][name]["threshold"] = json!(threshold);
    }

    /// Lets a role with a key of its own speak of `paths` for `parent`. Of several parents, each
    /// knows another key, and the role is signed with all.
    pub(crate) fn delegate(&mut self, parent: &str, child: &str, paths: &[&str]) {
        self.delegate_as(parent, child, paths, false);
    }

    /// The same, with the end of a search.
    pub(crate) fn delegate_terminating(&mut self, parent: &str, child: &str, paths: &[&str]) {
        self.delegate_as(parent, child, paths, true);
    }

    fn delegate_as(&mut self, parent: &str, child: &str, paths: &[&str], terminating: bool) {
        let key = Key::ecdsa();
        let parent = self.signed(parent).as_object_mut().unwrap();
        let delegations =
            parent.entry("delegations").or_insert_with(|| json!({"keys": {}, "roles": []}));
        delegations["keys"][key.id()] = key.public().clone();
        delegations["roles"].as_array_mut().unwrap().push(json!({
            "name": child, "keyids": [key.id()], "threshold": 1,
            "paths": paths, "terminating": terminating,
        }));
        if !self.roles.contains_key(child) {
            self.add(child, json!({"targets": {}}));
        }
        self.role(child).signers.push(key);
    }

    /// Puts `key` in the place of the one with which `parent` knows `child`, the only role that it
    /// delegates to.
    pub(crate) fn rekey(&mut self, parent: &str, child: &str, key: &Key) {
        let delegations = &mut self.signed(parent)["delegations"];
        delegations["keys"] = json!({key.id(): key.public()});
        delegations["roles"][0]["keyids"] = json!([key.id()]);
        self.role(child).signers = vec![key.clone()];
    }

    /// Publishes all roles, delegated ones first.
    pub(crate) fn publish_all(&mut self) {
        let names: Vec<String> = self.roles.keys().cloned().collect();
        let delegated = names.iter().map(String::as_str);
        let delegated: Vec<&str> = delegated.filter(|name| !TOP_LEVEL.contains(name)).collect();
        self.publish(&delegated);
        self.publish(&[TARGETS, SNAPSHOT, TIMESTAMP]);
    }
}

/// Targets.
impl Repository {
    /// Serves `content` as a target that `role` speaks of.
    pub(crate) fn add_target(&mut self, role: &str, name: &str, content: &[u8]) {
        self.add_target_with(role, name, content, &["sha256"]);
    }

    /// The same with these hashes. One of an unknown name has the digits of a SHA-512.
    pub(crate) fn add_target_with(
        &mut self,
        role: &str,
        name: &str,
        content: &[u8],
        algorithms: &[&str],
    ) {
        let mut hashes = Map::new();
        for algorithm in algorithms {
            let digest = match *algorithm {
                "sha256" => Sha256::digest(content).to_vec(),
                _ => Sha512::digest(content).to_vec(),
            };
            let digits = hex::encode(digest);
            self.server.put(&target_path(name, &digits), content);
            hashes.insert((*algorithm).to_owned(), json!(digits));
        }
        self.signed(role)["targets"][name] = json!({"length": content.len(), "hashes": hashes});
    }

    /// Serves other bytes than metadata says.
    pub(crate) fn substitute(&mut self, role: &str, name: &str, content: &[u8]) {
        let hashes = self.signed(role)["targets"][name]["hashes"].clone();
        for digits in hashes.as_object().unwrap().values() {
            if let Some(digits) = digits.as_str() {
                self.server.put(&target_path(name, digits), content);
            }
        }
    }
}

impl Role {
    fn next_version(&mut self) -> u64 {
        let version = self.signed["version"].as_u64().unwrap() + 1;
        self.signed["version"] = json!(version);
        version
    }
}

/// Where metadata is. Names are percent-encoded whole, as python-tuf and go-tuf do it.
fn path(name: &str, version: u64) -> String {
    match name {
        TIMESTAMP => "metadata/timestamp.json".to_owned(),
        _ => format!("metadata/{version}.{}.json", encoded(name)),
    }
}

/// Where a target is: the hash stands before the last part of its name (TUF 6.2).
fn target_path(name: &str, digits: &str) -> String {
    let (folder, file) = name.rsplit_once('/').map_or(("", name), |(folder, file)| (folder, file));
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("targets/{folder}{slash}{digits}.{}", encoded(file))
}

/// `name` as one part of a URL.
pub(crate) fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// The time so many days after [`START`].
pub(crate) fn time(days: u64) -> SystemTime {
    humantime::parse_rfc3339(START).unwrap() + Duration::from_secs(24 * 60 * 60 * days)
}

/// The same, as in metadata.
pub(crate) fn day(days: u64) -> String {
    humantime::format_rfc3339_seconds(time(days)).to_string()
}

/// A time long ago.
pub(crate) fn past() -> String {
    "2020-01-01T00:00:00Z".to_owned()
}
