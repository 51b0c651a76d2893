// SPDX-License-Identifier: Apache-2.0
//! The proxies that the environment names, and which of them a request goes through.
//!
//! Where clients disagree about the variables, this follows programs in Go: the name in upper case
//! wins, and every SOCKS proxy resolves names itself.

pub(super) mod asked;
mod exceptions;
pub(super) mod fault;
pub(super) mod question;

use std::fmt;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use percent_encoding::percent_decode_str;
use url::Url;

use self::exceptions::Exceptions;
use super::setting::{self, ClientError};
use crate::{Env, Warning};

/// The variables of one proxy: the first that is set wins.
type Names = [&'static str; 4];

const HTTPS: Names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const HTTP: Names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The port of a SOCKS proxy that is named without one (RFC 1928 3).
const SOCKS_PORT: u16 = 1080;

/// The proxies of an environment.
#[derive(Debug, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    exceptions: Exceptions,
}

/// A proxy. It is shown without its user and password.
#[derive(Clone)]
pub struct Proxy {
    variable: &'static str,
    kind: Kind,
    /// Scheme, host and port.
    name: String,
    /// As the HTTP client takes it, with user and password.
    url: String,
    /// The address, and what the client makes of user and password.
    intercept: Intercept,
    passwords: Vec<String>,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Https,
    Socks,
}

impl Proxies {
    /// Reads the variables of `env`. Returns warnings about values that have no effect.
    ///
    /// # Errors
    /// A variable that is used does not name a proxy.
    pub fn read(env: &Env) -> Result<(Self, Vec<Warning>), ClientError> {
        let mut warnings = Vec::new();
        let mut proxy = |names: Names| {
            let found = first(env, &names)?;
            let Some((variable, text)) = found else {
                return Ok(None);
            };
            warnings.extend(unused(env, variable));
            Proxy::parse(variable, text).map(Some)
        };
        let (http, https) = (proxy(HTTP)?, proxy(HTTPS)?);
        let mut proxies = Self { http, https, exceptions: Exceptions::default() };
        if let Some((variable, text)) = first(env, &EXCEPTIONS)? {
            warnings.extend(unused(env, variable));
            let (exceptions, meaningless) = Exceptions::parse(text);
            proxies.exceptions = exceptions;
            warnings.extend(meaningless.iter().map(|entry| Warning {
                code: setting::NO_PROXY,
                message: format!("the entry `{entry}` of `{variable}` does not match any host"),
            }));
        }
        // `ALL_PROXY` may have been read twice.
        warnings.dedup();
        Ok((proxies, warnings))
    }

    /// The proxy that a request to `url` goes through.
    pub fn of(&self, url: &Url) -> Option<&Proxy> {
        let proxy = match url.scheme() {
            "http" => self.http.as_ref(),
            "https" => self.https.as_ref(),
            _ => None,
        };
        proxy.filter(|_| !self.exceptions.contain(url))
    }

    /// The secrets in the variables of `env`, whether or not a proxy is used.
    pub(super) fn secrets(env: &Env) -> Vec<String> {
        let names = HTTPS.into_iter().chain(HTTP);
        let texts = names.filter_map(|name| Some((name, env.get(name)?.trim())));
        let proxies = texts.filter_map(|(name, text)| Proxy::parse(name, text).ok());
        proxies.flat_map(|proxy| proxy.secrets()).collect()
    }

    /// The proxies, first the one for https.
    pub fn all(&self) -> impl Iterator<Item = &Proxy> {
        self.https.iter().chain(&self.http)
    }
}

