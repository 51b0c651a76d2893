// SPDX-License-Identifier: Apache-2.0
//! The Google metadata server: what a VM, a pod, a Cloud Run service or a Cloud Build step may be.
//!
//! It proves which machine this is, not which job. It speaks plain HTTP, so its address is limited
//! to the machine's own surroundings, no proxy is used, and every answer must carry the header that
//! shows that a metadata server gave it.

mod metadata;

use std::borrow::Cow;

use ambisign_host::request::{received, shape};
use ambisign_host::{Class, Explain, Host, HttpError, Token};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::StatusCode;

pub(crate) use self::metadata::Metadata;
use self::metadata::{ACCOUNT, is_kubernetes, refused};
pub use self::metadata::{is_cloud_build, is_here};
use crate::{Detection, Kind, Options, Provider, Source};

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
                "grant {account} `roles/iam.serviceAccountOpenIdTokenCreator` on itself, which works \
                 after two to five minutes, or set `GOOGLE_SERVICE_ACCOUNT_NAME`"
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

/// An access token of this machine's account, for Google's own services and nobody else; `None` when
/// the machine has no account.
///
/// It is for a machine that [`is_here`] calls Google's: elsewhere the address could be somebody's.
///
/// # Errors
/// The metadata server refuses, is out of reach, or is none.
pub async fn access_token(host: &Host) -> Result<Option<Token>, Error> {
    match Metadata::locate(host)?.access_token(host).await {
        Ok(token) => Ok(Some(token)),
        Err(Error::NoServiceAccount) => Ok(None),
        Err(error) => Err(error),
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

/// Three segments of base64url (RFC 7515 3.1): the body is bare text, as an error page is too.
fn is_jwt(text: &str) -> bool {
    let base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    text.split('.').count() == 3
        && text
            .split('.')
            .all(|segment| !segment.is_empty() && segment.bytes().all(base64url))
}
