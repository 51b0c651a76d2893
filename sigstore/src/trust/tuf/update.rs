// SPDX-License-Identifier: Apache-2.0
//! The steps of an update (TUF specification 5.2 to 5.6), in memory.
//!
//! `tough` parses the files and verifies signatures. Its loader is not used, because it needs a writable
//! disk, fails if the clock was ever ahead or if a delegated role is missing, requests one file after the
//! other, and forgets the versions that it has seen if the root to start from has other keys than the
//! latest one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::future::join;
use tough::schema::{Metafile, RoleType, Root, Snapshot, Targets, Timestamp};

use super::cache::State;
use super::error::Error;
use super::mirror::Mirror;
use super::role::{self, Verified};
use crate::limits::{TUF_ROOT, TUF_SNAPSHOT, TUF_TARGETS, TUF_TIMESTAMP};

/// The most new roots in one update. A longer chain may be endless.
const MOST_ROOTS: usize = 64;

const TIMESTAMP: &str = "timestamp.json";
const SNAPSHOT: &str = "snapshot.json";
const TARGETS: &str = "targets.json";

/// The four top-level roles, verified and not expired.
#[derive(Debug)]
pub(super) struct TopLevel {
    pub(super) root: Root,
    pub(super) timestamp: Timestamp,
    pub(super) snapshot: Snapshot,
    pub(super) targets: Targets,
}

/// An update in progress.
pub(super) struct Update<'a> {
    pub(super) mirror: &'a Mirror<'a>,
    pub(super) now: SystemTime,
    /// The cache of earlier runs.
    pub(super) old: State,
    /// The state to save: verified files, even if a later step fails.
    pub(super) new: State,
    /// The roots that were verified, by version.
    pub(super) chain: BTreeMap<u64, String>,
    /// The reason why `old` is not used.
    pub(super) distrusted: Option<String>,
}

/// The metadata that was seen before, if the current keys signed it.
#[derive(Default)]
struct Previous {
    timestamp: Option<Verified<Timestamp>>,
    snapshot: Option<Verified<Snapshot>>,
}

/// The chain of roots.
struct Chain {
    /// The first root.
    first: Root,
    /// The last root.
    root: Root,
    /// `timestamp.json`, which was requested together with the first unknown root.
    timestamp: Result<Vec<u8>, Error>,
    /// `true` if the mirror had an unknown root.
    grew: bool,
}

