// SPDX-License-Identifier: Apache-2.0
//! Names of this machine. Plain HTTP to them is as safe as to `127.0.0.1`, if only loopback addresses are
//! used.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::timeout;
use url::{Host, Url};

/// The longest time that a name may take to resolve.
const RESOLVE: Duration = Duration::from_secs(2);

/// Whether `url` names the machine itself by an IP literal. A name such as `localhost` does not
/// count: a resolver decides what it means.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// Whether the host of `url` is a loopback IP literal, or a name of which all addresses are loopback.
pub async fn resolves_to_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => loopback_addresses(name).await.is_ok(),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => is_loopback(url),
        None => false,
    }
}

/// Whether `name` means this machine everywhere, so that it is never looked up (RFC 6761 6.3).
pub fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// A resolver that knows this machine alone.
pub(crate) struct LoopbackResolver;

impl Resolve for LoopbackResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Addrs = Box::new(loopback_addresses(name.as_str()).await?.into_iter());
            Ok(addresses)
        })
    }
}

/// The addresses of `name`, with port 0.
///
/// # Errors
/// It does not resolve, or one of them is not a loopback address.
async fn loopback_addresses(name: &str) -> io::Result<Vec<SocketAddr>> {
    if is_localhost(name) {
        return Ok(vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]);
    }
    let found = timeout(RESOLVE, tokio::net::lookup_host((name, 0)));
    let addresses: Vec<_> = found.await.map_err(|_late| io::ErrorKind::TimedOut)??.collect();
    if !addresses.is_empty() && addresses.iter().all(|address| address.ip().is_loopback()) {
        return Ok(addresses);
    }
    Err(io::Error::other("the name is not one of this machine"))
}

#[cfg(test)]
mod tests {
    use super::{loopback_addresses, resolves_to_loopback};

    #[tokio::test]
    async fn tells_the_names_of_this_machine() {
        for (text, expected) in [
            ("http://localhost:5000/", true),
            ("http://registry.localhost/", true),
            ("http://127.0.0.2:5000/", true),
            ("http://[::1]/", true),
            ("http://8.8.8.8/", false),
            ("http://localhost.invalid/", false),
            ("http://xlocalhost.invalid/", false),
        ] {
            let url = text.parse().unwrap();
            assert_eq!(resolves_to_loopback(&url).await, expected, "{text}");
        }
    }

    #[tokio::test]
    async fn connects_to_no_other_machine() {
        assert!(loopback_addresses("name.invalid").await.is_err());
        // An IP literal resolves to itself.
        assert!(loopback_addresses("8.8.8.8").await.is_err());
    }
}
