// SPDX-License-Identifier: Apache-2.0
//! The Google metadata server, with the identity of a VM, a pod, a Cloud Run service or a Cloud Build
//! step.
//!
//! It identifies the machine, not the job. It uses plain HTTP, so only nearby addresses are accepted, no
//! proxy is used, and every answer must have the header of a metadata server.

mod error;
mod metadata;

use ambisign_host::request::{received, shape};
use ambisign_host::{Host, Token};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::StatusCode;

pub use self::error::Error;
pub(crate) use self::metadata::Metadata;
use self::metadata::{ACCOUNT, is_kubernetes, refused};
pub use self::metadata::{is_cloud_build, is_here};
use crate::{Decides, Detection, Kind, Options, Provider, Source, Variable};

/// The metadata server of every Google machine, as variables name it.
const EVERYWHERE: &[&str] = &[
    "169.254.169.254",
    "169.254.169.254:80",
    "metadata.google.internal",
    "metadata.google.internal:80",
];

/// The name of this provider.
pub(crate) const NAME: &str = "google-workload-identity";

pub(crate) const PROVIDER: Provider = Provider {
    name: NAME,
    variables: &[
        Variable::mark(
            "GCE_METADATA_HOST",
            "169.254.169.252:988",
            "Google Cloud: the metadata server",
        )
        .decides(Decides::Voucher(EVERYWHERE)),
        Variable::mark("K_SERVICE", "sign", "Google Cloud Run: this is a service"),
        Variable::read("K_REVISION", "sign-00001", "Google Cloud Run: the same"),
        Variable::mark("CLOUD_RUN_JOB", "sign", "Google Cloud Run: this is a job"),
        Variable::read("CLOUD_RUN_EXECUTION", "sign-x7k2p", "Google Cloud Run: the same"),
        Variable::mark("BUILDER_OUTPUT", "/builder/outputs", "Google Cloud Build is here"),
        Variable::read(
            "GCE_METADATA_ROOT",
            "169.254.169.252:988",
            "Google Cloud: the metadata server",
        )
        .decides(Decides::Voucher(EVERYWHERE)),
        Variable::read(
            "GCE_METADATA_IP",
            "169.254.169.252:988",
            "Google Cloud: the metadata server",
        )
        .decides(Decides::Voucher(EVERYWHERE)),
        Variable::read(
            "GCE_METADATA_MTLS_MODE",
            "default",
            "Google Cloud: `strict` is not supported",
        ),
        Variable::read("NO_GCE_CHECK", "true", "Google Cloud: do not look for a metadata server"),
        Variable::read("KUBERNETES_SERVICE_HOST", "10.0.0.1", "Kubernetes is here"),
    ],
    secrets: &[],
    errors: &[Error::TABLE],
    kind: Kind::Machine,
    detect,
};

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
        Err(Error::Unreadable { shape: shape(&answer) })
    }

    /// Finds out why there is no identity, from the name of the account.
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

/// An access token of this machine's account, only for Google's own services; `None` if the machine has
/// no account.
///
/// Call it only if [`is_here`] returns `true`: elsewhere, another server could have the address.
///
/// # Errors
/// The metadata server refuses, is unreachable, or is not a metadata server.
pub async fn access_token(host: &Host) -> Result<Option<Token>, Error> {
    match Metadata::locate(host)?.access_token(host).await {
        Ok(token) => Ok(Some(token)),
        Err(Error::NoServiceAccount) => Ok(None),
        Err(error) => Err(error),
    }
}

fn detect(host: &Host, options: &Options) -> Detection {
    // Without any mark, send no request, because another server could have the address.
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

/// Checks for three segments of base64url (RFC 7515 3.1), because the body is bare text and could be an
/// error page.
fn is_jwt(text: &str) -> bool {
    let base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    text.split('.').count() == 3
        && text.split('.').all(|segment| !segment.is_empty() && segment.bytes().all(base64url))
}
