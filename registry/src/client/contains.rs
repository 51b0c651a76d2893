// SPDX-License-Identifier: Apache-2.0
//! Checks whether an image already has a bundle.

use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::verify::VerifiedBundle;
use futures_util::stream::{self, StreamExt as _};

use super::Attached;
use super::Registry;
use crate::discovery::Discovery;
use crate::error::Error;
use crate::read::candidates::{Kind, Listing};
use crate::target::Target;

/// The number of manifests to read at the same time.
const AT_ONCE: usize = 8;

impl Registry<'_> {
    /// The manifest with which verifiers find exactly `bundle` at `target`; `None` if it is not among
    /// those that verifiers inspect.
    ///
    /// # Errors
    /// A list or a listed manifest cannot be read, so the answer is unknown.
    pub async fn carries(
        &self,
        target: &Target,
        bundle: &VerifiedBundle,
    ) -> Result<Option<Attached>, Error> {
        let predicate_type = bundle.predicate_type().map(str::to_owned);
        let predicate_type: Vec<_> = predicate_type.into_iter().collect();
        let Listing { places, problems, .. } =
            self.signatures(target.reference(), &predicate_type).await?;
        let puller = self.connect(target.place())?.puller;
        let wanted = Digest::of(bundle.bytes()).to_string();
        let look = async |kind: &Kind| match kind {
            Kind::Referrer(digest) => {
                let has = puller.has_layer(digest, &wanted).await?;
                Ok::<_, Error>(has.then_some(*digest))
            }
            Kind::Layer(_) => Ok(None),
        };
        let kinds = places.iter().map(|place| &place.kind);
        let mut looks = stream::iter(kinds).map(look).buffered(AT_ONCE);
        while let Some(found) = looks.next().await {
            if let Some(digest) = found? {
                let method = *puller.discovery.lock().await;
                return Ok(Some(Attached {
                    digest,
                    method: method.unwrap_or(Discovery::FallbackTag),
                    reference: format!("{}@{digest}", puller.connection.name()),
                    removed: Vec::new(),
                }));
            }
        }
        match problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(None),
        }
    }
}
