// SPDX-License-Identifier: Apache-2.0
//! The cache of a mirror between runs.
//!
//! One file contains the whole cache and is replaced atomically, so after a killed run, or with several
//! runs at the same time, it has either the old state or the new one. Names from the mirror are keys in
//! that file and never paths.
//!
//! The cache is not trusted: metadata and targets are verified again, from the root that the run starts
//! with. Missing or damaged parts are requested again. A damaged cache causes a warning, because the
//! versions seen before are lost and a rollback cannot be detected. It is not an error, because an
//! attacker who can damage the file can also delete it, and a fresh machine starts without one.

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

/// The longest accepted state, in bytes: several times the sum of the limits of the calls.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The number of attempts to lock. Another process writes for a few milliseconds.
const LOCK_TRIES: u32 = 20;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// The version of the format of the state.
const FORM: u32 = 1;

/// The cached files of a mirror, as they were received and unverified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    form: u32,
    /// The base of the metadata. A state for another mirror is not used.
    mirror: String,
    /// The last root of the chain. It determines the keys that signed the rest, but is never the start
    /// of a chain.
    pub(super) root: String,
    /// Roots by version. They include those before the first root of a run, because an older ambisign
    /// starts with an earlier one.
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
        Self { form: FORM, mirror: mirror.to_owned(), ..Self::default() }
    }

    fn parse(bytes: &[u8], mirror: &str) -> Result<Self, String> {
        let state: Self = ambisign_host::json::parse(bytes).map_err(|error| error.to_string())?;
        if state.form != FORM || state.mirror != mirror {
            return Err("it belongs to another mirror or another version of ambisign".to_owned());
        }
        Ok(state)
    }

    /// The target with this hash, unverified.
    pub(super) fn file(&self, hash: &str) -> Option<Vec<u8>> {
        STANDARD.decode(self.files.get(hash)?).ok()
    }

    pub(super) fn keep_file(&mut self, hash: String, bytes: &[u8]) {
        self.files.insert(hash, STANDARD.encode(bytes));
    }

    /// Adds the roots and the targets of `other`, because the mirror may have hidden a root from one of
    /// two runs.
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

    /// Removes every target for whose hash `wanted` returns `false`.
    pub(super) fn retain_files(&mut self, wanted: impl Fn(&str) -> bool) {
        self.files.retain(|hash, _| wanted(hash));
    }

    /// Removes everything except `roots`.
    pub(super) fn forget(&mut self, roots: BTreeMap<u64, String>) {
        *self = Self { roots, ..Self::new(&self.mirror) };
    }
}

/// The folder of a mirror, and its content.
#[derive(Debug)]
pub(super) struct Cache {
    folder: Option<PathBuf>,
    before: Vec<u8>,
}

impl Cache {
    /// Reads the state in `folder`. If it is unusable, returns an empty one and a warning.
    pub(super) fn open(folder: Option<&Path>, mirror: &str) -> (Self, State, Option<Warning>) {
        let mut cache = Self { folder: folder.map(Path::to_owned), before: Vec::new() };
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

    /// The folder of the state, if it is usable.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The warning about an unusable state.
    pub(super) fn unusable(&self, why: &str) -> Option<Warning> {
        let folder = self.folder.as_ref()?;
        let message = format!(
            "the TUF cache `{}` is not used: {why}; a rollback of the mirror cannot be \
             detected in this run",
            folder.display()
        );
        Some(Warning { code: CACHE, message })
    }

    /// Saves `state`, merged with roots and targets that another run saved meanwhile, unless that run
    /// saved a newer state. Failing to save is not an error: the next run requests the files again.
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
            // If the disk is full or read-only, it will be so for the rest of the run.
            self.folder = None;
        }
    }

    fn try_save(&mut self, folder: &Path, state: &mut State) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
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
            // This process has the lock, so no other one writes this file. Remove the remains of a killed run.
            let new = folder.join(NEW_STATE);
            let _absent = fs::remove_file(&new);
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
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

/// Returns `true` if there was never a state: no file, or no folder for one.
fn is_absent(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind())
}

