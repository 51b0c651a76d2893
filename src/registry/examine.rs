// SPDX-License-Identifier: Apache-2.0
//! What a registry lets us do with an image, for whoever asks before signing: all that is in the way,
//! not the first of it.

use ambisign_sigstore::digest::Digest;

use super::Registry;
use super::error::Error;
use super::referrer::Method;
use crate::image::Reference;

/// What was found out about an image. Nothing was written but an upload session, which expires.
#[derive(Debug)]
pub struct Examined {
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
    pub method: Method,
}

impl Registry<'_> {
    /// As [`Registry::prepare`], but goes on after a failure.
    ///
    /// # Errors
    /// There is no way to the registry: a credential cannot be read.
    pub async fn examine(&self, reference: &Reference) -> Result<Examined, Error> {
        let connection = self.connect(reference)?;
        let beside = self.connect(self.place(reference))?;
        let (image, session) = if self.attaches() {
            let (image, session) = connection.gather(reference, &beside).await;
            (image, Some(session))
        } else {
            (connection.look_up(reference, &beside).await, None)
        };
        Ok(Examined {
            image: image.map(|(manifest, method)| Found {
                digest: manifest.digest,
                media_type: manifest.media_type,
                method,
            }),
            push: session.map(|session| session.map(|_open| ())),
            credential: beside.credential_used(),
        })
    }
}
