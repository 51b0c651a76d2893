// SPDX-License-Identifier: Apache-2.0
//! A TUF mirror with the trust material of a sandbox.
#![allow(dead_code, reason = "the simulated repository has more than a transcript needs")]

#[path = "../tuf/key.rs"]
mod key;
#[path = "../tuf/repository.rs"]
mod repository;
#[path = "../tuf/server.rs"]
mod server;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use self::key::Key;
use self::repository::{ROOT, Repository, SNAPSHOT, TARGETS, TIMESTAMP, TOP_LEVEL, past};

/// A day that no test sees.
const LATE: &str = "2999-01-01T00:00:00Z";
/// The documents of a mirror.
const TRUSTED_ROOT: &str = "trusted_root.json";
const SIGNING_CONFIG: &str = "signing_config.v0.2.json";

/// A running mirror.
pub(crate) struct Mirror {
    repository: Repository,
}

impl Mirror {
    /// A mirror of these documents, with one fault, which has the name of its error; without one all
    /// is well.
    pub(crate) fn start(trusted_root: &[u8], signing_config: &[u8], fault: &str) -> Self {
        let mut repository = Repository::new();
        for role in TOP_LEVEL {
            repository.signed(role)["expires"] = json!(LATE);
        }
        for (name, absent, content) in [
            (SIGNING_CONFIG, "missing-config", signing_config),
            (TRUSTED_ROOT, "no-target", trusted_root),
        ] {
            if fault != absent {
                repository.add_target(TARGETS, name, content);
                // Clients look for targets below the URL of the metadata.
                let digest = hex::encode(Sha256::digest(content));
                let content = if fault == "mismatch" { b"other bytes" } else { content };
                repository.server.put(&format!("metadata/targets/{digest}.{name}"), content);
            }
        }
        match fault {
            "expired" => repository.signed(TIMESTAMP)["expires"] = json!(past()),
            "signature" => *repository.signers(SNAPSHOT) = vec![Key::ecdsa()],
            _ => {}
        }
        repository.publish(&[ROOT, TARGETS, SNAPSHOT, TIMESTAMP]);
        match fault {
            "malformed" => repository.replace(SNAPSHOT, 2, "{}"),
            "status" => drop(repository.server.remove("metadata/timestamp.json")),
            "" | "expired" | "mismatch" | "missing-config" | "no-target" | "signature" => {}
            _ => panic!("a mirror has no fault `{fault}`"),
        }
        Self { repository }
    }

    /// Its first root.
    pub(crate) fn root(&self) -> Vec<u8> {
        self.repository.served(ROOT, 1)
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        self.repository.server.url("metadata/").to_string()
    }
}
