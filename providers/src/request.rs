// SPDX-License-Identifier: Apache-2.0
//! How requests to token services are put together.

use reqwest::header::{self, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{Answer, Net, Token};

/// `Authorization: Bearer`, marked so that no log shows it; `None` when no header can carry it.
pub(crate) fn bearer(secret: &str) -> Option<HeaderValue> {
    let text = SecretString::from(format!("Bearer {secret}"));
    let mut value = HeaderValue::from_str(text.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A GET of `url`.
pub(crate) fn get<const N: usize>(url: Url, headers: [(HeaderName, HeaderValue); N]) -> Request {
    let mut request = Request::new(Method::GET, url);
    request.headers_mut().extend(headers);
    request
}

/// A POST of `body` to `url`.
pub(crate) fn post(url: Url, media_type: &'static str, body: impl Into<Body>) -> Request {
    let mut request = Request::new(Method::POST, url);
    let media_type = HeaderValue::from_static(media_type);
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    *request.body_mut() = Some(body.into());
    request
}

/// The token that a service handed over, remembered as a secret; `None` when it is empty.
pub(crate) fn received(net: &Net, text: &str) -> Option<Token> {
    let token = Token::new(text)?;
    net.guard(token.expose());
    Some(token)
}

/// What a message may say of an answer that should have held a token: never its body.
pub(crate) fn shape(answer: &Answer) -> String {
    let length = answer.body.len();
    match answer.header(header::CONTENT_TYPE) {
        Some(kind) => format!("{length} bytes of {kind:?}"),
        None => format!("{length} bytes of no declared type"),
    }
}