impl Update<'_> {
    /// Runs all steps.
    pub(super) async fn run(&mut self, anchor: &[u8]) -> Result<TopLevel, Error> {
        let chain = self.roots(anchor).await?;
        role::in_time("root.json", &chain.root, self.now)?;
        let seen = self.seen(&chain);
        let timestamp = self.timestamp(&chain.root, chain.timestamp, chain.grew, &seen).await?;
        let root = chain.root;
        let snapshot = self.snapshot(&root, &timestamp, &seen).await?;
        let targets = self.targets(&root, &snapshot).await?;
        Ok(TopLevel { root, timestamp, snapshot, targets })
    }

    /// Follows the roots from the anchor to the latest one (TUF 5.3): first the cached ones, then those
    /// of the mirror. Each is verified with the one before it.
    async fn roots(&mut self, anchor: &[u8]) -> Result<Chain, Error> {
        let mut last = self.keep_root(role::anchor(anchor)?);
        let first = last.role.clone();
        while let Some(text) = self.old.roots.get(&role::next(&last.role)) {
            match role::successor(&last.role, text.as_bytes()) {
                Ok(next) => last = self.keep_root(next),
                Err(_) => {
                    self.distrust("its roots do not follow from the one to start from");
                    break;
                }
            }
        }
        let (mut next, timestamp) = join(
            self.mirror.root(&TUF_ROOT, role::next(&last.role)),
            self.mirror.metadata(&TUF_TIMESTAMP, TIMESTAMP),
        )
        .await;
        let mut found = 0;
        while let Some(bytes) = next? {
            found += 1;
            if found > MOST_ROOTS {
                return Err(Error::TooMany { what: "new roots", limit: MOST_ROOTS });
            }
            last = self.keep_root(role::successor(&last.role, &bytes)?);
            next = self.mirror.root(&TUF_ROOT, role::next(&last.role)).await;
        }
        let end = role::next(&last.role);
        self.new.roots.retain(|version, _| *version < end);
        self.new.root = last.text;
        Ok(Chain { first, root: last.role, timestamp, grew: found > 0 })
    }

    fn keep_root(&mut self, root: Verified<Root>) -> Verified<Root> {
        let version = root.role.version.get();
        self.chain.insert(version, root.text.clone());
        self.new.roots.insert(version, root.text.clone());
        root
    }

    /// The versions that were seen before still count, unless the keys of timestamp or snapshot were
    /// replaced since. That is how a repository recovers from an attacker who raised the versions (TUF
    /// 5.3.11).
    fn seen(&mut self, chain: &Chain) -> Previous {
        let root = &chain.root;
        let old = std::mem::take(&mut self.old.timestamp);
        let (Some(timestamp), false) = (old, self.old.root.is_empty()) else {
            return Previous::default();
        };
        let before = role::read::<Root>("root.json", self.old.root.as_bytes());
        let before = before.ok().map(|before| before.signed.role);
        let Some(before) = before.filter(|before| self.has(chain, before)) else {
            self.distrust("its root is damaged, or belongs to another repository");
            return Previous::default();
        };
        let replaced = [RoleType::Timestamp, RoleType::Snapshot]
            .into_iter()
            .any(|role| key_ids(&before, role) != key_ids(root, role));
        if replaced {
            self.new.timestamp = None;
            self.new.version = 0;
            self.new.snapshot = None;
            return Previous::default();
        }
        let timestamp = role::signed(root, TIMESTAMP, timestamp.as_bytes());
        let snapshot = self.old.snapshot.as_ref();
        let snapshot = snapshot.map(|text| role::signed(root, SNAPSHOT, text.as_bytes()));
        match (timestamp, snapshot.transpose()) {
            (Ok(timestamp), Ok(snapshot)) => Previous { timestamp: Some(timestamp), snapshot },
            (Err(_), _) | (_, Err(_)) => {
                self.distrust("its metadata is damaged, or belongs to another repository");
                Previous::default()
            }
        }
    }

    /// Returns `true` if `chain` contains `root`, or starts after it.
    fn has(&self, chain: &Chain, root: &Root) -> bool {
        let (version, first) = (root.version.get(), chain.first.version.get());
        let kept = || {
            let text = self.chain.get(&version)?;
            role::read::<Root>("root.json", text.as_bytes()).ok()
        };
        match version.cmp(&first) {
            Ordering::Less => true,
            Ordering::Equal => *root == chain.first,
            Ordering::Greater => kept().is_some_and(|kept| *root == kept.signed.role),
        }
    }

    /// TUF 5.4.
    async fn timestamp(
        &mut self,
        root: &Root,
        early: Result<Vec<u8>, Error>,
        grew: bool,
        seen: &Previous,
    ) -> Result<Timestamp, Error> {
        let early = early.and_then(|bytes| role::signed::<Timestamp>(root, TIMESTAMP, &bytes));
        let mut new = match early {
            // It may be older than the root that was requested at the same time.
            Err(Error::Signature { .. } | Error::KeyKind { .. }) if grew => {
                let bytes = self.mirror.metadata(&TUF_TIMESTAMP, TIMESTAMP).await?;
                role::signed(root, TIMESTAMP, &bytes)?
            }
            early => early?,
        };
        if let Some(old) = &seen.timestamp {
            let (had, got) = (old.role.version.get(), new.role.version.get());
            not_back(TIMESTAMP, had, got)?;
            if had == got {
                // Each version has one content, the one that was seen first (TUF 5.4.3.1).
                new = role::signed(root, TIMESTAMP, old.text.as_bytes())?;
            }
            let (had, got) = (only_snapshot(&old.role)?, only_snapshot(&new.role)?);
            not_back(SNAPSHOT, had.version.get(), got.version.get())?;
        }
        if let Some(old) = &seen.snapshot {
            let got = only_snapshot(&new.role)?.version.get();
            not_back(SNAPSHOT, old.role.version.get(), got)?;
        }
        role::in_time(TIMESTAMP, &new.role, self.now)?;
        self.new.version = new.role.version.get();
        self.new.timestamp = Some(new.text);
        Ok(new.role)
    }

    /// TUF 5.5.
    async fn snapshot(
        &mut self,
        root: &Root,
        timestamp: &Timestamp,
        seen: &Previous,
    ) -> Result<Snapshot, Error> {
        let meta = only_snapshot(timestamp)?;
        let file = versioned(root, SNAPSHOT, meta);
        let new = self
            .mirror
            .listed(&TUF_SNAPSHOT, (&file, meta), self.old.snapshot.as_ref(), |bytes| {
                role::signed::<Snapshot>(root, &file, bytes)
            })
            .await?;
        for (name, had) in seen.snapshot.iter().flat_map(|old| &old.role.meta) {
            let got = new.role.meta.get(name);
            not_back(name, had.version.get(), got.map_or(0, |got| got.version.get()))?;
        }
        role::in_time(&file, &new.role, self.now)?;
        self.new.snapshot = Some(new.text);
        Ok(new.role)
    }

    /// TUF 5.6, without the delegated roles, which are read when a target needs them.
    async fn targets(&mut self, root: &Root, snapshot: &Snapshot) -> Result<Targets, Error> {
        let meta = listed(snapshot, TARGETS)?;
        let file = versioned(root, TARGETS, meta);
        let new = self
            .mirror
            .listed(&TUF_TARGETS, (&file, meta), self.old.targets.as_ref(), |bytes| {
                role::signed::<Targets>(root, &file, bytes)
            })
            .await?;
        role::in_time(&file, &new.role, self.now)?;
        self.new.targets = Some(new.text);
        Ok(new.role)
    }

    /// Stops using the cache.
    fn distrust(&mut self, why: &str) {
        self.old = State::default();
        self.new.forget(self.chain.clone());
        self.distrusted = Some(why.to_owned());
    }
}

