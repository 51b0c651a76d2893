// SPDX-License-Identifier: Apache-2.0
//! Google impersonation: tokens for the account in `GOOGLE_SERVICE_ACCOUNT_NAME`, requested with the
//! account of this machine or of a key file.
//!
//! If impersonation fails, there is no token: the caller's own identity is never used instead.

use ambisign_host::request::{bearer, post, received, shape};
use ambisign_host::{Answer, Host, Token, errors};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::header;
use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::ZeroizeOnDrop;

use super::gce::{self, Metadata};
use super::google::adc;
use super::google::service_account::Key;
use crate::{Detection, Kind, Options, Provider, RequestError, Source, Variable, http, limits};

/// The name of this provider.
pub(crate) const NAME: &str = "google-impersonate";

const VARIABLE: &str = "GOOGLE_SERVICE_ACCOUNT_NAME";

pub(crate) const PROVIDER: Provider = Provider {
    name: NAME,
    variables: &[Variable::mark(
        VARIABLE,
        "signer@acme.iam.gserviceaccount.com",
        "Google Cloud: the service account to sign as",
    )],
    secrets: &[],
    errors: &[Error::TABLE],
    kind: Kind::Asked,
    detect,
};

/// The domain of Google's public cloud.
const UNIVERSE: &str = "googleapis.com";

