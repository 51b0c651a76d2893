// SPDX-License-Identifier: Apache-2.0
//! Those who vouch for a signature: transparency logs and timestamp authorities.

mod body;
pub mod checkpoint;
pub mod entry;
mod error;
pub mod merkle;
pub mod note;
pub mod tiles;
pub mod timestamp;
mod tst;
pub(crate) mod wire;

pub use entry::{Content, LogEntry, Logged, Proof, VerifiedEntry};
pub use error::EntryError;
pub use timestamp::{Stamped, Timestamp, TimestampError};
