// SPDX-License-Identifier: Apache-2.0
//! The providers, one file for each, and the table of all of them. No other file lists them.

pub mod env_var;
pub(crate) mod explicit;
pub mod file;
pub mod gce;
pub mod github;
pub mod gitlab;
pub mod google;
pub mod impersonation;
pub mod spiffe;
pub mod unsupported;

use crate::Provider;

/// All providers, in order of precedence.
pub static PROVIDERS: &[Provider] = &[
    explicit::PROVIDER,
    env_var::PROVIDER,
    github::PROVIDER,
    gitlab::PROVIDER,
    unsupported::BUILDKITE,
    unsupported::CIRCLECI,
    unsupported::CODEFRESH,
    impersonation::PROVIDER,
    google::PROVIDER,
    spiffe::PROVIDER,
    file::PROVIDER,
    gce::PROVIDER,
    spiffe::DEFAULT_SOCKET,
];
