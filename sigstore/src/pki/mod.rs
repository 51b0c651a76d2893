// SPDX-License-Identifier: Apache-2.0
//! Keys, certificates, and paths from one to another (RFC 5280).

pub mod keys;
pub mod names;
pub mod path;
#[cfg(test)]
pub(crate) mod testing;
pub mod window;
pub mod x509;
