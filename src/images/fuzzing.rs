// SPDX-License-Identifier: Apache-2.0
//! Access to the private parsers of lists of images, for `fuzz/` and its test only.

use super::{Error, artifacts, file};
use crate::settings::{Built, built};

/// The names in a file of images.
///
/// # Errors
/// The file is malformed.
pub fn file(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let named = file::parse(bytes, "`images.txt`")?;
    Ok(named.into_iter().map(|named| named.text).collect())
}

/// The names in GitHub's list of artifacts.
///
/// # Errors
/// The list is malformed.
pub fn artifacts(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let named = artifacts::parse(bytes)?;
    Ok(named.into_iter().map(|named| named.text).collect())
}

/// Docker's metadata of a build; `None` if the text has another form.
pub fn metadata(text: &str) -> Option<Vec<Built>> {
    built(text)
}
