// SPDX-License-Identifier: Apache-2.0
//! What can go wrong.

use std::time::Duration;

use super::super::message::Message;

/// The page of a proxy or login portal that answers for somebody else.
const PAGE: &str = "<!DOCTYPE html><html><body><h1>Sign in to continue</h1></body></html>";

/// What goes wrong. Unless stated otherwise the service is not asked.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The service's answer with its body changed by a function.
    Alter(fn(&mut Vec<u8>)),
    /// The service's answer to the first request for the same, for so long: a replica that is late.
    Cached(Duration),
    /// The service is asked, and its answer is dropped: the connection is reset.
    CommitThenReset,
    /// The service's answer, one byte of the body at a time, with a pause before each.
    Drip(Duration),
    /// A status with everything that the client sent in the message, `Authorization` included.
    EchoAs(u16),
    /// The same, with 400.
    EchoRequest,
    /// 200 without a body.
    Empty,
    /// 200 with a body that does not end.
    Endless,
    /// No answer, until the client gives up.
    Hang,
    /// 200 with a page for people.
    Html,
    /// The fault, where the condition holds.
    If(Condition, Box<Self>),
    /// These bytes, and the connection closes.
    Raw(&'static [u8]),
    /// 307 to another URL.
    Redirect(String),
    /// 307 to the same path of another origin.
    RedirectTo(String),
    /// The connection is reset.
    ResetBefore,
    /// 429 with `Retry-After` in seconds.
    RetryAfter(u32),
    /// The service's answer to a request for another path, if there is anything.
    Rewrite(fn(&str) -> String),
    /// The service's answer, later.
    Slow(Duration),
    /// A status, with headers and a body.
    Status(u16, &'static [(&'static str, &'static str)], &'static str),
    /// The service's answer, of whose body only the first bytes come; then the connection closes.
    Truncate(usize),
}

/// When a fault happens; the service tells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Condition {
    /// The service has nothing under the path.
    Absent,
    /// The request and its body are so.
    Asked(fn(&Seen, &[u8]) -> bool),
    /// The service has something under another path.
    There(fn(&str) -> String),
}

impl Fault {
    /// The same, where `condition` holds.
    pub(crate) fn when(self, condition: Condition) -> Self {
        Self::If(condition, Box::new(self))
    }

    /// The answer to `request` that needs neither the service nor the connection.
    pub(super) fn alone(&self, request: &Message) -> Option<Message> {
        Some(match self {
            Self::EchoAs(status) => Message::made(*status, &[], &request.echo()),
            Self::EchoRequest => Message::made(400, &[], &request.echo()),
            Self::Empty => Message::made(200, &[], ""),
            Self::Html => Message::made(200, &[("content-type", "text/html")], PAGE),
            Self::Redirect(url) => Message::made(307, &[("location", url)], ""),
            Self::RedirectTo(origin) => {
                let url = format!("{origin}{}", request.word(1));
                Message::made(307, &[("location", &url)], "")
            }
            Self::RetryAfter(seconds) => {
                Message::made(429, &[("retry-after", &seconds.to_string())], "slow down")
            }
            Self::Status(status, headers, body) => Message::made(*status, headers, body),
            Self::Alter(_)
            | Self::Cached(_)
            | Self::CommitThenReset
            | Self::Drip(_)
            | Self::Endless
            | Self::Hang
            | Self::If(..)
            | Self::Raw(_)
            | Self::ResetBefore
            | Self::Rewrite(_)
            | Self::Slow(_)
            | Self::Truncate(_) => return None,
        })
    }
}

/// A request as it came to the proxy.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The request method.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Names in lower case; without `authorization`.
    pub(crate) headers: Vec<(String, String)>,
    /// Whether there was an `Authorization`. Its value is not kept.
    pub(crate) authorized: bool,
    /// Names of headers that came more than once.
    pub(crate) twice: Vec<String>,
    /// The length of the body in bytes.
    pub(crate) length: usize,
    /// The row of the table that struck.
    pub(crate) rule: Option<usize>,
}
