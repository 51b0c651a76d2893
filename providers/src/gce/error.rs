// SPDX-License-Identifier: Apache-2.0
//! Why the metadata server gives no token.

use std::borrow::Cow;

use ambisign_host::{Class, Explain};

use crate::RequestError;

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
    Http(#[from] RequestError),
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
    #[error("the metadata server refused: HTTP {status} `{excerpt}`")]
    Refused {
        /// The status.
        status: u16,
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
                "attach a service account to the machine, or let `GOOGLE_APPLICATION_CREDENTIALS` name a \
                 key file"
                    .into()
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

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}
