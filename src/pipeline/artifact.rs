// SPDX-License-Identifier: Apache-2.0
//! What a signature is about, and the proof that it can be delivered.

use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::fulcio::Deliverable;

use super::blob::Blob;
use ambisign_registry::Target;

/// Something that may be signed. Neither can be made before it is known that the signature has a
/// place to go to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Artifact<'a> {
    /// A file, whose bundle goes to another file.
    Blob(&'a Blob),
    /// An image, whose bundle goes to its registry, or to a file alone.
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
