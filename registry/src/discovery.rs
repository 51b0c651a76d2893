// SPDX-License-Identifier: Apache-2.0
//! How signatures of an image are found.

/// How signatures of an image are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// By the index under the tag `sha256-<hex>`.
    FallbackTag,
    /// By the referrers API.
    Referrers,
}
