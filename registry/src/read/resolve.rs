// SPDX-License-Identifier: Apache-2.0
//! Resolves a reference to its manifest.

use ambisign_host::HttpReason;
use ambisign_sigstore::digest::Digest;
use reqwest::Method as Verb;
use reqwest::header::CONTENT_TYPE;

use crate::discovery::Discovery;
use crate::error::Error;
use crate::http::backoff::Backoff;
use crate::limits::REGISTRY_READ;
use crate::read::Puller;
use crate::read::manifest::{Announced, Manifest};
use crate::reference::Reference;

impl Puller<'_> {
    /// The image, and the way to find its signatures, which are stored `beside` it.
    pub(crate) async fn look_up(
        &self,
        reference: &Reference,
        beside: &Self,
    ) -> Result<(Manifest, Discovery), Error> {
        let Some(digest) = reference.digest() else {
            let manifest = self.resolve_pushed(reference).await?;
            let method = beside.probe(&manifest.digest).await?;
            return Ok((manifest, method));
        };
        let (manifest, method) = tokio::join!(self.resolve_pushed(reference), beside.probe(digest));
        // Report a missing image rather than its consequences.
        Ok((manifest?, method?))
    }

    /// Like [`Connection::resolve`], but waits for a while for an image that is named by digest, because
    /// it may just have been pushed.
    pub(crate) async fn resolve_pushed(&self, reference: &Reference) -> Result<Manifest, Error> {
        let mut looks = Backoff::new();
        loop {
            match self.resolve(reference).await {
                Err(Error::NotFound { .. }) if reference.digest().is_some() => {
                    if !looks.wait().await {
                        return Err(self.absent(reference));
                    }
                }
                resolved => return resolved,
            }
        }
    }

    fn absent(&self, reference: &Reference) -> Error {
        Error::NotFound { reference: reference.to_string() }
    }

    /// Gets the manifest of `reference`, by its digest if it has one.
    pub(crate) async fn resolve(&self, reference: &Reference) -> Result<Manifest, Error> {
        let shown = reference.to_string();
        let digest = reference.digest().map(Digest::to_string);
        let name = digest.as_deref().or_else(|| reference.tag()).unwrap_or_default();
        let call = self.connection.read_manifest(Verb::GET, name);
        let answer = match self.connection.send(&call).await {
            Err(Error::Http(error)) if matches!(error.reason, HttpReason::TooLarge { .. }) => {
                return Err(Error::TooLarge {
                    reference: shown,
                    limit: REGISTRY_READ.body,
                    unit: "bytes",
                });
            }
            // Only requests for tags do not follow redirects.
            Err(Error::Redirect { to, .. } | Error::RedirectAway { to, .. })
                if digest.is_none() =>
            {
                return Err(Error::ImageRedirected {
                    reference: shown,
                    repository: self.connection.name(),
                    to,
                });
            }
            other => other?,
        };
        match answer.status.as_u16() {
            200 => {}
            status if !self.connection.is_home(&answer.url) => {
                let why = format!("does not serve the image (HTTP {status})");
                return Err(self.connection.lost(&answer.url, why));
            }
            401 | 403 => return Err(self.connection.unauthorized(&answer)),
            404 => return Err(self.absent(reference)),
            412 => {
                return Err(Error::Policy {
                    reference: shown,
                    excerpt: answer.excerpt(&self.connection.host.net),
                });
            }
            _ => return Err(self.connection.refused("the image's manifest", &answer)),
        }
        let announced = Announced {
            media_type: answer.header(CONTENT_TYPE),
            digest: answer.header("docker-content-digest"),
        };
        Manifest::read(&shown, &answer.body, announced, reference.digest())
    }

    /// The current digest of `tag`: the announced one, otherwise that of the bytes.
    pub(crate) async fn digest_of(&self, tag: &str) -> Result<Digest, Error> {
        let head = self.connection.send(&self.connection.read_manifest(Verb::HEAD, tag)).await?;
        let announced = head.header("docker-content-digest").and_then(Digest::parse);
        if let (200, Some(digest)) = (head.status.as_u16(), announced) {
            return Ok(digest);
        }
        let answer = self.connection.send(&self.connection.read_manifest(Verb::GET, tag)).await?;
        match answer.status.as_u16() {
            200 => Ok(Digest::of(&answer.body)),
            401 | 403 => Err(self.connection.unauthorized(&answer)),
            404 => Err(Error::NotFound { reference: format!("{}:{tag}", self.connection.name()) }),
            _ => Err(self.connection.refused("the image's manifest", &answer)),
        }
    }
}
