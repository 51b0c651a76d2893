// SPDX-License-Identifier: Apache-2.0
//! A bundle that is not delivered yet. It is written to a file if the user wants one, or if it cannot be
//! delivered.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ambisign_host::{Failure, Host, Warning, codes, file};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::verify::VerifiedBundle;
use tokio::time::Instant;

use super::bundle_dir::BundleFile;
use super::context::Context;
use crate::outcome::State;
use crate::outcome::event::{Event, ImageEvent, ImageId};

/// The file of a bundle, and the reason why it is not in a better place.
struct Saved {
    path: PathBuf,
    missed: Option<Missed>,
}

/// The best place, where writing failed.
struct Missed {
    folder: PathBuf,
    error: io::Error,
}

/// Writes `bundle` to `sha256-<hex>.sigstore.json` in the first writable one of `folders`.
///
/// # Errors
/// None is writable; the error is that of the first.
fn keep(folders: &[PathBuf], digest: &Digest, bundle: &[u8]) -> io::Result<Saved> {
    let mut missed = None;
    for folder in folders {
        let path = folder.join(format!("sha256-{}.sigstore.json", digest.hex()));
        // In a shared folder, another user could place a link with a predictable name.
        let part =
            tempfile::Builder::new().prefix(".ambisign-").suffix(".part").tempfile_in(folder);
        match part.and_then(|part| file::place(part, &path, bundle)) {
            Ok(()) => return Ok(Saved { path, missed }),
            Err(error) => {
                let folder = folder.clone();
                missed = missed.or(Some(Missed { folder, error }));
            }
        }
    }
    Err(missed.map_or_else(|| io::ErrorKind::NotFound.into(), |missed| missed.error))
}

/// The folders for a bundle, best first: the working directory, then the shared temporary folder.
fn folders(host: &Host) -> Vec<PathBuf> {
    let temporary = host.env.get("TMPDIR").map(PathBuf::from);
    let temporary = temporary.unwrap_or_else(|| host.root.join("tmp"));
    vec![PathBuf::from("."), temporary]
}

/// A verified bundle that is not delivered everywhere yet. Its log entry is permanent, so it must not be
/// lost: if a failure, a signal or a bug ends the run, it is written to a file.
pub(crate) struct Undelivered<'a> {
    ctx: Context<'a>,
    bundle: VerifiedBundle,
    /// The images that do not have it yet.
    lacking: Mutex<Vec<ImageId>>,
    /// The result of writing it to the requested place, if there is one.
    wanted: Option<Result<PathBuf, Failure>>,
}

impl<'a> Undelivered<'a> {
    /// `bundle`, which is not yet attached to `images`.
    pub(crate) fn new(ctx: Context<'a>, images: Vec<ImageId>, bundle: VerifiedBundle) -> Self {
        Self { ctx, bundle, lacking: Mutex::new(images), wanted: None }
    }

    /// Writes it to the requested place. [`Self::end`] has the result, because the bundle is attached even
    /// if writing fails.
    pub(crate) fn keep(&mut self, bundle_file: &BundleFile) {
        let started = Instant::now();
        let put = bundle_file.put(self.bundle.bytes());
        if let Ok(path) = &put {
            let kept = ImageEvent::BundleKept { path: path.clone(), took: started.elapsed() };
            self.ctx.recorder.record_each(&self.lacking(), &kept);
        }
        self.wanted = Some(put.map_err(|error| Failure::of(&error)));
    }

    /// The final state of an image for which everything else succeeded.
    pub(crate) fn end(&self) -> State {
        match &self.wanted {
            Some(Err(failure)) => State::Failed(failure.clone()),
            Some(Ok(_)) | None => State::Signed,
        }
    }

