// SPDX-License-Identifier: Apache-2.0
//! Where a registry may send us: a public registry may not point us at our own network, and none at
//! the metadata server of the machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ambisign_host::{
    is_link_local, is_localhost, is_loopback, is_metadata_name, resolves_to_loopback,
};
use tokio::time::timeout;
use url::{Host, Url};

/// The time limit for resolving a name.
const RESOLVE: Duration = Duration::from_secs(5);

/// Whether the registry at `registry` may send a request of ours to `target`.
///
/// It must be https. Plain HTTP is for the host of a registry that speaks it itself, and for
/// addresses of this machine when the registry is on it. Private addresses are refused only when the
/// registry has public ones, so that on-premises installations work. Where names do not resolve
/// (behind a proxy) nothing is known, and the proxy decides. Metadata servers are never asked.
///
/// # Errors
/// Why not, as the end of a sentence that begins with the target.
pub(crate) async fn permit(registry: &Url, target: &Url) -> Result<(), &'static str> {
    if target.scheme() != "https" && !may_be_plain(registry, target).await {
        return Err("is not https");
    }
    may_lead(registry, target).await
}

/// Whether the registry at `registry` may send a read of ours to `target`, when the digest of what
/// comes is known and no proof goes along.
///
/// As [`permit`], but plain HTTP will do: it shows what is read to the network, and the registry has
/// decided that. It reaches this machine or this site only if the registry is known to be there.
///
/// # Errors
/// Why not, as the end of a sentence that begins with the target.
pub(crate) async fn permit_content(registry: &Url, target: &Url) -> Result<(), &'static str> {
    if !matches!(target.scheme(), "https" | "http") {
        return Err("is neither https nor http");
    }
    may_lead(registry, target).await
}

/// What holds for every request that leaves the registry.
async fn may_lead(registry: &Url, target: &Url) -> Result<(), &'static str> {
    if !target.username().is_empty() || target.password().is_some() {
        return Err("contains a user name");
    }
    if registry.host() == target.host() {
        return Ok(());
    }
    let (found, there) = tokio::join!(resolve(registry), resolve(target));
    if is_metadata_name(target) || there.iter().any(is_link_local) {
        return Err("is a link-local address or a metadata server");
    }
    let is_plain = target.scheme() == "http";
    if is_inward(&found, &there) || (is_plain && !is_reachable_from(&found, &there)) {
        return Err("has a private address, and the registry is not known to have one");
    }
    Ok(())
}

/// Returns `true` if plain HTTP to `target` exposes no more than plain HTTP to the registry already does.
async fn may_be_plain(registry: &Url, target: &Url) -> bool {
    registry.scheme() == "http"
        && target.scheme() == "http"
        && (registry.host() == target.host()
            || (is_loopback(target) && resolves_to_loopback(registry).await))
}

/// Whether a registry with public addresses alone sends us to a private one.
fn is_inward(registry: &[IpAddr], target: &[IpAddr]) -> bool {
    let registry_is_public = !registry.is_empty() && !registry.iter().any(is_private);
    registry_is_public && target.iter().any(is_private)
}

/// Whether the registry is where `target` is: on this machine, or in a private network, as far as
/// there is one of them.
fn is_reachable_from(registry: &[IpAddr], target: &[IpAddr]) -> bool {
    let is_here = |address: &IpAddr| address.to_canonical().is_loopback();
    let registry_is_here = registry.iter().any(is_here);
    let registry_is_private = registry.iter().any(is_private);
    (registry_is_here || !target.iter().any(is_here))
        && (registry_is_private || !target.iter().any(is_private))
}

