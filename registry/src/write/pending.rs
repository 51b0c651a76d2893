// SPDX-License-Identifier: Apache-2.0
//! What a run lists under the fallback tag of one image.

use std::collections::BTreeSet;
use std::time::Duration;

use ambisign_sigstore::digest::Digest;

use crate::read::index::Entry;

/// The shortest time until the second look.
const SECOND_LOOK: Duration = Duration::from_millis(100);

/// How many times longer than our own way from reading to writing another writer may take.
const SLOWER: u32 = 3;

/// What this run has to do with one image's index.
#[derive(Debug, Default)]
pub(crate) struct PendingEntries {
    /// What it lists there.
    pub(super) entries: Vec<Entry>,
    /// What others list and the registry has no more, so that it takes no index with it.
    pub(super) gone: BTreeSet<Digest>,
    /// Its longest time from reading to having written.
    pub(super) slowest: Duration,
    /// How often in a row the registry refused to replace an index that nobody had changed.
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

    /// How long a writer that read before us may take to write.
    pub(super) fn patience(&self) -> Duration {
        SECOND_LOOK.max(self.slowest.saturating_mul(SLOWER))
    }
}
