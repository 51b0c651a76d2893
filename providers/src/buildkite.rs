// SPDX-License-Identifier: Apache-2.0
//! Buildkite. Jobs are recognised; asking the agent's endpoint for a token is not built yet.

use std::borrow::Cow;

use crate::{Class, Detection, Explain, Host, Kind, Options, Provider};

pub(crate) const PROVIDER: Provider = Provider {
    name: "buildkite-agent",
    variables: &["BUILDKITE"],
    kind: Kind::Ci,
    detect,
};

/// Why Buildkite gives no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its token endpoint cannot be asked yet.
    #[error("this is a Buildkite job, whose identity token cannot be requested directly yet")]
    Unsupported {
        /// The variable that can hold the token.
        variable: String,
        /// The audience that it should have.
        audience: String,
    },
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Unsupported { .. } => "buildkite/unsupported".into(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Unsupported { variable, audience } => Some(
                format!(
                    "set `{variable}` to the output of `buildkite-agent oidc request-token \
                     --audience {audience}`"
                )
                .into(),
            ),
        }
    }

    fn class(&self) -> Class {
        Class::Identity
    }
}

fn detect(host: &Host, options: &Options) -> Detection {
    if host.env.get("BUILDKITE") != Some("true") {
        return Detection::Absent;
    }
    Detection::Broken(
        Error::Unsupported {
            variable: options.variable(),
            audience: options.audience.clone(),
        }
        .into(),
    )
}
