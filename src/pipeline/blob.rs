// SPDX-License-Identifier: Apache-2.0
//! A file that may be signed: its bytes were hashed, and there is room for its bundle.

use std::io;
use std::path::PathBuf;

use ambisign_host::{errors, file};
use ambisign_sigstore::digest::Digest;
use tempfile::NamedTempFile;

use crate::settings::BlobPaths;

errors! {
    /// Why a file cannot be signed.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// The file cannot be read.
        #[error("`{}` cannot be read", path.display())]
        Read {
            /// The file.
            path: PathBuf,
            /// What the system says.
            #[source]
            source: io::Error,
        } = "blob/read", Usage {
            what: "A file to be signed could not be read.",
            why: "Its name is wrong, or it belongs to somebody else.",
            advice: "Check the path from the folder of the step.",
        },
        /// The bundle cannot be written.
        #[error("the bundle `{}` cannot be written", path.display())]
        Write {
            /// The bundle.
            path: PathBuf,
            /// What the system says.
            #[source]
            source: io::Error,
        } = "blob/write", Usage {
            what: "The bundle of a file has no place.",
            why: "Its folder does not exist or cannot be written. This is tested before anything is signed.",
            advice: "Choose another place with `--bundle`.",
        },
    }
}

/// A file by its digest.
///
/// Made only by [`Blob::prepare`]: holding one proves that the bytes were hashed and that a file for
/// the bundle is open in its folder.
#[derive(Debug)]
#[must_use]
pub struct Blob {
    paths: BlobPaths,
    digest: Digest,
    part: NamedTempFile,
}

impl Blob {
    /// Hashes the file and opens a new one where its bundle goes.
    ///
    /// # Errors
    /// The one cannot be read, or the other not be written.
    pub async fn prepare(paths: &BlobPaths) -> Result<Self, Error> {
        let unwritable = |source| Error::Write {
            path: paths.bundle.clone(),
            source,
        };
        let part = NamedTempFile::new_in(file::folder(&paths.bundle)).map_err(unwritable)?;
        if paths.bundle.is_dir() {
            return Err(unwritable(io::ErrorKind::IsADirectory.into()));
        }
        let digest = Digest::of_file(&paths.blob)
            .await
            .map_err(|source| Error::Read {
                path: paths.blob.clone(),
                source,
            })?;
        Ok(Self {
            paths: paths.clone(),
            digest,
            part,
        })
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Puts the finished bundle in its place: whole, and instead of what was there.
    ///
    /// # Errors
    /// It cannot be written; what was there is unchanged.
    pub fn deliver(self, bundle: &[u8]) -> Result<PathBuf, Error> {
        let path = self.paths.bundle;
        match file::place(self.part, &path, bundle) {
            Ok(()) => Ok(path),
            Err(source) => Err(Error::Write { path, source }),
        }
    }
}
