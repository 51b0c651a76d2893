// SPDX-License-Identifier: Apache-2.0
//! Doors to the private parsers of lists of images, for `fuzz/` and its test alone.

use super::{Error, artifacts, file};
use crate::settings::{Built, built};

/// The names in a file of images.
///
/// # Errors
/// It is no such file.
pub fn file(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let named = file::parse(bytes, "`images.txt`")?;
    Ok(named.into_iter().map(|named| named.text).collect())
}

/// The names in GitHub's list of artifacts.
///
/// # Errors
/// It is no such list.
pub fn artifacts(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let named = artifacts::parse(bytes)?;
    Ok(named.into_iter().map(|named| named.text).collect())
}

/// What Docker says of a build; `None` when it is no such text.
pub fn metadata(text: &str) -> Option<Vec<Built>> {
    built(text)
}
