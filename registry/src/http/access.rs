// SPDX-License-Identifier: Apache-2.0
//! The authorization of requests.

use reqwest::header::HeaderValue;
use tokio::time::Instant;
use url::Url;

/// The authorization for one repository.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// The `Authorization` header; `None` for anonymous access.
    pub(crate) header: Option<HeaderValue>,
    /// When it expires; `None` if never.
    pub(crate) until: Option<Instant>,
    /// `true` if a login was used for it.
    pub(crate) with_login: bool,
    /// The number of renewals, so that two requests that are refused at the same time renew it once.
    pub(crate) round: u64,
}

/// Scheme, host and port of `url`, for messages and comparison.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
