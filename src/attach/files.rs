// SPDX-License-Identifier: Apache-2.0
//! The bundles that were kept, by what they are about.

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

/// A bundle in a file. Nothing of it is verified.
pub(super) struct Kept {
    pub(super) path: PathBuf,
    /// The artifacts that it says it is about.
    about: Vec<Digest>,
    /// Whether it was named, and not found in a folder.
    pub(super) named: bool,
}

impl Kept {
    pub(super) fn is_about(&self, digest: &Digest) -> bool {
        self.about.contains(digest)
    }
}

/// Looks at every bundle of `settings`. One of the folder that cannot be read is passed over with a
/// warning: it may be anybody's.
///
/// # Errors
/// A bundle that was named, or the folder, cannot be read, or is no bundle.
pub(super) async fn all(
    settings: &AttachSettings,
    recorder: &Recorder<'_>,
) -> Result<Vec<Kept>, Error> {
    let mut all = Vec::new();
    for path in &settings.files {
        let about = about(path).await?;
        let (path, named) = (path.clone(), true);
        all.push(Kept { path, about, named });
    }
    if let Some(folder) = &settings.folder {
        let paths = listed(folder).map_err(|source| Error::Read {
            path: folder.clone(),
            source,
        })?;
        for path in paths {
            match of_folder(&path).await {
                Ok(about) => all.push(Kept {
                    path,
                    about,
                    named: false,
                }),
                Err(error) => recorder.warn(passed_over(&path, &error)),
            }
        }
    }
    Ok(all)
}

fn passed_over(path: &Path, error: &Error) -> Warning {
    let failure = Failure::of(error);
    let why = failure.because.first().unwrap_or(&failure.what);
    let message = format!("`{}` was passed over: {why}", path.display());
    Warning {
        code: PASSED_OVER,
        message,
    }
}

/// The bundles of `folder`, by name.
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

/// What a bundle that was found is about. Reading a pipe would wait for whoever writes into it.
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
    verify::about(&bytes).map_err(|source| Error::Rejected {
        path: path.to_owned(),
        source,
    })
}

/// The bytes of the bundle at `path`.
///
/// # Errors
/// It cannot be read, or is longer than a bundle.
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
