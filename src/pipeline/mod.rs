// SPDX-License-Identifier: Apache-2.0
//! The pipeline, from settings to attached signatures.
//!
//! [`run`](Context::sign) defines the order and nothing else. Everything that can be checked without
//! publishing anything is checked first, and only bundles that were verified from their bytes are attached.

pub(crate) mod announce;
pub(crate) mod artifact;
pub mod blob;
pub mod bundle_dir;
pub(crate) mod context;
mod error;
mod if_signed;
pub(crate) mod job;
pub(crate) mod plan;
mod renewal;
mod run;
mod signer;
pub(crate) mod undelivered;

pub use self::context::Context;
pub(crate) use self::context::{of_provider, of_this_job};
pub use self::error::Error;