    fn lacking(&self) -> Vec<ImageId> {
        let lacking = self.lacking.lock();
        lacking.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The bundle.
    pub(crate) fn bundle(&self) -> &VerifiedBundle {
        &self.bundle
    }

    /// Records that the image `id` has it.
    pub(crate) fn attached(&self, id: ImageId) {
        let mut lacking = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        lacking.retain(|lacking| *lacking != id);
    }

    /// Reports that the bundle of the image `id` is in a file. The failure of an image names the file; an
    /// image whose result is unknown gets a warning.
    fn tell(&self, id: ImageId, path: &Path) {
        let recorder = self.ctx.recorder;
        let written = ImageEvent::BundleWritten(path.to_owned());
        recorder.record(&Event::Image(id, written));
        let image = recorder.image(id);
        if let Some(open) = image.filter(|image| image.failure().is_none()) {
            let (name, path) = (open.name(), path.display());
            let message = format!("{name} may not be signed; its bundle is in {path}");
            self.warn(KEPT, message);
        }
    }

    fn warn(&self, code: &'static str, message: String) {
        self.ctx.recorder.warn(Warning { code, message });
    }
}

impl Drop for Undelivered<'_> {
    fn drop(&mut self) {
        let lacking = self.lacking.get_mut();
        let lacking = std::mem::take(lacking.unwrap_or_else(PoisonError::into_inner));
        if lacking.is_empty() {
            return;
        }
        if let Some(Ok(path)) = &self.wanted {
            lacking.iter().for_each(|id| self.tell(*id, path));
            return;
        }
        let folders = folders(self.ctx.host);
        match keep(&folders, self.bundle.digest(), self.bundle.bytes()) {
            Ok(Saved { path, missed }) => {
                lacking.iter().for_each(|id| self.tell(*id, &path));
                if let Some(Missed { folder, error }) = missed {
                    let (path, folder) = (path.display(), folder.display());
                    let message = format!(
                        "the bundle is in {path}, because it could not be written to `{folder}`: {error}"
                    );
                    self.warn(KEPT_ELSEWHERE, message);
                }
            }
            Err(error) => {
                let message = format!("the bundle could not be written to a file: {error}");
                self.warn(NOT_KEPT, message);
            }
        }
    }
}

codes! {
    /// The warnings about bundles that could not be attached.
    pub(crate) WARNINGS {
        KEPT = "run/kept" {
            what: "A finished bundle could not be attached and was written to a file.",
            why: "The signature is already public; only attaching it failed.",
            advice: "Attach the file with `ambisign attach`; running `sign` again makes another signature.",
        },
        KEPT_ELSEWHERE = "run/kept-elsewhere" {
            what: "A finished bundle was written to the temporary folder.",
            why: "The working directory is not writable.",
            advice: "Save the file before the job ends.",
        },
        NOT_KEPT = "run/not-kept" {
            what: "A finished bundle could neither be attached nor written to a file.",
            why: "No folder is writable.",
            advice: "Run again with a writable working directory.",
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ambisign_sigstore::digest::Digest;

    use super::keep;

    #[test]
    fn writes_whole_files_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned()];
        let digest = Digest::of(b"image");
        let kept = keep(&folders, &digest, b"{}").unwrap();
        keep(&folders, &digest, b"{\"new\":1}").unwrap();
        assert_eq!(fs::read(kept.path).unwrap(), b"{\"new\":1}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn takes_the_next_folder_where_one_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"image");
        let folders = [folder.path().join("absent"), folder.path().to_owned()];
        let kept = keep(&folders, &digest, b"{}").unwrap();
        assert!(kept.missed.is_some());
        assert_eq!(kept.path.parent(), Some(folder.path()));
        // A link in its place is replaced, not written through.
        let elsewhere = folder.path().join("elsewhere");
        fs::remove_file(&kept.path).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &kept.path).unwrap();
        let kept = keep(&folders, &digest, b"{}").unwrap();
        assert!(!elsewhere.exists() && kept.path.is_file());
        assert!(keep(&folders[..1], &digest, b"{}").is_err());
    }
}
