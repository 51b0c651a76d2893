// SPDX-License-Identifier: Apache-2.0
//! Checks access to an image before signing. It reports all problems, not only the first.

use ambisign_sigstore::digest::Digest;

use super::Registry;
use super::prepare::gather;
use crate::discovery::Discovery;
use crate::error::Error;
use crate::reference::Reference;

/// The result for an image. Only an upload session was created, which expires.
#[derive(Debug)]
pub struct Inspection {
    /// The image, if it can be signed.
    pub image: Result<Found, Error>,
    /// Whether a signature may be pushed; `None` if none will be.
    pub push: Option<Result<(), Error>>,
    /// The credential that was used for that, as the end of a sentence.
    pub credential: String,
}

/// An existing image.
#[derive(Clone, Debug)]
pub struct Found {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The media type of its manifest.
    pub media_type: String,
    /// The way to find its signatures.
    pub method: Discovery,
}

impl Registry<'_> {
    /// Like [`Registry::prepare`], but continues after a failure.
    ///
    /// # Errors
    /// A credential cannot be read.
    pub async fn inspect(&self, reference: &Reference) -> Result<Inspection, Error> {
        let puller = self.connect(reference)?.puller;
        let beside = self.connect(self.place(reference))?;
        let (image, session) = if self.attaches() {
            let (image, session) = gather(&puller, reference, &beside).await;
            (image, Some(session))
        } else {
            (puller.look_up(reference, &beside.puller).await, None)
        };
        Ok(Inspection {
            image: image.map(|(manifest, method)| Found {
                digest: manifest.digest,
                media_type: manifest.media_type,
                method,
            }),
            push: session.map(|session| session.map(|_open| ())),
            credential: beside.puller.connection.credential_used(),
        })
    }
}
