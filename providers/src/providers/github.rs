// SPDX-License-Identifier: Apache-2.0
//! GitHub Actions, GitHub Enterprise and Forgejo: the job's token endpoint.
//!
//! The runner provides the endpoint and a request token only to jobs with `id-token: write`, and only to
//! processes that it starts itself.

use ambisign_host::request::{bearer, get, received, shape};
use ambisign_host::{Answer, Host, Token, errors, is_loopback, plain_http_allowed};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::header::{self, HeaderValue};
use serde::Deserialize;
use url::Url;
use zeroize::ZeroizeOnDrop;

use crate::{
    Decides, Detection, Kind, Names, Options, Provider, Realm, RequestError, Source, Variable,
    http, limits,
};

const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

pub(crate) const PROVIDER: Provider = Provider {
    name: "github-actions",
    variables: &[
        Variable::mark("GITHUB_ACTIONS", "true", "GitHub Actions is here"),
        Variable::mark(
            REQUEST_URL,
            "https://run-actions-1.actions.githubusercontent.com/...",
            "GitHub Actions: the token endpoint",
        )
        .decides(Decides::Receiver),
        Variable::mark(
            REQUEST_TOKEN,
            "<token>",
            "GitHub Actions: proves the job to the token endpoint",
        )
        .secret(),
        Variable::read("ACT", "true", "`act` is here, which issues no tokens"),
        Variable::read(
            "GITHUB_API_URL",
            "https://api.github.com",
            "GitHub Actions: tells which GitHub it is",
        ),
        Variable::read(
            "GITHUB_EVENT_NAME",
            "pull_request",
            "GitHub Actions: explains why there is no token",
        ),
        Variable::read(
            "GITHUB_EVENT_PATH",
            "/github/workflow/event.json",
            "GitHub Actions: explains why there is no token",
        ),
        Variable::read(
            "GITHUB_SERVER_URL",
            "https://github.com",
            "GitHub Actions: the server whose token endpoint is accepted",
        )
        .decides(Decides::Receiver),
        Variable::read("GITHUB_REPOSITORY", "acme/app", "GitHub Actions: the token must be of it"),
        Variable::read(
            "GITHUB_REPOSITORY_OWNER",
            "acme",
            "GitHub Actions: the token must be of it",
        ),
        Variable::read("GITHUB_RUN_ID", "1658821493", "GitHub Actions: the token must be of it"),
        Variable::read("GITHUB_SHA", "9f2c...", "GitHub Actions: the token must be of it"),
        Variable::read("FORGEJO_ACTIONS", "true", "Forgejo Actions is here"),
        Variable::read("GITEA_ACTIONS", "true", "Gitea Actions is here"),
    ],
    // The same value as the request token, with another name.
    secrets: &["ACTIONS_RUNTIME_TOKEN"],
    errors: &[Error::TABLE],
    kind: Kind::Ci,
    detect,
};

/// The events that a fork can trigger, with the fork's permissions.
const PULL_REQUESTS: &[&str] =
    &["pull_request", "pull_request_review", "pull_request_review_comment"];

/// The longest event payload that is read. Payloads can have 25 MB, but this only needs to detect a fork.
const EVENT_LIMIT: u64 = 4 * 1024 * 1024;

