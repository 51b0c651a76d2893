// SPDX-License-Identifier: Apache-2.0
//! Lists and fetches candidates for signatures of an image.

use super::Registry;
use crate::error::Error;
use crate::read::candidates::{Candidate, Kind, Listing};
use crate::read::signatures::{Fetched, Stored};
use crate::reference::Reference;

impl Registry<'_> {
    /// Resolves `reference` once, and lists what may be a signature of it: by the referrers API, the
    /// fallback tag, and the tag of the older layout, together. What lists call a signature of one of
    /// `predicate_types` comes first.
    ///
    /// # Errors
    /// The image is not there, not an image or not what its digest says; the registry denies reading.
    /// That a list cannot be read is in [`Listing::problems`].
    pub async fn signatures(
        &self,
        reference: &Reference,
        predicate_types: &[String],
    ) -> Result<Listing, Error> {
        let puller = self.connect(reference)?.puller;
        let beside = self.connect(self.place(reference))?.puller;
        let (image, lists) = match reference.digest() {
            Some(digest) => tokio::join!(puller.resolve(reference), beside.lists(digest)),
            None => {
                let image = puller.resolve(reference).await?;
                let lists = beside.lists(&image.digest).await;
                (Ok(image), lists)
            }
        };
        Ok(lists.listing(&beside.connection, image?, predicate_types))
    }

    /// Fetches the candidate `place`, which [`Registry::signatures`] listed for `reference`.
    ///
    /// # Errors
    /// It does not exist, is too long for a signature, does not match its digest, or is not a manifest.
    pub async fn fetch(&self, reference: &Reference, place: &Candidate) -> Result<Fetched, Error> {
        let puller = self.connect(self.place(reference))?.puller;
        match &place.kind {
            Kind::Referrer(digest) => puller.referrer(digest).await,
            Kind::Layer(layer) => {
                let payload = puller.blob(layer).await?;
                Ok(Fetched {
                    bytes: payload.len(),
                    stored: Stored::Legacy {
                        payload,
                        annotations: layer.annotations.clone().unwrap_or_default(),
                    },
                })
            }
        }
    }
}
