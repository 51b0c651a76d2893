// SPDX-License-Identifier: Apache-2.0
//! Every way in which no token comes out, whichever provider it was.

use std::borrow::Cow;

use ambisign_host::{Class, Explain};

use crate::{
    ChooseError, env_var, file, gce, github, gitlab, google, impersonation, spiffe, unsupported,
};

/// Why there is no token. Each provider has its own enum; this is their sum.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error(transparent)]
pub enum Error {
    /// Application default credentials.
    Adc(#[from] google::adc::Error),
    /// No provider could be chosen.
    Choose(#[from] ChooseError),
    /// A token variable.
    EnvVar(#[from] env_var::Error),
    /// A token file, the standard input or the flag.
    File(#[from] file::Error),
    /// The Google metadata server.
    Gce(#[from] gce::Error),
    /// GitHub Actions.
    GitHub(#[from] github::Error),
    /// GitLab CI/CD.
    GitLab(#[from] gitlab::Error),
    /// Google impersonation.
    Impersonation(#[from] impersonation::Error),
    /// The key of a Google service account.
    ServiceAccount(#[from] google::service_account::Error),
    /// SPIFFE.
    Spiffe(#[from] spiffe::Error),
    /// A CI platform that cannot be asked yet.
    Unsupported(#[from] unsupported::Error),
}

impl Error {
    fn inner(&self) -> &dyn Explain {
        match self {
            Self::Adc(error) => error,
            Self::Choose(error) => error,
            Self::EnvVar(error) => error,
            Self::File(error) => error,
            Self::Gce(error) => error,
            Self::GitHub(error) => error,
            Self::GitLab(error) => error,
            Self::Impersonation(error) => error,
            Self::ServiceAccount(error) => error,
            Self::Spiffe(error) => error,
            Self::Unsupported(error) => error,
        }
    }
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        self.inner().code()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        self.inner().fix()
    }

    fn class(&self) -> Class {
        self.inner().class()
    }
}
