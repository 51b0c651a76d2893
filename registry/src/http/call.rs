// SPDX-License-Identifier: Apache-2.0
//! One request to a registry, before proof is added.

use ambisign_host::CallLimits;
use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

/// What a redirect to another host means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// It is the answer. For a blob that is looked up it says that the blob is there; for a list, that
    /// the registry does not have one.
    Answer,
    /// It is followed, without proof: the content is known by its digest.
    Follow,
    /// It is an error: what comes from there proves nothing.
    Refuse,
}

/// One request, before proof is added.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The request method.
    pub(crate) method: Method,
    /// Where to.
    pub(crate) url: Url,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Option<Vec<u8>>,
    /// The limits.
    pub(crate) hop: CallLimits,
    /// What a redirect to another host means.
    pub(crate) elsewhere: Elsewhere,
}
