// SPDX-License-Identifier: Apache-2.0
//! An image to sign: its bytes were read, and its signature can be delivered.

use std::sync::{Mutex, PoisonError};

use ambisign_sigstore::digest::Digest;
use url::Url;

use crate::read::manifest::{Child, Manifest};
use crate::reference::Reference;

/// An image with its digest.
///
/// Only [`Registry::prepare`](crate::Registry::prepare) makes one, so it proves that the bytes of the
/// manifest match the digest, and that the registry opened an upload session or that there is
/// [another place for bundles](crate::KeepsBundles).
#[derive(Debug)]
#[must_use]
pub struct Target {
    reference: Reference,
    place: Reference,
    tag: Option<String>,
    digest: Digest,
    manifest: Manifest,
    session: Mutex<Option<Url>>,
}

impl Target {
    pub(crate) fn new(
        [asked, place]: [&Reference; 2],
        manifest: Manifest,
        session: Option<Url>,
    ) -> Self {
        Self {
            reference: asked.with_digest(manifest.digest),
            place: place.with_digest(manifest.digest),
            tag: asked.tag().map(str::to_owned),
            digest: manifest.digest,
            manifest,
            session: Mutex::new(session),
        }
    }

    /// The digest of the manifest or index.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// `repository@digest`.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The repository for its signature, with its digest. The image itself may be in another one.
    pub fn place(&self) -> &Reference {
        &self.place
    }

    /// The requested tag, if any.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The media type of the manifest or index.
    pub fn media_type(&self) -> &str {
        &self.manifest.media_type
    }

    /// The length of the manifest or index in bytes.
    pub fn size(&self) -> u64 {
        self.manifest.size
    }

    /// The entries of an index, in order; empty for an image.
    pub(crate) fn listed(&self) -> &[Child] {
        &self.manifest.children
    }

    /// Registry and repository: `ghcr.io/acme/app`.
    pub fn repository(&self) -> String {
        let reference = &self.reference;
        format!("{}/{}", reference.registry(), reference.repository())
    }

    /// Takes the open upload session, which can be used once.
    pub(crate) fn take_session(&self) -> Option<Url> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A target that no registry knows, for tests of other stages.
    #[cfg(test)]
    pub(crate) fn for_tests(reference: &Reference, size: u64) -> Self {
        let digest = *reference.digest().expect("a reference with a digest");
        let manifest = Manifest {
            digest,
            media_type: oci_client::manifest::OCI_IMAGE_MEDIA_TYPE.to_owned(),
            size,
            children: Vec::new(),
        };
        let session = "https://registry.invalid/session".parse().expect("a URL");
        Self::new([reference, reference], manifest, Some(session))
    }
}
