// SPDX-License-Identifier: Apache-2.0
//! What a platform says about its job twice: in variables of the job, and in claims of the job's token.
//!
//! A token that says something else is the token of another job: an earlier step, a cache or a server between the
//! job and the platform handed it over, and a signature with it would name that other job. Only a token of the
//! platform itself is compared: one that its provider requested, or one with the platform's issuer. A token of another
//! issuer, which somebody gave to the job on purpose, says nothing about it.

use ambisign_host::Host;
use url::Url;

/// Something that the platform says about the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The claim of the token that says it too.
    pub claim: &'static str,
    /// The variable of the job.
    pub variable: &'static str,
    /// The value of the variable. Letters in another case mean the same.
    pub value: String,
}

/// A platform: the provider that requests its tokens, the variable that is `true` in its jobs, and what its tokens say.
struct Platform {
    requested_by: Option<&'static str>,
    mark: &'static str,
    is_issuer: fn(&Host, &str) -> bool,
    facts: fn(&Host) -> Facts,
}

/// Claims, with the variables that say the same.
type Facts = &'static [(&'static str, &'static str)];

const PLATFORMS: [Platform; 4] = [
    Platform {
        requested_by: Some("github-actions"),
        mark: "GITHUB_ACTIONS",
        is_issuer: is_github,
        facts: of_github,
    },
    Platform {
        requested_by: None,
        mark: "GITLAB_CI",
        is_issuer: is_gitlab,
        facts: |_| {
            &[
                ("project_path", "CI_PROJECT_PATH"),
                ("job_id", "CI_JOB_ID"),
                ("sha", "CI_COMMIT_SHA"),
            ]
        },
    },
    // A step may get the token of its build from another step, so jobs are not compared.
    Platform {
        requested_by: None,
        mark: "BUILDKITE",
        is_issuer: |_, issuer| issuer == "https://agent.buildkite.com",
        facts: |_| {
            &[
                ("organization_slug", "BUILDKITE_ORGANIZATION_SLUG"),
                ("pipeline_slug", "BUILDKITE_PIPELINE_SLUG"),
                ("build_number", "BUILDKITE_BUILD_NUMBER"),
            ]
        },
    },
    Platform {
        requested_by: None,
        mark: "CIRCLECI",
        is_issuer: |_, issuer| is_below(issuer, "https://oidc.circleci.com"),
        facts: |_| {
            &[
                ("oidc.circleci.com/project-id", "CIRCLE_PROJECT_ID"),
                ("oidc.circleci.com/workflow-id", "CIRCLE_WORKFLOW_ID"),
            ]
        },
    },
];

/// What the token of `issuer` that `provider` gave must say, because the variables of this job say it. Empty if the
/// token is not of the platform that runs the job, or if the job has none of the variables.
pub fn facts(host: &Host, provider: &str, issuer: &str) -> Vec<Fact> {
    let is_requested = |platform: &&Platform| platform.requested_by == Some(provider);
    let is_here = |platform: &&Platform| {
        host.env.get(platform.mark) == Some("true") && (platform.is_issuer)(host, issuer)
    };
    let platform = PLATFORMS.iter().find(|platform| is_requested(platform) || is_here(platform));
    let pairs = platform.map_or(&[][..], |platform| (platform.facts)(host));
    let fact = |(claim, variable): &(&'static str, &'static str)| {
        let value = host.env.get(variable)?.to_owned();
        Some(Fact { claim, variable, value })
    };
    pairs.iter().filter_map(fact).collect()
}

/// GitHub's claims. Forgejo and Gitea number runs in other ways than in their variables, and what
/// `GITHUB_SHA` of a pull request names is a merge that is made anew when its branches move.
fn of_github(host: &Host) -> Facts {
    const ALL: Facts = &[
        ("repository", "GITHUB_REPOSITORY"),
        ("repository_owner", "GITHUB_REPOSITORY_OWNER"),
        ("run_id", "GITHUB_RUN_ID"),
        ("sha", "GITHUB_SHA"),
    ];
    let is = |name| host.env.get(name) == Some("true");
    let event = host.env.get("GITHUB_EVENT_NAME").unwrap_or_default();
    let count = if is("FORGEJO_ACTIONS") || is("GITEA_ACTIONS") {
        2
    } else if event.starts_with("pull_request") {
        3
    } else {
        4
    };
    ALL.split_at_checked(count).map_or(ALL, |(compared, _)| compared)
}

