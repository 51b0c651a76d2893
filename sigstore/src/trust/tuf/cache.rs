// SPDX-License-Identifier: Apache-2.0
//! What is kept of a mirror between runs.
//!
//! One file holds it all and is replaced as a whole, so a run that is killed or one of many at the
//! same time leaves either the old state or the new one. Names of the mirror are keys in that file
//! and never paths.
//!
//! Nothing in it is believed: metadata and targets are verified again, from the root that the run
//! starts with. What is missing or damaged is asked for again. Such a state is told, because the
//! versions that were seen before are lost with it; it is no error, because whoever can damage the
//! file can delete it too, and a deleted one is what every fresh machine starts with.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambisign_host::{Warning, file};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::error::CACHE;

const STATE: &str = "state.json";
const NEW_STATE: &str = "state.new";
const LOCK: &str = "lock";

/// The longest state that is read, in bytes: several times all that the limits of calls allow.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Another process writes for a few milliseconds.
const LOCK_TRIES: u32 = 20;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// The form of the state that is read and written here.
const FORM: u32 = 1;

/// What is known of a mirror: files as they came, unverified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    form: u32,
    /// The base of the metadata: the state of another mirror is none.
    mirror: String,
    /// The last root that was reached. It tells which keys signed the rest, and anchors nothing.
    pub(super) root: String,
    /// Roots by version, those before the one that a run started with too: an older ambisign starts
    /// earlier.
    pub(super) roots: BTreeMap<u64, String>,
    pub(super) timestamp: Option<String>,
    /// The version of `timestamp`.
    pub(super) version: u64,
    pub(super) snapshot: Option<String>,
    pub(super) targets: Option<String>,
    /// Metadata of delegated roles, by name.
    pub(super) delegated: BTreeMap<String, String>,
    /// Targets in base64, by the hash that names them, in hexadecimal digits.
    files: BTreeMap<String, String>,
}

impl State {
    pub(super) fn new(mirror: &str) -> Self {
        Self {
            form: FORM,
            mirror: mirror.to_owned(),
            ..Self::default()
        }
    }

    fn parse(bytes: &[u8], mirror: &str) -> Result<Self, String> {
        let state: Self = ambisign_host::json::parse(bytes).map_err(|error| error.to_string())?;
        if state.form != FORM || state.mirror != mirror {
            return Err("it is of another mirror or of another version of ambisign".to_owned());
        }
        Ok(state)
    }

    /// The target that this hash names, unverified.
    pub(super) fn file(&self, hash: &str) -> Option<Vec<u8>> {
        STANDARD.decode(self.files.get(hash)?).ok()
    }

    pub(super) fn keep_file(&mut self, hash: String, bytes: &[u8]) {
        self.files.insert(hash, STANDARD.encode(bytes));
    }

    /// Takes over the roots and the targets of `other`: the mirror may have hidden a root from one
    /// of two runs.
    fn add(&mut self, other: &Self) {
        for (version, root) in &other.roots {
            let entry = self.roots.entry(*version);
            entry.or_insert_with(|| root.clone());
        }
        for (hash, file) in &other.files {
            let entry = self.files.entry(hash.clone());
            entry.or_insert_with(|| file.clone());
        }
    }

    /// Drops every target for whose hash `wanted` is false.
    pub(super) fn retain_files(&mut self, wanted: impl Fn(&str) -> bool) {
        self.files.retain(|hash, _| wanted(hash));
    }

    /// Drops all but `roots`.
    pub(super) fn forget(&mut self, roots: BTreeMap<u64, String>) {
        *self = Self {
            roots,
            ..Self::new(&self.mirror)
        };
    }
}

/// The folder of a mirror, and what was in it.
#[derive(Debug)]
pub(super) struct Cache {
    folder: Option<PathBuf>,
    before: Vec<u8>,
}

