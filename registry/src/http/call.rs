// SPDX-License-Identifier: Apache-2.0
//! A request to a registry, without authorization.

use ambisign_host::CallLimits;
use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

/// What a redirect to another host means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// It is the answer: the registry does not have the list that it was asked for.
    Answer,
    /// It is followed, without proof, and with TLS as the registry's own.
    Follow,
    /// It is followed, without proof, to plain HTTP too: the content is known by its digest, which
    /// proves what comes. For reads alone.
    FollowDigest,
    /// It is an error, because nothing proves the content.
    Refuse,
}

/// A request, without authorization.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The request method.
    pub(crate) method: Method,
    /// The URL.
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