fn is_github(host: &Host, issuer: &str) -> bool {
    let Ok(url) = Url::parse(issuer) else { return false };
    let name = url.host_str().unwrap_or_default();
    let of_enterprise = name.starts_with("token.actions.") && name.ends_with(".ghe.com");
    is_below(issuer, "https://token.actions.githubusercontent.com")
        || of_enterprise
        || host.env.get("GITHUB_SERVER_URL").is_some_and(|server| is_below(issuer, server))
}

fn is_gitlab(host: &Host, issuer: &str) -> bool {
    let server = host.env.get("CI_SERVER_URL").unwrap_or("https://gitlab.com");
    issuer.trim_end_matches('/') == server.trim_end_matches('/')
}

/// Whether `issuer` is `base` or a path below it.
fn is_below(issuer: &str, base: &str) -> bool {
    let rest = issuer.strip_prefix(base.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::facts;
    use crate::choose::tests::Place;

    const GITHUB: &str = "https://token.actions.githubusercontent.com";

    fn compared(place: &Place, provider: &str, issuer: &str) -> String {
        let facts = facts(&place.host(), provider, issuer);
        let claims: Vec<_> = facts.iter().map(|fact| fact.claim).collect();
        claims.join(" ")
    }

    fn github() -> Place {
        Place::new()
            .var("GITHUB_ACTIONS", "true")
            .var("GITHUB_REPOSITORY", "acme/app")
            .var("GITHUB_REPOSITORY_OWNER", "acme")
            .var("GITHUB_RUN_ID", "7")
            .var("GITHUB_SHA", "c0ffee")
    }

    #[test]
    fn a_token_of_the_platform_is_compared_with_its_job() {
        let all = "repository repository_owner run_id sha";
        let ghes = || github().var("GITHUB_SERVER_URL", "https://ghes.example");
        for (place, provider, issuer, expected) in [
            (github(), "github-actions", GITHUB, all),
            // What the provider requested is of the platform, whatever its issuer is.
            (github(), "github-actions", "http://127.0.0.1:1/x", all),
            (github(), "envvar", GITHUB, all),
            (github(), "envvar", &format!("{GITHUB}/acme"), all),
            (github(), "envvar", "https://token.actions.acme.ghe.com", all),
            (ghes(), "envvar", "https://ghes.example/_services/token", all),
            // Somebody gave another token on purpose.
            (github(), "envvar", "https://accounts.google.com", ""),
            (github(), "filesystem", &format!("{GITHUB}.evil.example"), ""),
            (Place::new(), "github-actions", GITHUB, ""),
            (
                github().var("GITHUB_EVENT_NAME", "pull_request_target"),
                "github-actions",
                GITHUB,
                "repository repository_owner run_id",
            ),
            (
                github().var("FORGEJO_ACTIONS", "true"),
                "github-actions",
                "https://forgejo.example/api/actions",
                "repository repository_owner",
            ),
        ] {
            assert_eq!(compared(&place, provider, issuer), expected, "{provider} {issuer}");
        }
    }

    #[test]
    fn a_token_in_a_variable_is_compared_if_the_platform_issued_it() {
        let gitlab = || {
            Place::new()
                .var("GITLAB_CI", "true")
                .var("CI_PROJECT_PATH", "acme/app")
                .var("CI_JOB_ID", "7")
        };
        let own = gitlab().var("CI_SERVER_URL", "https://gitlab.corp.example");
        let buildkite = Place::new().var("BUILDKITE", "true").var("BUILDKITE_BUILD_NUMBER", "7");
        let circle = Place::new().var("CIRCLECI", "true").var("CIRCLE_PROJECT_ID", "p");
        for (place, issuer, expected) in [
            (gitlab(), "https://gitlab.com", "project_path job_id"),
            (gitlab(), "https://vault.example", ""),
            (own, "https://gitlab.corp.example", "project_path job_id"),
            (buildkite, "https://agent.buildkite.com", "build_number"),
            (circle, "https://oidc.circleci.com/org/1", "oidc.circleci.com/project-id"),
        ] {
            assert_eq!(compared(&place, "envvar", issuer), expected, "{issuer}");
        }
    }
}
