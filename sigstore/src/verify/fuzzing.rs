// SPDX-License-Identifier: Apache-2.0
//! Access to the private parser of statements, for `fuzz/` and its test only.

use super::error::Error;
use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::statement::{OtherDigests, Statement};

/// Returns `true` if the statement in `envelope` is about `artifact`.
///
/// # Errors
/// The envelope does not contain a statement.
pub fn is_about(envelope: &Envelope, artifact: &Digest) -> Result<bool, Error> {
    Ok(Statement::read(envelope)?.about(artifact, &OtherDigests::default())?.is_some())
}
