// SPDX-License-Identifier: Apache-2.0
//! CI platforms that are recognised, but whose tokens cannot be requested yet.

use ambisign_host::{Host, errors};

use crate::{Detection, Kind, Options, Provider, Variable};

pub(crate) const BUILDKITE: Provider = Provider {
    name: "buildkite-agent",
    variables: &[
        Variable::mark("BUILDKITE", "true", "Buildkite is here"),
        Variable::read("BUILDKITE_BUILD_NUMBER", "50", "Buildkite: the token must be of it"),
        Variable::read("BUILDKITE_ORGANIZATION_SLUG", "acme", "Buildkite: the token must be of it"),
        Variable::read("BUILDKITE_PIPELINE_SLUG", "app", "Buildkite: the token must be of it"),
    ],
    secrets: &["BUILDKITE_AGENT_ACCESS_TOKEN"],
    errors: &[Error::TABLE],
    kind: Kind::Ci,
    detect: buildkite,
};

/// `CIRCLE_OIDC_TOKEN` and its second version have another audience and are not read.
pub(crate) const CIRCLECI: Provider = Provider {
    name: "circleci",
    variables: &[
        Variable::mark("CIRCLECI", "true", "CircleCI is here"),
        Variable::read("CIRCLE_PROJECT_ID", "2c1d...", "CircleCI: the token must be of it"),
        Variable::read("CIRCLE_WORKFLOW_ID", "9a7e...", "CircleCI: the token must be of it"),
    ],
    secrets: &[],
    errors: &[],
    kind: Kind::Ci,
    detect: circleci,
};

pub(crate) const CODEFRESH: Provider = Provider {
    name: "codefresh",
    variables: &[
        Variable::mark(
            "CF_OIDC_REQUEST_URL",
            "https://oidc.codefresh.io/...",
            "Codefresh: the token endpoint",
        ),
        Variable::mark(
            "CF_OIDC_REQUEST_TOKEN",
            "<token>",
            "Codefresh: proves the build to the token endpoint",
        )
        .secret(),
        Variable::mark("CF_BUILD_ID", "6543...", "Codefresh is here"),
    ],
    secrets: &[],
    errors: &[],
    kind: Kind::Ci,
    detect: codefresh,
};

errors! {
    /// The token must come from the platform's own tool.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("this is a Buildkite job, whose identity token cannot be requested directly yet")]
        Buildkite { variable: String, audience: String } = "buildkite/unsupported", Identity {
            fix: format!("set `{variable}` to the output of `buildkite-agent oidc request-token --audience {audience}`"),
            what: "Buildkite is detected, but tokens cannot be requested from its agent directly yet.",
            why: "The token of a job comes from a command of the agent.",
            advice: "Set a token variable to the output of `buildkite-agent oidc request-token` in this step.",
        },
        #[error("this is a CircleCI job, whose identity token cannot be requested directly yet")]
        Circleci { variable: String, audience: String } = "circleci/unsupported", Identity {
            fix: format!("set `{variable}` to the output of `circleci run oidc get --root-issuer --claims '{{\"aud\":\"{audience}\"}}'`"),
            what: "CircleCI is detected, but its predefined tokens have another audience.",
            why: "The variables of a job contain tokens for the organisation. One for this audience must be requested.",
            advice: "Set a token variable to the output of `circleci run oidc get --root-issuer` in this step.",
        },
        #[error("this is a Codefresh job, whose identity token cannot be requested directly yet")]
        Codefresh { variable: String, audience: String } = "codefresh/unsupported", Identity {
            fix: format!("set `{variable}` to the `ID_TOKEN` of the step `obtain-oidc-id-token` with audience `{audience}`"),
            what: "Codefresh is detected, but tokens cannot be requested from it directly yet.",
            why: "Tokens come from a step of the pipeline.",
            advice: "Add the step `obtain-oidc-id-token`, and set a token variable to its `ID_TOKEN`.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

fn buildkite(host: &Host, options: &Options) -> Detection {
    let here = host.env.get("BUILDKITE") == Some("true");
    broken(here, options, |variable, audience| Error::Buildkite { variable, audience })
}

fn circleci(host: &Host, options: &Options) -> Detection {
    let here = host.env.get("CIRCLECI") == Some("true");
    broken(here, options, |variable, audience| Error::Circleci { variable, audience })
}

fn codefresh(host: &Host, options: &Options) -> Detection {
    let here = CODEFRESH.marks().any(|name| host.env.is_set(name));
    broken(here, options, |variable, audience| Error::Codefresh { variable, audience })
}

fn broken(here: bool, options: &Options, error: fn(String, String) -> Error) -> Detection {
    if here {
        Detection::Broken(error(options.variable(), options.audience.clone()).into())
    } else {
        Detection::Absent
    }
}
