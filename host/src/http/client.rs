// SPDX-License-Identifier: Apache-2.0
//! HTTP clients, built when first used, from what the environment says about proxies and CAs.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::{Client, redirect};
use tokio::time::Instant;
use url::Url;

use super::lookup::{Lookup, Reach, WithinReach};
use super::loopback::{LoopbackResolver, is_loopback};
use super::preconnect::Preconnect;
use super::proxy::{Proxies, Proxy};
use super::roots::{Places, Roots};
use super::setting::{ClientError, SettingNames};
use crate::redact::Redactor;
use crate::{Clock, Env, Warning, chain};

/// How a kind of service is talked to. One client is kept for each and each origin.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Tells the clients apart.
    pub name: &'static str,
    /// The longest time to connect, TLS included.
    pub connect: Duration,
    /// Whether HTTP/2 may be offered.
    pub http2: bool,
    /// Where plain HTTP may go.
    pub plain_http: PlainHttp,
    /// Whether the proxies of the environment are used.
    pub proxies: bool,
    /// Where names may lead, if no proxy resolves them.
    pub reach: Reach,
}

/// Where plain HTTP may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// To every host: a metadata server, which has no TLS, or a host that the user named.
    Anywhere,
    /// To every host except link-local addresses, where metadata servers are: they are never connected to,
    /// whatever the resolver answers later. Callers check IP literals themselves.
    BeyondLink,
    /// To loopback IP literals alone.
    LoopbackLiterals,
    /// To names as well, of which only loopback addresses are connected to: the request never leaves
    /// the machine, whatever the resolver says later.
    LoopbackNames,
}

impl Profile {
    /// A metadata server: plain HTTP, never through a proxy.
    pub const METADATA: Self = Self {
        name: "metadata",
        connect: Duration::from_secs(2),
        http2: false,
        plain_http: PlainHttp::Anywhere,
        proxies: false,
        reach: Reach::Anywhere,
    };
    /// A token endpoint. Without HTTP/2, because GitHub's can reset such streams.
    pub const TOKEN_ENDPOINT: Self = Self {
        name: "token",
        connect: Duration::from_secs(5),
        http2: false,
        plain_http: PlainHttp::LoopbackLiterals,
        proxies: true,
        reach: Reach::Anywhere,
    };

    /// Whether a request to `url` may be made at all: https, or plain HTTP where it may go; no user
    /// information in it.
    pub(crate) fn permits(&self, url: &Url) -> bool {
        let names = match self.plain_http {
            PlainHttp::Anywhere | PlainHttp::BeyondLink | PlainHttp::LoopbackNames => {
                url.scheme() == "http"
            }
            PlainHttp::LoopbackLiterals => false,
        };
        (names && !has_user(url)) || plain_http_allowed(url)
    }
}

/// What `Net` tells about its work while it goes on.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request was answered.
    Answered {
        /// The request method.
        method: &'a str,
        /// Scheme, host and path; no query and no user information.
        url: &'a str,
        /// The status code.
        status: u16,
        /// From the first byte sent to the last byte read.
        took: Duration,
    },
    /// A request failed in a way that may pass, and is made again after a wait.
    Waiting {
        /// The host, with its port where the URL has one.
        host: &'a str,
        /// Scheme, host and path; no query and no user information.
        url: &'a str,
        /// What went wrong, in a few words.
        because: &'a str,
        /// How long.
        wait: Duration,
        /// The number of the try that failed, from 1.
        tries: u32,
    },
}

/// Receives events about requests; must not block.
pub type Observer = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// The options of `Net`, in addition to the environment.
#[derive(Default)]
pub struct NetOptions {
    /// The `User-Agent` of every request.
    pub user_agent: String,
    /// A file of PEM certificates that are trusted in addition to the machine's.
    pub ca_file: Option<PathBuf>,
    /// The end of the whole run: no request goes on beyond it.
    pub deadline: Option<Instant>,
    /// Receives an event for every request.
    pub observer: Option<Observer>,
    /// Prefix of the system's own CA files.
    pub root: PathBuf,
    /// What the program calls these settings, for its messages.
    pub names: SettingNames,
}

