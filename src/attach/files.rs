// SPDX-License-Identifier: Apache-2.0
//! Reads bundles from files, with the artifacts that they name.

use std::io;
use std::path::{Path, PathBuf};

use ambisign_host::{Failure, Warning, file};
use ambisign_sigstore::bundle::{self, LONGEST};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::verify;

use super::Error;
use super::error::PASSED_OVER;
use crate::pipeline::bundle_dir::SUFFIX;
use crate::report::Recorder;
use crate::settings::AttachSettings;

/// A bundle in a file. Nothing in it is verified.
pub(super) struct StoredBundle {
    pub(super) path: PathBuf,
    /// The artifacts that it names.
    about: Vec<Digest>,
    /// `true` if the user named it, `false` if it was found in a folder.
    pub(super) named: bool,
}

impl StoredBundle {
    pub(super) fn is_about(&self, digest: &Digest) -> bool {
        self.about.contains(digest)
    }
}

/// Reads every bundle of `settings`. An unreadable one in the folder is skipped with a warning, because
/// it may have nothing to do with the images.
///
/// # Errors
/// A named bundle or the folder cannot be read, or a named file is not a bundle.
pub(super) async fn all(
    settings: &AttachSettings,
    recorder: &Recorder<'_>,
) -> Result<Vec<StoredBundle>, Error> {
    let mut all = Vec::new();
    for path in &settings.files {
        let about = about(path).await?;
        let (path, named) = (path.clone(), true);
        all.push(StoredBundle { path, about, named });
    }
    if let Some(folder) = &settings.folder {
        let paths =
            listed(folder).map_err(|source| Error::Read { path: folder.clone(), source })?;
        for path in paths {
            match of_folder(&path).await {
                Ok(about) => all.push(StoredBundle { path, about, named: false }),
                Err(error) => recorder.warn(passed_over(&path, &error)),
            }
        }
    }
    Ok(all)
}

fn passed_over(path: &Path, error: &Error) -> Warning {
    let failure = Failure::of(error);
    let why = failure.because.first().unwrap_or(&failure.what);
    let message = format!("`{}` was skipped: {why}", path.display());
    Warning { code: PASSED_OVER, message }
}

/// The bundles in `folder`, sorted by name.
fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(SUFFIX) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The artifacts that a bundle in a folder names. It must be a regular file, because reading a pipe
/// would wait for its writer.
async fn of_folder(path: &Path) -> Result<Vec<Digest>, Error> {
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Error::Read {
            path: path.to_owned(),
            source: io::Error::other("it is not a file"),
        });
    }
    about(path).await
}

async fn about(path: &Path) -> Result<Vec<Digest>, Error> {
    let bytes = read(path).await?;
    verify::about(&bytes).map_err(|source| Error::Rejected { path: path.to_owned(), source })
}

/// Reads the bundle at `path`.
///
/// # Errors
/// It cannot be read, or is longer than any bundle.
pub(super) async fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    file::read_in_run(path, limit).await.map_err(|source| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::FileTooLarge {
            let source = bundle::Error::TooMany { what: "bytes" }.into();
            return Error::Rejected { path, source };
        }
        Error::Read { path, source }
    })
}
