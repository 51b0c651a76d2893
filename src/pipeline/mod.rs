// SPDX-License-Identifier: Apache-2.0
//! The pipeline: from settings to signatures that are attached.
//!
//! [`run`](Context::sign) has the order and nothing else. Nothing public happens before everything is
//! known that can be known without it, and nothing is attached that was not verified from its bytes.

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
pub(crate) use self::context::of_provider;
pub use self::error::Error;