errors! {
    /// Impersonation failed.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("the IAM Service Account Credentials API is disabled: `{excerpt}`")]
        Api {
            /// The beginning of the answer, which names the project.
            excerpt: String,
        } = "impersonation/api", Identity {
            what: "The Google API that creates the token is disabled.",
            why: "It is disabled in new projects.",
            advice: "Enable `iamcredentials.googleapis.com` in the project that the answer names.",
        },
        #[error("{caller} may not create identity tokens for {account}: `{excerpt}`")]
        Denied { account: String, caller: String, excerpt: String } = "impersonation/denied", Identity {
            fix: format!("grant {caller} `roles/iam.serviceAccountOpenIdTokenCreator` on {account}; a new grant works after two to five minutes"),
            what: "The caller may not create tokens for the service account.",
            why: "The grant is missing, is on another account, or is only minutes old.",
            advice: "Grant the caller the role `roles/iam.serviceAccountOpenIdTokenCreator` on the account, and wait a few minutes.",
        },
        #[error("IAM answered with an empty identity token for {account}")]
        Empty { account: String } = "impersonation/empty", Identity {
            what: "Google's answer contains no token.",
            why: "This is a fault of Google or of a proxy.",
            advice: "Run again.",
        },
        /// The request failed.
        #[error("IAM gave no usable answer")]
        Http(#[from] error: RequestError) = request error in "impersonation" { fix: error.fix() },
        #[error("`{VARIABLE}` is {name:?}, which is not the e-mail address of a service account")]
        Name { name: String } = "impersonation/name", Identity {
            what: "`GOOGLE_SERVICE_ACCOUNT_NAME` is not an e-mail address.",
            why: "It is a display name, an ID or a variable that was not expanded.",
            advice: "Set `GOOGLE_SERVICE_ACCOUNT_NAME` to `NAME@PROJECT.iam.gserviceaccount.com`.",
        },
        #[error("`{VARIABLE}` is set, but there are no Google credentials to impersonate it")]
        NoCaller = "impersonation/no-caller", Identity {
            what: "A service account is named, but there are no credentials to impersonate it.",
            why: "Impersonation needs credentials of the caller. No other identity is used instead.",
            advice: "Set `GOOGLE_APPLICATION_CREDENTIALS` to a service-account key, or unset `GOOGLE_SERVICE_ACCOUNT_NAME`.",
        },
        #[error("there is no service account {account}")]
        NotFound { account: String } = "impersonation/not-found", Identity {
            what: "The service account does not exist.",
            why: "The name or its project is misspelled, or the account was deleted.",
            advice: "Set `GOOGLE_SERVICE_ACCOUNT_NAME` to an existing account: `NAME@PROJECT.iam.gserviceaccount.com`.",
        },
        #[error("IAM refused: HTTP {status} `{excerpt}`")]
        Refused { status: u16, excerpt: String } = "impersonation/refused", Identity {
            what: "Google refused the request for a token.",
            why: "The message shows its answer, which has the reason.",
            advice: "Act on the answer in the message, then run again.",
        },
        #[error("the access token of {caller} lacks the scope `cloud-platform`")]
        Scope { caller: String } = "impersonation/scope", Identity {
            what: "The caller's access token lacks the required scope.",
            why: "Machines can be created with few scopes, independent of their roles.",
            advice: "Recreate the VM or node pool with the scope `cloud-platform`.",
        },
        #[error("the answer of IAM cannot be read: {shape}")]
        Unreadable { shape: String } = "impersonation/unreadable", Identity {
            what: "Google's answer could not be read.",
            why: "A proxy probably answered with its own page.",
            advice: "Check that no proxy answers in Google's place, then run again.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

struct Impersonation {
    account: String,
    caller: Caller,
}

/// The caller of the API.
enum Caller {
    Key(Key),
    Machine(Metadata),
}

impl Source for Impersonation {
    fn token<'a>(
        &'a self,
        host: &'a Host,
        audience: &'a str,
    ) -> BoxFuture<'a, Result<Token, crate::Error>> {
        self.fetch(host, audience).boxed()
    }

    fn renewable(&self) -> bool {
        true
    }
}

impl Impersonation {
    async fn fetch(&self, host: &Host, audience: &str) -> Result<Token, crate::Error> {
        if let Caller::Key(key) = &self.caller
            && key.is(&self.account)
        {
            // The account's own key needs no permission.
            return Ok(key.identity_token(host, audience).await?);
        }
        let first = self.ask(host, audience).await?;
        let answer = if first.status == StatusCode::UNAUTHORIZED {
            // An access token may be revoked or cached, so try once more with a new one.
            self.ask(host, audience).await?
        } else {
            first
        };
        if answer.status != StatusCode::OK {
            return Err(self.refusal(host, &answer).await.into());
        }
        Ok(self.read(host, &answer)?)
    }

    async fn ask(&self, host: &Host, audience: &str) -> Result<Answer, crate::Error> {
        let (access_token, universe) = match &self.caller {
            Caller::Key(key) => (key.access_token(host).await?, None),
            Caller::Machine(metadata) => {
                let access_token = metadata.access_token(host);
                futures_util::try_join!(access_token, metadata.universe(host))?
            }
        };
        let universe = universe.as_deref().unwrap_or(UNIVERSE);
        let account = &self.account;
        // IAM accepts `-` as the project, because the account implies it.
        let url = format!(
            "https://iamcredentials.{universe}/v1/projects/-/serviceAccounts/{account}:generateIdToken"
        );
        let name = || Error::Name { name: account.clone() };
        let url = Url::parse(&url).map_err(|_url| name())?;
        // Without `includeEmail`, the token does not name the account.
        let body = json!({"audience": audience, "includeEmail": true});
        let mut request = post(url, "application/json", body.to_string());
        let bearer = bearer(access_token.expose()).ok_or(gce::Error::Empty)?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let answer = http::send(host, &limits::GOOGLE, request).await;
        Ok(answer.map_err(Error::Http)?)
    }

    fn read(&self, host: &Host, answer: &Answer) -> Result<Token, Error> {
        #[derive(Deserialize, ZeroizeOnDrop)]
        struct Body {
            token: String,
        }

        let body: Body = answer.json().ok_or_else(|| Error::Unreadable { shape: shape(answer) })?;
        received(&host.net, &body.token)
            .ok_or_else(|| Error::Empty { account: self.account.clone() })
    }

    /// Interprets IAM's answer. Its `reason`s are those of `google.rpc.ErrorInfo`.
    async fn refusal(&self, host: &Host, answer: &Answer) -> Error {
        let account = self.account.clone();
        let (status, excerpt) = (answer.status, answer.excerpt(&host.net));
        match (status, reason(answer).as_deref()) {
            (StatusCode::NOT_FOUND, _) => Error::NotFound { account },
            (StatusCode::FORBIDDEN, Some("SERVICE_DISABLED")) => Error::Api { excerpt },
            (StatusCode::FORBIDDEN, Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT")) => {
                Error::Scope { caller: self.caller_name(host).await }
            }
            (StatusCode::FORBIDDEN, _) => {
                Error::Denied { account, caller: self.caller_name(host).await, excerpt }
            }
            _ => Error::Refused { status: status.as_u16(), excerpt },
        }
    }

    async fn caller_name(&self, host: &Host) -> String {
        let machine = || "the service account of this machine".to_owned();
        match &self.caller {
            Caller::Key(key) => key.account().to_owned(),
            Caller::Machine(metadata) => match metadata.account(host).await {
                Ok(Some(account)) => account,
                Ok(None) | Err(_) => machine(),
            },
        }
    }
}

fn reason(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: Status,
    }
    #[derive(Deserialize)]
    struct Status {
        #[serde(default)]
        details: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        reason: Option<String>,
    }

    let body: Body = answer.json()?;
    body.error.details.into_iter().find_map(|detail| detail.reason)
}

