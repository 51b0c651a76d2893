// SPDX-License-Identifier: Apache-2.0
//! The entries that a run lists at the fallback tag of an image.

use std::collections::BTreeSet;
use std::time::Duration;

use ambisign_sigstore::digest::Digest;

use crate::read::index::Entry;

/// The shortest time until the second read.
const SECOND_LOOK: Duration = Duration::from_millis(75);

/// How many times longer than this run another writer may take from reading to writing: five halves.
const SLOWER: (u32, u32) = (5, 2);

/// The state of this run for the index of an image.
#[derive(Debug, Default)]
pub(crate) struct PendingEntries {
    /// The entries of this run.
    pub(super) entries: Vec<Entry>,
    /// Entries of others that the registry no longer has, so that it refuses an index with them.
    pub(super) gone: BTreeSet<Digest>,
    /// The longest time from a read to the end of a write in this run.
    pub(super) slowest: Duration,
    /// The number of consecutive refusals to replace an index that had not changed.
    pub(super) refusals: u32,
}

impl PendingEntries {
    /// Adds an entry, once.
    pub(super) fn add(&mut self, entry: &Entry) {
        let is_new = |known: &Entry| known.digest != entry.digest;
        if self.entries.iter().all(is_new) {
            self.entries.push(entry.clone());
        }
    }

    /// The time from the end of our write to the second read. The registry answers our write, and receives
    /// the second read, one round trip apart, which is about the time of this run from reading to writing.
    /// So a writer that read just before our write has that time in addition.
    pub(super) fn patience(&self) -> Duration {
        let (times, of) = SLOWER;
        let all = self.slowest.saturating_mul(times) / of;
        SECOND_LOOK.max(all.saturating_sub(self.slowest))
    }
}
