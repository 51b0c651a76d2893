// SPDX-License-Identifier: Apache-2.0
//! Signed content with its signature.

use crate::digest::Digest;
use crate::dsse::Envelope;

/// The signed content and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An envelope with its signature.
    Envelope(Envelope),
    /// Bytes that are not in the bundle.
    Message {
        /// The SHA-256 digest of the bytes. It is a hint that no signature covers.
        digest: Option<Digest>,
        /// The signature over the bytes.
        signature: Vec<u8>,
    },
}

impl From<Envelope> for Content {
    fn from(envelope: Envelope) -> Self {
        Self::Envelope(envelope)
    }
}

impl Content {
    /// The signature, raw.
    pub fn signature(&self) -> &[u8] {
        match self {
            Self::Envelope(envelope) => &envelope.signature,
            Self::Message { signature, .. } => signature,
        }
    }
}

/// The signed content that a log entry must match.
#[derive(Clone, Copy, Debug)]
pub enum ContentRef<'a> {
    /// An envelope with its signature.
    Envelope(&'a Envelope),
    /// Bare bytes.
    Message {
        /// The digest of the bytes.
        digest: &'a Digest,
        /// The signature over the bytes.
        signature: &'a [u8],
    },
}

impl<'a> ContentRef<'a> {
    /// Borrows the `content` of a bundle. For a message, the log entry must match `artifact`, not the
    /// digest that the bundle names.
    pub fn of(content: &'a Content, artifact: &'a Digest) -> Self {
        match content {
            Content::Envelope(envelope) => Self::Envelope(envelope),
            Content::Message { signature, .. } => Self::Message { digest: artifact, signature },
        }
    }

    /// The signature, raw.
    pub fn signature(&self) -> &'a [u8] {
        match self {
            Self::Envelope(envelope) => &envelope.signature,
            Self::Message { signature, .. } => signature,
        }
    }
}
