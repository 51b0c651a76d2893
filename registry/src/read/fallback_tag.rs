// SPDX-License-Identifier: Apache-2.0
//! Reads the list of referrers at the fallback tag (OCI distribution specification, "Referrers Tag
//! Schema").

use std::time::Duration;

use ambisign_host::CallLimits;
use ambisign_sigstore::digest::Digest;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderValue};
use tokio::time::Instant;

use super::Puller;
use super::index::Index;
use crate::error::Error;
use crate::limits::REGISTRY_READ;

/// A read of the tag. Some registries briefly answer 500 while another writer replaces it.
const READ: CallLimits =
    CallLimits { tries: 8, first_wait: Duration::from_millis(50), ..REGISTRY_READ };

/// The result of a read.
pub(crate) struct Read {
    pub(crate) index: Index,
    /// The digest of the bytes, to detect other writers; `None` if the tag does not exist.
    pub(crate) state: Option<Digest>,
    pub(crate) etag: Option<HeaderValue>,
    pub(crate) at: Instant,
}

impl Puller<'_> {
    /// Reads the index at the fallback tag of `subject`. It is empty if the tag does not exist, or if it
    /// is a tag of the image itself, which copying can create.
    ///
    /// # Errors
    /// The tag is neither an index nor clearly missing, so it must not be overwritten. Or the registry
    /// takes the tag for the digest of the image, so that there can be no list.
    pub(crate) async fn read_index(&self, subject: &Digest) -> Result<Read, Error> {
        let mut call = self.read_tag(&tag(subject));
        call.hop = READ;
        let answer = self.under_tag(&call, "to read the list of referrers").await?;
        let at = Instant::now();
        let unreadable = |why: String| Error::IndexUnreadable { tag: self.tag_name(subject), why };
        let empty = || Index::empty().map_err(|error| unreadable(error.to_string()));
        let Some(answer) = answer else {
            return Ok(Read { index: empty()?, state: None, etag: None, at });
        };
        let digest = Digest::of(&answer.body);
        let index = if digest == *subject {
            if !Box::pin(self.lists_tag(&tag(subject))).await? {
                return Err(self.tag_is_subject(subject));
            }
            empty()?
        } else {
            let media_type = answer.header(CONTENT_TYPE);
            Index::read(&answer.body, media_type).map_err(unreadable)?
        };
        Ok(Read { index, state: Some(digest), etag: answer.headers.get(ETAG).cloned(), at })
    }

    pub(crate) fn tag_is_subject(&self, subject: &Digest) -> Error {
        Error::TagIsSubject { tag: self.tag_name(subject) }
    }

    pub(crate) fn tag_name(&self, subject: &Digest) -> String {
        format!("{}:{}", self.connection.name(), tag(subject))
    }
}

/// The fallback tag (OCI distribution specification, "Referrers Tag Schema").
pub(crate) fn tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}
