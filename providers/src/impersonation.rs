// SPDX-License-Identifier: Apache-2.0
//! Google impersonation: the account in `GOOGLE_SERVICE_ACCOUNT_NAME`, called for by whoever this
//! machine or a key file is.
//!
//! The named account signs or nobody: the caller's own identity is never used in its place.

use std::borrow::Cow;

use ambisign_host::request::{bearer, post, received, shape};
use ambisign_host::{Answer, Class, Explain, Host, Token};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::header;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::gce::{self, Metadata};
use crate::google::adc;
use crate::google::service_account::Key;
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
    kind: Kind::Asked,
    detect,
};

/// The domain of Google's public cloud.
const UNIVERSE: &str = "googleapis.com";

/// Why impersonation gives no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The API that gives the tokens is switched off.
    #[error("the IAM Service Account Credentials API is switched off: `{excerpt}`")]
    Api {
        /// The beginning of the answer, which names the project.
        excerpt: String,
    },
    /// The caller may not create tokens for the account.
    #[error("{caller} may not create identity tokens for {account}: `{excerpt}`")]
    Denied {
        /// The account to impersonate.
        account: String,
        /// Who asked.
        caller: String,
        /// The beginning of the answer.
        excerpt: String,
    },
    /// The answer holds an empty token.
    #[error("IAM answered with an empty identity token for {account}")]
    Empty {
        /// The account to impersonate.
        account: String,
    },
    /// No whole answer.
    #[error("IAM gave no usable answer")]
    Http(#[from] RequestError),
    /// The variable names no account.
    #[error("`{VARIABLE}` is {name:?}, which is not the e-mail address of a service account")]
    Name {
        /// What it holds.
        name: String,
    },
    /// Nobody is there who could ask.
    #[error("`{VARIABLE}` is set, but there are no Google credentials to ask with")]
    NoCaller,
    /// There is no such account.
    #[error("there is no service account {account}")]
    NotFound {
        /// The account to impersonate.
        account: String,
    },
    /// IAM says no.
    #[error("IAM refused: HTTP {status} `{excerpt}`")]
    Refused {
        /// The status.
        status: u16,
        /// The beginning of the answer.
        excerpt: String,
    },
    /// The caller's access token covers too little.
    #[error("the access token of {caller} lacks the scope `cloud-platform`")]
    Scope {
        /// Who asked.
        caller: String,
    },
    /// The answer is not what IAM answers.
    #[error("the answer of IAM was not understood: {shape}")]
    Unreadable {
        /// Its length and type.
        shape: String,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Api { .. } => "impersonation/api",
            Self::Denied { .. } => "impersonation/denied",
            Self::Empty { .. } => "impersonation/empty",
            Self::Http(http) => return format!("impersonation/{}", http.variant()).into(),
            Self::Name { .. } => "impersonation/name",
            Self::NoCaller => "impersonation/no-caller",
            Self::NotFound { .. } => "impersonation/not-found",
            Self::Refused { .. } => "impersonation/refused",
            Self::Scope { .. } => "impersonation/scope",
            Self::Unreadable { .. } => "impersonation/unreadable",
        }
        .into()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Api { .. } => "enable `iamcredentials.googleapis.com` in the project".into(),
            Self::Denied {
                account, caller, ..
            } => format!(
                "grant {caller} `roles/iam.serviceAccountOpenIdTokenCreator` on {account}; a new \
                 grant works after two to five minutes"
            )
            .into(),
            Self::Empty { .. } | Self::Refused { .. } => "run again".into(),
            Self::Http(http) => return http.fix(),
            Self::Name { .. } | Self::NotFound { .. } => {
                format!("set `{VARIABLE}` to `NAME@PROJECT.iam.gserviceaccount.com`").into()
            }
            Self::NoCaller => format!(
                "let `GOOGLE_APPLICATION_CREDENTIALS` name a service-account key, or unset \
                 `{VARIABLE}`"
            )
            .into(),
            Self::Scope { .. } => {
                "create the VM or node pool again with the scope `cloud-platform`".into()
            }
            Self::Unreadable { .. } => {
                "check that no proxy answers in Google's place, then run again".into()
            }
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Http(http) => http.class(),
            Self::Api { .. }
            | Self::Denied { .. }
            | Self::Empty { .. }
            | Self::Name { .. }
            | Self::NoCaller
            | Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::Scope { .. }
            | Self::Unreadable { .. } => Class::Identity,
        }
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

/// Who asks for the account's token.
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
            // The account's own key needs nobody's permission.
            return Ok(key.identity_token(host, audience).await?);
        }
        let first = self.ask(host, audience).await?;
        let answer = if first.status == StatusCode::UNAUTHORIZED {
            // An access token may have been revoked or be from a cache: one fresh one is tried.
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
        // The project is `-`, by IAM's own rule: the account tells it.
        let url = format!(
            "https://iamcredentials.{universe}/v1/projects/-/serviceAccounts/{account}:generateIdToken"
        );
        let name = || Error::Name {
            name: account.clone(),
        };
        let url = Url::parse(&url).map_err(|_url| name())?;
        // Without `includeEmail` the token does not say whose it is.
        let body = json!({"audience": audience, "includeEmail": true});
        let mut request = post(url, "application/json", body.to_string());
        let bearer = bearer(access_token.expose()).ok_or(gce::Error::Empty)?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let answer = http::send(host, &limits::GOOGLE, request).await;
        Ok(answer.map_err(Error::Http)?)
    }

    fn read(&self, host: &Host, answer: &Answer) -> Result<Token, Error> {
        #[derive(Deserialize)]
        struct Body {
            token: String,
        }

        let body: Body = answer.json().ok_or_else(|| Error::Unreadable {
            shape: shape(answer),
        })?;
        received(&host.net, &body.token).ok_or_else(|| Error::Empty {
            account: self.account.clone(),
        })
    }

    /// What IAM's answer means; its `reason`s are those of `google.rpc.ErrorInfo`.
    async fn refusal(&self, host: &Host, answer: &Answer) -> Error {
        let account = self.account.clone();
        let (status, excerpt) = (answer.status, answer.excerpt(&host.net));
        match (status, reason(answer).as_deref()) {
            (StatusCode::NOT_FOUND, _) => Error::NotFound { account },
            (StatusCode::FORBIDDEN, Some("SERVICE_DISABLED")) => Error::Api { excerpt },
            (StatusCode::FORBIDDEN, Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT")) => Error::Scope {
                caller: self.caller_name(host).await,
            },
            (StatusCode::FORBIDDEN, _) => Error::Denied {
                account,
                caller: self.caller_name(host).await,
                excerpt,
            },
            _ => Error::Refused {
                status: status.as_u16(),
                excerpt,
            },
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
    body.error
        .details
        .into_iter()
        .find_map(|detail| detail.reason)
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
    let account = account(name).ok_or_else(|| Error::Name {
        name: name.to_owned(),
    })?;
    let caller = match adc::key(host, options)? {
        Some(key) => Caller::Key(key),
        None if gce::is_here(host) => Caller::Machine(Metadata::locate(host)?),
        None => return Err(Error::NoCaller.into()),
    };
    Ok(Impersonation { account, caller })
}

/// An e-mail address of a service account or its unique ID, also as the end of a resource name.
/// What passes can stand in a URL as it is.
fn account(name: &str) -> Option<String> {
    let name = name.trim();
    let name = match name.strip_prefix("projects/") {
        Some(rest) => rest.split_once("/serviceAccounts/")?.1,
        None => name,
    };
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
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
