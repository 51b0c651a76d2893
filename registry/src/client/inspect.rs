// SPDX-License-Identifier: Apache-2.0
//! What a registry lets us do with an image, for whoever asks before signing: all that is in the way,
//! not the first of it.

use ambisign_sigstore::digest::Digest;

use super::Registry;
use super::prepare::gather;
use crate::discovery::Discovery;
use crate::error::Error;
use crate::reference::Reference;

/// What was found out about an image. Nothing was written but an upload session, which expires.
#[derive(Debug)]
pub struct Inspection {
    /// The image, if it can be signed.
    pub image: Result<Found, Error>,
    /// Whether a signature may be pushed; `None` where none will be.
    pub push: Option<Result<(), Error>>,
    /// Which credential was used for that, as the end of a sentence.
    pub credential: String,
}

/// An image that is there.
#[derive(Clone, Debug)]
pub struct Found {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The media type of its manifest.
    pub media_type: String,
    /// How its signatures are found.
    pub method: Discovery,
}

impl Registry<'_> {
    /// As [`Registry::prepare`], but goes on after a failure.
    ///
    /// # Errors
    /// There is no way to the registry: a credential cannot be read.
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
