// SPDX-License-Identifier: Apache-2.0
//! The ways to find signatures of an image.

/// The way to find signatures of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// The index at the tag `sha256-<hex>`.
    FallbackTag,
    /// The referrers API.
    Referrers,
}