errors! {
    /// GitHub Actions issued no token.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("`act` issues no identity tokens")]
        Act {
            /// The variable for a token from another source.
            variable: String,
        } = "github/act", Identity {
            fix: format!("skip this step when `ACT` is `true`, or set `{variable}`"),
            what: "The workflow runs in `act`, which has no identity tokens.",
            why: "Only GitHub itself can vouch for a workflow.",
            advice: "Skip this step when `ACT` is `true`, or set a token variable.",
        },
        #[error("runs that Dependabot started get no identity token")]
        Dependabot = "github/dependabot", Identity {
            what: "Dependabot started the workflow, and its runs get no identity token.",
            why: "GitHub treats them like runs of a fork.",
            advice: "Skip this step for Dependabot, and run it after the merge.",
        },
        #[error("GitHub answered with an empty identity token")]
        Empty = "github/empty", Identity {
            what: "GitHub's answer contains no token.",
            why: "This is a fault of GitHub or of a proxy.",
            advice: "Run again; if that fails too, check githubstatus.com.",
        },
        #[error("this Forgejo job gets no identity token")]
        Forgejo = "github/forgejo", Identity {
            what: "The job runs in Forgejo, and may not request tokens.",
            why: "Newer versions of Forgejo issue tokens if the workflow enables them.",
            advice: "Add `enable-openid-connect: true` to the workflow.",
        },
        #[error("pull requests from forks get no identity token")]
        Fork = "github/fork", Identity {
            what: "A pull request from a fork started the workflow.",
            why: "GitHub issues no tokens to such runs, because otherwise any fork could act as the repository.",
            advice: "Skip this step with `if: github.event.pull_request.head.repo.full_name == github.repository`.",
        },
        #[error("this Gitea instance gives its jobs no identity token")]
        Gitea {
            /// The variable for a token from another source.
            variable: String,
        } = "github/gitea", Identity {
            fix: format!("set `{variable}` to a token of another issuer"),
            what: "The job runs in Gitea, which issues it no token.",
            why: "This version does not support identity tokens, or its settings disable them.",
            advice: "Set a token variable to a token of another issuer.",
        },
        #[error("`{REQUEST_URL}` points to {host}, which is not GitHub's")]
        Host {
            /// Scheme and host.
            host: String,
            /// The names of the program's settings, if one of them must name a server that an organisation
            /// runs itself.
            settings: Option<&'static Names>,
        } = "github/host", Identity {
            fix: server_fix(*settings),
            what: "The URL for token requests does not belong to GitHub.",
            why: "An earlier step may have changed it, and the request token would be sent there.",
            advice: "Leave `ACTIONS_ID_TOKEN_REQUEST_URL` as the runner sets it, or unset it; on GitHub Enterprise check `GITHUB_SERVER_URL`.",
        },
        /// The request failed.
        #[error("GitHub's token endpoint gave no usable answer")]
        Http(#[from] error: RequestError) = request error in "github" { fix: error.fix() },
        #[error("this GitHub job may not request identity tokens (`{REQUEST_URL}` is not set)")]
        NotPermitted = "github/not-permitted", Identity {
            what: "The job may not request identity tokens.",
            why: "Its permissions lack `id-token: write`. A list of permissions disables all others.",
            advice: "Add `permissions: {id-token: write}` to this job (a job's block replaces the workflow's), and to the job that calls a reusable workflow.",
        },
        #[error("only a part of `{REQUEST_URL}` and `{REQUEST_TOKEN}` reached this process")]
        Partial = "github/partial", Identity {
            what: "Only one of the two variables for token requests is set, or one is invalid.",
            why: "A container or a tool between the runner and this process passes only some variables on.",
            advice: "Pass both on (`docker run -e ACTIONS_ID_TOKEN_REQUEST_URL -e ACTIONS_ID_TOKEN_REQUEST_TOKEN`), or run as a step of the job.",
        },
        #[error("GitHub refused to issue an identity token: HTTP {status} `{excerpt}`")]
        Refused { status: u16, excerpt: String } = "github/refused", Identity {
            fix: match status {
                401 | 403 => None,
                _ => Some("check what sets `ACTIONS_ID_TOKEN_REQUEST_URL`"),
            },
            what: "GitHub refused to issue a token.",
            why: "The request token expired with its job, or the organisation restricts tokens.",
            advice: "Run the job again, with `permissions: {id-token: write}`.",
        },
        #[error("the answer of GitHub's token endpoint cannot be read: {shape}")]
        Unreadable { shape: String } = "github/unreadable", Identity {
            what: "GitHub's answer could not be read.",
            why: "A proxy probably answered with its own page.",
            advice: "Check that no proxy answers in GitHub's place, then run again.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

struct Job {
    url: Url,
    bearer: HeaderValue,
}

impl Source for Job {
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

impl Job {
    async fn fetch(&self, host: &Host, audience: &str) -> Result<Token, Error> {
        #[derive(Deserialize, ZeroizeOnDrop)]
        struct Body {
            value: String,
        }

        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("audience", audience);
        let accept = HeaderValue::from_static("application/json; api-version=2.0");
        let headers = [(header::ACCEPT, accept), (header::AUTHORIZATION, self.bearer.clone())];
        let request = get(url, headers);
        let answer = http::send_while(host, &limits::CI, request, is_pending).await?;
        if answer.status != StatusCode::OK {
            return Err(Error::Refused {
                status: answer.status.as_u16(),
                excerpt: answer.excerpt(&host.net),
            });
        }
        let body: Body =
            answer.json().ok_or_else(|| Error::Unreadable { shape: shape(&answer) })?;
        received(&host.net, &body.value).ok_or(Error::Empty)
    }
}

/// At the start of a job, the token endpoint may not know its state yet, and answers 403 "Can't issue
/// ID_TOKEN for job in 'Pending' state".
fn is_pending(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN
        && String::from_utf8_lossy(&answer.body).contains("issue ID_TOKEN for job in")
}

fn detect(host: &Host, options: &Options) -> Detection {
    match job(host, options) {
        Ok(Some(job)) => Detection::Ready(Box::new(job)),
        Ok(None) => Detection::Absent,
        Err(error) => Detection::Broken(error.into()),
    }
}

/// The variables are enough, because a user may have passed only them into a container. An empty one
/// counts as passed.
fn job(host: &Host, options: &Options) -> Result<Option<Job>, Error> {
    let token = host.env.get(REQUEST_TOKEN).and_then(Token::new);
    let (Some(url), Some(token)) = (host.env.get(REQUEST_URL), token) else {
        let partial = host.env.is_set(REQUEST_URL) || host.env.is_set(REQUEST_TOKEN);
        return match host.env.get("GITHUB_ACTIONS") {
            Some("true") => Err(diagnosis(host, options)),
            _ if partial => Err(Error::Partial),
            _ => Ok(None),
        };
    };
    host.net.guard(token.expose());
    let url = Url::parse(url).ok().ok_or(Error::Partial)?;
    let bearer = bearer(token.expose()).ok_or(Error::Partial)?;
    if !may_have_request_token(&url, server(host, &options.realm).as_ref()) {
        let host = url.origin().ascii_serialization();
        let is_bound = options.realm != Realm::Environment;
        return Err(Error::Host { host, settings: is_bound.then_some(options.names) });
    }
    Ok(Some(Job { url, bearer }))
}

/// The request token is worth more than an identity token, and the environment of a container can be
/// wrong. So it is only sent to GitHub's hosts, to the server of the job, or to this machine.
fn may_have_request_token(url: &Url, server: Option<&url::Host>) -> bool {
    let host = url.host_str().unwrap_or_default();
    let github = [".actions.githubusercontent.com", ".ghe.com"]
        .iter()
        .any(|suffix| host.strip_suffix(suffix).is_some_and(|sub| !sub.is_empty()));
    plain_http_allowed(url) && (github || is_loopback(url) || is_server(url, server))
}

fn is_server(url: &Url, server: Option<&url::Host>) -> bool {
    server.is_some() && url.host().map(|host| host.to_owned()).as_ref() == server
}

/// The host of the GitHub Enterprise Server of this job.
fn server(host: &Host, realm: &Realm) -> Option<url::Host> {
    match realm {
        Realm::Environment => {
            let server = Url::parse(host.env.get("GITHUB_SERVER_URL")?).ok()?;
            server.host().map(|host| host.to_owned())
        }
        Realm::Named(server) => server.clone(),
    }
}

/// What to do about a token endpoint that is not GitHub's: with `settings`, no variable can name its server.
fn server_fix(settings: Option<&Names>) -> Option<String> {
    let name = settings?.realm?;
    Some(format!(
        "leave `{REQUEST_URL}` as the runner sets it; on GitHub Enterprise Server, name the issuer with \
         `{name} https://HOST/_services/token`"
    ))
}

/// Finds out why a job of GitHub or a compatible system has no token endpoint, the most specific reason
/// first.
fn diagnosis(host: &Host, options: &Options) -> Error {
    let is = |name, value| host.env.get(name) == Some(value);
    let variable = || options.variable();
    if is("FORGEJO_ACTIONS", "true") {
        return Error::Forgejo;
    }
    // Gitea's API is version 1 and GitHub's is 3. Gitea's runners claim to be GitHub's.
    let api = host.env.get("GITHUB_API_URL").unwrap_or_default();
    if is("GITEA_ACTIONS", "true") || api.trim_end_matches('/').ends_with("/api/v1") {
        return Error::Gitea { variable: variable() };
    }
    if is("ACT", "true") {
        return Error::Act { variable: variable() };
    }
    if is_fork(host) {
        return Error::Fork;
    }
    if is("GITHUB_ACTOR", "dependabot[bot]") {
        return Error::Dependabot;
    }
    if host.env.is_set(REQUEST_URL) || host.env.is_set(REQUEST_TOKEN) {
        return Error::Partial;
    }
    Error::NotPermitted
}

fn is_fork(host: &Host) -> bool {
    #[derive(Deserialize)]
    struct Event {
        pull_request: PullRequest,
    }
    #[derive(Deserialize)]
    struct PullRequest {
        head: Side,
        base: Side,
    }
    // The repository is null if the fork was deleted.
    #[derive(Deserialize)]
    struct Side {
        repo: Option<Repository>,
    }
    #[derive(Deserialize, PartialEq)]
    struct Repository {
        full_name: String,
    }

    let event = host.env.get("GITHUB_EVENT_NAME").unwrap_or_default();
    let Some(path) = host.env.get("GITHUB_EVENT_PATH") else {
        return false;
    };
    if !PULL_REQUESTS.contains(&event) {
        return false;
    }
    let small =
        std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() < EVENT_LIMIT);
    let event = small.then(|| std::fs::read(path).ok()).flatten();
    event
        .and_then(|event| ambisign_host::json::parse::<Event>(&event).ok())
        .is_some_and(|Event { pull_request: pull }| pull.head.repo != pull.base.repo)
}

#[cfg(test)]
mod tests {
    use ambisign_host::Explain;
    use url::Url;

    use super::{Error, diagnosis, job, may_have_request_token};
    use crate::choose::tests::Place;
    use crate::{Options, Realm};

    #[test]
    fn the_request_token_goes_to_github_only() {
        let server = url::Host::Domain("ghes.example".to_owned());
        let allowed = |url: &str| may_have_request_token(&Url::parse(url).unwrap(), Some(&server));
        for url in [
            "https://pipelines.actions.githubusercontent.com/x?api-version=2.0",
            "https://run-actions-1-azure-eastus.actions.githubusercontent.com/33//idtoken/x",
            "https://token.octo.ghe.com/x",
            "https://ghes.example/_services/pipelines/x",
            "http://127.0.0.1:8080/token",
            "http://[::1]/token",
        ] {
            assert!(allowed(url), "{url}");
        }
        for url in [
            "http://pipelines.actions.githubusercontent.com/x",
            "https://actions.githubusercontent.com.evil.example/x",
            "https://evilactions.githubusercontent.com/x",
            "https://.actions.githubusercontent.com/x",
            "https://x.ghe.com.evil.example/x",
            "https://user@pipelines.actions.githubusercontent.com/x",
            "https://user:pw@ghes.example/x",
            "http://ghes.example/x",
            "http://localhost/x",
            "http://169.254.169.254/x",
            "https://10.0.0.1/x",
            "file:///etc/passwd",
        ] {
            assert!(!allowed(url), "{url}");
        }
    }

    /// `GITHUB_SERVER_URL` and the URL of the endpoint come from the same environment, so with `--public-instance`
    /// neither is a proof of the other.
    #[test]
    fn a_server_of_a_variable_gets_no_request_token() {
        let place = Place::new()
            .var("ACTIONS_ID_TOKEN_REQUEST_URL", "https://evil.example/token")
            .var("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "s3cret-token")
            .var("GITHUB_SERVER_URL", "https://evil.example");
        let asks = |realm| {
            let options = Options { realm, ..place.options() };
            job(&place.host(), &options).map(|job| job.is_some())
        };
        let evil = url::Host::Domain("evil.example".to_owned());
        assert!(asks(Realm::Environment).unwrap());
        assert!(asks(Realm::Named(Some(evil))).unwrap(), "a flag names it");
        let error = asks(Realm::Named(None)).unwrap_err();
        assert_eq!(error.code(), "github/host");
        assert!(error.fix().unwrap().contains("`--issuer https://HOST/_services/token`"));
    }

    #[test]
    fn another_host_is_named_without_path_and_query() {
        let place = Place::new()
            .var("ACTIONS_ID_TOKEN_REQUEST_URL", "https://evil.example/s3cret?s3cret")
            .var("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "s3cret-token");
        let error = job(&place.host(), &place.options()).err().unwrap();
        assert_eq!(error.code(), "github/host");
        assert!(error.to_string().contains("https://evil.example,"));
        assert!(!error.to_string().contains("s3cret"));
    }

    fn event(head: &str, base: &str) -> String {
        format!(r#"{{"pull_request":{{"head":{{"repo":{head}}},"base":{{"repo":{base}}}}}}}"#)
    }

    #[test]
    fn the_most_special_reason_is_named() {
        let own = r#"{"full_name":"acme/app"}"#;
        let fork = r#"{"full_name":"eve/app"}"#;
        let pull = |head| {
            let place = Place::new().file("/event.json", &event(head, own));
            let path = place.host().path("/event.json");
            place
                .var("GITHUB_EVENT_NAME", "pull_request")
                .var("GITHUB_EVENT_PATH", path.to_str().unwrap())
        };
        let url = "ACTIONS_ID_TOKEN_REQUEST_URL";
        let cases = [
            (Place::new(), "github/not-permitted"),
            (pull(own), "github/not-permitted"),
            (pull(fork), "github/fork"),
            (pull("null"), "github/fork"),
            (pull(fork).var("ACT", "true"), "github/act"),
            (Place::new().var("GITHUB_ACTOR", "dependabot[bot]"), "github/dependabot"),
            (Place::new().var(url, "https://x"), "github/partial"),
            (Place::new().var("GITEA_ACTIONS", "true"), "github/gitea"),
            (Place::new().var("GITHUB_API_URL", "https://git.example/api/v1"), "github/gitea"),
            (Place::new().var("FORGEJO_ACTIONS", "true"), "github/forgejo"),
        ];
        for (place, code) in cases {
            let error = diagnosis(&place.host(), &place.options());
            assert_eq!(error.code(), code);
        }
    }

    #[test]
    fn half_of_the_variables_is_no_absence() {
        let place = Place::new().var("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "");
        let error = job(&place.host(), &place.options()).err().unwrap();
        assert!(matches!(error, Error::Partial));
        let place = Place::new();
        assert!(job(&place.host(), &place.options()).unwrap().is_none());
    }
}
