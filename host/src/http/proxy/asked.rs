// SPDX-License-Identifier: Apache-2.0
//! What the answers of a proxy mean.

use reqwest::StatusCode;

use super::Proxy;
use super::fault::{Does, ProxyFault};
use crate::HttpReason;

/// The errors of a SOCKS handshake, and what they mean. The HTTP client gives them as text alone.
const SOCKS: [(&str, Meaning); 13] = [
    ("credentials not accepted", Meaning::Login),
    ("user/pass authentication", Meaning::Login),
    ("implements authentication incorrectly", Meaning::Login),
    ("connection not allowed", Meaning::Refused),
    ("command not supported", Meaning::NoProxy),
    ("address type not supported", Meaning::NoProxy),
    ("failed parsing server response", Meaning::NoProxy),
    ("general server failure", Meaning::Down),
    ("network unreachable", Meaning::Down),
    ("host unreachable", Meaning::Down),
    ("connection refused", Meaning::Down),
    ("ttl expired", Meaning::Down),
    ("io error during SOCKS handshake", Meaning::Down),
];

#[derive(Clone, Copy)]
enum Meaning {
    Down,
    Login,
    NoProxy,
    Refused,
}

/// A proxy, and the host that it was to connect to.
pub(in crate::http) struct Asked<'a> {
    pub(in crate::http) proxy: &'a Proxy,
    pub(in crate::http) host: &'a str,
}

impl Asked<'_> {
    fn fault(&self, does: Does) -> ProxyFault {
        ProxyFault::new(self.proxy, self.host, does)
    }

    fn for_good(&self, does: Does) -> HttpReason {
        HttpReason::Proxy(Box::new(self.fault(does)))
    }

    /// A proxy that may work later; `said` is the rest of the sentence.
    pub(in crate::http) fn down(&self, excerpt: String) -> HttpReason {
        HttpReason::ProxyDown(Box::new(self.fault(Does::Fail { excerpt })))
    }

    /// A proxy whose certificate is not trusted.
    pub(in crate::http) fn untrusted(&self, excerpt: String) -> HttpReason {
        HttpReason::ProxyTls(Box::new(self.fault(Does::Untrusted { excerpt })))
    }

    /// A server that does not work as a proxy; `said` is what it did.
    pub(in crate::http) fn no_proxy(&self, excerpt: impl Into<String>) -> HttpReason {
        let excerpt = excerpt.into();
        self.for_good(Does::NoProxy { excerpt })
    }

    /// What an answer of the proxy to `CONNECT` means, or its 407 to a request in plain HTTP.
    pub(in crate::http) fn answered(
        &self,
        status: StatusCode,
        ways: Option<String>,
        excerpt: &str,
    ) -> HttpReason {
        let excerpt = quoted(status, excerpt);
        match status.as_u16() {
            407 => self.for_good(Does::AskForLogin {
                has_login: self.proxy.has_login(),
                ways,
                excerpt,
            }),
            // Servers that do not support `CONNECT` answer in these ways.
            400 | 404 | 405 | 501 => self.no_proxy(format!("it answered `CONNECT` with {excerpt}")),
            408 | 425 | 429 | 500.. => {
                self.down(format!("could not reach {} ({excerpt})", self.host))
            }
            _ => self.for_good(Does::Refuse { excerpt }),
        }
    }

    /// A refusal over plain HTTP, by the proxy or by the host.
    pub(in crate::http) fn refused_here_or_behind(
        &self,
        status: StatusCode,
        excerpt: &str,
    ) -> HttpReason {
        let excerpt = quoted(status, excerpt);
        self.for_good(Does::RefuseOrBehind { excerpt })
    }

    /// What `text` means, if it is the error of a SOCKS handshake.
    pub(in crate::http) fn of_socks(&self, text: &str) -> Option<HttpReason> {
        let (_, text) = text.split_once("SOCKS error: ")?;
        let (_, meaning) = SOCKS.iter().find(|(excerpt, _)| text.contains(excerpt))?;
        let excerpt = text.to_owned();
        Some(match meaning {
            Meaning::Down => self.down(format!("could not reach {} ({excerpt})", self.host)),
            Meaning::Login => self.for_good(Does::AskForLogin {
                has_login: self.proxy.has_login(),
                ways: None,
                excerpt: "SOCKS5".to_owned(),
            }),
            Meaning::NoProxy => self.no_proxy(format!("it does not speak SOCKS5 ({excerpt})")),
            Meaning::Refused => self.for_good(Does::Refuse { excerpt }),
        })
    }
}

fn quoted(status: StatusCode, excerpt: &str) -> String {
    match excerpt {
        "" => format!("HTTP {}", status.as_u16()),
        excerpt => format!("HTTP {}: `{excerpt}`", status.as_u16()),
    }
}
