// SPDX-License-Identifier: Apache-2.0
//! HTTP/1.1 for every service: whole requests in, whole answers out, and a journal of both.

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Response, StatusCode, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// The largest body that any service reads: 64 MiB.
const BODY_LIMIT: usize = 64 << 20;

/// A request, read to its end.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Percent-decoded, with the leading slash.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// The parts of the path between slashes.
    pub(crate) fn parts(&self) -> Vec<&str> {
        self.path.trim_matches('/').split('/').collect()
    }

    /// The first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The bearer token. The scheme's name has no case (RFC 9110 11.1).
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }
}

/// An answer.
pub(crate) type Reply = Response<Full<Bytes>>;

/// What is behind a listener.
pub(crate) trait Service: Send + Sync + 'static {
    /// Its name in the journal.
    fn name(&self) -> &'static str;
    /// Answers one request, whatever it is.
    fn answer(&self, request: &Request) -> Reply;
}

/// An answer of this status, type and body.
pub(crate) fn reply(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

/// A JSON answer.
pub(crate) fn reply_json(status: u16, document: &Value) -> Reply {
    reply(status, "application/json", document.to_string())
}

/// The error body of gRPC-gateway (Fulcio, Rekor v2); `code` is the number of gRPC.
pub(crate) fn failure(status: u16, code: u16, message: &str) -> Reply {
    reply_json(status, &json!({"code": code, "message": message, "details": []}))
}

/// The error body of go-swagger (Rekor v1, TSA).
pub(crate) fn swagger_failure(status: u16, message: &str) -> Reply {
    reply_json(status, &json!({"code": status, "message": message}))
}

/// Nothing is there.
pub(crate) fn not_found() -> Reply {
    failure(404, 5, "Not Found")
}

/// Adds a header to the answer, unless the value is not allowed in a header.
pub(crate) fn with(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(HeaderName::from_static(name), value);
    }
    reply
}

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// `oidc`, `fulcio`, `rekor`, `rekor2`, `tsa`, `registry`, `registry_referrers`,
    /// `registry_login`, or `proxy`.
    pub service: &'static str,
    /// The method; `CONNECT` for the proxy.
    pub method: String,
    /// Path and query as they were sent; `host:port` for the proxy.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

/// Every request of every service, in the order of the answers.
#[derive(Default)]
pub(crate) struct Journal {
    records: Mutex<Vec<Record>>,
    /// Where each record is also written, as one line of JSON.
    pub(crate) file: Option<Mutex<std::fs::File>>,
}

impl Journal {
    /// Notes one.
    pub(crate) fn note(&self, record: Record) {
        if let Some(file) = &self.file {
            let line = json!({"service": record.service, "method": record.method,
                              "path": record.path, "status": record.status});
            // A full disk must not stop the services; the records in memory are whole.
            let _ = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
        }
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// All that came until now.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers every connection of `listener`, for ever.
pub(crate) async fn listen(
    listener: TcpListener,
    service: Arc<dyn Service>,
    journal: Arc<Journal>,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(connection(stream, Arc::clone(&service), Arc::clone(&journal)));
    }
}

/// Answers every request of one connection.
pub(crate) async fn connection<S>(stream: S, service: Arc<dyn Service>, journal: Arc<Journal>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |request| {
        let (service, journal) = (Arc::clone(&service), Arc::clone(&journal));
        async move { Ok::<_, Infallible>(exchange(request, &*service, &journal).await) }
    });
    // A client that leaves early is its own affair.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

async fn exchange(
    request: hyper::Request<Incoming>,
    service: &dyn Service,
    journal: &Journal,
) -> Reply {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
    let method = head.method.clone();
    let mut reply = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => service.answer(&Request {
            path: percent_encoding::percent_decode_str(head.uri.path())
                .decode_utf8_lossy()
                .into_owned(),
            query: url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect(),
            method: head.method,
            headers: head.headers,
            body: body.to_bytes(),
        }),
        Err(_) => failure(413, 413, "the body is too large, or it ended early"),
    };
    if method == Method::HEAD {
        // hyper sends no body to HEAD, and so would say that there are 0 bytes.
        let length = hyper::body::Body::size_hint(reply.body()).lower();
        reply.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    let (service, status) = (service.name(), reply.status().as_u16());
    journal.note(Record { service, method: method.to_string(), path, status });
    reply
}

/// The error body of the distribution spec.
pub(crate) fn failed(status: u16, code: &str, message: &str) -> Reply {
    reply_json(status, &json!({"errors": [{"code": code, "message": message, "detail": null}]}))
}
