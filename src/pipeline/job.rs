// SPDX-License-Identifier: Apache-2.0
//! One signature to make, and every place where it goes.

use super::artifact::Artifact;
use super::blob::Blob;
use super::bundle_dir::BundleFile;
use ambisign_registry::{Registry, Target};

/// One digest to sign. The numbers are places in the report.
pub(crate) enum Job<'a> {
    /// A file.
    Blob(usize, Blob),
    /// An image.
    Image(Box<SharedDigest<'a>>),
}

/// One digest, and every repository where its signature is attached.
pub(crate) struct SharedDigest<'a> {
    pub(crate) registry: &'a Registry<'a>,
    first: (usize, Target),
    others: Vec<(usize, Target)>,
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

    /// Where it is in the report.
    pub(crate) fn places(&self) -> Vec<usize> {
        match self {
            Self::Blob(at, _) => vec![*at],
            Self::Image(images) => images.targets().map(|(at, _)| *at).collect(),
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
    /// `target` of `registry`, at `at` in the report.
    pub(crate) fn new(registry: &'a Registry<'a>, at: usize, target: Target) -> Self {
        Self {
            registry,
            first: (at, target),
            others: Vec::new(),
            slot: None,
        }
    }

    /// Its bundle goes to `slot` too.
    pub(crate) fn keep_in(&mut self, slot: BundleFile) {
        self.slot = Some(slot);
    }

    /// Those of the images that `wanted` says; `None` when there are none.
    pub(crate) fn retain(self, wanted: impl Fn(usize) -> bool) -> Option<Self> {
        let all = std::iter::once(self.first).chain(self.others);
        let mut left = all.filter(|(at, _)| wanted(*at));
        Some(Self {
            registry: self.registry,
            first: left.next()?,
            others: left.collect(),
            slot: self.slot,
        })
    }

    /// The same digest in another repository.
    pub(crate) fn add_repository(&mut self, at: usize, target: Target) {
        self.others.push((at, target));
    }

    /// The image that stands for all: they have one digest.
    pub(crate) fn target(&self) -> &Target {
        &self.first.1
    }

    /// All images.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &(usize, Target)> {
        std::iter::once(&self.first).chain(&self.others)
    }
}
