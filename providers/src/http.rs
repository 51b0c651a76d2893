// SPDX-License-Identifier: Apache-2.0
//! Requests to token services, and why one came to no usable answer.

use std::borrow::Cow;
use std::fmt;

use ambisign_host::{Answer, CallLimits, Class, Host, HttpError, SettingNames};
use reqwest::Request;

/// A request to a token service that came to no usable answer.
///
/// Its message has the method, the URL without its query, what happened, and how often it was tried.
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

    /// How often it was tried.
    pub fn tries(&self) -> u32 {
        self.http.tries
    }

    /// What happened, in one word: the part of an error code after the slash.
    pub fn variant(&self) -> Cow<'static, str> {
        self.http.variant()
    }

    /// Who can do something about it.
    pub fn class(&self) -> Class {
        self.http.class()
    }

    /// One imperative sentence: what the reader can do.
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

/// The message says it all: a source would repeat it.
impl std::error::Error for RequestError {}

/// Sends `request` within `limits`.
pub(crate) async fn send(
    host: &Host,
    limits: &CallLimits,
    request: Request,
) -> Result<Answer, RequestError> {
    send_while(host, limits, request, |_answer| false).await
}

/// The same, and again as long as `again` says so of an answer.
pub(crate) async fn send_while(
    host: &Host,
    limits: &CallLimits,
    request: Request,
    again: fn(&Answer) -> bool,
) -> Result<Answer, RequestError> {
    let answer = host.net.send_while(limits, request, again).await;
    answer.map_err(|http| RequestError::new(http, host.net.setting_names()))
}
