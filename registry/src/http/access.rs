// SPDX-License-Identifier: Apache-2.0
//! Proof of who asks, as it is sent.

use reqwest::header::HeaderValue;
use tokio::time::Instant;
use url::Url;

/// What is put into the `Authorization` header of one repository.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// The header; none for anonymous access.
    pub(crate) header: Option<HeaderValue>,
    /// When it is worn out; `None` when never.
    pub(crate) until: Option<Instant>,
    /// Whether a login went into it.
    pub(crate) with_login: bool,
    /// Counts the renewals, so that two requests that were refused together renew once.
    pub(crate) round: u64,
}

/// Scheme, host and port of `url`, for messages and comparison.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
