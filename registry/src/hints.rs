// SPDX-License-Identifier: Apache-2.0
//! Fixes for missing rights on common registries, one imperative sentence each.

use std::borrow::Cow;

use ambisign_host::{HttpError, HttpReason};
use reqwest::StatusCode;
use url::Url;

use crate::hosts::is_google;
use crate::reference::DOCKER_HUB;

/// The request that checks whether a signature may be pushed.
pub(crate) const UPLOAD: &str = "an upload";

/// The login when a registry refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// There was one, or the registry did not ask for one.
    Given,
    /// There was none.
    Missing,
    /// There was none except those that `docker/login-action` stores for Buildx only.
    Scoped,
}

impl Login {
    /// Corrects the login with the registry's answer `said`: an expired login counts as none. Logins of
    /// ECR are valid for twelve hours.
    pub(crate) fn as_answered(self, excerpt: &str) -> Self {
        if excerpt.to_ascii_lowercase().contains("token has expired") {
            Self::Missing
        } else {
            self
        }
    }
}

/// The registries with specific fixes.
enum Kind {
    Azure,
    DockerHub,
    Ecr,
    Ghcr,
    GitLab,
    Google,
    Other,
}

impl Kind {
    fn of(host: &str) -> Self {
        if host == "ghcr.io" {
            Self::Ghcr
        } else if is_google(host) {
            Self::Google
        } else if host.ends_with(".amazonaws.com") || host == "public.ecr.aws" {
            Self::Ecr
        } else if host.ends_with(".azurecr.io") {
            Self::Azure
        } else if host == DOCKER_HUB {
            Self::DockerHub
        } else if host == "registry.gitlab.com" {
            Self::GitLab
        } else {
            Self::Other
        }
    }
}

/// The fix if a registry denies all access.
pub(crate) fn login_hint(repository: &str, login: Login) -> Cow<'static, str> {
    match login {
        Login::Given => read(host_of(repository)),
        Login::Missing => log_in(host_of(repository)),
        Login::Scoped => without_scope(),
    }
}

/// The fix if a registry denies access to someone who only verifies, where [`login_hint`] asks for the
/// right to write.
pub(crate) fn log_in_to_read(repository: &str) -> Option<&'static str> {
    match Kind::of(host_of(repository)) {
        Kind::Ghcr => Some(
            "log in before this step with docker/login-action, or set `GITHUB_TOKEN` to \
             `${{ github.token }}` of a job with `permissions: packages: read`",
        ),
        Kind::DockerHub => Some(
            "log in before this step: `docker login --username NAME --password-stdin`, with an access \
             token that may read",
        ),
        Kind::Azure | Kind::Ecr | Kind::GitLab | Kind::Google | Kind::Other => None,
    }
}

/// The fix if a registry refuses something with `status` to someone who only verifies.
pub(crate) fn refused_to_verifier(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        500.. => None,
        401 | 403 => Some("log in with an account that may read this repository"),
        _ => Some("act on the answer that is shown"),
    }
}

/// The fix if a registry allows reading but not writing.
pub(crate) fn push(repository: &str, login: Login) -> Cow<'static, str> {
    match login {
        Login::Given => write(host_of(repository)),
        Login::Missing => log_in(host_of(repository)),
        Login::Scoped => without_scope(),
    }
}

/// The fix if a registry gave no usable answer.
pub(crate) fn request(error: &HttpError) -> Option<Cow<'static, str>> {
    let host = Url::parse(&error.url).ok();
    let host = host.as_ref().and_then(host_and_port);
    match (&error.reason, host) {
        (
            HttpReason::Status {
                status: StatusCode::TOO_MANY_REQUESTS,
                ..
            },
            Some(host),
        ) if is_docker_hub(&host) => Some(
            "log in to Docker Hub before this step (`docker login`): it limits pulls without a login"
                .into(),
        ),
        (HttpReason::NotTls, Some(host)) => Some(
            format!(
                "name the port where the registry supports TLS, or allow plain HTTP for it: \
                 `--allow-http-registry={host}`"
            )
            .into(),
        ),
        _ => error.fix(),
    }
}

/// Returns `true` if `host` belongs to Docker Hub or its token service.
fn is_docker_hub(host: &str) -> bool {
    matches!(host, DOCKER_HUB | "registry-1.docker.io" | "auth.docker.io")
}

