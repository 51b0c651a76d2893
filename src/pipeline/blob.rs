// SPDX-License-Identifier: Apache-2.0
//! A file to sign: its bytes were hashed, and its bundle can be written.

use std::io;
use std::path::PathBuf;

use ambisign_host::{errors, file};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::lookalike::Lookalike;
use tempfile::NamedTempFile;

use crate::settings::BlobPaths;

errors! {
    /// A file cannot be signed.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("`{}` {lookalike}", path.display())]
        Lookalike { path: PathBuf, lookalike: Lookalike } = "blob/lookalike", Usage {
            fix: "sign an archive with the file in it; sign an image with `ambisign sign`",
            what: "A file has the form of what is signed for an image, an attestation or a CMS signature.",
            why: "A signature does not say its kind, so the author of the file would get a signature of an image.",
            advice: "Find out who made the file. If it must be signed, sign an archive with the file in it.",
        },
        #[error("`{}` cannot be read", path.display())]
        Read {
            path: PathBuf,
            #[source]
            source: io::Error,
        } = "blob/read", Usage {
            what: "A file to sign could not be read.",
            why: "Its name is wrong, or you may not read it.",
            advice: "Check the path, relative to the working directory of the step.",
        },
        #[error("the bundle `{}` cannot be written", path.display())]
        Write {
            path: PathBuf,
            #[source]
            source: io::Error,
        } = "blob/write", Usage {
            what: "The bundle of a file cannot be written.",
            why: "Its folder does not exist or is not writable. This is checked before anything is signed.",
            advice: "Choose another path with `--bundle`.",
        },
    }
}

/// A file with its digest.
///
/// Only [`Blob::prepare`] makes one, so it proves that the bytes were hashed, that their signature is of no
/// other kind, and that a file for the bundle is open in its folder.
#[derive(Debug)]
#[must_use]
pub struct Blob {
    paths: BlobPaths,
    digest: Digest,
    part: NamedTempFile,
}

impl Blob {
    /// Hashes the file and opens a new file for its bundle.
    ///
    /// # Errors
    /// The file cannot be read or looks like what other signatures are made of, or its bundle cannot be written.
    pub async fn prepare(paths: &BlobPaths) -> Result<Self, Error> {
        let unwritable = |source| Error::Write { path: paths.bundle.clone(), source };
        let part = NamedTempFile::new_in(file::folder(&paths.bundle)).map_err(unwritable)?;
        if paths.bundle.is_dir() {
            return Err(unwritable(io::ErrorKind::IsADirectory.into()));
        }
        let (digest, lookalike) = Lookalike::of_file(&paths.blob)
            .await
            .map_err(|source| Error::Read { path: paths.blob.clone(), source })?;
        if let Some(lookalike) = lookalike {
            return Err(Error::Lookalike { path: paths.blob.clone(), lookalike });
        }
        Ok(Self { paths: paths.clone(), digest, part })
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Writes the finished bundle atomically, and replaces an existing one.
    ///
    /// # Errors
    /// It cannot be written; an existing bundle is unchanged.
    pub fn deliver(self, bundle: &[u8]) -> Result<PathBuf, Error> {
        let path = self.paths.bundle;
        match file::place(self.part, &path, bundle) {
            Ok(()) => Ok(path),
            Err(source) => Err(Error::Write { path, source }),
        }
    }
}
