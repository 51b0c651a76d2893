// SPDX-License-Identifier: Apache-2.0
//! The Google metadata server: what a VM, a pod, a Cloud Run service or a Cloud Build step may be.
//!
//! It proves which machine this is, not which job. It speaks plain HTTP, so its address is limited
//! to the machine's own surroundings, no proxy is used, and every answer must carry the header that
//! shows that a metadata server gave it.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::header::{HeaderName, HeaderValue};
use url::{Host as UrlHost, Url};

use crate::file::read_small;
use crate::request::{get, received, shape};
use crate::{
    Answer, Class, Detection, Explain, Hop, Host, HttpError, Kind, Options, Provider, Source,
    Token, hops,
};

/// The name of this provider.
pub(crate) const NAME: &str = "google-workload-identity";

pub(crate) const PROVIDER: Provider = Provider {
    name: NAME,
    variables: &[
        "GCE_METADATA_HOST",
        "K_SERVICE",
        "CLOUD_RUN_JOB",
        "BUILDER_OUTPUT",
    ],
    kind: Kind::Machine,
    detect,
};

/// Sent with every request and demanded of every answer: a server that does not know it is not the
/// metadata server, and a browser that was lured there does not send it.
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const GOOGLE: HeaderValue = HeaderValue::from_static("Google");

/// By address: no resolver has a say in who gives the identity.
const ADDRESS: &str = "169.254.169.254";
const METADATA_NAME: &str = "metadata.google.internal";

/// The variables that move the metadata server, in order of precedence.
const ADDRESSES: [&str; 3] = ["GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"];

const ACCOUNT: &str = "computeMetadata/v1/instance/service-accounts/default/";

/// Why the metadata server gives no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The build runs as Cloud Build's default account.
    #[error("Cloud Build's default service account cannot get identity tokens")]
    DefaultBuildAccount,
    /// The answer holds an empty token.
    #[error("the metadata server answered with an empty identity token")]
    Empty,
    /// What answered is something else.
    #[error("{host} does not answer as a Google metadata server does")]
    Flavor {
        /// Its host.
        host: String,
    },
    /// The variable names a machine outside of its surroundings.
    #[error("`{variable}` points to `{host}`, which cannot be a metadata server")]
    Host {
        /// The variable.
        variable: &'static str,
        /// What it names.
        host: String,
    },
    /// No whole answer.
    #[error("the metadata server gave no usable answer")]
    Http(#[from] HttpError),
    /// The metadata server asks for client certificates.
    #[error("`GCE_METADATA_MTLS_MODE` is `strict`, which is not supported")]
    MutualTls,
    /// There is an account, but no identity for it.
    #[error("the metadata server has no identity token for {account}")]
    NoIdentity {
        /// The account.
        account: String,
    },
    /// The machine has no account.
    #[error("this Google machine has no service account attached")]
    NoServiceAccount,
    /// The account of the build may not mint tokens for itself.
    #[error("{account} may not mint identity tokens for itself (the metadata server says 404)")]
    NotGranted {
        /// The account.
        account: String,
    },
    /// The Kubernetes account of the pod may not act as the Google account.
    #[error("this pod may not act as {account}")]
    NotImpersonable {
        /// The account.
        account: String,
    },
    /// The Kubernetes account of the pod stands for no Google account.
    #[error("the Kubernetes account of this pod is not linked to a Google service account")]
    NotLinked {
        /// The audience that a projected token should have.
        audience: String,
        /// Where it can be mounted.
        file: String,
    },
    /// The metadata server says no.
    #[error("the metadata server refused: HTTP {} `{excerpt}`", status.as_u16())]
    Refused {
        /// The status.
        status: StatusCode,
        /// The beginning of the answer.
        excerpt: String,
    },
    /// The answer is not what a metadata server answers.
    #[error("the answer of the metadata server was not understood: {shape}")]
    Unreadable {
        /// Its length and type.
        shape: String,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::DefaultBuildAccount => "gce/default-build-account",
            Self::Empty => "gce/empty",
            Self::Flavor { .. } => "gce/flavor",
            Self::Host { .. } => "gce/host",
            Self::Http(http) => return format!("gce/{}", http.variant()).into(),
            Self::MutualTls => "gce/mutual-tls",
            Self::NoIdentity { .. } => "gce/no-identity",
            Self::NoServiceAccount => "gce/no-service-account",
            Self::NotGranted { .. } => "gce/not-granted",
            Self::NotImpersonable { .. } => "gce/not-impersonable",
            Self::NotLinked { .. } => "gce/not-linked",
            Self::Refused { .. } => "gce/refused",
            Self::Unreadable { .. } => "gce/unreadable",
        }
        .into()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::DefaultBuildAccount => {
                "give the build its own `serviceAccount:`, or set `GOOGLE_SERVICE_ACCOUNT_NAME`"
                    .into()
            }
            Self::Empty | Self::Refused { .. } => "run again".into(),
            Self::Flavor { .. } | Self::Unreadable { .. } => {
                "run on Google Cloud, and check that nothing else answers at this address".into()
            }
            Self::Host { variable, .. } => {
                format!("unset `{variable}`, or name a loopback, link-local or private address")
                    .into()
            }
            Self::Http(http) => return http.fix(),
            Self::MutualTls => "set `GCE_METADATA_MTLS_MODE` to `default`".into(),
            Self::NoIdentity { .. } => {
                "set `GOOGLE_SERVICE_ACCOUNT_NAME` to the account to impersonate".into()
            }
            Self::NoServiceAccount => {
                "attach a service account, or set `GOOGLE_SERVICE_ACCOUNT_NAME`".into()
            }
            Self::NotGranted { account } => format!(
                "grant {account} `roles/iam.serviceAccountOpenIdTokenCreator` on itself, or set \
                 `GOOGLE_SERVICE_ACCOUNT_NAME`"
            )
            .into(),
            Self::NotImpersonable { account } => format!(
                "grant the Kubernetes account `roles/iam.workloadIdentityUser` on {account}"
            )
            .into(),
            Self::NotLinked { audience, file } => {
                format!("mount a projected token with audience `{audience}` at `{file}`").into()
            }
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Http(http) => http.class(),
            Self::DefaultBuildAccount
            | Self::Empty
            | Self::Flavor { .. }
            | Self::Host { .. }
            | Self::MutualTls
            | Self::NoIdentity { .. }
            | Self::NoServiceAccount
            | Self::NotGranted { .. }
            | Self::NotImpersonable { .. }
            | Self::NotLinked { .. }
            | Self::Refused { .. }
            | Self::Unreadable { .. } => Class::Identity,
        }
    }
}