/// `host:port`, in the form used in images.
fn host_and_port(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// The fix if a registry refuses `what` with `status`.
pub(crate) fn refused(status: StatusCode, what: &str) -> Option<Cow<'static, str>> {
    match status.as_u16() {
        404 if what == UPLOAD => Some(
            "create the repository in the registry first, because a push does not create it"
                .into(),
        ),
        405 if what == UPLOAD => Some(
            "name the repository to which the image was pushed, because a cache or proxy of another registry \
             accepts no signatures"
                .into(),
        ),
        400 | 405 | 409 => Some(
            "check whether the tags of this repository are immutable or its content is restricted"
                .into(),
        ),
        401 | 403 => Some("log in with an account that may push to this repository".into()),
        500.. => Some("run again: this usually passes".into()),
        413 => Some("remove signatures that are not needed from this image".into()),
        _ => None,
    }
}

fn host_of(repository: &str) -> &str {
    repository.split('/').next().unwrap_or(repository)
}

fn without_scope() -> Cow<'static, str> {
    "remove `scope:` from docker/login-action, because that login is for Buildx only, or set \
     `AMBISIGN_REGISTRY_USERNAME` and `AMBISIGN_REGISTRY_PASSWORD`"
        .into()
}

fn log_in(host: &str) -> Cow<'static, str> {
    match Kind::of(host) {
        Kind::Azure => {
            let name = host.strip_suffix(".azurecr.io").unwrap_or(host);
            format!("log in before this step: `az acr login --name {name}`").into()
        }
        Kind::DockerHub => "log in before this step: `docker login --username NAME \
                            --password-stdin`, with an access token that may write"
            .into(),
        Kind::Ecr => format!(
            "log in before this step: `aws ecr get-login-password | docker login --username AWS \
             --password-stdin {host}`"
        )
        .into(),
        Kind::Ghcr => "log in before this step with docker/login-action, or set `GITHUB_TOKEN` to \
                       `${{ github.token }}` of a job with `permissions: packages: write`"
            .into(),
        Kind::GitLab => "set `CI_REGISTRY`, `CI_REGISTRY_USER` and `CI_REGISTRY_PASSWORD`, as a \
                         GitLab job has them, or log in before this step"
            .into(),
        Kind::Google => format!(
            "log in before this step: `gcloud auth print-access-token | docker login --username \
             oauth2accesstoken --password-stdin https://{host}`; on Google Cloud attach a service \
             account instead"
        )
        .into(),
        Kind::Other => format!(
            "log in before this step: `docker login {host}`, or set `AMBISIGN_REGISTRY_USERNAME` \
             and `AMBISIGN_REGISTRY_PASSWORD`"
        )
        .into(),
    }
}

fn read(host: &str) -> Cow<'static, str> {
    match Kind::of(host) {
        Kind::Ghcr => "give the job `permissions: packages: write`, and the package's repository \
                       access to it"
            .into(),
        Kind::Google => "grant the account `roles/artifactregistry.reader` on the repository, and \
             `roles/artifactregistry.writer` to sign"
            .into(),
        Kind::Azure | Kind::DockerHub | Kind::Ecr | Kind::GitLab | Kind::Other => {
            "log in to the registry with an account that may read the repository, and \
                          write to it to sign"
                .into()
        }
    }
}

fn write(host: &str) -> Cow<'static, str> {
    match Kind::of(host) {
        Kind::Azure => "grant the account the role AcrPush on the registry".into(),
        Kind::DockerHub => "log in with an access token that may write, of an account that may \
                            push to this repository"
            .into(),
        Kind::Ecr => {
            "allow the role `ecr:BatchCheckLayerAvailability`, `ecr:InitiateLayerUpload`, \
                      `ecr:UploadLayerPart`, `ecr:CompleteLayerUpload` and `ecr:PutImage` on the \
                      repository"
                .into()
        }
        Kind::Ghcr => "add `permissions: packages: write` to the job, and link the package to its \
                       repository"
            .into(),
        Kind::GitLab => "use the login of a job of the same project, or a deploy token with the \
                         scope `write_registry`"
            .into(),
        Kind::Google => "grant the account `roles/artifactregistry.writer` on the repository (it \
                         takes minutes to work)"
            .into(),
        Kind::Other => "log in with an account that may push to this repository".into(),
    }
}

#[cfg(test)]
mod tests {
    use ambisign_host::{Explain as _, HttpError, HttpReason};
    use reqwest::{Method, StatusCode};

    use super::{Login, login_hint, push, request};
    use crate::Error;

