// SPDX-License-Identifier: Apache-2.0
//! What a run asks to be allowed at a repository.

/// What is asked of the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// To read.
    Pull,
    /// To read and to write.
    PullAndPush,
}

impl Right {
    /// As a scope names it (token authentication of the OCI registries, "Token Scope").
    pub(crate) fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::PullAndPush => "pull,push",
        }
    }
}
