// SPDX-License-Identifier: Apache-2.0
//! The addresses of names to which others send us. Such a name is resolved once: the addresses that were checked are
//! those that are connected to, so a name server cannot answer a second question in another way.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use super::link_local::is_link_local;
use super::loopback::is_localhost;
use super::special::is_public;

/// The longest time that a name may take to resolve.
const RESOLVE: Duration = Duration::from_secs(5);

/// How long the addresses of a name are used. Later they are asked for and checked again.
const FRESH: Duration = Duration::from_secs(60);

/// Where a request may connect to, whatever a name server says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Anywhere: somebody named the server who may.
    #[default]
    Anywhere,
    /// To no link-local address and no metadata server.
    BeyondLink,
    /// To addresses of the public internet alone.
    Public,
}

impl Reach {
    /// Whether a connection to `address` is within it.
    pub fn allows(self, address: &IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::BeyondLink => !is_link_local(address),
            Self::Public => is_public(address) && !is_link_local(address),
        }
    }
}

/// The names that were resolved, with their addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookup(Arc<Mutex<BTreeMap<String, Resolved>>>);

/// When a name was resolved, and its addresses.
type Resolved = (Instant, Vec<IpAddr>);

impl Lookup {
    /// The addresses of the host of `url`; none if it does not resolve, as behind a proxy.
    pub(super) async fn of(&self, url: &Url) -> Vec<IpAddr> {
        match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) if is_localhost(name) => vec![Ipv4Addr::LOCALHOST.into()],
            Some(Host::Domain(name)) => self.resolve(name).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if let Some(known) = self.known(name) {
            return Ok(known);
        }
        let found = timeout(RESOLVE, tokio::net::lookup_host((name, 0)));
        let found = found.await.map_err(|_late| io::ErrorKind::TimedOut)??;
        let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), (Instant::now(), addresses.clone()));
        Ok(addresses)
    }

    fn known(&self, name: &str) -> Option<Vec<IpAddr>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, addresses) = all.get(name)?;
        (since.elapsed() < FRESH).then(|| addresses.clone())
    }
}

/// A resolver that gives only addresses within its reach.
pub(super) struct WithinReach {
    pub(super) lookup: Lookup,
    pub(super) reach: Reach,
}

impl Resolve for WithinReach {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, reach) = (self.lookup.clone(), self.reach);
        Box::pin(async move {
            let found = lookup.resolve(name.as_str()).await?;
            let addresses: Addrs = Box::new(within(&found, reach)?.into_iter());
            Ok(addresses)
        })
    }
}

/// The addresses of `found` that are within `reach`.
///
/// # Errors
/// No address is within reach. For [`Reach::Public`], one that is not public is an error as well, because a name with
/// a public and a private address is a trap.
fn within(found: &[IpAddr], reach: Reach) -> io::Result<Vec<SocketAddr>> {
    let allowed: Vec<_> = found.iter().filter(|address| reach.allows(address)).collect();
    if allowed.is_empty() || (reach == Reach::Public && allowed.len() != found.len()) {
        return Err(io::Error::other(match reach {
            Reach::Anywhere => "the name has no address",
            Reach::BeyondLink => "the name has link-local addresses only",
            Reach::Public => "the name has an address that is not public",
        }));
    }
    Ok(allowed.into_iter().map(|address| SocketAddr::new(*address, 0)).collect())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tokio::time::Instant;

    use super::{Lookup, Reach, within};

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_name_leads_to_no_address_out_of_reach() {
        for (reach, found, expected) in [
            (Reach::Anywhere, &["169.254.169.254"][..], Some(1)),
            (Reach::BeyondLink, &["169.254.169.254", "10.0.0.1"], Some(1)),
            (Reach::BeyondLink, &["169.254.169.254"], None),
            (Reach::BeyondLink, &["fd00:ec2::254"], None),
            (Reach::Public, &["8.8.8.8", "2606:4700::1111"], Some(2)),
            (Reach::Public, &["8.8.8.8", "10.0.0.1"], None),
            (Reach::Public, &["198.18.0.1"], None),
            (Reach::Public, &["127.0.0.1"], None),
            (Reach::Public, &[], None),
        ] {
            let allowed = within(&addresses(found), reach).ok().map(|allowed| allowed.len());
            assert_eq!(allowed, expected, "{reach:?} {found:?}");
        }
    }

    /// A name server that answers the check with a public address and the connection with a private one is not
    /// asked the second time.
    #[tokio::test]
    async fn a_name_is_resolved_once() {
        let lookup = Lookup::default();
        let checked = addresses(&["192.0.2.7"]);
        let known = (Instant::now(), checked.clone());
        lookup.0.lock().unwrap().insert("localhost.invalid".to_owned(), known);
        assert_eq!(lookup.of(&"https://localhost.invalid/x".parse().unwrap()).await, checked);
        assert_eq!(lookup.resolve("localhost.invalid").await.unwrap(), checked);
        assert!(lookup.resolve("other.invalid").await.is_err());
    }
}
