// SPDX-License-Identifier: Apache-2.0
//! The errors of requests.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use reqwest::{Method, StatusCode};
use rustls::InvalidMessage;
use url::Url;

use super::proxy::fault::ProxyFault;
use super::setting::{ClientError, SettingNames};
use crate::{Class, Explain, chain, errors};

/// The longest name of a content coding that a message shows, in characters.
const LONGEST_CODING: usize = 40;

/// A failed request.
#[derive(Debug)]
pub struct HttpError {
    /// The request method.
    pub method: Method,
    /// Scheme, host and path; no query and no user information.
    pub url: Box<str>,
    /// The number of attempts.
    pub tries: u32,
    /// Whether any of the tries may have reached the server: what it does on request may be done.
    pub sent: bool,
    /// The proxy that it was to go through, without user and password.
    pub proxy: Option<Box<str>>,
    /// What happened last.
    pub reason: HttpReason,
}

errors! {
    /// What happened to a request. Codes and explanations hold for each stage that sends requests.
    #[derive(Debug, thiserror::Error)]
    pub enum HttpReason {
        #[error(transparent)]
        Client(source: Box<ClientError>) = "client", Usage {
            fix: source.fix(),
            what: "No request could be sent, because a proxy or CA setting is unusable.",
            why: "A proxy variable is not a URL, or a file of certificates does not contain any.",
            advice: "Correct the variable or file that the message names.",
        },
        /// The whole run timed out.
        #[error("the run timed out")]
        Deadline = also "unreachable", Temporary { fix: "run again, or raise `--timeout`" },
        #[error("the answer has the content coding {coding:?}, which was not requested")]
        Encoded { coding: String } = "encoded", Untrusted {
            fix: REWRITTEN,
            what: "The answer is compressed, although that was not requested.",
            why: "A proxy or filter between the machine and the host rewrites answers.",
            advice: "Exclude this host from it.",
        },
        #[error("is not https")]
        NotHttps = "not-https", Usage {
            fix: "use an https URL without a user name in it",
            what: "A request would have gone over plain http, or with a password in its URL.",
            why: "Both could be read on the way.",
            advice: "Use an https URL; plain http is for addresses of the machine itself.",
        },
        #[error("the server does not speak TLS on this port")]
        NotTls = "not-tls", Untrusted {
            fix: "give the URL and port at which the service speaks TLS, or set up TLS there",
            what: "The host does not speak TLS on this port.",
            why: "The service listens there in plain HTTP, or the port is another one's.",
            advice: "Give the port that speaks TLS; for a registry you can allow plain HTTP with `--allow-http-registry`.",
        },
        #[error(transparent)]
        Proxy(source: Box<ProxyFault>) = "proxy", Usage {
            fix: source.fix(None),
            what: "The proxy does not connect to the host.",
            why: "It requires a login, it refuses this host, or the address belongs to another server.",
            advice: "Correct the variable that names the proxy, allow the host on the proxy, or add the host to `NO_PROXY`.",
        },
        /// A proxy that may work later.
        #[error(transparent)]
        ProxyDown(source: Box<ProxyFault>) = also "unreachable", Temporary {
            fix: source.fix(None),
        },
        /// A proxy that is spoken to with TLS is not who it should be.
        #[error(transparent)]
        ProxyTls(source: Box<ProxyFault>) = also "tls", Untrusted {
            fix: source.fix(Some("--ca-file")),
        },
        #[error("tried to redirect to {to}")]
        Redirected {
            /// Scheme and host.
            to: String,
        } = "redirected", Untrusted {
            fix: "give the URL of the service itself, not one that redirects",
            what: "The host sends the request elsewhere.",
            why: "A token or signature is not carried to a host that you did not name.",
            advice: "Give the URL of the service itself.",
        },
        /// A status that may pass; [`crate::Net::send`] lists them.
        #[error("answered HTTP {}{}{}", status.as_u16(), said(excerpt), asked(*retry_after))]
        Status {
            status: StatusCode,
            excerpt: Box<str>,
            /// How long the server asks to wait.
            retry_after: Option<Duration>,
        } = also "unreachable", Temporary { fix: "run again: this usually passes" },
        #[error("the TLS certificate of the server is not trusted: {why}")]
        Tls { why: String } = "tls", Untrusted {
            fix: "check the clock and the proxy, and give a private CA with `--ca-file`",
            what: "The host could not prove who it is.",
            why: "A proxy opens TLS with a certificate of its own, a private CA is not known here, or the clock is wrong.",
            advice: "Give the CA with `--ca-file`; check the clock.",
        },
        #[error("answered with more than {limit} bytes")]
        TooLarge {
            /// The limit in bytes.
            limit: usize,
        } = "too-large", Untrusted {
            fix: REWRITTEN,
            what: "The answer was longer than any real one.",
            why: "Something else answers, or it means harm.",
            advice: "Check the URL and the proxies.",
        },
        #[error("{why}")]
        Unreachable {
            why: String,
            /// Whether the request may have reached the server.
            sent: bool,
        } = "unreachable", Temporary {
            fix: "run again; if it stays, check that this machine may reach the host",
            what: "No answer came, or the host is busy or broken.",
            why: "The network, a firewall or the service is at fault, or the run timed out.",
            advice: "Run again; if it stays, check that the job may reach the host.",
        },
    }
}

/// The fix where an answer is not one that the service gives.
const REWRITTEN: &str = "check that nothing between this machine and the host rewrites its answers";

fn said(excerpt: &str) -> String {
    if excerpt.is_empty() { String::new() } else { format!(" `{excerpt}`") }
}