/// Where the metadata server is, and how long it is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    base: Url,
    hop: Hop,
}

impl Metadata {
    /// The server that the environment names.
    pub(crate) fn locate(host: &Host) -> Result<Self, Error> {
        if host.env.get("GCE_METADATA_MTLS_MODE") == Some("strict") {
            return Err(Error::MutualTls);
        }
        let named = ADDRESSES
            .into_iter()
            .find_map(|variable| Some((variable, host.env.get(variable)?)));
        let (variable, address) = named.unwrap_or(("", ADDRESS));
        let base = base_url(address).ok_or_else(|| Error::Host {
            variable,
            host: address.to_owned(),
        })?;
        let hop = if is_kubernetes(host) {
            hops::METADATA_OF_POD
        } else if is_here(host) {
            hops::METADATA
        } else {
            hops::METADATA_PROBE
        };
        Ok(Self { base, hop })
    }

    /// The answer to a question about this machine, whatever its status.
    async fn ask(&self, host: &Host, path: &str, query: &[(&str, &str)]) -> Result<Answer, Error> {
        let mut url = self.base.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let answer = host
            .net
            .send(&self.hop, get(url, [(FLAVOR, GOOGLE)]))
            .await?;
        if answer.header(FLAVOR) != Some("Google") {
            let host = self.base.host_str().unwrap_or_default().to_owned();
            return Err(Error::Flavor { host });
        }
        Ok(answer)
    }

    /// An access token of the machine's account for Google's APIs.
    pub(crate) async fn access_token(&self, host: &Host) -> Result<Token, Error> {
        #[derive(serde::Deserialize)]
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
        let body: Body = answer.json().ok_or_else(|| Error::Unreadable {
            shape: shape(&answer),
        })?;
        received(&host.net, &body.access_token).ok_or(Error::Empty)
    }

