// SPDX-License-Identifier: Apache-2.0
//! CI platforms whose jobs are recognised, and whose tokens cannot be asked for yet.

use std::borrow::Cow;

use ambisign_host::{Class, Explain, Host};

use crate::{Detection, Kind, Options, Provider, Variable};

pub(crate) const BUILDKITE: Provider = Provider {
    name: "buildkite-agent",
    variables: &[Variable::mark("BUILDKITE", "true", "Buildkite is here")],
    secrets: &["BUILDKITE_AGENT_ACCESS_TOKEN"],
    kind: Kind::Ci,
    detect: buildkite,
};

/// `CIRCLE_OIDC_TOKEN` and its second version are made for another audience and are not read.
pub(crate) const CIRCLECI: Provider = Provider {
    name: "circleci",
    variables: &[Variable::mark("CIRCLECI", "true", "CircleCI is here")],
    secrets: &[],
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
    kind: Kind::Ci,
    detect: codefresh,
};

/// A token has to come from the platform's own tool.
#[derive(Debug, thiserror::Error)]
#[error("this is a {platform} job, whose identity token cannot be requested directly yet")]
pub struct Error {
    code: &'static str,
    platform: &'static str,
    fix: String,
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        self.code.into()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(self.fix.clone().into())
    }

    fn class(&self) -> Class {
        Class::Identity
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

fn buildkite(host: &Host, options: &Options) -> Detection {
    let tool = format!(
        "the output of `buildkite-agent oidc request-token --audience {}`",
        options.audience
    );
    let here = host.env.get("BUILDKITE") == Some("true");
    detection(here, ("buildkite/unsupported", "Buildkite"), &tool, options)
}

fn circleci(host: &Host, options: &Options) -> Detection {
    let tool = format!(
        "the output of `circleci run oidc get --root-issuer --claims '{{\"aud\":\"{}\"}}'`",
        options.audience
    );
    let here = host.env.get("CIRCLECI") == Some("true");
    detection(here, ("circleci/unsupported", "CircleCI"), &tool, options)
}

fn codefresh(host: &Host, options: &Options) -> Detection {
    let tool = format!(
        "the `ID_TOKEN` of the step `obtain-oidc-id-token` with audience `{}`",
        options.audience
    );
    let here = CODEFRESH.marks().any(|name| host.env.is_set(name));
    detection(here, ("codefresh/unsupported", "Codefresh"), &tool, options)
}

fn detection(
    here: bool,
    (code, platform): (&'static str, &'static str),
    tool: &str,
    options: &Options,
) -> Detection {
    if !here {
        return Detection::Absent;
    }
    let fix = format!("set `{}` to {tool}", options.variable());
    Detection::Broken(
        Error {
            code,
            platform,
            fix,
        }
        .into(),
    )
}
