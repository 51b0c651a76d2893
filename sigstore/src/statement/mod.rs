// SPDX-License-Identifier: Apache-2.0
//! The in-toto statement about an artifact: written by the signer, read by everybody else.

mod read;
mod write;

pub(crate) use read::{SignedClaims, Statement, Unusable};
pub use write::{Payload, SIGN};