fn key_ids(root: &Root, role: RoleType) -> BTreeSet<String> {
    let keys = root.roles.get(&role).into_iter();
    keys.flat_map(|keys| &keys.keyids).map(hex::encode).collect()
}

/// The name of a metadata file on the mirror (TUF 6.2).
pub(super) fn versioned(root: &Root, file: &str, meta: &Metafile) -> String {
    if root.consistent_snapshot { format!("{}.{file}", meta.version) } else { file.to_owned() }
}

/// The entry for `file` in the snapshot.
pub(super) fn listed<'a>(snapshot: &'a Snapshot, file: &str) -> Result<&'a Metafile, Error> {
    snapshot.meta.get(file).ok_or_else(|| Error::Malformed {
        file: SNAPSHOT.to_owned(),
        why: format!("it does not list `{file}`"),
    })
}

/// The one entry of a timestamp (TUF 4.6).
fn only_snapshot(timestamp: &Timestamp) -> Result<&Metafile, Error> {
    let snapshot = timestamp.meta.get(SNAPSHOT);
    snapshot.filter(|_| timestamp.meta.len() == 1).ok_or_else(|| Error::Malformed {
        file: TIMESTAMP.to_owned(),
        why: "it does not list exactly `snapshot.json`".to_owned(),
    })
}

/// Checks that the version of `file` did not decrease.
fn not_back(file: &str, had: u64, got: u64) -> Result<(), Error> {
    if got >= had {
        return Ok(());
    }
    Err(Error::RolledBack { file: file.to_owned(), had, got })
}
