// SPDX-License-Identifier: Apache-2.0
//! Reads tags that list signatures if the answer of the registry is ambiguous.
//!
//! ghcr.io redirects reads of a missing tag to its web pages, and sometimes also reads of an existing
//! tag. So a redirect to another host does not show whether a tag exists, but the list of tags does. The
//! list is also read if access to a tag is denied although the repository is readable.

use ambisign_host::Answer;
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use crate::error::Error;
use crate::http::backoff::Backoff;
use crate::http::call::{Call, Elsewhere};
use crate::http::refusal::says;
use crate::read::Puller;
use crate::read::referrers::next_page;
use crate::right::Right;

/// The most pages of tags that are read: a hundred thousand tags.
const MOST_PAGES: u32 = 100;

/// The number of tags per page.
const PAGE: &str = "1000";

/// The tags of a repository (OCI distribution specification, "Listing Tags").
#[derive(Deserialize)]
pub(crate) struct Tags {
    pub(crate) tags: Option<Vec<String>>,
}

/// Returns `true` if an answer may mean that the tag does not exist, or something else. Artifactory
/// answers 403 for a missing tag.
fn is_unclear(answer: &Answer) -> bool {
    answer.status.is_redirection() || answer.status == StatusCode::FORBIDDEN
}

impl Puller<'_> {
    /// A request to read `tag`, which lists signatures. It accepts all types that a registry may store,
    /// so that no type looks like a missing tag.
    pub(crate) fn read_tag(&self, tag: &str) -> Call {
        Call { elsewhere: Elsewhere::Answer, ..self.connection.read_manifest(Method::GET, tag) }
    }

    /// The answer to `call`, a [`Connection::read_tag`]; `None` if the tag does not exist. Errors call the
    /// request `what`.
    ///
    /// # Errors
    /// The registry refuses, or redirects reads of a tag that it lists.
    pub(crate) async fn under_tag(&self, call: &Call, what: &str) -> Result<Option<Answer>, Error> {
        let mut answer = self.connection.send(call).await?;
        if is_unclear(&answer) {
            // What is rare does not make every future larger.
            match Box::pin(self.read_listed(call, &answer)).await? {
                Some(read) => answer = read,
                None => return Ok(None),
            }
        }
        match answer.status.as_u16() {
            200 => Ok(Some(answer)),
            404 => Ok(None),
            401 | 403 => Err(self.connection.unauthorized(&answer)),
            _ => Err(self.connection.refused(what, &answer)),
        }
    }

    /// Reads a tag again after an `unclear` answer, if the registry lists it.
    ///
    /// # Errors
    /// The list of tags cannot be read, or reads of the tag stay redirected.
    async fn read_listed(&self, call: &Call, unclear: &Answer) -> Result<Option<Answer>, Error> {
        let tag = call.url.path().rsplit('/').next().unwrap_or_default();
        match self.lists_tag(tag).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            // The whole registry is a front for another one. Readers follow the redirect, because each
            // signature is verified, wherever it comes from.
            Err(Error::RedirectAway { .. }) if self.connection.repository.right == Right::Pull => {
                let followed = Call { elsewhere: Elsewhere::Follow, ..call.clone() };
                return Ok(Some(self.connection.send(&followed).await?));
            }
            Err(error) => return Err(error),
        }
        if !unclear.status.is_redirection() {
            // Another writer may have created the tag since the first read.
            return Ok(Some(self.connection.send(call).await?));
        }
        let mut looks = Backoff::new();
        while looks.wait().await {
            let answer = self.connection.send(call).await?;
            if !answer.status.is_redirection() {
                return Ok(Some(answer));
            }
        }
        let to = self.connection.location(unclear);
        Err(Error::TagRedirected {
            tag: format!("{}:{tag}", self.connection.name()),
            to: to.map_or_else(|| "another host".to_owned(), |to| crate::http::access::origin(&to)),
        })
    }

    /// Returns `true` if the registry lists `tag`.
    ///
    /// # Errors
    /// The list cannot be read, or has no end.
    pub(crate) async fn lists_tag(&self, tag: &str) -> Result<bool, Error> {
        let mut call = self.connection.call(Method::GET, "tags/list", Elsewhere::Refuse);
        call.url.query_pairs_mut().append_pair("n", PAGE);
        for _ in 0..MOST_PAGES {
            let page = self.connection.send(&call).await?;
            match page.status.as_u16() {
                200 => {}
                // Another 404 means that there is no such list, and proves nothing about a tag.
                404 if says(&page, "NAME_UNKNOWN") => return Ok(false),
                401 | 403 => return Err(self.connection.unauthorized(&page)),
                _ => return Err(self.connection.refused("the list of tags", &page)),
            }
            let read: Tags = ambisign_host::json::parse(&page.body).map_err(|error| {
                Error::Tags { repository: self.connection.name(), why: error.to_string() }
            })?;
            if read.tags.iter().flatten().any(|listed| listed == tag) {
                return Ok(true);
            }
            match next_page(&page) {
                Some(next) => call.url = next,
                None => return Ok(false),
            }
        }
        Err(Error::Tags { repository: self.connection.name(), why: "it has no end".to_owned() })
    }
}
