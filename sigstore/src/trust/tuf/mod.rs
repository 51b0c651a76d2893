// SPDX-License-Identifier: Apache-2.0
//! Trust material from a TUF mirror (The Update Framework, specification 1.0).
//!
//! A run starts with a root that it brings along, follows the chain of roots to the latest one, and
//! believes what that one leads to. What was kept of the run before saves requests and shows when a
//! mirror goes back; it never takes the place of the root.

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
    /// Of the latest root.
    pub root: u64,
    /// Of `timestamp.json`.
    pub timestamp: u64,
    /// Of the snapshot.
    pub snapshot: u64,
    /// Of the top-level targets.
    pub targets: u64,
}

/// A mirror whose metadata is verified and in time.
#[derive(Debug)]
pub struct Repository<'a> {
    mirror: Mirror<'a>,
    top: TopLevel,
    kept: Mutex<Kept>,
    warnings: Vec<Warning>,
}

#[derive(Debug)]
struct Kept {
    cache: Cache,
    state: State,
}

impl<'a> Repository<'a> {
    /// Brings the metadata of `source` up to date and verifies it.
    ///
    /// With nothing new on the mirror these are two requests at once: the next root and the
    /// timestamp.
    ///
    /// # Errors
    /// The mirror cannot be reached; its metadata is malformed, over, older than what was seen
    /// before, or not signed as the root demands.
    pub async fn refresh(host: &'a Host, source: &Source) -> Result<Self, Error> {
        let mirror = Mirror {
            host,
            metadata: source.metadata.clone(),
            targets: source.targets.clone(),
        };
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
        // Also after a failure: a version that was verified is one that the mirror must not go back
        // from. But what cannot be used stays until it can be told.
        if result.is_ok() || (warning.is_none() && distrusted.is_none()) {
            cache.save(&mut state).await;
        }
        Ok(Self {
            top: result?,
            mirror,
            kept: Mutex::new(Kept { cache, state }),
            warnings: warning.into_iter().chain(distrusted).collect(),
        })
    }

    /// The bytes of the target `name`, verified; without a request when they were kept.
    ///
    /// # Errors
    /// There is no such target; its metadata or its bytes are not what was signed; the mirror cannot
    /// be reached.
    pub async fn target(&self, name: &str) -> Result<Vec<u8>, Error> {
        let none = || Error::NoTarget {
            name: name.to_owned(),
        };
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

    /// When each file ends.
    pub fn ends(&self) -> Vec<(&'static str, SystemTime)> {
        let TopLevel {
            root,
            timestamp,
            snapshot,
            targets,
        } = &self.top;
        let ends = [
            ("root.json", role::end(root)),
            ("targets.json", role::end(targets)),
            ("snapshot.json", role::end(snapshot)),
            ("timestamp.json", role::end(timestamp)),
        ];
        let known = |(file, end): (_, Option<_>)| Some((file, end?));
        ends.into_iter().filter_map(known).collect()
    }

    /// Where all of it is kept; `None` when there is no such place, or nothing can be written there.
    pub async fn folder(&self) -> Option<PathBuf> {
        self.kept.lock().await.cache.folder().map(Path::to_owned)
    }

    /// What is odd but stops nothing.
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

    /// Where a target is, below the base of the targets (TUF 6.2): the hash stands before the last
    /// part of the name.
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

impl Kept {
    async fn save(&mut self) {
        self.cache.save(&mut self.state).await;
    }
}

/// Leaves out of `state` what the latest metadata does not speak of.
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
        return Err(Error::Mismatch {
            file: path.to_owned(),
            what: "length",
        });
    }
    hashes::verify(path, &target.hashes, bytes)
}
