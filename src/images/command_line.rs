// SPDX-License-Identifier: Apache-2.0
//! References that the command line names.

use ambisign_registry::reference::Reference;

use super::Error;

/// The reference of the command line that has so many `before` it.
pub(crate) fn reference(before: usize, text: &str) -> Result<Reference, Error> {
    let place = format!("image {} of the command line", before.saturating_add(1));
    Reference::parse(text).map_err(|source| Error::Reference { place, source })
}
