// SPDX-License-Identifier: Apache-2.0
//! The rights that a run requests for a repository.

/// The right to request from the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// To read.
    Pull,
    /// To read and to write.
    PullAndPush,
}

impl Right {
    /// Its name in a scope (token authentication of the OCI registries, "Token Scope").
    pub(crate) fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::PullAndPush => "pull,push",
        }
    }
}
