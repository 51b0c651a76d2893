// SPDX-License-Identifier: Apache-2.0
//! What a command has to tell: plain facts, filled by the pipeline and rendered by [`crate::report`]. As
//! documents they are serialised as they are: the comments on members are what the schema says.
//!
//! Nothing here knows a type of the pipeline, and nothing here decides anything but the exit code.

#[cfg(test)]
pub(crate) mod described;
pub mod diagnosis;
pub mod event;
pub mod exit;
mod fold;
pub(crate) mod form;
pub(crate) mod from;
mod signing;
pub(crate) mod time;
pub mod trust;
pub mod verification;

pub use self::exit::{End, Signal};
pub use self::signing::{
    Attached, Bundle, Certificate, Identity, Instance, Known, LogEntry, Outcome, RegistryAccess,
    Report, State, Step, Timestamp, Tuf,
};

/// Names the form of the document about a run that signs; not a place to fetch it from.
pub(crate) const RESULT_SCHEMA: &str = "urn:ambisign:result:v1";
