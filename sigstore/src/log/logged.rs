// SPDX-License-Identifier: Apache-2.0
//! The signature that a log entry records.

use crate::certificate::Verifier;
use crate::content::ContentRef;

/// The signature that an entry must record.
#[derive(Clone, Copy, Debug)]
pub struct Logged<'a> {
    /// The certificate or the key of the signature.
    pub verifier: Verifier<'a>,
    /// The signed content and the signature.
    pub content: ContentRef<'a>,
}
