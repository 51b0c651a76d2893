// SPDX-License-Identifier: Apache-2.0
//! Asking a proxy why there is no connection.
//!
//! The HTTP client reports that a proxy did not open a tunnel, and not what the proxy answered. So the
//! proxy is asked once more, with the same login, and its answer is read.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderMap, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, InvalidMessage};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::asked::Asked;
use super::{Kind, Proxy};
use crate::HttpReason;
use crate::http::error::tls_error;

/// The longest piece of a page that is read, in bytes.
const PAGE: usize = 4096;

/// How long the rest of an answer may take: it is only for the message.
const PAGE_TIME: Duration = Duration::from_millis(500);

/// What a message says of a proxy that does not speak HTTP.
pub(in crate::http) const NO_HTTP: &str = "it does not answer in HTTP";

/// What a message says of a proxy that does not answer.
const HANGS_UP: &str = "closed the connection without an answer";

/// What a proxy is asked for, and how.
pub(in crate::http) struct Question<'a> {
    pub(in crate::http) proxy: &'a Proxy,
    /// The host behind the proxy, for messages.
    pub(in crate::http) host: &'a str,
    /// Host and port that the tunnel leads to; without them only the connection to the proxy is tried.
    pub(in crate::http) tunnel: Option<String>,
    pub(in crate::http) user_agent: &'a str,
    /// TLS, for a proxy with `https://`.
    pub(in crate::http) tls: Arc<ClientConfig>,
}

/// An answer of a proxy: its head, and the beginning of its page.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    page: Vec<u8>,
}

impl Question<'_> {
    /// Why the proxy opens no tunnel; `None` if it opens one, so that the reason lies behind it.
    /// `excerpt` makes the beginning of a page fit for a message.
    pub(in crate::http) async fn ask(
        &self,
        excerpt: impl Fn(&[u8]) -> String,
    ) -> Option<HttpReason> {
        let (host, port) = self.proxy.host_and_port()?;
        let stream = match TcpStream::connect((host, port)).await {
            Ok(stream) => stream,
            Err(error) => return Some(self.unreachable(&error)),
        };
        match self.proxy.kind {
            Kind::Socks => None,
            Kind::Http => self.by(stream, excerpt).await,
            Kind::Https => {
                let name = ServerName::try_from(host.to_owned()).ok()?;
                let tls = TlsConnector::from(Arc::clone(&self.tls));
                match tls.connect(name, stream).await {
                    Ok(stream) => self.by(stream, excerpt).await,
                    Err(error) => Some(self.without_tls(&error)),
                }
            }
        }
    }

    fn asked(&self) -> Asked<'_> {
        Asked { proxy: self.proxy, host: self.host }
    }

    fn unreachable(&self, error: &io::Error) -> HttpReason {
        self.asked().down(format!("cannot be reached: {error}"))
    }

    fn without_tls(&self, error: &io::Error) -> HttpReason {
        match tls_error(error) {
            Some(rustls::Error::InvalidCertificate(_)) => self.asked().untrusted(error.to_string()),
            Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                self.asked().no_proxy("it does not speak TLS")
            }
            Some(_) | None => self.unreachable(error),
        }
    }

    /// Asks for the tunnel over `stream`.
    async fn by(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        excerpt: impl Fn(&[u8]) -> String,
    ) -> Option<HttpReason> {
        let request = self.request(self.tunnel.as_deref()?)?;
        let asked = self.asked();
        match answer(stream, request).await {
            // The HTTP client takes no other status for a tunnel.
            Ok(answer) if answer.status == StatusCode::OK => None,
            Ok(answer) => {
                let (ways, page) = (ways(&answer.headers), excerpt(&answer.page));
                Some(asked.answered(answer.status, ways, &page))
            }
            Err(error) if error.is_parse() => Some(asked.no_proxy(NO_HTTP)),
            Err(error) if error.is_incomplete_message() => Some(asked.down(HANGS_UP.to_owned())),
            Err(error) => Some(asked.down(format!("gave no answer: {error}"))),
        }
    }

    fn request(&self, tunnel: &str) -> Option<Request<String>> {
        let request = Request::builder()
            .method(Method::CONNECT)
            .uri(tunnel)
            .header(HOST, tunnel)
            .header(USER_AGENT, self.user_agent);
        let mut request = request.body(String::new()).ok()?;
        if let Some(login) = self.proxy.authorization() {
            let headers = request.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, login.clone());
        }
        Some(request)
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<String>,
) -> hyper::Result<Answer> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    let answer = match answer {
        Ok(answer) => {
            let (head, body) = answer.into_parts();
            let mut page = Vec::new();
            // The message shows what has arrived by then.
            let _late = timeout(PAGE_TIME, read_beginning(body, &mut page)).await;
            Ok(Answer { status: head.status, headers: head.headers, page })
        }
        Err(error) => Err(error),
    };
    connection.abort();
    answer
}

async fn read_beginning(mut body: Incoming, page: &mut Vec<u8>) {
    while page.len() < PAGE {
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let Some(Ok(frame)) = frame else { return };
        if let Ok(data) = frame.into_data() {
            page.extend_from_slice(&data);
        }
    }
}

/// The ways to log in that `headers` name, when user and password (`Basic`) are not among them.
pub(in crate::http) fn ways(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(PROXY_AUTHENTICATE).iter();
    let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    let parts = values.iter().flat_map(|value| value.split(','));
    let words = parts.filter_map(|part| part.split_whitespace().next());
    // A parameter has `=` or a quotation mark in it.
    let is_way = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let ways: Vec<_> = words.filter(is_way).collect();
    let has_basic = ways.iter().any(|way| way.eq_ignore_ascii_case("basic"));
    (!ways.is_empty() && !has_basic).then(|| ways.join(", "))
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderMap, HeaderValue, PROXY_AUTHENTICATE};

    use super::ways;

    #[test]
    fn the_logins_are_named_when_basic_is_not_among_them() {
        for (values, expected) in [
            (&[][..], None),
            (&["Basic realm=\"corp\""], None),
            (&["Negotiate", "basic realm=x"], None),
            (&["Negotiate, Basic realm=\"a, b\""], None),
            (&["Negotiate", "NTLM"], Some("Negotiate, NTLM")),
            (&["Digest realm=\"a, b\", nonce=\"c4n4ry\""], Some("Digest")),
            (&["\u{e9}"], None),
        ] {
            let mut all = HeaderMap::new();
            for value in values {
                let value = HeaderValue::from_bytes(value.as_bytes());
                all.append(PROXY_AUTHENTICATE, value.unwrap());
            }
            assert_eq!(ways(&all).as_deref(), expected);
        }
    }
}
