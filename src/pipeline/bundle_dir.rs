// SPDX-License-Identifier: Apache-2.0
//! The folder or file for bundles that the user names. It is known to be writable before anything is
//! public, and an existing file is never replaced.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ambisign_host::{errors, file};
use ambisign_sigstore::digest::Digest;
use tempfile::NamedTempFile;

use crate::settings::{BundlePlace, Mode, SettingsError};
use ambisign_registry::KeepsBundles;
use ambisign_registry::reference::Reference;

/// The suffix of bundle files. Other Sigstore clients use the same one.
pub(crate) const SUFFIX: &str = ".sigstore.json";
/// The most bytes of a repository's name in a file name. File systems allow 255 in total.
const LONGEST_SLUG: usize = 128;
/// The number of digits of the digest in a file name.
const DIGITS: usize = 12;
/// The number of bytes that a probe writes, about the size of a bundle.
const LIKE_A_BUNDLE: usize = 16 * 1024;

errors! {
    /// A bundle cannot be written to the requested place.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("a bundle already exists at `{}`", path.display())]
        Exists { path: PathBuf } = "bundle/exists", Usage {
            fix: "attach it with `ambisign attach` if it is the one that you need, or choose another place",
            what: "The file for a bundle already exists.",
            why: "It contains another signature of the same image, whose log entry is permanent, so it must not be lost.",
            advice: "Use a separate folder for each run.",
        },
        #[error("the bundles cannot be written to the folder `{}`", path.display())]
        Folder {
            path: PathBuf,
            #[source]
            source: io::Error,
        } = "bundle/folder", Usage {
            fix: "choose a writable folder with `--bundle-dir`, or a file in one with `--bundle`",
            what: "The bundles cannot be written to their folder.",
            why: "It is a file, it cannot be created, or it is not writable.",
            advice: "Choose a folder that the job may write to.",
        },
        /// It is for one bundle, but there are several.
        #[error(transparent)]
        Settings(#[from] error: SettingsError) = of error,
        #[error("the bundle `{}` cannot be written", path.display())]
        Write {
            path: PathBuf,
            #[source]
            source: io::Error,
        } = "bundle/write", Usage {
            fix: "free space there, or choose another place",
            what: "A bundle could not be written to its folder.",
            why: "The disk is full, or the folder was removed during the run.",
            advice: "Free space; the message says where the bundle is instead.",
        },
    }
}

/// The folder or file for the bundles of a run.
///
/// Only [`BundleDir::open`] makes one, so it proves that the folder is writable.
#[derive(Debug)]
pub struct BundleDir {
    place: BundlePlace,
    taken: Mutex<BTreeSet<PathBuf>>,
}

impl KeepsBundles for BundleDir {}

impl BundleDir {
    /// Creates the folder of `place` and checks that it is writable. A dry run creates nothing and
    /// checks the nearest existing folder.
    ///
    /// # Errors
    /// The folder is unusable, the single file already exists, or a single file is given for several
    /// `images`.
    pub fn open(place: &BundlePlace, images: usize, mode: Mode) -> Result<Self, Error> {
        let folder = match place {
            BundlePlace::Folder(folder) => folder,
            BundlePlace::File(_) if images > 1 => return Err(one_bundle().into()),
            BundlePlace::File(path) => {
                free(path)?;
                file::folder(path)
            }
        };
        probe(folder, place, mode)
            .map_err(|source| Error::Folder { path: folder.to_owned(), source })?;
        Ok(Self { place: place.clone(), taken: Mutex::default() })
    }

    /// The file for the bundle of `digest`, the digest of `image`.
    ///
    /// # Errors
    /// The file already exists, or another bundle of this run has the same name.
    pub(crate) fn bundle_file(
        &self,
        image: &Reference,
        digest: &Digest,
    ) -> Result<BundleFile, Error> {
        let path = match &self.place {
            BundlePlace::File(path) => path.clone(),
            BundlePlace::Folder(folder) => folder.join(name(image.repository(), digest)),
        };
        free(&path)?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match (taken.insert(path.clone()), &self.place) {
            (true, _) => Ok(BundleFile { path }),
            (false, BundlePlace::File(_)) => Err(one_bundle().into()),
            (false, BundlePlace::Folder(_)) => Err(Error::Exists { path }),
        }
    }
}

/// The error that one file is for one bundle.
fn one_bundle() -> SettingsError {
    SettingsError::Conflict { one: "--bundle".to_owned(), other: "several images".to_owned() }
}

