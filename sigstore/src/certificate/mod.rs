// SPDX-License-Identifier: Apache-2.0
//! The signing certificate: its profile, its chain, its SCT, and verifying signatures with it.

pub mod chain;
pub(crate) mod claims;
mod lifetime;
mod names;
pub mod sct;
mod signing;
mod trusted;
mod verifier;

pub(crate) use names::name_of;
pub(crate) use signing::CODE_SIGNING;
#[cfg(test)]
pub(crate) use signing::testing;
pub use signing::{CertificateError, SigningCertificate};
pub use verifier::Verifier;
