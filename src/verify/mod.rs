// SPDX-License-Identifier: Apache-2.0
//! Placeholder: the finished bundle, verified.

use crate::digest::Digest;

/// A bundle that was verified as a stranger would.
#[derive(Debug)]
pub struct VerifiedBundle {
    bytes: Vec<u8>,
    digest: Digest,
    predicate_type: String,
}

impl VerifiedBundle {
    /// The bundle as JSON, byte for byte as it was verified.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the artifact.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The predicate type of the statement.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// A bundle that nobody verified, to test what happens to one.
    #[cfg(test)]
    pub(crate) fn for_tests(bytes: Vec<u8>, digest: Digest, predicate_type: &str) -> Self {
        Self {
            bytes,
            digest,
            predicate_type: predicate_type.to_owned(),
        }
    }
}
