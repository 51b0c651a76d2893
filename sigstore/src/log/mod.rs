// SPDX-License-Identifier: Apache-2.0
//! Transparency logs: their entries, and verifying that they record a signature.

mod body;
pub mod checkpoint;
pub mod entry;
mod logged;
pub mod merkle;
pub mod note;
pub mod tiles;
pub(crate) mod wire;

pub use entry::{EntryError, LogEntry, Proof, VerifiedEntry};
pub use logged::Logged;
