// SPDX-License-Identifier: Apache-2.0
//! ambisign signs container images in CI with the identity that the job already has.
//!
//! The pipeline, in the order of the folders:
//!
//! ```text
//! settings -> registry::prepare -> [Target] -+
//! settings -> trust ------------> Trust -----+-> identity -> fulcio -> signed -> witness -> verify -> registry::attach
//! providers -> Token ------------------------+
//! ```
//!
//! Every arrow is a constructor that verifies, and only a
//! [`VerifiedBundle`](ambisign_sigstore::verify::VerifiedBundle) can be attached.

mod already;
pub mod artifact;
pub mod attach;
pub mod blob;
pub mod cli;
pub mod commands;
mod credentials;
pub mod doctor;
pub mod env;
pub mod error;
pub mod explain;
pub mod images;
mod job;
pub mod outcome;
mod plan;
pub mod report;
pub mod run;
mod saved;
pub mod session;
pub mod settings;
pub mod shelf;
mod signer;
mod told;
pub mod verdict;
