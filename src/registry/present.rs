// SPDX-License-Identifier: Apache-2.0
//! Whether an image has a bundle already.

use ambisign_host::{Class, Explain as _};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::verify::VerifiedBundle;
use futures_util::stream::{self, StreamExt as _};

use super::connection::Connection;
use super::error::Error;
use super::listing::attachment;
use super::places::{Kind, Listing};
use super::referrer::Method;
use super::{Attached, Registry, Target};
use reqwest::Method as Verb;

/// How many manifests are read at the same time.
const AT_ONCE: usize = 8;

impl Registry<'_> {
    /// The manifest by which readers find exactly `bundle` at `target`; `None` when there is none
    /// among those that readers look at.
    ///
    /// # Errors
    /// A list or a manifest that is listed cannot be read for now: it may be there.
    pub async fn carries(
        &self,
        target: &Target,
        bundle: &VerifiedBundle,
    ) -> Result<Option<Attached>, Error> {
        let Listing {
            places, problems, ..
        } = self.signatures(target.reference()).await?;
        let connection = self.connect(target.place())?;
        let wanted = Digest::of(bundle.bytes()).to_string();
        let look = async |kind: &Kind| match kind {
            Kind::Referrer(digest) => {
                let has = connection.has_layer(digest, &wanted).await?;
                Ok::<_, Error>(has.then_some(*digest))
            }
            Kind::Layer(_) => Ok(None),
        };
        let kinds = places.iter().map(|place| &place.kind);
        let mut looks = stream::iter(kinds).map(look).buffered(AT_ONCE);
        while let Some(found) = looks.next().await {
            if let Some(digest) = found? {
                let method = *connection.repository.method.lock().await;
                return Ok(Some(Attached {
                    digest,
                    method: method.unwrap_or(Method::FallbackTag),
                    reference: format!("{}@{digest}", connection.name()),
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

impl Connection<'_> {
    /// Whether the manifest `digest` has the one layer `wanted`. One that is not there, or not a
    /// manifest, has not.
    async fn has_layer(&self, digest: &Digest, wanted: &str) -> Result<bool, Error> {
        let call = self.read_manifest(Verb::GET, &digest.to_string());
        let answer = match self.send(&call).await {
            Err(error) if error.class() != Class::Temporary => return Ok(false),
            answer => answer?,
        };
        if answer.status != 200 || Digest::of(&answer.body) != *digest {
            return Ok(false);
        }
        let layers = attachment(&answer.body).ok().and_then(|read| read.layers);
        Ok(matches!(layers.as_deref(), Some([layer]) if layer.digest == wanted))
    }
}
