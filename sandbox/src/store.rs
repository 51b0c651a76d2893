// SPDX-License-Identifier: Apache-2.0
//! The content of a registry.

use std::collections::{BTreeMap, HashMap};

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::keys::sha256;

/// The media type of an OCI image manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Everything.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) repositories: BTreeMap<String, Repository>,
    pub(crate) uploads: HashMap<String, Vec<u8>>,
    /// Number of the next upload session.
    pub(crate) count: u64,
}

/// One repository.
#[derive(Default)]
pub(crate) struct Repository {
    pub(crate) blobs: HashMap<String, Bytes>,
    /// By the digest under which they were sent.
    pub(crate) manifests: BTreeMap<String, Manifest>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A manifest or an index.
#[derive(Clone)]
pub(crate) struct Manifest {
    pub(crate) kind: String,
    pub(crate) bytes: Bytes,
}

impl State {
    /// Puts a tiny image there, whatever the lies are, and returns its digest.
    pub(crate) fn push_image(&mut self, name: &str, tag: &str) -> String {
        // Two blocks of zeros: the end of a tar file that holds nothing.
        let layer = Bytes::from_static(&[0; 1024]);
        let config = json!({"architecture": "amd64", "os": "linux", "author": format!("{name}:{tag}"),
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]}});
        let config = Bytes::from(config.to_string());
        let part = |kind: &str, blob: &Bytes| json!({"mediaType": kind, "size": blob.len(), "digest": digest(blob)});
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": part("application/vnd.oci.image.config.v1+json", &config),
            "layers": [part("application/vnd.oci.image.layer.v1.tar", &layer)]});
        let bytes = Bytes::from(manifest.to_string());
        let digest_of_image = digest(&bytes);
        let repository = self.repositories.entry(name.to_owned()).or_default();
        repository.blobs.extend([config, layer].map(|blob| (digest(&blob), blob)));
        let manifest = Manifest { kind: MANIFEST.to_owned(), bytes };
        repository.manifests.insert(digest_of_image.clone(), manifest);
        repository.tags.insert(tag.to_owned(), digest_of_image.clone());
        digest_of_image
    }

    /// The first layer of everything that names `subject`: the bundles.
    pub(crate) fn attached(&self, name: &str, subject: &str) -> Vec<Vec<u8>> {
        let Some(repository) = self.repositories.get(name) else {
            return Vec::new();
        };
        let manifests = repository.manifests.values().map(Manifest::json);
        let ours =
            manifests.filter(|one| one.pointer("/subject/digest").is_some_and(|d| d == subject));
        ours.filter_map(|one| {
            let layer = one.pointer("/layers/0/digest")?.as_str()?;
            Some(repository.blobs.get(layer)?.to_vec())
        })
        .collect()
    }
}

impl Repository {
    /// The first thing that a manifest needs and that is not there. A subject may be missing.
    pub(crate) fn missing(&self, manifest: &Value) -> Option<String> {
        let listed =
            |name: &str| manifest.get(name).and_then(Value::as_array).into_iter().flatten();
        let blobs = manifest.get("config").into_iter().chain(listed("layers"));
        let digest = |part: &Value| Some(part.get("digest")?.as_str()?.to_owned());
        let blobs = blobs.filter_map(digest).find(|digest| !self.blobs.contains_key(digest));
        let children = listed("manifests").filter_map(digest);
        blobs.or_else(|| children.into_iter().find(|digest| !self.manifests.contains_key(digest)))
    }
}

impl Manifest {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// How the referrers API lists it, if it refers to `subject`.
    pub(crate) fn descriptor(&self, subject: &str) -> Option<Value> {
        let document = self.json();
        (document.pointer("/subject/digest")? == subject).then_some(())?;
        let kind = document.get("artifactType").or_else(|| document.pointer("/config/mediaType"));
        let mut descriptor = json!({"mediaType": self.kind, "size": self.bytes.len(),
            "digest": digest(&self.bytes), "artifactType": kind});
        if let (Some(annotations), Some(all)) =
            (document.get("annotations"), descriptor.as_object_mut())
        {
            all.insert("annotations".to_owned(), annotations.clone());
        }
        Some(descriptor)
    }
}

/// `sha256:...`.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(sha256(&[bytes])))
}