impl Cache {
    /// Reads the state in `folder`. One that cannot be used is empty, and is told.
    pub(super) fn open(folder: Option<&Path>, mirror: &str) -> (Self, State, Option<Warning>) {
        let mut cache = Self {
            folder: folder.map(Path::to_owned),
            before: Vec::new(),
        };
        let empty = State::new(mirror);
        let Some(folder) = folder else {
            return (cache, empty, None);
        };
        match read(&folder.join(STATE)) {
            Ok(bytes) => cache.before = bytes,
            Err(error) if is_absent(&error) => return (cache, empty, None),
            Err(error) => {
                let warning = cache.unusable(&error.to_string());
                return (cache, empty, warning);
            }
        }
        match State::parse(&cache.before, mirror) {
            Ok(state) => (cache, state, None),
            Err(why) => {
                let warning = cache.unusable(&why);
                (cache, empty, warning)
            }
        }
    }

    /// Where the state is kept, as far as it can be.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// What is told of a state that cannot be used.
    pub(super) fn unusable(&self, why: &str) -> Option<Warning> {
        let folder = self.folder.as_ref()?;
        let message = format!(
            "the TUF cache `{}` is not used: {why}; whether the mirror went back to something \
             older cannot be seen this time",
            folder.display()
        );
        Some(Warning {
            code: CACHE,
            message,
        })
    }

    /// Keeps `state`, unless another run kept something newer meanwhile, and adds to it what another
    /// run kept beside. That it cannot be kept is
    /// no error: the next run asks again.
    pub(super) async fn save(&mut self, state: &mut State) {
        let Some(folder) = self.folder.clone() else {
            return;
        };
        let mut tries = 0;
        let result = loop {
            match self.try_save(&folder, state) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && tries < LOCK_TRIES => {
                    tries += 1;
                    tokio::time::sleep(LOCK_WAIT).await;
                }
                result => break result,
            }
        };
        if result.is_err() {
            // A disk that is full or read-only does not change within a run.
            self.folder = None;
        }
    }

    fn try_save(&mut self, folder: &Path, state: &mut State) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let lock = open_lock(&folder.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        })?;
        let path = folder.join(STATE);
        let there = read(&path).unwrap_or_default();
        if there != self.before
            && let Ok(other) = State::parse(&there, &state.mirror)
        {
            if other.version > state.version {
                return Ok(());
            }
            state.add(&other);
        }
        let bytes = serde_json::to_vec(state)?;
        if bytes != there {
            // The lock is ours, so nobody else writes this file; what a killed run left goes.
            let new = folder.join(NEW_STATE);
            let _absent = fs::remove_file(&new);
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&new)?;
            let written = file.write_all(&bytes);
            if let Err(error) = written.and_then(|()| fs::rename(&new, &path)) {
                let _kept = fs::remove_file(&new);
                return Err(error);
            }
        }
        self.before = bytes;
        Ok(())
    }
}

/// Whether there was never a state: no file, or no folder that could hold one.
fn is_absent(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind())
}

/// The lock, which is made when it is not there. A pipe in its place would keep a writer waiting.
fn open_lock(path: &Path) -> io::Result<File> {
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
}

/// The bytes of a regular file: a pipe would keep a reader waiting.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    file::read(path, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::Cache;

    /// A mirror may hide a new root from one of many runs at the same time.
    #[tokio::test]
    async fn no_run_loses_what_another_learned_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Cache::open(Some(folder.path()), "https://tuf.example/");
        let [(mut one, mut first, _), (mut other, mut second, _)] = [open(), open()];
        for state in [&mut first, &mut second] {
            state.roots.insert(1, "one".to_owned());
        }
        first.roots.insert(2, "two".to_owned());
        first.keep_file("a".to_owned(), b"a");
        second.version = 7;
        one.save(&mut first).await;
        other.save(&mut second).await;
        // A target that is found later is kept by the same run.
        second.keep_file("b".to_owned(), b"b");
        other.save(&mut second).await;
        let (_, kept, _) = open();
        assert_eq!((kept.version, kept.roots.len()), (7, 2));
        assert_eq!(kept.file("a").unwrap(), b"a");
        assert_eq!(kept.file("b").unwrap(), b"b");
    }
}
