// SPDX-License-Identifier: Apache-2.0
//! The address of the metadata server, and requests to it.

use std::net::{Ipv4Addr, Ipv6Addr};

use ambisign_host::request::{get, received, shape};
use ambisign_host::{Answer, CallLimits, Host, Token};
use reqwest::StatusCode;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use url::{Host as UrlHost, Url};
use zeroize::ZeroizeOnDrop;

use super::error::Error;
use crate::providers::file::read_small;
use crate::{http, limits};

/// A header that every request has and every answer must have. Other servers do not send it, and a browser
/// that is lured there does not send it either.
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const GOOGLE: HeaderValue = HeaderValue::from_static("Google");

/// An IP address, so that no resolver can choose the server.
const ADDRESS: &str = "169.254.169.254";
const METADATA_NAME: &str = "metadata.google.internal";

/// The variables with another address, in order of precedence.
const ADDRESSES: [&str; 3] = ["GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"];

/// The path prefix for the account of this machine.
pub(super) const ACCOUNT: &str = "computeMetadata/v1/instance/service-accounts/default/";

/// The address of the metadata server, and the limits of requests.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    base: Url,
    limits: CallLimits,
}

impl Metadata {
    /// Finds the server that the environment names.
    pub(crate) fn locate(host: &Host) -> Result<Self, Error> {
        if host.env.get("GCE_METADATA_MTLS_MODE") == Some("strict") {
            return Err(Error::MutualTls);
        }
        let named =
            ADDRESSES.into_iter().find_map(|variable| Some((variable, host.env.get(variable)?)));
        let (variable, address) = named.unwrap_or(("", ADDRESS));
        let base =
            base_url(address).ok_or_else(|| Error::Host { variable, host: address.to_owned() })?;
        let limits = match (is_here(host), is_kubernetes(host)) {
            (true, true) => limits::METADATA_OF_POD,
            (true, false) => limits::METADATA,
            (false, _) => limits::METADATA_PROBE,
        };
        Ok(Self { base, limits })
    }

    /// Requests a value about this machine. Returns answers with any status.
    pub(super) async fn ask(
        &self,
        host: &Host,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        let mut url = self.base.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let answer = http::send(host, &self.limits, get(url, [(FLAVOR, GOOGLE)])).await?;
        if answer.header(FLAVOR) != Some("Google") {
            let host = self.base.host_str().unwrap_or_default().to_owned();
            return Err(Error::Flavor { host });
        }
        Ok(answer)
    }

    /// An access token of the machine's account for Google's APIs.
    pub(crate) async fn access_token(&self, host: &Host) -> Result<Token, Error> {
        #[derive(Deserialize, ZeroizeOnDrop)]
        struct Body {
            access_token: String,
        }

        let scope = [("scopes", "https://www.googleapis.com/auth/cloud-platform")];
        let answer = self.ask(host, &format!("{ACCOUNT}token"), &scope).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(Error::NoServiceAccount),
            _ => return Err(refused(host, &answer)),
        }
        let body: Body =
            answer.json().ok_or_else(|| Error::Unreadable { shape: shape(&answer) })?;
        received(&host.net, &body.access_token).ok_or(Error::Empty)
    }

    /// The account of this machine, if it has one. In a pod, it may not be an e-mail address.
    pub(crate) async fn account(&self, host: &Host) -> Result<Option<String>, Error> {
        let answer = self.ask(host, &format!("{ACCOUNT}email"), &[]).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.excerpt(&host.net)).filter(|name| !name.is_empty())),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(host, &answer)),
        }
    }

    /// The domain of this machine's Google APIs; `None` for the default one.
    pub(crate) async fn universe(&self, host: &Host) -> Result<Option<String>, Error> {
        let path = "computeMetadata/v1/universe/universe-domain";
        let answer = self.ask(host, path, &[]).await?;
        match answer.status {
            StatusCode::OK => {
                let name = String::from_utf8_lossy(&answer.body).trim().to_owned();
                if name.is_empty() {
                    return Ok(None);
                }
                is_domain(&name)
                    .then_some(Some(name))
                    .ok_or_else(|| Error::Unreadable { shape: shape(&answer) })
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(host, &answer)),
        }
    }
}