    #[test]
    fn an_expired_login_is_renewed() {
        let excerpt = "Your authorization token has expired. Reauthenticate and try again.";
        let repository = "1.dkr.ecr.eu-central-1.amazonaws.com/app";
        let advice = push(repository, Login::Given.as_answered(excerpt));
        assert!(advice.contains("aws ecr get-login-password"), "{advice}");
        assert_eq!(Login::Given.as_answered("denied"), Login::Given);
    }

    #[test]
    fn nobody_who_reads_is_told_to_push() {
        let refused = |status| Error::Refused {
            repository: "r.example/app".to_owned(),
            what: "the list of referrers".to_owned(),
            status,
            excerpt: String::new(),
            credential: String::new(),
        };
        let forbidden = refused(StatusCode::FORBIDDEN).verifier_fix().unwrap();
        assert!(forbidden.contains("may read this repository"), "{forbidden}");
        let unknown = refused(StatusCode::METHOD_NOT_ALLOWED).verifier_fix().unwrap();
        assert!(unknown.contains("act on the answer"), "{unknown}");
        let broken = refused(StatusCode::BAD_GATEWAY);
        assert_eq!(broken.verifier_fix(), broken.fix());
        let denied = |repository: &str| Error::Unauthorized {
            repository: repository.to_owned(),
            status: StatusCode::UNAUTHORIZED,
            excerpt: String::new(),
            credential: String::new(),
            login: Login::Missing,
        };
        for repository in ["ghcr.io/acme/app", "index.docker.io/acme/app"] {
            let advice = denied(repository).verifier_fix().unwrap();
            assert!(advice.contains("read"), "{advice}");
            assert!(!advice.contains("write"), "{advice}");
        }
    }

    fn failed(url: &str, reason: HttpReason) -> HttpError {
        HttpError {
            method: Method::GET,
            url: url.into(),
            proxy: None,
            tries: 5,
            sent: true,
            reason,
        }
    }

    /// The limit of Docker Hub is one for pulls without a login; that of others is not.
    #[test]
    fn a_pull_limit_of_docker_hub_wants_a_login() {
        for (url, is_hub) in [
            ("https://index.docker.io/v2/acme/app/manifests/1", true),
            ("https://registry-1.docker.io/v2/acme/app/manifests/1", true),
            ("https://auth.docker.io/token", true),
            ("https://ghcr.io/v2/acme/app/manifests/1", false),
        ] {
            let limit = |status| HttpReason::Status {
                status,
                excerpt: "toomanyrequests".into(),
                retry_after: None,
            };
            let advice = request(&failed(url, limit(StatusCode::TOO_MANY_REQUESTS)));
            assert_eq!(advice.unwrap_or_default().contains("docker login"), is_hub, "{url}");
            let advice = request(&failed(url, limit(StatusCode::BAD_GATEWAY)));
            assert!(!advice.unwrap_or_default().contains("docker login"), "{url}");
        }
    }

    /// A registry that does not speak TLS is named as the flag wants it.
    #[test]
    fn a_registry_without_tls_is_named_with_its_port() {
        let error = failed("https://r.corp:5000/v2/app/", HttpReason::NotTls);
        let advice = request(&error).unwrap_or_default();
        assert!(advice.ends_with("`--allow-http-registry=r.corp:5000`"), "{advice}");
    }

    #[test]
    fn each_registry_has_its_own_way() {
        for (repository, login, right) in [
            ("ghcr.io/acme/app", "GITHUB_TOKEN", "packages: write"),
            (
                "europe-docker.pkg.dev/acme/apps/app",
                "gcloud auth print-access-token",
                "artifactregistry.writer",
            ),
            ("gcr.io/acme/app", "https://gcr.io`", "artifactregistry.writer"),
            (
                "1.dkr.ecr.eu-central-1.amazonaws.com/app",
                "aws ecr get-login-password",
                "ecr:PutImage",
            ),
            ("acme.azurecr.io/app", "--name acme`", "AcrPush"),
            ("index.docker.io/acme/app", "access token", "access token"),
            ("registry.gitlab.com/acme/app", "CI_REGISTRY", "write_registry"),
            ("r.example:5000/app", "docker login r.example:5000`", "may push"),
        ] {
            let advice = push(repository, Login::Missing);
            assert!(advice.contains(login), "{repository}: {advice}");
            assert_eq!(advice, login_hint(repository, Login::Missing));
            let advice = push(repository, Login::Given);
            assert!(advice.contains(right), "{repository}: {advice}");
            assert_ne!(advice, login_hint(repository, Login::Given));
            assert!(push(repository, Login::Scoped).contains("`scope:`"));
        }
    }
}