/// Opens the lock, and creates it if needed. It must not be a pipe, which would block forever.
fn open_lock(path: &Path) -> io::Result<File> {
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    File::options().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// Reads a regular file. Others are refused, because a pipe would block forever.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    file::read(path, LONGEST)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::{Cache, LOCK, LONGEST, STATE, State};

    const MIRROR: &str = "https://tuf.example/";

    /// What another mirror or another version wrote, and what is not a file, is not used, with a warning.
    #[test]
    fn what_cannot_be_used_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(STATE);
        let mut state = State::new(MIRROR);
        state.version = 3;
        let good = serde_json::to_value(&state).unwrap();
        let is_used = || {
            let (_, state, warning) = Cache::open(Some(folder.path()), MIRROR);
            assert_eq!(state == State::new(MIRROR), warning.is_some() || !path.exists());
            (state.version, warning.is_some())
        };
        assert_eq!(is_used(), (0, false));
        for (member, value, expected) in [
            ("version", 3.into(), (3, false)),
            ("form", 2.into(), (0, true)),
            ("mirror", "https://other.example/".into(), (0, true)),
        ] {
            let mut state = good.clone();
            state[member] = value;
            fs::write(&path, state.to_string()).unwrap();
            assert_eq!(is_used(), expected, "{member}");
        }
        // A long state is used up to the limit.
        let mut long = good;
        long["root"] = " ".repeat(2 * 1024 * 1024).into();
        fs::write(&path, long.to_string()).unwrap();
        assert_eq!(is_used(), (3, false));
        assert_eq!(LONGEST, 67_108_864);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(is_used(), (0, true));
    }

    #[test]
    fn a_state_keeps_what_is_wanted() {
        let mut state = State::new(MIRROR);
        state.keep_file("a".to_owned(), b"a");
        state.keep_file("b".to_owned(), b"b");
        state.retain_files(|hash| hash == "a");
        assert_eq!((state.file("a"), state.file("b")), (Some(b"a".to_vec()), None));
        state.version = 3;
        state.forget([(1, "root".to_owned())].into());
        let mut expected = State::new(MIRROR);
        expected.roots.insert(1, "root".to_owned());
        assert_eq!(state, expected);
    }

    /// A newer state stays, and one of the same version gains what this run learned.
    #[tokio::test]
    async fn a_state_is_not_replaced_by_an_older_one() {
        for (theirs, ours, kept) in [(7, 3, 7), (3, 7, 7), (5, 5, 5)] {
            let folder = tempfile::tempdir().unwrap();
            let open = || Cache::open(Some(folder.path()), MIRROR);
            let [(mut one, mut first, _), (mut other, mut second, _)] = [open(), open()];
            (first.version, second.version) = (theirs, ours);
            second.keep_file("b".to_owned(), b"b");
            one.save(&mut first).await;
            other.save(&mut second).await;
            let (_, state, _) = open();
            assert_eq!(state.version, kept);
            assert_eq!(state.file("b").is_some(), ours >= theirs, "{theirs} {ours}");
        }
    }

    /// Another run writes for a few milliseconds. One that writes for longer has it alone.
    #[tokio::test]
    async fn waits_for_another_run_and_not_for_ever() {
        for (held, saves) in [(Duration::from_millis(30), true), (Duration::from_secs(60), false)] {
            let folder = tempfile::tempdir().unwrap();
            let (mut cache, mut state, _) = Cache::open(Some(folder.path()), MIRROR);
            let lock = File::create(folder.path().join(LOCK)).unwrap();
            lock.try_lock().unwrap();
            let release = async {
                tokio::time::sleep(held).await;
                drop(lock);
            };
            tokio::select! {
                () = async { release.await; std::future::pending().await } => {}
                () = cache.save(&mut state) => {}
            }
            assert_eq!(cache.folder().is_some(), saves, "{held:?}");
            assert_eq!(folder.path().join(STATE).exists(), saves);
        }
    }

    /// A mirror may hide a new root from one of many runs at the same time.
    #[tokio::test]
    async fn no_run_loses_what_another_learned_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Cache::open(Some(folder.path()), MIRROR);
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
