// SPDX-License-Identifier: Apache-2.0
//! GitLab CI/CD: the job definition requests a token, which is then in a variable.
//!
//! There is no token endpoint, and no way to renew the token during the job. `CI_JOB_TOKEN` is not an
//! identity token.

use ambisign_host::{Host, errors};

use super::env_var;
use crate::{Detection, Kind, Options, Provider, Variable};

pub(crate) const PROVIDER: Provider = Provider {
    name: "gitlab",
    variables: &[
        Variable::mark("GITLAB_CI", "true", "GitLab CI is here"),
        Variable::read("CI_COMMIT_SHA", "9f2c...", "GitLab CI: the token must be of it"),
        Variable::read("CI_JOB_ID", "50", "GitLab CI: the token must be of it"),
        Variable::read("CI_PROJECT_PATH", "acme/app", "GitLab CI: the token must be of it"),
        Variable::read(
            "CI_SERVER_URL",
            "https://gitlab.com",
            "GitLab CI: the issuer of its tokens",
        ),
    ],
    secrets: &[],
    errors: &[Error::TABLE],
    kind: Kind::Ci,
    detect,
};

errors! {
    /// GitLab issued no token.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("this GitLab job has no `{variable}`{}", others(seen))]
        NoToken {
            variable: String,
            audience: String,
            /// The names of variables that look like tokens for other audiences.
            seen: Vec<String>,
        } = "gitlab/no-token", Identity {
            fix: format!("add `id_tokens: {{{variable}: {{aud: {audience}}}}}` to the job"),
            what: "The GitLab job has no token in the token variable.",
            why: "GitLab issues tokens only to jobs that declare them.",
            advice: "Declare `id_tokens` with the token variable and the audience in the job.",
        },
    }
}

fn others(seen: &[String]) -> String {
    if seen.is_empty() { String::new() } else { format!(", only `{}`", seen.join("`, `")) }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

fn detect(host: &Host, options: &Options) -> Detection {
    if host.env.get("GITLAB_CI") != Some("true") {
        return Detection::Absent;
    }
    match env_var::detect(host, options) {
        Detection::Absent => Detection::Broken(
            Error::NoToken {
                variable: options.variable(),
                audience: options.audience.clone(),
                seen: token_like(host),
            }
            .into(),
        ),
        found @ (Detection::Broken(_) | Detection::Ready(_) | Detection::Recognised(_)) => found,
    }
}

fn token_like(host: &Host) -> Vec<String> {
    host.env
        .utf8()
        .map(|(name, _)| name)
        .filter(|name| name.ends_with("ID_TOKEN"))
        .map(str::to_owned)
        .collect()
}
