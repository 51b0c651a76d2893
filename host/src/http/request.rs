// SPDX-License-Identifier: Apache-2.0
//! Builds requests, and extracts tokens from answers.

use reqwest::header::{self, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::client::Net;
use super::send::Answer;
use crate::Token;

/// The value of `Authorization: Bearer` (RFC 6750 2.1), marked as sensitive so that no log shows it and
/// [`Net::send`] guards it; `None` when no header can carry it.
pub fn bearer(secret: &str) -> Option<HeaderValue> {
    let text = SecretString::from(format!("Bearer {secret}"));
    let mut value = HeaderValue::from_str(text.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A GET of `url`.
pub fn get<const N: usize>(url: Url, headers: [(HeaderName, HeaderValue); N]) -> Request {
    let mut request = Request::new(Method::GET, url);
    request.headers_mut().extend(headers);
    request
}

/// A GET of `url`, which is to answer JSON.
pub fn get_json(url: Url) -> Request {
    get(url, [(header::ACCEPT, HeaderValue::from_static("application/json"))])
}

/// A POST of `body` to `url`.
pub fn post(url: Url, media_type: &'static str, body: impl Into<Body>) -> Request {
    let mut request = Request::new(Method::POST, url);
    let media_type = HeaderValue::from_static(media_type);
    request.headers_mut().insert(header::CONTENT_TYPE, media_type);
    *request.body_mut() = Some(body.into());
    request
}

/// A POST of `body` to `url`, which is to answer with the media type `accept`.
pub fn post_accepting(
    url: Url,
    media_type: &'static str,
    accept: &'static str,
    body: impl Into<Body>,
) -> Request {
    let mut request = post(url, media_type, body);
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(accept));
    request
}

/// `base` with `path` behind it; `base` may have a path of its own, with or without a slash at its
/// end.
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/'));
    }
    url
}

/// Whether two URLs are the same but for a slash at the end.
pub fn same_url(one: &Url, other: &Url) -> bool {
    one.as_str().trim_end_matches('/') == other.as_str().trim_end_matches('/')
}

/// The token that a service handed over, remembered as a secret; `None` when it is empty.
pub fn received(net: &Net, text: &str) -> Option<Token> {
    let token = Token::new(text)?;
    net.guard(token.expose());
    Some(token)
}

/// A description, for messages, of an answer that should contain a token. It never includes the body.
pub fn shape(answer: &Answer) -> String {
    let length = answer.body.len();
    match answer.header(header::CONTENT_TYPE) {
        Some(kind) => format!("{length} bytes of {kind:?}"),
        None => format!("{length} bytes of no declared type"),
    }
}

#[cfg(test)]
mod tests {
    use super::{bearer, received};
    use crate::{Clock, Env, Net, NetOptions};

    #[test]
    fn what_is_sent_and_received_is_secret() {
        let header = bearer("c4n4ry").unwrap();
        assert_eq!(header, "Bearer c4n4ry");
        assert!(header.is_sensitive());
        assert!(bearer("two\nlines").is_none());

        let net = Net::new(&Env::default(), Clock::system(), NetOptions::default());
        assert_eq!(received(&net, "c4n4ry\n").unwrap().expose(), "c4n4ry");
        assert_eq!(net.redact("is c4n4ry."), "is ***.");
        assert!(received(&net, "\n").is_none());
    }
}