impl Proxy {
    /// The variable that names it.
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    fn parse(variable: &'static str, text: &str) -> Result<Self, ClientError> {
        let wrong = || ClientError::Proxy { variable };
        let mut url = match Url::parse(text) {
            Ok(url) if url.has_host() => url,
            Ok(_) | Err(_) if !text.contains("://") && !is_path(text) => {
                Url::parse(&format!("http://{text}")).map_err(|_syntax| wrong())?
            }
            Ok(_) | Err(_) => return Err(wrong()),
        };
        // These characters in a password would end the host name too early.
        if url.fragment().is_some() || url.query().is_some() || url.path().contains('@') {
            return Err(wrong());
        }
        let (kind, scheme, port) = match url.scheme() {
            "http" => (Kind::Http, "http", 80),
            "https" => (Kind::Https, "https", 443),
            "socks5" | "socks5h" => (Kind::Socks, "socks5h", SOCKS_PORT),
            other => {
                let scheme = other.to_owned();
                return Err(ClientError::ProxyScheme { variable, scheme });
            }
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let port = url.port().unwrap_or(port);
        let name = format!("{}://{}:{port}", url.scheme(), host.ok_or_else(wrong)?);
        let passwords = passwords(&url);
        url.set_path("");
        let address = url.as_str().split_once("://").map(|(_, rest)| rest);
        let url = format!("{scheme}://{}", address.ok_or_else(wrong)?);
        // The HTTP client parses the URL by other rules, and uses no proxy when that fails.
        let matcher = Matcher::builder().all(url.clone()).build();
        let intercept = matcher.intercept(&Uri::from_static("https://any.invalid"));
        Ok(Self { variable, kind, name, url, intercept: intercept.ok_or_else(wrong)?, passwords })
    }

    /// For the builder of a client that talks through it alone.
    pub(super) fn for_client(&self) -> Result<reqwest::Proxy, ClientError> {
        let variable = self.variable;
        reqwest::Proxy::all(&self.url).map_err(|_url| ClientError::Proxy { variable })
    }

    pub(super) fn speaks_tls(&self) -> bool {
        self.kind == Kind::Https
    }

    pub(super) fn speaks_http(&self) -> bool {
        self.kind != Kind::Socks
    }

    /// Whether its URL has a user or a password.
    pub(super) fn has_login(&self) -> bool {
        self.intercept.basic_auth().is_some() || self.intercept.raw_auth().is_some()
    }

    /// The password, and the form in which user and password are sent.
    fn secrets(self) -> Vec<String> {
        let sent = self.authorization().and_then(|value| value.to_str().ok());
        let sent = sent.and_then(|value| value.rsplit(' ').next());
        let sent = sent.map(str::to_owned);
        self.passwords.into_iter().chain(sent).collect()
    }

    /// The value of `Proxy-Authorization`.
    fn authorization(&self) -> Option<&HeaderValue> {
        self.intercept.basic_auth()
    }

    /// What is connected to. An IPv6 address has no brackets here.
    fn host_and_port(&self) -> Option<(&str, u16)> {
        let uri = self.intercept.uri();
        let port = match self.kind {
            Kind::Http => 80,
            Kind::Https => 443,
            Kind::Socks => SOCKS_PORT,
        };
        let host = uri.host()?.trim_matches(['[', ']']);
        Some((host, uri.port_u16().unwrap_or(port)))
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Without user and password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.name).finish()
    }
}

/// Whether `text` has more than one part.
fn is_path(text: &str) -> bool {
    text.trim_end_matches('/').contains('/')
}

/// The first of `names` that is set and not empty.
///
/// # Errors
/// It is not UTF-8.
fn first<'e>(
    env: &'e Env,
    names: &[&'static str],
) -> Result<Option<(&'static str, &'e str)>, ClientError> {
    for &variable in names {
        let value = env.raw(variable).filter(|value| !value.is_empty());
        if let Some(value) = value {
            let text = value.to_str().ok_or(ClientError::NotUtf8 { variable })?;
            let text = text.trim();
            if !text.is_empty() {
                return Ok(Some((variable, text)));
            }
        }
    }
    Ok(None)
}

/// A warning if the other spelling of `variable` is set to a different value.
fn unused(env: &Env, variable: &'static str) -> Option<Warning> {
    let small = variable.to_ascii_lowercase();
    let (one, other) = (env.raw(variable)?, env.raw(&small)?);
    let differs = one != other && !other.is_empty();
    differs.then(|| Warning {
        code: setting::UNUSED,
        message: format!("`{small}` is ignored: `{variable}` is set to a different value"),
    })
}

/// The password in `url`, as it is written and decoded.
fn passwords(url: &Url) -> Vec<String> {
    let password = url.password().unwrap_or_default();
    let meant = percent_decode_str(password).decode_utf8_lossy();
    vec![password.to_owned(), meant.into_owned()]
}

#[cfg(test)]
mod tests;
