// SPDX-License-Identifier: Apache-2.0
//! The transport to a registry: TLS or plain HTTP.

use ambisign_host::{Profile, Warning, is_localhost, is_loopback, resolves_to_loopback};
use url::{Host, Url};

use crate::limits::{REGISTRY_ON_LOOPBACK, REGISTRY_WITHOUT_TLS, STORAGE_WITHOUT_TLS};
use crate::options::PlainHttp;
use crate::warnings::PLAIN_HTTP;

/// The transport to a registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Plain HTTP, because the user allows it.
    AllowedHttp,
    /// TLS, or plain HTTP if the host is a loopback IP literal.
    #[default]
    Default,
    /// Plain HTTP, to a name of this machine.
    LoopbackHttp,
}

impl Transport {
    /// The initial transport for `registry`, and whether plain HTTP is allowed if it does not support
    /// TLS.
    pub(crate) fn allowed(plain_http: &PlainHttp, registry: &str) -> (Self, bool) {
        match plain_http {
            PlainHttp::IfNoTls => (Self::Default, true),
            PlainHttp::Named(hosts) if hosts.contains(registry) => (Self::AllowedHttp, true),
            PlainHttp::Named(_) | PlainHttp::Never => (Self::Default, false),
        }
    }

    /// `url` of the registry, with the scheme of its transport.
    pub(crate) fn applied_to(self, mut url: Url) -> Url {
        match self {
            Self::AllowedHttp | Self::LoopbackHttp => {
                // Changing one special scheme into another cannot fail.
                let _done = url.set_scheme("http");
                url
            }
            Self::Default => url,
        }
    }

    /// The profile of a request to `url`; `default` for TLS.
    pub(crate) fn profile(self, default: Profile, url: &Url) -> Profile {
        match self {
            Self::AllowedHttp if url.scheme() == "http" => REGISTRY_WITHOUT_TLS,
            Self::LoopbackHttp if url.scheme() == "http" => REGISTRY_ON_LOOPBACK,
            Self::AllowedHttp | Self::Default | Self::LoopbackHttp => default,
        }
    }
}

/// The profile of a read of content from storage at `url`, to which the registry sends us; `default`
/// for one with TLS, or on this machine.
pub(crate) fn of_storage(default: Profile, url: &Url) -> Profile {
    if url.scheme() == "http" && !is_loopback(url) { STORAGE_WITHOUT_TLS } else { default }
}

/// Returns `true` if the registry at `base` has a name of this machine. Only names with a port are
/// looked up, as local registries have one: behind a proxy, a lookup may take long, and public
/// registries have no port.
pub(crate) async fn may_be_local(base: &Url) -> bool {
    match base.host() {
        Some(Host::Domain(name)) if is_localhost(name) => true,
        Some(Host::Domain(_)) if base.port().is_some() => resolves_to_loopback(base).await,
        Some(_) | None => false,
    }
}

/// The warning about a registry that is used over plain HTTP on a network.
pub(crate) fn warning(registry: &str) -> Warning {
    Warning {
        code: PLAIN_HTTP,
        message: format!(
            "{registry} is used over plain HTTP: others on the network can read its login and \
             change what it serves"
        ),
    }
}

/// `url`, which the registry at `home` named, with the scheme and port of `home` if it is the same host
/// in plain HTTP. A registry behind a TLS proxy may not know that it is reached over TLS.
pub(crate) fn with_tls_of(home: &Url, mut url: Url) -> Url {
    let same_host = url.host() == home.host();
    let same_port = url.port() == home.port() || url.port().is_none();
    if home.scheme() == "https" && url.scheme() == "http" && same_host && same_port {
        // Changing one special scheme into another cannot fail, and such a URL has a port.
        let _done = url.set_scheme("https");
        let _done = url.set_port(home.port());
    }
    url
}

#[cfg(test)]
mod tests {
    use super::{Transport, with_tls_of};

    #[test]
    fn the_scheme_follows_the_registry() {
        for (from, to) in [
            ("https://localhost:5000/v2/a/", "http://localhost:5000/v2/a/"),
            ("https://registry.corp/v2/a/", "http://registry.corp/v2/a/"),
        ] {
            let url = Transport::LoopbackHttp.applied_to(from.parse().unwrap());
            assert_eq!(url.as_str(), to);
            let url = Transport::Default.applied_to(from.parse().unwrap());
            assert_eq!(url.as_str(), from);
        }
    }

    #[test]
    fn plain_http_on_the_same_host_becomes_tls() {
        for (home, named, expected) in [
            ("https://r.corp/v2/", "http://r.corp/up?a=1", "https://r.corp/up?a=1"),
            ("https://r.corp:8443/v2/", "http://r.corp:8443/up", "https://r.corp:8443/up"),
            ("https://r.corp:8443/v2/", "http://r.corp/up", "https://r.corp:8443/up"),
            ("https://r.corp/v2/", "http://r.corp:5000/up", "http://r.corp:5000/up"),
            ("https://r.corp/v2/", "http://other.corp/up", "http://other.corp/up"),
            ("http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000/up", "http://127.0.0.1:5000/up"),
        ] {
            let found = with_tls_of(&home.parse().unwrap(), named.parse().unwrap());
            assert_eq!(found.as_str(), expected, "{home}");
        }
    }
}
