// SPDX-License-Identifier: Apache-2.0
//! What is logged.

use crate::certificate::Verifier;
use crate::content::ContentRef;

/// What an entry has to be of.
#[derive(Clone, Copy, Debug)]
pub struct Logged<'a> {
    /// The certificate or the key of the signature.
    pub verifier: Verifier<'a>,
    /// What was signed, and the signature.
    pub content: ContentRef<'a>,
}