pub(super) fn refused(host: &Host, answer: &Answer) -> Error {
    Error::Refused { status: answer.status.as_u16(), excerpt: answer.excerpt(&host.net) }
}

/// Returns `true` if this is a Google machine, or if the environment names a metadata server.
pub fn is_here(host: &Host) -> bool {
    if host.env.get("NO_GCE_CHECK") == Some("true") {
        return false;
    }
    let has = |name: &&str| host.env.get(name).is_some();
    let product = read_small(&host.path("/sys/class/dmi/id/product_name")).unwrap_or_default();
    ["Google", "Google Compute Engine"].contains(&product.trim())
        || ADDRESSES.iter().any(has)
        || ["K_SERVICE", "K_REVISION"].iter().all(has)
        || ["CLOUD_RUN_JOB", "CLOUD_RUN_EXECUTION"].iter().all(has)
        || is_cloud_build(host)
}

/// Returns `true` in a step of Cloud Build.
pub fn is_cloud_build(host: &Host) -> bool {
    host.env.get("BUILDER_OUTPUT").is_some()
        || (host.env.get("HOME") == Some("/builder/home") && host.path("/builder").is_dir())
}

pub(super) fn is_kubernetes(host: &Host) -> bool {
    host.env.get("KUBERNETES_SERVICE_HOST").is_some()
}

/// `address` is a host with or without a port. Only loopback, link-local and private addresses are
/// accepted, because a variable must not redirect these requests to a public server.
fn base_url(address: &str) -> Option<Url> {
    let url = Url::parse(&format!("http://{address}/")).ok()?;
    let near = match url.host()? {
        UrlHost::Domain(name) => name == METADATA_NAME,
        UrlHost::Ipv4(address) => is_near(address),
        UrlHost::Ipv6(address) => is_near_6(address),
    };
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    (near && bare).then_some(url)
}

fn is_near(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_link_local() || address.is_private()
}

fn is_near_6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unicast_link_local() || address.is_unique_local()
}

fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::{base_url, is_domain, is_here};
    use crate::choose::tests::Place;

    #[test]
    fn the_metadata_server_is_near() {
        for address in [
            "169.254.169.254",
            "127.0.0.1:8080",
            "10.1.2.3",
            "192.168.0.1:80",
            "[::1]:8080",
            "[fd20:ce::254]",
            "metadata.google.internal",
        ] {
            assert!(base_url(address).is_some(), "{address}");
        }
        for address in [
            "8.8.8.8",
            "example.com",
            "metadata.google.internal.example.com",
            "localhost",
            "127.0.0.1/path",
            "127.0.0.1?query",
            "127.0.0.1#",
            "user@127.0.0.1",
            "[2001:db8::1]",
            "[::ffff:8.8.8.8]",
            "",
        ] {
            assert!(base_url(address).is_none(), "{address}");
        }
    }

    #[test]
    fn marks() {
        assert!(!is_here(&Place::new().host()));
        let google =
            || Place::new().file("/sys/class/dmi/id/product_name", "Google Compute Engine\n");
        assert!(is_here(&google().host()));
        assert!(!is_here(&google().var("NO_GCE_CHECK", "true").host()));
        let other = Place::new().file("/sys/class/dmi/id/product_name", "Google Pixelbook\n");
        assert!(!is_here(&other.host()));
        assert!(!is_here(&Place::new().var("K_SERVICE", "x").host()));
        let build = Place::new().var("HOME", "/builder/home");
        assert!(is_here(&build.file("/builder/x", "").host()));
    }

    #[test]
    fn universes_are_domains() {
        assert!(is_domain("googleapis.com"));
        for name in ["", "com", "a..b", "a.b/c", "a.b:1", "a.b@c.d"] {
            assert!(!is_domain(name), "{name}");
        }
    }
}
