// SPDX-License-Identifier: Apache-2.0
//! A bundle in a file, when there is no other place for it.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::outcome::Warning;
use crate::report::Progress;
use crate::verify::VerifiedBundle;

/// Writes `bundle` to `sha256-<hex>.sigstore.json` in `folder`, whole or not at all.
///
/// # Errors
/// The file cannot be written.
fn write(folder: &Path, digest: &Digest, bundle: &[u8]) -> io::Result<PathBuf> {
    let name = format!("sha256-{}.sigstore.json", digest.hex());
    let (path, part) = (folder.join(&name), folder.join(format!(".{name}.part")));
    std::fs::write(&part, bundle)?;
    std::fs::rename(&part, &path)?;
    Ok(path)
}

/// A bundle on its way to the registry. If it does not arrive, whether by an error or because a
/// signal ends the run in the middle, it is kept in the working directory: its log entry stays for
/// good.
pub(crate) struct Unattached<'a> {
    progress: &'a Progress<'a>,
    at: usize,
    bundle: Option<&'a VerifiedBundle>,
}

impl<'a> Unattached<'a> {
    /// `bundle`, for the image at `at` in the report of `progress`.
    pub(crate) fn new(progress: &'a Progress<'a>, at: usize, bundle: &'a VerifiedBundle) -> Self {
        Self {
            progress,
            at,
            bundle: Some(bundle),
        }
    }

    /// It arrived.
    pub(crate) fn attached(mut self) {
        self.bundle = None;
    }
}

impl Drop for Unattached<'_> {
    fn drop(&mut self) {
        let Some(bundle) = self.bundle else { return };
        match write(Path::new("."), bundle.digest(), bundle.bytes()) {
            Ok(path) => self.progress.image(self.at, |image| {
                if let Some(bundle) = &mut image.bundle {
                    bundle.path = Some(path);
                }
            }),
            Err(error) => {
                let message = format!("the bundle could not be kept in a file: {error}");
                self.progress.warning(Warning {
                    code: "run/not-kept",
                    message,
                });
            }
        }
    }
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