/// The HTTP side of a `Host`.
pub struct Net {
    pub(super) options: NetOptions,
    proxies: Result<Proxies, ClientError>,
    places: Places,
    roots: OnceLock<Result<Roots, ClientError>>,
    clients: Mutex<BTreeMap<(&'static str, Reach, String), Pooled>>,
    lookup: Lookup,
    pub(super) clock: Clock,
    redactor: Redactor,
}

/// A client, and the connection that may be in its hand.
#[derive(Clone)]
struct Pooled {
    client: Client,
    preconnect: Preconnect,
}

/// Whether a client was there before.
enum Age {
    New,
    Used,
}

impl Net {
    /// What the program calls its settings.
    pub fn setting_names(&self) -> SettingNames {
        self.options.names
    }

    /// Reads the proxy and CA variables of `env`. Nothing is opened or built yet. The first request, or
    /// [`Net::check`], reports what is wrong with them.
    pub fn new(env: &Env, clock: Clock, options: NetOptions) -> Self {
        let proxies = Proxies::read(env).map(|(proxies, _told_by_whoever_asks)| proxies);
        let redactor = Redactor::default();
        Proxies::secrets(env).iter().for_each(|secret| redactor.guard(secret));
        let added = options.ca_file.clone();
        let added = added.map(|path| (path, options.names.ca_file));
        Self {
            places: Places::new(env, added, options.root.clone()),
            options,
            proxies,
            roots: OnceLock::new(),
            clients: Mutex::default(),
            lookup: Lookup::default(),
            clock,
            redactor,
        }
    }

    /// Reads now what the first request would read: the CA certificates. Returns what the reader
    /// should know about them.
    ///
    /// # Errors
    /// A variable or a CA file with which no request can be made.
    pub fn check(&self) -> Result<Vec<Warning>, ClientError> {
        self.proxies.as_ref().map_err(Clone::clone)?;
        Ok(self.roots()?.warnings.clone())
    }

    /// The proxy that a request of `profile` to `url` goes through.
    pub fn proxy(&self, profile: &Profile, url: &Url) -> Option<&Proxy> {
        let proxies = self.proxies.as_ref().ok()?;
        proxies.of(url).filter(|_| profile.proxies)
    }

    /// The client of `profile` for the origin of `url`, built at the first call.
    ///
    /// # Errors
    /// A CA file or a proxy variable that cannot be used.
    pub(super) fn client(&self, profile: &Profile, url: &Url) -> Result<Client, ClientError> {
        Ok(self.kept(profile, url)?.0.client)
    }

    /// Opens a connection to `url` for the next request, without sending one. If that fails, the request
    /// reports it.
    ///
    /// A client that was used already is left alone: it has a connection, and would ask over it.
    pub async fn preconnect(&self, profile: &Profile, url: &Url) {
        if !profile.permits(url) {
            return;
        }
        if let Ok((Pooled { client, preconnect }, Age::New)) = self.kept(profile, url) {
            preconnect.open(&client, url.clone()).await;
        }
    }

    fn kept(&self, profile: &Profile, url: &Url) -> Result<(Pooled, Age), ClientError> {
        let key = (profile.name, profile.reach, url.origin().ascii_serialization());
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = clients.get(&key) {
            return Ok((kept.clone(), Age::Used));
        }
        let preconnect = Preconnect::new(profile.connect);
        let client = self.build(profile, url, preconnect.clone())?;
        let kept = Pooled { client, preconnect };
        clients.insert(key, kept.clone());
        Ok((kept, Age::New))
    }

    /// Remembers `secret`, so that [`Net::redact`] removes it.
    pub fn guard(&self, secret: &str) {
        self.redactor.guard(secret);
    }

