// SPDX-License-Identifier: Apache-2.0
//! Where a registry may send us: a public registry may not point us at our own network, and none at
//! the metadata server of the machine.

use std::net::IpAddr;

use ambisign_host::{
    Net, Reach, is_link_local, is_loopback, is_metadata_name, is_public, resolves_to_loopback,
};
use url::Url;

/// Where a registry is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its URL.
    pub(crate) url: Url,
    /// The addresses that answered as it, if any has and no proxy is in between. What its name server says later
    /// does not count.
    pub(crate) seen: Vec<IpAddr>,
}

impl Place {
    async fn addresses(&self, net: &Net) -> Vec<IpAddr> {
        if self.seen.is_empty() { net.addresses(&self.url).await } else { self.seen.clone() }
    }
}

/// Whether the registry at `registry` may send a request of ours to `target`, and where that request may connect to.
///
/// It must be https. Plain HTTP is for the host of a registry that speaks it itself, and for addresses of
/// this machine when the registry is on it. Addresses that are not public are refused only when the registry has
/// public ones, so that on-premises installations work. Where names do not resolve (behind a proxy) nothing is
/// known, and the proxy decides. Metadata servers are never asked.
///
/// # Errors
/// Why not, as the end of a sentence that begins with the target.
pub(crate) async fn permit(
    net: &Net,
    registry: &Place,
    target: &Url,
) -> Result<Reach, &'static str> {
    if target.scheme() != "https" && !may_be_plain(&registry.url, target).await {
        return Err("is not https");
    }
    may_lead(net, registry, target).await
}

/// Whether the registry at `registry` may send a read of ours to `target`, when the digest of what comes is known
/// and no proof goes along.
///
/// As [`permit`], but plain HTTP will do: it shows what is read to the network, and the registry has
/// decided that. It reaches this machine or this site only if the registry is known to be there.
///
/// # Errors
/// Why not, as the end of a sentence that begins with the target.
pub(crate) async fn permit_content(
    net: &Net,
    registry: &Place,
    target: &Url,
) -> Result<Reach, &'static str> {
    if !matches!(target.scheme(), "https" | "http") {
        return Err("is neither https nor http");
    }
    may_lead(net, registry, target).await
}

/// What holds for every request that leaves the registry.
async fn may_lead(net: &Net, registry: &Place, target: &Url) -> Result<Reach, &'static str> {
    if !target.username().is_empty() || target.password().is_some() {
        return Err("contains a user name");
    }
    let is_same = registry.url.host() == target.host();
    let there = async { if is_same { Vec::new() } else { net.addresses(target).await } };
    let (found, there) = tokio::join!(registry.addresses(net), there);
    let registry_is_public = !found.is_empty() && found.iter().all(is_public);
    let reach = if registry_is_public { Reach::Public } else { Reach::BeyondLink };
    if is_same {
        return Ok(reach);
    }
    if is_metadata_name(target) || there.iter().any(is_link_local) {
        return Err("is a link-local address or a metadata server");
    }
    let is_plain = target.scheme() == "http";
    let is_inward = !there.iter().all(|address| reach.allows(address));
    if is_inward || (is_plain && !is_reachable_from(&found, &there)) {
        return Err("has a private address, and the registry is not known to have one");
    }
    Ok(reach)
}

/// Returns `true` if plain HTTP to `target` exposes no more than plain HTTP to the registry already does.
async fn may_be_plain(registry: &Url, target: &Url) -> bool {
    registry.scheme() == "http"
        && target.scheme() == "http"
        && (registry.host() == target.host()
            || (is_loopback(target) && resolves_to_loopback(registry).await))
}

/// Whether the registry is where `target` is: on this machine, or in a private network, as far as
/// there is one of them.
fn is_reachable_from(registry: &[IpAddr], target: &[IpAddr]) -> bool {
    let is_here = |address: &IpAddr| address.to_canonical().is_loopback();
    let registry_is_here = registry.iter().any(is_here);
    let registry_is_private = !registry.iter().all(is_public);
    (registry_is_here || !target.iter().any(is_here))
        && (registry_is_private || target.iter().all(is_public))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use ambisign_host::{Clock, Env, Net, NetOptions, Reach};
    use url::Url;

    use super::{Place, permit, permit_content};

    fn net() -> Net {
        Net::new(&Env::default(), Clock::system(), NetOptions::default())
    }

    fn at(url: &Url) -> Place {
        Place { url: url.clone(), seen: Vec::new() }
    }

    /// What answered as the registry decides, and not what its name server says to the next question.
    #[tokio::test]
    async fn refuses_the_way_inward_only() {
        let url = |text: &str| -> Url { text.parse().unwrap() };
        let place = |seen: &[&str]| {
            let seen: Vec<IpAddr> = seen.iter().map(|text| text.parse().unwrap()).collect();
            Place { url: url("https://registry.invalid/v2/"), seen }
        };
        let inward = Err("has a private address, and the registry is not known to have one");
        let link = Err("is a link-local address or a metadata server");
        for (seen, target, expected) in [
            (&["8.8.8.8"][..], "https://8.8.4.4/token", Ok(Reach::Public)),
            (&["8.8.8.8"], "https://name.invalid/token", Ok(Reach::Public)),
            (&["8.8.8.8"], "https://10.0.0.1/token", inward),
            (&["8.8.8.8"], "https://198.18.0.1/token", inward),
            (&["8.8.8.8"], "https://[64:ff9b::10.0.0.1]/token", inward),
            (&["8.8.8.8"], "https://[64:ff9b:1::1]/token", inward),
            (&["8.8.8.8"], "https://[2002:a00:1::]/token", inward),
            (&["8.8.8.8"], "https://[fec0::1]/token", inward),
            (&["8.8.8.8"], "https://[::10.0.0.1]/token", inward),
            (&["10.0.0.2"], "https://10.0.0.1/token", Ok(Reach::BeyondLink)),
            (&["10.0.0.2"], "https://8.8.8.8/token", Ok(Reach::BeyondLink)),
            (&["10.0.0.2"], "https://169.254.169.254/token", link),
            (&[], "https://10.0.0.1/token", Ok(Reach::BeyondLink)),
        ] {
            let permitted = permit(&net(), &place(seen), &url(target)).await;
            assert_eq!(permitted, expected, "{seen:?} {target}");
        }
    }

    #[tokio::test]
    async fn wants_https() {
        let url = |text: &str| text.parse().unwrap();
        let public: Url = url("https://8.8.8.8/v2/");
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
            assert_eq!(
                permit(&net(), &at(registry), &url(target)).await.is_ok(),
                ok,
                "{registry} {target}"
            );
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
            let permitted = permit_content(&net(), &at(registry), &url(target)).await;
            assert_eq!(permitted.is_ok(), ok, "{registry} {target}");
        }
    }
}
