// SPDX-License-Identifier: Apache-2.0
//! A door to the private parser of statements, for `fuzz/` and its test alone.

use super::error::Error;
use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::statement::Statement;

/// Whether the statement in `envelope` is about `artifact`.
///
/// # Errors
/// It holds no statement.
pub fn is_about(envelope: &Envelope, artifact: &Digest) -> Result<bool, Error> {
    Ok(Statement::read(envelope)?.about(artifact).is_some())
}