    /// `text` without the secrets of this run and without anything that has the form of a JWT.
    pub fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    /// The end of the whole run.
    pub fn deadline(&self) -> Option<Instant> {
        self.options.deadline
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        if let Some(observer) = &self.options.observer {
            observer(event);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where HTTP clients are built")]
    fn build(
        &self,
        profile: &Profile,
        url: &Url,
        preconnect: Preconnect,
    ) -> Result<Client, ClientError> {
        let mut builder = Client::builder()
            .user_agent(&self.options.user_agent)
            .connect_timeout(profile.connect)
            .redirect(redirect::Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .tls_certs_only(self.roots()?.certificates.iter().cloned())
            .connector_layer(preconnect)
            .no_proxy();
        if !profile.http2 {
            builder = builder.http1_only();
        }
        if let (true, Err(error)) = (profile.proxies, &self.proxies) {
            return Err(error.clone());
        }
        // A client has one origin, so one proxy or none.
        // A proxy has its own name, which is resolved as any other, and resolves those of servers.
        builder = match self.proxy(profile, url) {
            Some(proxy) => builder.proxy(proxy.for_client()?),
            None => match self.resolver(profile) {
                Some(resolver) => builder.dns_resolver(resolver),
                None => builder,
            },
        };
        builder.build().map_err(|error| ClientError::Build { why: chain(&error) })
    }

    fn resolver(&self, profile: &Profile) -> Option<Arc<dyn Resolve>> {
        let reach = match profile.plain_http {
            PlainHttp::LoopbackNames => return Some(Arc::new(LoopbackResolver)),
            PlainHttp::BeyondLink => profile.reach.max(Reach::BeyondLink),
            PlainHttp::Anywhere | PlainHttp::LoopbackLiterals => profile.reach,
        };
        let lookup = self.lookup.clone();
        if reach == Reach::Anywhere {
            return None;
        }
        Some(Arc::new(WithinReach { lookup, reach }))
    }

    /// The addresses of the host of `url`, for a check before a request with a [`Reach`], which connects to them and
    /// to no others for a minute. None if the name does not resolve, as behind a proxy.
    pub async fn addresses(&self, url: &Url) -> Vec<IpAddr> {
        self.lookup.of(url).await
    }

    pub(super) fn roots(&self) -> Result<&Roots, ClientError> {
        let roots = self.roots.get_or_init(|| self.places.read());
        roots.as_ref().map_err(Clone::clone)
    }

    /// Returns `true` if no server is trusted, because no CA file was found.
    pub(super) fn has_no_roots(&self) -> bool {
        self.roots().is_ok_and(|roots| roots.certificates.is_empty())
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").finish_non_exhaustive()
    }
}

/// Whether `url` may be used at all: `https`, or `http` to a loopback IP literal, and no user
/// information in it.
pub fn plain_http_allowed(url: &Url) -> bool {
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    scheme && !has_user(url)
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use crate::{Clock, Env, Net, NetOptions};

    #[test]
    fn the_password_of_a_proxy_is_secret() {
        for (name, value) in [
            ("HTTPS_PROXY", "http://user:c4n4ry@proxy.example:8080"),
            ("http_proxy", "user:c4n4ry@proxy.example"),
            ("ALL_PROXY", "http://:c4n4ry@proxy.example/"),
            ("HTTPS_PROXY", "socks5://user:c4n4ry@proxy.example"),
            ("HTTPS_PROXY", "http://user:c%34n4ry@proxy.example"),
        ] {
            let env = Env::from_iter([(name, value)]);
            let net = Net::new(&env, Clock::system(), NetOptions::default());
            assert_eq!(net.redact("is c4n4ry"), "is ***", "{value}");
        }
        // A proxy that repeats what it was sent.
        let env = Env::from_iter([("HTTPS_PROXY", "http://user:c4n4ry@proxy.example:8080")]);
        let net = Net::new(&env, Clock::system(), NetOptions::default());
        assert_eq!(net.redact("Basic dXNlcjpjNG40cnk="), "Basic ***");
    }
}
