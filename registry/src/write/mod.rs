// SPDX-License-Identifier: Apache-2.0
//! What is written to a repository.

mod fallback_tag;
mod pending;
pub(crate) mod push;
pub(crate) mod referrer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ambisign_sigstore::digest::Digest;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use self::pending::PendingEntries;
use crate::read::Puller;

/// Writes to one repository.
#[derive(Clone, Debug)]
pub(crate) struct Pusher<'a> {
    /// Reads of the same repository.
    pub(crate) puller: Puller<'a>,
    state: Arc<State>,
}

/// What a run has written to a repository.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Whether the config blob is there.
    config: OnceCell<()>,
    subjects: Mutex<BTreeMap<Digest, Arc<AsyncMutex<PendingEntries>>>>,
}

impl<'a> Pusher<'a> {
    /// Writes where `puller` reads.
    pub(crate) fn new(puller: Puller<'a>, state: Arc<State>) -> Self {
        Self { puller, state }
    }

    /// What this run lists under the fallback tag of `subject`. Locked while it is written.
    fn pending(&self, subject: &Digest) -> Arc<AsyncMutex<PendingEntries>> {
        let subjects = &self.state.subjects;
        let mut subjects = subjects.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(subjects.entry(*subject).or_default())
    }
}
