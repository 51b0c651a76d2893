// SPDX-License-Identifier: Apache-2.0
//! ambisign signs container images in CI with the identity that the job already has.
//!
//! The pipeline:
//!
//! ```text
//! settings -> registry::prepare -> [Target] -+
//! settings -> trust ------------> Trust -----+-> identity -> fulcio -> signed -> witness -> verify -> registry::attach
//! providers -> Token ------------------------+
//! ```
//!
//! Every arrow is a constructor that verifies, and only a
//! [`VerifiedBundle`](ambisign_sigstore::verify::VerifiedBundle) can be attached.

pub mod attach;
pub mod cli;
pub mod commands;
pub mod doctor;
pub mod explain;
pub mod images;
pub mod outcome;
pub mod pipeline;
pub mod report;
pub mod settings;
pub mod verification;
