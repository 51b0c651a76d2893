// SPDX-License-Identifier: Apache-2.0
//! The in-toto statement about an artifact, which the signer writes and verifiers read.

mod read;
mod write;

pub use read::OtherDigests;
pub(crate) use read::{SignedClaims, Statement, Unusable};
pub use write::{Payload, SIGN};
