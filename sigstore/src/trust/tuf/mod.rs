// SPDX-License-Identifier: Apache-2.0
//! Trust material from a TUF mirror (The Update Framework, specification 1.0).
//!
//! A run starts with an embedded or given root, follows the chain of roots to the latest one, and trusts
//! the metadata that it verifies. The cache of earlier runs saves requests and detects a rollback of the
//! mirror; it never replaces the root to start from.

mod cache;
mod delegated;
mod document;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod hashes;
mod mirror;
mod paths;
mod role;
mod source;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ambisign_host::{Host, Warning};
use tokio::sync::Mutex;
use tough::TargetName;
use tough::schema::Target;

pub use error::{Error, WARNINGS};
pub use source::{Source, instance_of};

use self::cache::{Cache, State};
use self::delegated::Search;
use self::mirror::Mirror;
use self::update::{TopLevel, Update};
use crate::limits::TUF_TARGET;

/// The versions of the four top-level roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The version of the latest root.
    pub root: u64,
    /// The version of `timestamp.json`.
    pub timestamp: u64,
    /// The version of the snapshot.
    pub snapshot: u64,
    /// The version of the top-level targets.
    pub targets: u64,
}

/// A mirror whose metadata is verified and has not expired.
#[derive(Debug)]
pub struct Repository<'a> {
    mirror: Mirror<'a>,
    top: TopLevel,
    kept: Mutex<Cached>,
    warnings: Vec<Warning>,
}

#[derive(Debug)]
struct Cached {
    cache: Cache,
    state: State,
}

impl<'a> Repository<'a> {
    /// Updates the metadata of `source` and verifies it.
    ///
    /// If the mirror has nothing new, this needs two simultaneous requests: for the next root and the
    /// timestamp.
    ///
    /// # Errors
    /// The mirror is unreachable; its metadata is malformed, expired, older than a version seen before,
    /// or not signed as the root requires.
    pub async fn refresh(host: &'a Host, source: &Source) -> Result<Self, Error> {
        let mirror =
            Mirror { host, metadata: source.metadata.clone(), targets: source.targets.clone() };
        let address = source.metadata.as_str();
        let (mut cache, old, warning) = Cache::open(source.cache.as_deref(), address);
        let mut update = Update {
            mirror: &mirror,
            now: host.clock.now(),
            new: old.clone(),
            old,
            chain: BTreeMap::new(),
            distrusted: None,
        };
        let result = update.run(&source.root).await;
        let (mut state, distrusted) = (update.new, update.distrusted);
        if let Ok(top) = &result {
            tidy(&mut state, top);
        }
        let distrusted = distrusted.and_then(|why| cache.unusable(&why));
        // Save after a failure too, because the mirror must not roll back a version that was verified.
        // But keep an unusable state until a warning can be reported.
        if result.is_ok() || (warning.is_none() && distrusted.is_none()) {
            cache.save(&mut state).await;
        }
        Ok(Self {
            top: result?,
            mirror,
            kept: Mutex::new(Cached { cache, state }),
            warnings: warning.into_iter().chain(distrusted).collect(),
        })
    }

    /// The verified bytes of the target `name`, from the cache if possible.
    ///
    /// # Errors
    /// The target does not exist; its metadata or its bytes do not verify; the mirror is unreachable.
    pub async fn target(&self, name: &str) -> Result<Vec<u8>, Error> {
        let none = || Error::NoTarget { name: name.to_owned() };
        let parsed = TargetName::new(name).map_err(|_unsafe| none())?;
        let target = self.find(&parsed).await?.ok_or_else(none)?;
        let hash = hashes::name(&target.hashes);
        let path = self.path(parsed.resolved(), &hash);
        if let Some(kept) = self.kept.lock().await.state.file(&hash)
            && verify(&path, &target, &kept).is_ok()
        {
            return Ok(kept);
        }
        let bytes = self.mirror.target(&TUF_TARGET, &path).await?;
        verify(&path, &target, &bytes)?;
        let mut kept = self.kept.lock().await;
        kept.state.keep_file(hash, &bytes);
        kept.save().await;
        Ok(bytes)
    }

    /// The versions of the metadata.
    pub fn versions(&self) -> Versions {
        Versions {
            root: self.top.root.version.get(),
            timestamp: self.top.timestamp.version.get(),
            snapshot: self.top.snapshot.version.get(),
            targets: self.top.targets.version.get(),
        }
    }

    /// The time at which each file expires.
    pub fn ends(&self) -> Vec<(&'static str, SystemTime)> {
        let TopLevel { root, timestamp, snapshot, targets } = &self.top;
        let ends = [
            ("root.json", role::end(root)),
            ("targets.json", role::end(targets)),
            ("snapshot.json", role::end(snapshot)),
            ("timestamp.json", role::end(timestamp)),
        ];
        let known = |(file, end): (_, Option<_>)| Some((file, end?));
        ends.into_iter().filter_map(known).collect()
    }

    /// The folder of the cache; `None` if there is none or it is not writable.
    pub async fn folder(&self) -> Option<PathBuf> {
        self.kept.lock().await.cache.folder().map(Path::to_owned)
    }

    /// The warnings of the update.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    async fn find(&self, name: &TargetName) -> Result<Option<Target>, Error> {
        if let Some(target) = self.top.targets.targets.get(name) {
            return Ok(Some(target.clone()));
        }
        let mut kept = self.kept.lock().await;
        let before = kept.state.delegated.clone();
        let mut search = Search {
            mirror: &self.mirror,
            top: &self.top,
            now: self.mirror.host.clock.now(),
            state: &mut kept.state,
        };
        let found = search.find(name).await;
        if kept.state.delegated != before {
            kept.save().await;
        }
        found
    }

    /// The path of a target below the base of the targets (TUF 6.2). The hash precedes the last part of
    /// the name.
    fn path(&self, name: &str, hash: &str) -> String {
        if !self.top.root.consistent_snapshot {
            return name.to_owned();
        }
        match name.rsplit_once('/') {
            Some((folder, file)) => format!("{folder}/{hash}.{file}"),
            None => format!("{hash}.{name}"),
        }
    }
}

impl Cached {
    async fn save(&mut self) {
        self.cache.save(&mut self.state).await;
    }
}

/// Removes targets and roles from `state` that the latest metadata does not list.
fn tidy(state: &mut State, top: &TopLevel) {
    let roles = &top.snapshot.meta;
    let mut delegated = std::mem::take(&mut state.delegated);
    delegated.retain(|name, _| roles.contains_key(&format!("{name}.json")));
    let targets = top.targets.targets.values();
    let listed: BTreeSet<String> = targets.map(|target| hashes::name(&target.hashes)).collect();
    state.retain_files(|hash| {
        listed.contains(hash) || delegated.values().any(|text| text.contains(hash))
    });
    state.delegated = delegated;
}

fn verify(path: &str, target: &Target, bytes: &[u8]) -> Result<(), Error> {
    if u64::try_from(bytes.len()).ok() != Some(target.length) {
        return Err(Error::Mismatch { file: path.to_owned(), what: "length" });
    }
    hashes::verify(path, &target.hashes, bytes)
}
