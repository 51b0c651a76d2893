// SPDX-License-Identifier: Apache-2.0
//! The JSON of a log entry in bundles and in Rekor v2 (`sigstore_rekor.proto`, `TransparencyLogEntry`),
//! and in answers of Rekor v1 (rekor `openapi.yaml`, `LogEntry`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protojson::{Base64, Int64, nullable};

/// The proto form.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    // Written even when 0, and so are `hashes` when empty: the first entry of a log has both, and
    // sigstore-python refuses a bundle without them.
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) log_index: Int64,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) log_id: LogId,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) kind_version: KindVersion,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Int64::is_zero")]
    pub(crate) integrated_time: Int64,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Promise::is_empty")]
    pub(crate) inclusion_promise: Promise,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inclusion_proof: Option<Proof>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) canonicalized_body: Base64,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogId {
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) key_id: Base64,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct KindVersion {
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) version: String,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Promise {
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) signed_entry_timestamp: Base64,
}

impl Promise {
    fn is_empty(&self) -> bool {
        self.signed_entry_timestamp.is_empty()
    }
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Proof {
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) log_index: Int64,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) root_hash: Base64,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) tree_size: Int64,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) hashes: Vec<Base64>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) checkpoint: Envelope,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Envelope {
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) envelope: String,
}

/// The answer of Rekor v1: one entry under its ID.
pub(crate) type Answer = BTreeMap<String, V1Entry>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V1Entry {
    pub(crate) body: Base64,
    pub(crate) integrated_time: Int64,
    #[serde(rename = "logID")]
    pub(crate) log_id: String,
    pub(crate) log_index: Int64,
    pub(crate) verification: V1Verification,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V1Verification {
    pub(crate) inclusion_proof: V1Proof,
    pub(crate) signed_entry_timestamp: Base64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V1Proof {
    pub(crate) checkpoint: String,
    /// Rekor writes `null` in a tree of one leaf.
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) hashes: Vec<String>,
    pub(crate) log_index: Int64,
    pub(crate) root_hash: String,
    pub(crate) tree_size: Int64,
}

/// The part of an answer of Rekor v1 that cosign stores (`dev.sigstore.cosign/bundle`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StoredEntry {
    pub(crate) signed_entry_timestamp: Base64,
    pub(crate) payload: StoredPayload,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredPayload {
    pub(crate) body: Base64,
    pub(crate) integrated_time: Int64,
    pub(crate) log_index: Int64,
    #[serde(rename = "logID")]
    pub(crate) log_id: String,
}