/// Checks that nothing exists at `path`, not even a dangling link.
fn free(path: &Path) -> Result<(), Error> {
    match path.symlink_metadata() {
        Ok(_) => Err(Error::Exists { path: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

fn probe(folder: &Path, place: &BundlePlace, mode: Mode) -> io::Result<()> {
    let there = match (mode, place) {
        (Mode::DryRun, BundlePlace::Folder(_)) => folder
            .ancestors()
            .find(|folder| folder.as_os_str().is_empty() || folder.symlink_metadata().is_ok()),
        (Mode::Publish, BundlePlace::Folder(_)) => {
            std::fs::create_dir_all(folder)?;
            None
        }
        (_, BundlePlace::File(_)) => None,
    };
    let there = there.unwrap_or(folder);
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    // Write some bytes, because a full disk allows empty files.
    let mut part = NamedTempFile::new_in(there)?;
    part.write_all(&[0; LIKE_A_BUNDLE])?;
    part.as_file().sync_data()?;
    part.close()
}

/// `acme-app-9f2c8b417d05.sigstore.json` for `acme/app`.
fn name(repository: &str, digest: &Digest) -> String {
    let hex = digest.hex();
    let digits = hex.get(..DIGITS).unwrap_or(&hex);
    let slug = repository.chars().take(LONGEST_SLUG);
    // All other characters of a repository's name are allowed in file names.
    let slug: String = slug.map(|c| if c == '/' { '-' } else { c }).collect();
    format!("{slug}-{digits}{SUFFIX}")
}

/// The file for one bundle, which did not exist when it was checked.
#[derive(Debug)]
pub(crate) struct BundleFile {
    path: PathBuf,
}

impl BundleFile {
    /// Writes `bundle` atomically, without replacing a file.
    ///
    /// # Errors
    /// It cannot be written, or the file exists by now.
    pub(crate) fn put(&self, bundle: &[u8]) -> Result<PathBuf, Error> {
        let path = self.path.clone();
        let part = tempfile::Builder::new()
            .prefix(".ambisign-")
            .suffix(".part")
            .tempfile_in(file::folder(&path));
        match part.and_then(|part| file::place_new(part, &path, bundle)) {
            Ok(()) => Ok(path),
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {
                let limit = u64::try_from(bundle.len()).unwrap_or(u64::MAX);
                match file::read(&path, limit) {
                    Ok(found) if found == bundle => Ok(path),
                    Ok(_) | Err(_) => Err(Error::Exists { path }),
                }
            }
            Err(source) => Err(Error::Write { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use ambisign_host::Explain as _;
    use ambisign_sigstore::digest::Digest;

    use super::{BundleDir, name};
    use crate::settings::{BundlePlace, Mode};
    use ambisign_registry::reference::Reference;

    fn open(path: &Path, mode: Mode) -> Result<BundleDir, super::Error> {
        BundleDir::open(&BundlePlace::Folder(path.to_owned()), 1, mode)
    }

    #[test]
    fn keeps_one_file_for_each_digest_and_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let bundles = open(&folder.path().join("a/b"), Mode::Publish).unwrap();
        let image = Reference::parse("r.example/acme/app:1").unwrap();
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let bundle_file = bundles.bundle_file(&image, &one).unwrap();
        let path = bundle_file.put(b"{}").unwrap();
        let expected = format!("acme-app-{}.sigstore.json", &one.hex()[..12]);
        assert_eq!(path.file_name().unwrap(), expected.as_str());
        assert_eq!(bundle_file.put(b"{}").unwrap(), path);
        assert_eq!(bundle_file.put(b"{ }").unwrap_err().code(), "bundle/exists");
        assert_eq!(bundle_file.put(b"{").unwrap_err().code(), "bundle/exists");
        assert_eq!(bundles.bundle_file(&image, &one).unwrap_err().code(), "bundle/exists");
        // Of this run: nothing is there yet.
        let _first = bundles.bundle_file(&image, &other).unwrap();
        assert_eq!(bundles.bundle_file(&image, &other).unwrap_err().code(), "bundle/exists");
        assert_eq!(fs::read(&path).unwrap(), b"{}");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_found_before() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        for mode in [Mode::DryRun, Mode::Publish] {
            for path in [&file, &file.join("below"), Path::new("/proc/self/ns/below")] {
                let error = open(path, mode).unwrap_err();
                assert_eq!(error.code(), "bundle/folder", "{mode:?} {path:?}");
            }
        }
        let missing = folder.path().join("a/b");
        open(&missing, Mode::DryRun).unwrap();
        assert!(!folder.path().join("a").exists());
    }

    #[test]
    fn one_file_is_for_one_bundle() {
        let folder = tempfile::tempdir().unwrap();
        let place = BundlePlace::File(folder.path().join("bundle"));
        let error = BundleDir::open(&place, 2, Mode::Publish).unwrap_err();
        assert_eq!(error.code(), "settings/conflict");
        let bundles = BundleDir::open(&place, 1, Mode::Publish).unwrap();
        let image = Reference::parse("r.example/acme/app:1").unwrap();
        bundles.bundle_file(&image, &Digest::of(b"one")).unwrap().put(b"{}").unwrap();
        let error = BundleDir::open(&place, 1, Mode::Publish).unwrap_err();
        assert_eq!(error.code(), "bundle/exists");
    }

    #[test]
    fn names_fit_into_every_file_system() {
        let name = name(&"a/".repeat(127), &Digest::of(b"x"));
        assert!(name.len() < 200 && !name.contains('/'), "{name}");
    }
}
