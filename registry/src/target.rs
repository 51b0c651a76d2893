// SPDX-License-Identifier: Apache-2.0
//! An image that may be signed: its bytes were seen, and its repository takes pushes or its bundle is
//! kept elsewhere.

use std::sync::{Mutex, PoisonError};

use ambisign_sigstore::digest::Digest;
use url::Url;

use crate::read::manifest::{Child, Manifest};
use crate::reference::Reference;

/// An image by its digest.
///
/// Made only by [`Registry::prepare`](crate::Registry::prepare): holding one proves that the bytes of
/// the manifest hash to the digest, and that the registry opened an upload session for us or that
/// something [keeps the bundles](crate::KeepsBundles).
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

    /// The repository where its signature goes, with its digest. The image itself need not be there.
    pub fn place(&self) -> &Reference {
        &self.place
    }

    /// The tag by which the image was asked for, if any.
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

    /// What an index lists, in its order; empty for an image.
    pub(crate) fn listed(&self) -> &[Child] {
        &self.manifest.children
    }

    /// Registry and repository: `ghcr.io/acme/app`.
    pub fn repository(&self) -> String {
        let reference = &self.reference;
        format!("{}/{}", reference.registry(), reference.repository())
    }

    /// The open upload session, which can be used once.
    pub(crate) fn take_session(&self) -> Option<Url> {
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
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