fn asked(wait: Option<Duration>) -> String {
    wait.map(|wait| format!(" and asks to wait {} s", wait.as_secs())).unwrap_or_default()
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)?;
        if let (Some(proxy), false) = (&self.proxy, self.reason.is_of_proxy()) {
            write!(f, " through the proxy {proxy}")?;
        }
        write!(f, ": {}", self.reason)?;
        if self.tries > 1 { write!(f, " ({} tries)", self.tries) } else { Ok(()) }
    }
}

/// The message says it all: a source would repeat it.
impl std::error::Error for HttpError {}

impl From<ClientError> for HttpReason {
    fn from(error: ClientError) -> Self {
        Self::Client(Box::new(error))
    }
}

impl HttpReason {
    /// [`HttpReason::Encoded`], when `headers` name a content coding.
    pub(super) fn encoded(headers: &HeaderMap) -> Option<Self> {
        let coding = headers.get(CONTENT_ENCODING)?;
        let coding = String::from_utf8_lossy(coding.as_bytes());
        let coding: String = coding.chars().take(LONGEST_CODING).collect();
        (!coding.eq_ignore_ascii_case("identity")).then_some(Self::Encoded { coding })
    }

    /// Whether the request may have reached the server.
    pub(super) fn is_sent(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } => *sent,
            Self::Client(_)
            | Self::Deadline
            | Self::NotHttps
            | Self::NotTls
            | Self::Proxy(_)
            | Self::ProxyDown(_)
            | Self::ProxyTls(_)
            | Self::Tls { .. } => false,
            Self::Encoded { .. }
            | Self::Redirected { .. }
            | Self::Status { .. }
            | Self::TooLarge { .. } => true,
        }
    }
}

impl HttpReason {
    /// Whether it names the proxy itself.
    fn is_of_proxy(&self) -> bool {
        matches!(self, Self::Proxy(_) | Self::ProxyDown(_) | Self::ProxyTls(_))
    }
}

impl HttpError {
    /// The variant part of an error code: what happened to the request.
    pub fn variant(&self) -> Cow<'static, str> {
        self.reason.code()
    }

    /// The class of the error, whichever service it was.
    pub fn class(&self) -> Class {
        self.reason.class()
    }

    /// What the reader of a message of the program can do, whichever service it was.
    pub fn fix(&self) -> Option<Cow<'static, str>> {
        self.fix_with(&SettingNames { timeout: Some("--timeout"), ca_file: Some("--ca-file") })
    }

    /// What the reader can do, in a program whose settings have these names. It names the host.
    pub fn fix_with(&self, names: &SettingNames) -> Option<Cow<'static, str>> {
        let host = &self.host();
        let fix = match &self.reason {
            HttpReason::Client(error) => return error.fix().map(Cow::Owned),
            HttpReason::Deadline => match names.timeout {
                Some(timeout) => format!("run again, or raise `{timeout}`"),
                None => "run again, or allow more time".to_owned(),
            },
            HttpReason::Encoded { .. } | HttpReason::TooLarge { .. } => {
                format!("check that nothing between this machine and {host} rewrites its answers")
            }
            HttpReason::NotHttps => {
                format!("use an https URL without a user name for {host}")
            }
            HttpReason::NotTls => {
                format!("give the URL and port at which {host} speaks TLS, or set up TLS there")
            }
            HttpReason::Proxy(fault)
            | HttpReason::ProxyDown(fault)
            | HttpReason::ProxyTls(fault) => fault.fix(names.ca_file),
            HttpReason::Redirected { .. } => {
                format!("give the URL of the service itself in place of {host}, which redirects")
            }
            HttpReason::Status { .. } => {
                format!("run again: this answer for {host} is usually temporary")
            }
            HttpReason::Tls { .. } => {
                let ca_file = match names.ca_file {
                    Some(ca_file) => format!("give a private CA of {host} with `{ca_file}`"),
                    None => format!("name the file of a private CA of {host} in `SSL_CERT_FILE`"),
                };
                format!("check the clock and the proxy, and {ca_file}")
            }
            HttpReason::Unreachable { .. } => {
                let by = match &self.proxy {
                    Some(proxy) => format!("the proxy {proxy}"),
                    None => "this machine".to_owned(),
                };
                format!("run again; if it persists, check that {by} can reach {host}")
            }
        };
        Some(fix.into())
    }

    /// The host that was asked, with its port where the URL has one.
    pub fn host(&self) -> String {
        let url = Url::parse(&self.url).ok();
        url.as_ref().and_then(host_and_port).unwrap_or_else(|| "the host".to_owned())
    }
}

/// Host and port of `url`, as it names them.
pub(super) fn host_and_port(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// What a failure of the transport means.
pub(super) fn transport(error: reqwest::Error) -> HttpReason {
    let error = error.without_url();
    let why = without_layers(&chain(&error)).to_owned();
    if let Some(rustls::Error::InvalidCertificate(_)) = tls_error(&error) {
        return HttpReason::Tls { why };
    }
    // The first byte of the answer does not begin a TLS record: it is the `H` of `HTTP/1.1 400`.
    if let Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) =
        tls_error(&error)
    {
        return HttpReason::NotTls;
    }
    HttpReason::Unreachable { why, sent: !error.is_connect() }
}

/// `text` without what the layers of the HTTP client say of themselves: the reader wants the reason.
fn without_layers(text: &str) -> &str {
    let layers =
        ["error sending request: ", "client error (Connect): ", "client error (SendRequest): "];
    layers.into_iter().fold(text, |text, layer| text.strip_prefix(layer).unwrap_or(text))
}

/// The error of the TLS stack that `error` comes from. That it refuses the peer is an attack or a
/// misconfiguration, and never a matter of trying again.
pub(super) fn tls_error<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        let tls = error
            .downcast_ref::<rustls::Error>()
            .or_else(|| inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()));
        if tls.is_some() {
            return tls;
        }
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
