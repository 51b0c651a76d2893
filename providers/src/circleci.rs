// SPDX-License-Identifier: Apache-2.0
//! CircleCI. Jobs are recognised; running its command for a token is not built yet.
//!
//! `CIRCLE_OIDC_TOKEN` and its second version are made for another audience and are not read.

use std::borrow::Cow;

use crate::{Class, Detection, Explain, Host, Kind, Options, Provider};

pub(crate) const PROVIDER: Provider = Provider {
    name: "circleci",
    variables: &["CIRCLECI"],
    kind: Kind::Ci,
    detect,
};

/// Why CircleCI gives no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its command cannot be run yet.
    #[error("this is a CircleCI job, whose identity token cannot be requested directly yet")]
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
            Self::Unsupported { .. } => "circleci/unsupported".into(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Unsupported { variable, audience } => Some(
                format!(
                    "set `{variable}` to the output of `circleci run oidc get --root-issuer \
                     --claims '{{\"aud\":\"{audience}\"}}'`"
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
    if host.env.get("CIRCLECI") != Some("true") {
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