fn detect(host: &Host, options: &Options) -> Detection {
    let Some(name) = host.env.raw(VARIABLE) else {
        return Detection::Absent;
    };
    match prepare(host, options, &name.to_string_lossy()) {
        Ok(ready) => Detection::Ready(Box::new(ready)),
        Err(error) => Detection::Broken(error),
    }
}

fn prepare(host: &Host, options: &Options, name: &str) -> Result<Impersonation, crate::Error> {
    let account = account(name).ok_or_else(|| Error::Name { name: name.to_owned() })?;
    let caller = match adc::key(host, options)? {
        Some(key) => Caller::Key(key),
        None if gce::is_here(host) => Caller::Machine(Metadata::locate(host)?),
        None => return Err(Error::NoCaller.into()),
    };
    Ok(Impersonation { account, caller })
}

/// An e-mail address or unique ID of a service account, also at the end of a resource name. The result is
/// safe in a URL.
fn account(name: &str) -> Option<String> {
    let name = name.trim();
    let name = match name.strip_prefix("projects/") {
        Some(rest) => rest.split_once("/serviceAccounts/")?.1,
        None => name,
    };
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let is_id = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    let is_email = name.split_once('@').is_some_and(|(local, domain)| {
        plain(local) && plain(domain) && domain.ends_with(".gserviceaccount.com")
    });
    (is_id || is_email).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::account;

    #[test]
    fn names_of_accounts() {
        let email = "signer@p.iam.gserviceaccount.com";
        for name in [
            email,
            " signer@p.iam.gserviceaccount.com\n",
            "projects/p/serviceAccounts/signer@p.iam.gserviceaccount.com",
        ] {
            assert_eq!(account(name).as_deref(), Some(email), "{name}");
        }
        assert!(account("104123456789012345678").is_some());
        assert!(account("1-compute@developer.gserviceaccount.com").is_some());
        for name in [
            "",
            "signer",
            "signer@example.com",
            "@p.iam.gserviceaccount.com",
            "a@b@p.iam.gserviceaccount.com",
            "a/b@p.iam.gserviceaccount.com",
            "../x@p.iam.gserviceaccount.com",
            "a@p?.iam.gserviceaccount.com",
            "serviceAccount:a@p.iam.gserviceaccount.com",
        ] {
            assert_eq!(account(name), None, "{name}");
        }
    }
}
