// SPDX-License-Identifier: Apache-2.0
//! How requests to token services are put together.

use reqwest::header::{self, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{Answer, Net, Token};

/// The value of `Authorization: Bearer` (RFC 6750 2.1), marked as sensitive so that no log shows it and
/// [`Net::send`] guards it; `None` when no header can carry it.
pub fn bearer(secret: &str) -> Option<HeaderValue> {
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

#[cfg(test)]
mod tests {
    use super::{bearer, received};
    use crate::choose::tests::Place;

    #[test]
    fn what_is_sent_and_received_is_secret() {
        let header = bearer("c4n4ry").unwrap();
        assert_eq!(header, "Bearer c4n4ry");
        assert!(header.is_sensitive());
        assert!(bearer("two\nlines").is_none());

        let host = Place::new().host();
        assert_eq!(received(&host.net, "c4n4ry\n").unwrap().expose(), "c4n4ry");
        assert_eq!(host.net.redact("is c4n4ry."), "is ***.");
        assert!(received(&host.net, "\n").is_none());
    }
}
