// SPDX-License-Identifier: Apache-2.0
//! The kinds of services that a run uses.

/// A kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceKind {
    Fulcio,
    Log,
    TimestampAuthority,
}

impl ServiceKind {
    /// Its name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fulcio => "Fulcio",
            Self::Log => "log",
            Self::TimestampAuthority => "timestamp authority",
        }
    }

    /// The supported API versions.
    pub(super) fn versions(self) -> &'static [u32] {
        match self {
            Self::Fulcio | Self::TimestampAuthority => &[1],
            Self::Log => &[1, 2],
        }
    }
}
