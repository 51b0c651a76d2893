// SPDX-License-Identifier: Apache-2.0
//! The table of all providers. No other file knows them all.

use crate::{
    Provider, env_var, explicit, file, gce, github, gitlab, google, impersonation, spiffe,
    unsupported,
};

/// Every provider, in the order of precedence.
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
