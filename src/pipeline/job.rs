// SPDX-License-Identifier: Apache-2.0
//! A signature to make, and every place where it is delivered.

use super::artifact::Artifact;
use super::blob::Blob;
use super::bundle_dir::BundleFile;
use crate::outcome::event::ImageId;
use ambisign_registry::{Registry, Target};

/// One digest to sign.
pub(crate) enum Job<'a> {
    /// A file.
    Blob(ImageId, Blob),
    /// An image.
    Image(Box<SharedDigest<'a>>),
}

/// A digest, and every repository where its signature is attached.
pub(crate) struct SharedDigest<'a> {
    pub(crate) registry: &'a Registry<'a>,
    first: (ImageId, Target),
    others: Vec<(ImageId, Target)>,
    bundle_file: Option<BundleFile>,
}

impl Job<'_> {
    /// The artifact to sign.
    pub(crate) fn artifact(&self) -> Artifact<'_> {
        match self {
            Self::Blob(_, blob) => Artifact::Blob(blob),
            Self::Image(images) => Artifact::Image(images.target()),
        }
    }

    /// The images with the digest.
    pub(crate) fn images(&self) -> Vec<ImageId> {
        match self {
            Self::Blob(id, _) => vec![*id],
            Self::Image(images) => images.targets().map(|(id, _)| *id).collect(),
        }
    }

    /// The file for its bundle, if the user wants one.
    pub(crate) fn bundle_file(&self) -> Option<&BundleFile> {
        match self {
            Self::Blob(..) => None,
            Self::Image(images) => images.bundle_file.as_ref(),
        }
    }
}

impl<'a> SharedDigest<'a> {
    /// A job for `target` of `registry`, which is the image `id`.
    pub(crate) fn new(registry: &'a Registry<'a>, id: ImageId, target: Target) -> Self {
        Self { registry, first: (id, target), others: Vec::new(), bundle_file: None }
    }

    /// Also writes its bundle to `bundle_file`.
    pub(crate) fn keep_in(&mut self, bundle_file: BundleFile) {
        self.bundle_file = Some(bundle_file);
    }

    /// Keeps the images for which `wanted` returns `true`; `None` if no image is left.
    pub(crate) fn retain(self, wanted: impl Fn(ImageId) -> bool) -> Option<Self> {
        let all = std::iter::once(self.first).chain(self.others);
        let mut left = all.filter(|(id, _)| wanted(*id));
        Some(Self {
            registry: self.registry,
            first: left.next()?,
            others: left.collect(),
            bundle_file: self.bundle_file,
        })
    }

    /// Adds another repository with the same digest.
    pub(crate) fn add_repository(&mut self, id: ImageId, target: Target) {
        self.others.push((id, target));
    }

    /// One of the images, which all have the same digest.
    pub(crate) fn target(&self) -> &Target {
        &self.first.1
    }

    /// All images.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &(ImageId, Target)> {
        std::iter::once(&self.first).chain(&self.others)
    }
}
