// SPDX-License-Identifier: Apache-2.0
//! Faults of proxies: what they do in place of a connection, and what helps.

use super::Proxy;

/// What is wrong with a proxy. It is named without its user and password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", does.message(proxy, host))]
pub struct ProxyFault {
    proxy: String,
    variable: &'static str,
    host: String,
    does: Does,
}

/// What it does in place of a connection.
#[derive(Clone, Debug)]
pub(super) enum Does {
    /// It requires a login, or rejects the one that it got.
    AskForLogin {
        has_login: bool,
        /// The logins that it accepts, if user and password are not among them.
        ways: Option<String>,
        excerpt: String,
    },
    /// It may work later. `said` is the rest of a sentence.
    Fail { excerpt: String },
    /// It answers as a proxy does not.
    NoProxy { excerpt: String },
    /// It refuses to connect.
    Refuse { excerpt: String },
    /// It or the host behind it refuses: over plain HTTP the answers look alike.
    RefuseOrBehind { excerpt: String },
    /// Its certificate is not trusted.
    Untrusted { excerpt: String },
}

impl Does {
    /// The message, for a request to `host` through `proxy`.
    fn message(&self, proxy: &str, host: &str) -> String {
        match self {
            Self::AskForLogin { ways: Some(ways), excerpt, .. } => {
                format!("the proxy {proxy} only accepts a login by {ways} ({excerpt})")
            }
            Self::AskForLogin { has_login: true, excerpt, .. } => {
                format!("the proxy {proxy} rejects the login ({excerpt})")
            }
            Self::AskForLogin { excerpt, .. } => {
                format!("the proxy {proxy} requires a login ({excerpt})")
            }
            Self::Fail { excerpt } => format!("the proxy {proxy} {excerpt}"),
            Self::NoProxy { excerpt } => format!("{proxy} does not work as a proxy: {excerpt}"),
            Self::Refuse { excerpt } => {
                format!("the proxy {proxy} refuses to connect to {host} ({excerpt})")
            }
            Self::RefuseOrBehind { excerpt } => {
                format!("the proxy {proxy}, or {host} behind it, refuses the request ({excerpt})")
            }
            Self::Untrusted { excerpt } => {
                format!("the TLS certificate of the proxy {proxy} is not trusted: {excerpt}")
            }
        }
    }
}

impl ProxyFault {
    /// The fault of a proxy that refuses to connect to `host`, with its answer.
    pub fn refused(proxy: &Proxy, host: &str, excerpt: &str) -> Self {
        let excerpt = excerpt.to_owned();
        Self::new(proxy, host, Does::Refuse { excerpt })
    }

    pub(super) fn new(proxy: &Proxy, host: &str, does: Does) -> Self {
        Self { proxy: proxy.to_string(), variable: proxy.variable(), host: host.to_owned(), does }
    }

    /// One imperative sentence; `ca_file` is the setting for a CA file.
    pub(in crate::http) fn fix(&self, ca_file: Option<&str>) -> String {
        let Self { proxy, variable, host, does } = self;
        match does {
            Does::AskForLogin { ways: Some(_), .. } => format!(
                "set `{variable}` to a proxy that accepts user and password: other logins are not \
                 supported"
            ),
            Does::AskForLogin { has_login: true, .. } => format!(
                "correct user and password in `{variable}`, or remove them if the proxy needs no login"
            ),
            Does::AskForLogin { .. } => {
                let address = proxy.split_once("://").unwrap_or(("http", proxy));
                let (scheme, address) = address;
                format!(
                    "add user and password to `{variable}`: `{scheme}://USER:PASSWORD@{address}`"
                )
            }
            Does::Fail { .. } => format!(
                "run again; if it persists, check that the proxy {proxy} (`{variable}`) is running and \
                 can reach {host}"
            ),
            Does::NoProxy { .. } => format!(
                "correct the address and scheme (`http://`, `https://` or `socks5://`) of the proxy in \
                 `{variable}`, or unset it"
            ),
            Does::Refuse { .. } | Does::RefuseOrBehind { .. } => format!(
                "allow {host} on the proxy {proxy}, or add {host} to `NO_PROXY` if this machine can \
                 reach it directly"
            ),
            Does::Untrusted { .. } => match ca_file {
                Some(ca_file) => format!("pass the CA of the proxy {proxy} with `{ca_file}`"),
                None => {
                    format!("set `SSL_CERT_FILE` to the CA of the proxy {proxy}")
                }
            },
        }
    }
}
