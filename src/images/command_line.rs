// SPDX-License-Identifier: Apache-2.0
//! References on the command line.

use ambisign_registry::reference::Reference;

use super::{Error, named};

/// Parses the reference on the command line that follows `before` others.
pub(crate) fn reference(before: usize, text: &str) -> Result<Reference, Error> {
    let place = format!("image {} of the command line", before.saturating_add(1));
    named::parse(text, place)
}
