// SPDX-License-Identifier: Apache-2.0
//! The digests of a file other than SHA-256.

use std::path::Path;

use ambisign_sigstore::statement::OtherDigests;
use ambisign_sigstore::{bundle, verify};

use super::error::Error;

/// Those of `artifact`, where the statement in `bytes` names one.
///
/// # Errors
/// The file cannot be read.
pub(super) async fn others(
    artifact: &Path,
    bytes: &Result<Vec<u8>, bundle::Error>,
) -> Result<OtherDigests, Error> {
    if !bytes.as_deref().is_ok_and(verify::has_other_digests) {
        return Ok(OtherDigests::default());
    }
    let read = |source| Error::Read { path: artifact.to_owned(), source };
    OtherDigests::of_file(artifact).await.map_err(read)
}
