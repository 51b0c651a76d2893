// SPDX-License-Identifier: Apache-2.0
//! The signing certificate: what it says, and whether it is to be believed.

pub mod certificate;
pub mod chain;
pub mod sct;

pub use certificate::{CertificateError, SigningCertificate};
