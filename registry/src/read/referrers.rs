// SPDX-License-Identifier: Apache-2.0
//! The referrers API (OCI distribution specification, "Listing Referrers").

use ambisign_host::Answer;
use ambisign_sigstore::digest::Digest;
use oci_client::manifest::OCI_IMAGE_INDEX_MEDIA_TYPE;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, LINK};
use serde::Deserialize;
use url::Url;

use super::Puller;
use crate::discovery::Discovery;
use crate::error::Error;
use crate::http::call::Elsewhere;

/// The most pages of referrers that are read.
pub(crate) const MOST_PAGES: u32 = 100;

/// A list of referrers, whose entries are parsed as `T`.
#[derive(Deserialize)]
pub(crate) struct Listed<L> {
    pub(crate) manifests: Option<Vec<L>>,
}

#[derive(Deserialize)]
pub(crate) struct Line {
    digest: String,
}

impl Puller<'_> {
    /// Determines the way to find signatures in this repository, before anything is signed, so that an
    /// unreadable list is an error before there is a log entry.
    ///
    /// # Errors
    /// The registry refuses, or the fallback tag is not an index.
    pub(crate) async fn probe(&self, subject: &Digest) -> Result<Discovery, Error> {
        let mut known = self.discovery.lock().await;
        let method = match *known {
            Some(Discovery::Referrers) => Discovery::Referrers,
            Some(Discovery::FallbackTag) => {
                drop(known);
                self.read_index(subject).await?;
                return Ok(Discovery::FallbackTag);
            }
            None => {
                let (page, index) =
                    tokio::join!(self.referrers(subject, None), self.read_index(subject));
                if self.has_api(&page?)? {
                    Discovery::Referrers
                } else {
                    index?;
                    Discovery::FallbackTag
                }
            }
        };
        *known = Some(method);
        Ok(method)
    }

    /// Returns `true` if the answer to a query for referrers shows that the registry has the API.
    ///
    /// Verifiers read the body only if its content type is exactly that of an index, so with another
    /// type they find nothing.
    fn has_api(&self, page: &Answer) -> Result<bool, Error> {
        let exact = page.header(CONTENT_TYPE) == Some(OCI_IMAGE_INDEX_MEDIA_TYPE);
        Ok(self.is_answered(page)? && exact)
    }

    /// Returns `true` if the status of an answer to a query for referrers is that of a list, not of a
    /// registry without the API. ghcr.io redirects the query to another host, which has no API either.
    pub(crate) fn is_answered(&self, page: &Answer) -> Result<bool, Error> {
        match page.status.as_u16() {
            200 => Ok(true),
            301..=308 | 400 | 404 | 405 | 406 | 501 => Ok(false),
            401 | 403 => Err(self.connection.unauthorized(page)),
            _ => Err(self.connection.refused("the list of referrers", page)),
        }
    }

    /// Reads one page of referrers: the first, or the one at `link`.
    pub(crate) async fn referrers(
        &self,
        subject: &Digest,
        link: Option<Url>,
    ) -> Result<Answer, Error> {
        let path = format!("referrers/{subject}");
        let mut call = self.connection.call(Method::GET, &path, Elsewhere::Answer);
        if let Some(link) = link {
            call.url = link;
        }
        let accept = HeaderValue::from_static(OCI_IMAGE_INDEX_MEDIA_TYPE);
        call.headers.insert(ACCEPT, accept);
        self.connection.send(&call).await
    }

    /// Searches all pages once; `None` if there is no referrers API.
    pub(crate) async fn look(
        &self,
        subject: &Digest,
        manifest: &Digest,
    ) -> Result<Option<bool>, Error> {
        let wanted = manifest.to_string();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let page = self.referrers(subject, next.take()).await?;
            if !self.has_api(&page)? {
                return Ok(None);
            }
            let listed: Listed<Line> = ambisign_host::json::parse(&page.body).map_err(|error| {
                self.connection.read_back_error(
                    &wanted,
                    format!("the list of referrers is unreadable: {error}"),
                )
            })?;
            let mut lines = listed.manifests.iter().flatten();
            if lines.any(|line| line.digest == wanted) {
                return Ok(Some(true));
            }
            next = next_page(&page);
            if next.is_none() {
                break;
            }
        }
        Ok(Some(false))
    }
}

/// The next page of a list.
pub(crate) fn next_page(page: &Answer) -> Option<Url> {
    let link = page.header(LINK).and_then(next_link)?;
    page.url.join(link).ok()
}

/// The target of `rel="next"` in a `Link` header (RFC 8288).
pub(crate) fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::next_link;

    #[test]
    fn finds_the_next_page() {
        assert_eq!(next_link(r#"</v2/a?n=1&last=b>; rel="next""#), Some("/v2/a?n=1&last=b"));
        assert_eq!(next_link(r#"<x>; rel="prev", <y>; title=a; rel=next"#), Some("y"));
        assert_eq!(next_link("garbage"), None);
        assert_eq!(next_link("<x>; rel=\"prev\""), None);
    }
}
