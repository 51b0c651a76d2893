// SPDX-License-Identifier: Apache-2.0
//! A bundle in a file, when there is no other place for it.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;

/// Writes `bundle` to `sha256-<hex>.sigstore.json` in `folder`, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(folder: &Path, digest: &Digest, bundle: &[u8]) -> io::Result<PathBuf> {
    let name = format!("sha256-{}.sigstore.json", digest.hex());
    let (path, part) = (folder.join(&name), folder.join(format!(".{name}.part")));
    std::fs::write(&part, bundle)?;
    std::fs::rename(&part, &path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use crate::digest::Digest;

    #[test]
    fn writes_whole_files_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"image");
        let path = super::write(folder.path(), &digest, b"{}").unwrap();
        super::write(folder.path(), &digest, b"{\"new\":1}").unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"{\"new\":1}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