async fn resolve(url: &Url) -> Vec<IpAddr> {
    let name = match url.host() {
        Some(Host::Ipv4(address)) => return vec![address.into()],
        Some(Host::Ipv6(address)) => return vec![address.into()],
        Some(Host::Domain(name)) if is_localhost(name) => return vec![Ipv4Addr::LOCALHOST.into()],
        Some(Host::Domain(name)) => name,
        None => return Vec::new(),
    };
    let port = url.port_or_known_default().unwrap_or(443);
    match timeout(RESOLVE, tokio::net::lookup_host((name, port))).await {
        Ok(Ok(addresses)) => addresses.map(|address| address.ip()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

/// Returns `true` for addresses of this machine, this link, this site or a carrier's network.
fn is_private(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(*address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_private_v4(mapped),
            None => is_private_v6(*address),
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || a == 0
        || (a == 100 && (64..128).contains(&b)) // RFC 6598
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::{is_inward, is_private, permit, permit_content};

    #[test]
    fn tells_private_addresses() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "fd20:ce::254",
        ] {
            assert!(is_private(&text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(!is_private(&text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn refuses_the_way_inward_only() {
        let public = ["8.8.8.8".parse().unwrap()];
        let private = ["10.0.0.1".parse().unwrap()];
        assert!(is_inward(&public, &private));
        assert!(!is_inward(&private, &private));
        assert!(!is_inward(&private, &public));
        assert!(!is_inward(&[], &private));
        assert!(!is_inward(&public, &[]));
    }

    #[tokio::test]
    async fn wants_https() {
        let url = |text: &str| text.parse().unwrap();
        let public = url("https://8.8.8.8/v2/");
        let local = url("http://127.0.0.1:5000/v2/");
        let named = url("http://localhost:5000/v2/");
        let plain = url("http://8.8.8.8/v2/");
        for (registry, target, ok) in [
            (&public, "https://8.8.4.4/token", true),
            (&public, "https://10.0.0.1/token", false),
            (&public, "http://8.8.8.8/token", false),
            (&public, "http://127.0.0.1/token", false),
            (&public, "https://127.0.0.1/token", false),
            (&public, "https://u:p@8.8.8.8/token", false),
            (&public, "ftp://8.8.8.8/token", false),
            (&local, "http://127.0.0.1:5001/token", true),
            (&local, "http://[::1]:5001/token", true),
            (&local, "https://8.8.8.8/token", true),
            (&local, "http://localhost/token", false),
            (&local, "http://8.8.8.8/token", false),
            (&named, "http://localhost:5001/token", true),
            (&named, "http://127.0.0.1:5001/token", true),
            (&named, "http://other.invalid/token", false),
            (&plain, "http://8.8.8.8:5001/token", true),
            (&plain, "http://127.0.0.1/token", false),
            (&plain, "http://8.8.4.4/token", false),
        ] {
            assert_eq!(permit(registry, &url(target)).await.is_ok(), ok, "{registry} {target}");
        }
    }

    /// Content that its digest proves may come over plain HTTP, but not from where only we are.
    #[tokio::test]
    async fn content_may_come_in_plain_http() {
        let url = |text: &str| text.parse().unwrap();
        let public = url("https://8.8.8.8/v2/");
        let site = url("https://10.0.0.1/v2/");
        let local = url("http://127.0.0.1:5000/v2/");
        let named = url("http://registry.localhost:5000/v2/");
        let unknown = url("https://registry.invalid/v2/");
        for (registry, target, ok) in [
            (&public, "http://8.8.4.4/blob", true),
            (&public, "https://8.8.4.4/blob", true),
            (&public, "http://storage.invalid/blob", true),
            (&public, "http://10.0.0.1/blob", false),
            (&public, "http://127.0.0.1/blob", false),
            (&public, "http://localhost/blob", false),
            (&public, "http://[::ffff:127.0.0.1]/blob", false),
            (&public, "http://169.254.169.254/blob", false),
            (&public, "http://[fe80::1]/blob", false),
            (&public, "http://metadata.google.internal/blob", false),
            (&public, "http://u:p@8.8.4.4/blob", false),
            (&public, "ftp://8.8.4.4/blob", false),
            (&site, "http://10.0.0.2/blob", true),
            (&site, "http://8.8.4.4/blob", true),
            (&site, "http://127.0.0.1/blob", false),
            (&site, "http://169.254.169.254/blob", false),
            (&site, "https://169.254.169.254/blob", false),
            (&site, "http://[fd00:ec2::254]/blob", false),
            (&local, "http://127.0.0.1:9000/blob", true),
            (&local, "http://localhost:9000/blob", true),
            (&local, "http://10.0.0.2/blob", true),
            (&local, "http://8.8.4.4/blob", true),
            (&local, "http://169.254.169.254/blob", false),
            (&named, "http://127.0.0.1:9000/blob", true),
            (&unknown, "http://8.8.4.4/blob", true),
            (&unknown, "http://10.0.0.1/blob", false),
            (&unknown, "http://127.0.0.1/blob", false),
            (&unknown, "https://10.0.0.1/blob", true),
        ] {
            let permitted = permit_content(registry, &url(target)).await;
            assert_eq!(permitted.is_ok(), ok, "{registry} {target}");
        }
    }
}