    /// The account of this machine, if it has one; in a pod it may be no e-mail address.
    pub(crate) async fn account(&self, host: &Host) -> Result<Option<String>, Error> {
        let answer = self.ask(host, &format!("{ACCOUNT}email"), &[]).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.excerpt(&host.net)).filter(|name| !name.is_empty())),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(host, &answer)),
        }
    }

    /// The domain under which this machine's Google APIs are; `None` for the usual one.
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
                    .ok_or_else(|| Error::Unreadable {
                        shape: shape(&answer),
                    })
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(host, &answer)),
        }
    }
}

fn refused(host: &Host, answer: &Answer) -> Error {
    Error::Refused {
        status: answer.status,
        excerpt: answer.excerpt(&host.net),
    }
}

struct Machine {
    metadata: Metadata,
    token_file: String,
}

impl Source for Machine {
    fn token<'a>(
        &'a self,
        host: &'a Host,
        audience: &'a str,
    ) -> BoxFuture<'a, Result<Token, crate::Error>> {
        async { Ok(self.fetch(host, audience).await?) }.boxed()
    }

    fn renewable(&self) -> bool {
        true
    }
}

impl Machine {
    async fn fetch(&self, host: &Host, audience: &str) -> Result<Token, Error> {
        // The standard format has no `email` claim.
        let query = [("audience", audience), ("format", "full")];
        let path = format!("{ACCOUNT}identity");
        let answer = self.metadata.ask(host, &path, &query).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(self.diagnosis(host, audience).await),
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN if is_kubernetes(host) => {
                return Err(match self.metadata.account(host).await? {
                    Some(account) => Error::NotImpersonable { account },
                    None => Error::NoServiceAccount,
                });
            }
            _ => return Err(refused(host, &answer)),
        }
        let text = String::from_utf8_lossy(&answer.body);
        let token = received(&host.net, &text).ok_or(Error::Empty)?;
        if is_jwt(token.expose()) {
            return Ok(token);
        }
        Err(Error::Unreadable {
            shape: shape(&answer),
        })
    }

    /// Why there is no identity: the name of the account tells.
    async fn diagnosis(&self, host: &Host, audience: &str) -> Error {
        let account = match self.metadata.account(host).await {
            Ok(Some(account)) => account,
            Ok(None) => return Error::NoServiceAccount,
            Err(error) => return error,
        };
        if account.ends_with("@cloudbuild.gserviceaccount.com") {
            return Error::DefaultBuildAccount;
        }
        if is_cloud_build(host) {
            return Error::NotGranted { account };
        }
        if is_kubernetes(host) && !account.contains('@') {
            let (audience, file) = (audience.to_owned(), self.token_file.clone());
            return Error::NotLinked { audience, file };
        }
        Error::NoIdentity { account }
    }
}

fn detect(host: &Host, options: &Options) -> Detection {
    // Without any mark nothing is asked: the address could be somebody else's.
    if !is_here(host) && !options.requests(NAME) {
        return Detection::Absent;
    }
    match Metadata::locate(host) {
        Ok(metadata) => Detection::Ready(Box::new(Machine {
            metadata,
            token_file: options.token_file.display().to_string(),
        })),
        Err(error) => Detection::Broken(error.into()),
    }
}

/// Whether this is a machine of Google's, or one whose metadata server the environment names.
pub(crate) fn is_here(host: &Host) -> bool {
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

fn is_cloud_build(host: &Host) -> bool {
    host.env.get("BUILDER_OUTPUT").is_some()
        || (host.env.get("HOME") == Some("/builder/home") && host.path("/builder").is_dir())
}

fn is_kubernetes(host: &Host) -> bool {
    host.env.get("KUBERNETES_SERVICE_HOST").is_some()
}

/// `address` is a host with or without a port. Only the machine's own surroundings are accepted: a
/// variable must not send the question, or the trust in the answer, into the world.
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

/// Three segments of base64url (RFC 7515 3.1): the body is bare text, as an error page is too.
fn is_jwt(text: &str) -> bool {
    let base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    text.split('.').count() == 3
        && text
            .split('.')
            .all(|segment| !segment.is_empty() && segment.bytes().all(base64url))
}

fn is_near(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_link_local() || address.is_private()
}

fn is_near_6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unicast_link_local() || address.is_unique_local()
}

fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
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
