// SPDX-License-Identifier: Apache-2.0
//! Writes to a repository.

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
    /// Reads from the same repository.
    pub(crate) puller: Puller<'a>,
    state: Arc<State>,
}

/// The state of a run's writes to a repository.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Set once the config blob exists.
    config: OnceCell<()>,
    subjects: Mutex<BTreeMap<Digest, Arc<AsyncMutex<PendingEntries>>>>,
}

impl<'a> Pusher<'a> {
    /// A writer to the repository of `puller`.
    pub(crate) fn new(puller: Puller<'a>, state: Arc<State>) -> Self {
        Self { puller, state }
    }

    /// The entries of this run at the fallback tag of `subject`. Locked during a write.
    fn pending(&self, subject: &Digest) -> Arc<AsyncMutex<PendingEntries>> {
        let subjects = &self.state.subjects;
        let mut subjects = subjects.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(subjects.entry(*subject).or_default())
    }
}
