// SPDX-License-Identifier: Apache-2.0
//! Images in the registries of the stack, and the signatures that a reader finds beside them.

use std::process::Command;

use serde_json::Value;
use sha2::Digest as _;
use tempfile::TempDir;

use super::{Reply, Stack, exchange, get, unique};

/// The media type of what we attach.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Everything that a manifest may be.
pub(super) const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

/// One of the two registries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registry {
    /// Debian's `docker-registry`: no referrers API, so signatures are found by the fallback tag.
    Fallback,
    /// go-containerregistry's: with the referrers API.
    Referrers,
}

impl Registry {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Fallback, Self::Referrers];

    /// Its `address:port`.
    pub(crate) fn host(self, stack: &Stack) -> &str {
        stack.var(match self {
            Self::Fallback => "REGISTRY",
            Self::Referrers => "REGISTRY_REFERRERS",
        })
    }

    /// Its name in the journal.
    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::Fallback => "registry",
            Self::Referrers => "registry_referrers",
        }
    }
}

/// An image that was pushed.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// The registry's `address:port`.
    pub(crate) host: String,
    /// The repository within it.
    pub(crate) repository: String,
    /// The digest of its manifest, with the algorithm.
    pub(crate) digest: String,
}

impl Image {
    /// `host/repository@digest`.
    pub(crate) fn reference(&self) -> String {
        format!("{}/{}@{}", self.host, self.repository, self.digest)
    }

    /// `host/repository:latest`, which every image of this module also has.
    pub(crate) fn tagged(&self) -> String {
        format!("{}/{}:latest", self.host, self.repository)
    }

    /// The same image, reached through another `address:port`, such as a proxy's.
    pub(crate) fn through(&self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    /// The tag under which a registry without the referrers API lists what refers to the image (OCI
    /// distribution specification, "Referrers Tag Schema").
    pub(crate) fn fallback_tag(&self) -> String {
        self.digest.replace(':', "-")
    }

    /// `GET /v2/<repository>/<path>`.
    pub(crate) fn get(&self, path: &str) -> Reply {
        let path = format!("/v2/{}/{path}", self.repository);
        get(&self.host, &path, &[("Accept", MANIFESTS)])
    }

    /// Sends a request with this body and media type to `/v2/<repository>/<path>`.
    pub(crate) fn send(&self, (method, path): (&str, &str), kind: &str, body: &str) -> Reply {
        let request = format!(
            "{method} /v2/{}/{path} HTTP/1.0\r\nHost: {}\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.repository,
            self.host,
            body.len()
        );
        Reply::parse(&exchange(&self.host, &request).unwrap()).unwrap()
    }

    /// Pushes an index beside the image that lists these digests, each with its media type.
    #[track_caller]
    pub(crate) fn push_index_of(&self, listed: &[(&str, &str)]) -> Self {
        let descriptors: Vec<Value> = listed
            .iter()
            .map(|(digest, kind)| {
                let size = self.get(&format!("manifests/{digest}")).body.len();
                serde_json::json!({"mediaType": kind, "digest": digest, "size": size})
            })
            .collect();
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = serde_json::json!({
            "schemaVersion": 2, "mediaType": kind, "manifests": descriptors,
            "annotations": {"made": unique()},
        });
        let index = index.to_string();
        let digest = format!("sha256:{}", hex::encode(sha2::Sha256::digest(&index)));
        let put = self.send(("PUT", &format!("manifests/{digest}")), kind, &index);
        assert_eq!(put.status, 201, "{}", String::from_utf8_lossy(&put.body));
        Self { digest, ..self.clone() }
    }

    /// The Sigstore bundles that a reader finds: by the referrers API, else by the fallback tag.
    pub(crate) fn signatures(&self) -> Vec<Signature> {
        let mut index = self.get(&format!("referrers/{}", self.digest));
        if index.status == 404 {
            index = self.get(&format!("manifests/{}", self.fallback_tag()));
        }
        if index.status == 404 {
            return Vec::new();
        }
        assert_eq!(index.status, 200, "the list of referrers");
        let index = index.json();
        let descriptors = index["manifests"].as_array().unwrap().iter();
        descriptors
            .map(|descriptor| self.signature(descriptor["digest"].as_str().unwrap()))
            .filter(|signature| signature.manifest["layers"][0]["mediaType"] == BUNDLE)
            .collect()
    }

    /// The manifest under the tag of the older layout (`sha256-<hex>.sig`), if there is one.
    pub(crate) fn legacy_signature(&self) -> Option<Value> {
        let reply = self.get(&format!("manifests/{}.sig", self.fallback_tag()));
        (reply.status == 200).then(|| reply.json())
    }

    fn signature(&self, digest: &str) -> Signature {
        let manifest = self.get(&format!("manifests/{digest}"));
        assert_eq!(manifest.status, 200, "a listed manifest");
        let manifest = manifest.json();
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        let blob = self.get(&format!("blobs/{layer}"));
        assert_eq!(blob.status, 200, "a listed layer");
        Signature { digest: digest.to_owned(), manifest, bundle: blob.body }
    }
}

/// A bundle as it lies in a registry.
pub(crate) struct Signature {
    /// The digest of its manifest.
    pub(crate) digest: String,
    /// Its manifest.
    pub(crate) manifest: Value,
    /// The bundle's bytes.
    pub(crate) bundle: Vec<u8>,
}

impl Stack {
    /// Pushes an image of `layers` layers that nobody has pushed before.
    pub(crate) fn push(&self, registry: Registry, repository: &str, layers: usize) -> Image {
        let dir = TempDir::new().unwrap();
        let tars = (0..layers).map(|layer| {
            let (name, tar) = (format!("file{layer}"), dir.path().join(format!("{layer}.tar")));
            std::fs::write(dir.path().join(&name), unique()).unwrap();
            let mut pack = Command::new("tar");
            pack.arg("-cf").arg(&tar).arg("-C").arg(dir.path()).arg(name);
            assert!(pack.status().unwrap().success(), "tar");
            tar
        });
        let mut crane = self.program("crane").args(["append", "--insecure"]);
        for tar in tars {
            crane = crane.arg("-f").arg(tar);
        }
        self.pushed(crane, registry, repository)
    }

    /// Pushes an index over `images`, which must be of the same registry and repository.
    pub(crate) fn push_index(&self, registry: Registry, images: &[Image]) -> Image {
        let mut crane = self.program("crane").args(["index", "append", "--insecure"]);
        for image in images {
            crane = crane.arg("-m").arg(image.reference());
        }
        self.pushed(crane, registry, &images[0].repository)
    }

    /// Copies `image`, digest and all, to another repository.
    pub(crate) fn copy(&self, image: &Image, registry: Registry, repository: &str) -> Image {
        let copy = Image {
            host: registry.host(self).to_owned(),
            repository: repository.to_owned(),
            digest: image.digest.clone(),
        };
        let crane = self.program("crane").args(["copy", "--insecure"]);
        crane.args([image.reference(), copy.tagged()]).run().expect(0);
        copy
    }

    fn pushed(&self, crane: super::Program, registry: Registry, repository: &str) -> Image {
        let host = registry.host(self).to_owned();
        let run = crane.arg("-t").arg(format!("{host}/{repository}:latest"));
        let run = run.run().expect(0);
        let digest = run.stdout.trim().rsplit_once('@').map(|(_, digest)| digest);
        Image {
            host,
            repository: repository.to_owned(),
            digest: digest.unwrap_or_else(|| panic!("no digest: {run}")).to_owned(),
        }
    }
}
