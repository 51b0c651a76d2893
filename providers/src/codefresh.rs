// SPDX-License-Identifier: Apache-2.0
//! Codefresh. Builds are recognised; asking its token endpoint is not built yet.

use std::borrow::Cow;

use crate::{Class, Detection, Explain, Host, Kind, Options, Provider};

pub(crate) const PROVIDER: Provider = Provider {
    name: "codefresh",
    variables: &[
        "CF_BUILD_ID",
        "CF_OIDC_REQUEST_URL",
        "CF_OIDC_REQUEST_TOKEN",
    ],
    kind: Kind::Ci,
    detect,
};

/// Why Codefresh gives no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its token endpoint cannot be asked yet.
    #[error("this is a Codefresh build, whose identity token cannot be requested directly yet")]
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
            Self::Unsupported { .. } => "codefresh/unsupported".into(),
        }
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Unsupported { variable, audience } => Some(
                format!(
                    "set `{variable}` to the `ID_TOKEN` of the step `obtain-oidc-id-token` with \
                     audience `{audience}`"
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
    if !PROVIDER.variables.iter().any(|name| host.env.is_set(name)) {
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
