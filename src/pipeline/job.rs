// SPDX-License-Identifier: Apache-2.0
//! One signature to make, and every place where it goes.

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

/// One digest, and every repository where its signature is attached.
pub(crate) struct SharedDigest<'a> {
    pub(crate) registry: &'a Registry<'a>,
    first: (ImageId, Target),
    others: Vec<(ImageId, Target)>,
    slot: Option<BundleFile>,
}

impl Job<'_> {
    /// What is signed.
    pub(crate) fn artifact(&self) -> Artifact<'_> {
        match self {
            Self::Blob(_, blob) => Artifact::Blob(blob),
            Self::Image(images) => Artifact::Image(images.target()),
        }
    }

    /// What has the digest.
    pub(crate) fn images(&self) -> Vec<ImageId> {
        match self {
            Self::Blob(id, _) => vec![*id],
            Self::Image(images) => images.targets().map(|(id, _)| *id).collect(),
        }
    }

    /// The file that the user wants its bundle in.
    pub(crate) fn slot(&self) -> Option<&BundleFile> {
        match self {
            Self::Blob(..) => None,
            Self::Image(images) => images.slot.as_ref(),
        }
    }
}

impl<'a> SharedDigest<'a> {
    /// `target` of `registry`, which is the image `id`.
    pub(crate) fn new(registry: &'a Registry<'a>, id: ImageId, target: Target) -> Self {
        Self {
            registry,
            first: (id, target),
            others: Vec::new(),
            slot: None,
        }
    }

    /// Its bundle goes to `slot` too.
    pub(crate) fn keep_in(&mut self, slot: BundleFile) {
        self.slot = Some(slot);
    }

    /// Those of the images that `wanted` says; `None` when there are none.
    pub(crate) fn retain(self, wanted: impl Fn(ImageId) -> bool) -> Option<Self> {
        let all = std::iter::once(self.first).chain(self.others);
        let mut left = all.filter(|(id, _)| wanted(*id));
        Some(Self {
            registry: self.registry,
            first: left.next()?,
            others: left.collect(),
            slot: self.slot,
        })
    }

    /// The same digest in another repository.
    pub(crate) fn add_repository(&mut self, id: ImageId, target: Target) {
        self.others.push((id, target));
    }

    /// The image that stands for all: they have one digest.
    pub(crate) fn target(&self) -> &Target {
        &self.first.1
    }

    /// All images.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &(ImageId, Target)> {
        std::iter::once(&self.first).chain(&self.others)
    }
}
