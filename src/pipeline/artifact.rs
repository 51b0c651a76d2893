// SPDX-License-Identifier: Apache-2.0
//! The artifacts to sign, which prove that their signatures can be delivered.

use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::fulcio::Deliverable;

use super::blob::Blob;
use ambisign_registry::Target;

/// An artifact that may be signed. Constructing either kind checks that its signature can be delivered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Artifact<'a> {
    /// A file, whose bundle is written to another file.
    Blob(&'a Blob),
    /// An image, whose bundle is pushed to its registry, or only written to a file.
    Image(&'a Target),
}

impl Deliverable for Artifact<'_> {}

impl Artifact<'_> {
    /// Its digest.
    pub(crate) fn digest(&self) -> &Digest {
        match self {
            Self::Blob(blob) => blob.digest(),
            Self::Image(target) => target.digest(),
        }
    }
}
