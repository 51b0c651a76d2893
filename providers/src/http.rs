// SPDX-License-Identifier: Apache-2.0
//! Requests to token services, and their errors.

use std::borrow::Cow;
use std::fmt;

use ambisign_host::{Answer, CallLimits, Class, Host, HttpError, SettingNames};
use reqwest::Request;

/// A request to a token service failed.
///
/// The message has the method, the URL without its query, the failure, and the number of attempts.
pub struct RequestError {
    http: Box<HttpError>,
    names: SettingNames,
}

impl RequestError {
    pub(crate) fn new(http: HttpError, names: SettingNames) -> Self {
        let http = Box::new(http);
        Self { http, names }
    }

    /// Scheme, host and path; no query and no user information.
    pub fn url(&self) -> &str {
        &self.http.url
    }

    /// The number of attempts.
    pub fn tries(&self) -> u32 {
        self.http.tries
    }

    /// The failure in one word: the part of the error code after the slash.
    pub fn variant(&self) -> Cow<'static, str> {
        self.http.variant()
    }

    /// Who can act on it.
    pub fn class(&self) -> Class {
        self.http.class()
    }

    /// The fix, one imperative sentence.
    pub fn fix(&self) -> Option<Cow<'static, str>> {
        self.http.fix_with(&self.names)
    }
}

impl fmt::Debug for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.http, f)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.http, f)
    }
}

/// The message contains everything, so there is no source.
impl std::error::Error for RequestError {}

/// Sends `request` within `limits`.
pub(crate) async fn send(
    host: &Host,
    limits: &CallLimits,
    request: Request,
) -> Result<Answer, RequestError> {
    send_while(host, limits, request, |_answer| false).await
}

/// The same, but repeats the request as long as `again` returns `true` for the answer.
pub(crate) async fn send_while(
    host: &Host,
    limits: &CallLimits,
    request: Request,
    again: fn(&Answer) -> bool,
) -> Result<Answer, RequestError> {
    let answer = host.net.send_while(limits, request, again).await;
    answer.map_err(|http| RequestError::new(http, host.net.setting_names()))
}
