// SPDX-License-Identifier: Apache-2.0
//! Adding a line to the index under the fallback tag, which others write too.
//!
//! Registries do not promise conditional writes, and some take a wrong `If-Match` with 201. So a
//! writer looks at what became of its write: at once, and again when nobody has written for as long
//! as another writer that had read the old index may need to write it back. Whoever was lost writes
//! again.

use std::time::Duration;

use ambisign_host::{Answer, CallLimits, Class};
use ambisign_sigstore::digest::Digest;
use oci_client::manifest::OCI_IMAGE_INDEX_MEDIA_TYPE;
use reqwest::Method;
use reqwest::header::{ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use tokio::time::{Instant, sleep_until};

use super::connection::Connection;
use super::error::Error;
use super::index::{Entry, Index};
use super::push::misses_a_part;
use crate::net::{REGISTRY_READ, REGISTRY_WRITE};

/// How often the index is written at most.
const MOST_ROUNDS: u32 = 12;

/// The time for all of it.
const LONGEST: Duration = Duration::from_secs(60);

/// The shortest time until the second look.
const SECOND_LOOK: Duration = Duration::from_millis(100);

/// How many times longer than our own way from reading to writing another writer may take.
const SLOWER: u32 = 3;

/// The longest random wait before the second round; it doubles with each further one.
const FIRST_SPREAD: Duration = Duration::from_millis(50);

/// The longest random wait before any round.
const LONGEST_SPREAD: Duration = Duration::from_secs(2);

/// A read of the tag. Some registries answer 500 while another writer replaces it, for an instant.
const READ: CallLimits = CallLimits {
    tries: 8,
    first_wait: Duration::from_millis(50),
    ..REGISTRY_READ
};

/// A write of the tag, which is repeated only after a look.
const WRITE: CallLimits = CallLimits {
    tries: 1,
    ..REGISTRY_WRITE
};

/// What was read.
pub(super) struct Read {
    index: Index,
    /// The digest of the bytes, to see whether somebody else has written; `None` when absent.
    state: Option<Digest>,
    etag: Option<HeaderValue>,
    at: Instant,
}

/// What this run has to do with one image's index.
#[derive(Debug, Default)]
pub(super) struct Ours {
    /// What it lists there.
    entries: Vec<Entry>,
    /// Its longest time from reading to having written.
    slowest: Duration,
}

impl Ours {
    fn add(&mut self, entry: &Entry) {
        let is_new = |known: &Entry| known.digest != entry.digest;
        if self.entries.iter().all(is_new) {
            self.entries.push(entry.clone());
        }
    }

    /// How long a writer that read before us may take to write.
    fn patience(&self) -> Duration {
        SECOND_LOOK.max(self.slowest.saturating_mul(SLOWER))
    }
}

/// What became of one round.
enum Round {
    /// Another writer was faster, or the outcome is unknown.
    Lost,
    /// Our entries were listed in this state of the index.
    Listed {
        state: Option<Digest>,
        since: Instant,
        patience: Duration,
    },
}

impl Connection<'_> {
    /// Lists `entry` under the fallback tag of `subject` once `stored` says that there is what it
    /// names, and sees that it stays.
    ///
    /// # Errors
    /// The registry refuses, the index is unreadable, other writers keep winning, or `stored` fails.
    pub(super) async fn share(
        &self,
        subject: &Digest,
        entry: &Entry,
        stored: &impl AsyncFn() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let end = Instant::now() + LONGEST;
        let ours = self.repository.subject(subject);
        ours.lock().await.add(entry);
        let mut spread = FIRST_SPREAD;
        let mut rounds = 0;
        while rounds < MOST_ROUNDS && Instant::now() < end {
            if rounds > 0 {
                self.spread(spread).await;
                spread = spread.saturating_mul(2).min(LONGEST_SPREAD);
            }
            rounds += 1;
            let round = self.round(subject, &mut *ours.lock().await, stored).await?;
            // The lock is free while we wait: other images go on.
            if self.stays(subject, entry, round, end).await? {
                return Ok(());
            }
        }
        Err(Error::SharedTag {
            tag: self.tag_name(subject),
            manifest: format!("{}@{}", self.name(), entry.digest),
            rounds,
        })
    }

    /// Looks again until the index has been left alone for as long as another writer may take. While
    /// somebody writes, somebody else may have read before us.
    async fn stays(
        &self,
        subject: &Digest,
        entry: &Entry,
        round: Round,
        end: Instant,
    ) -> Result<bool, Error> {
        let Round::Listed {
            mut state,
            mut since,
            patience,
        } = round
        else {
            return Ok(false);
        };
        loop {
            sleep_until(since + patience).await;
            let look = self.read_index(subject).await?;
            if !look.index.lists(std::slice::from_ref(entry)) {
                return Ok(false);
            }
            if look.state == state || look.at >= end {
                return Ok(true);
            }
            (state, since) = (look.state, look.at);
        }
    }

    /// Reads, merges, writes, and reads again.
    async fn round(
        &self,
        subject: &Digest,
        ours: &mut Ours,
        stored: &impl AsyncFn() -> Result<(), Error>,
    ) -> Result<Round, Error> {
        let read = self.read_index(subject).await?;
        if read.index.lists(&ours.entries) {
            return Ok(Round::Listed {
                state: read.state,
                since: read.at,
                patience: ours.patience(),
            });
        }
        stored().await?;
        let merged = read.index.with(&ours.entries);
        let mut call =
            self.write_manifest(&tag(subject), OCI_IMAGE_INDEX_MEDIA_TYPE, merged.as_bytes());
        call.hop = WRITE;
        match (read.etag, read.state) {
            (Some(etag), Some(_)) => call.headers.insert(IF_MATCH, etag),
            (None, Some(_)) => None,
            (_, None) => call
                .headers
                .insert(IF_NONE_MATCH, HeaderValue::from_static("*")),
        };
        match self.send(&call).await {
            Ok(answer) => self.judge(&answer, read.index.len(), &ours.entries)?,
            // Whether it was written is unknown: the next read tells.
            Err(Error::Http(error)) if error.class() == Class::Temporary => {}
            Err(error) => return Err(error),
        }
        let since = Instant::now();
        ours.slowest = ours.slowest.max(since - read.at);
        let again = self.read_index(subject).await?;
        Ok(if again.index.lists(&ours.entries) {
            Round::Listed {
                state: again.state,
                since,
                patience: ours.patience(),
            }
        } else {
            Round::Lost
        })
    }

    /// A write that lost a race is no error.
    fn judge(&self, answer: &Answer, entries: usize, ours: &[Entry]) -> Result<(), Error> {
        match answer.status.as_u16() {
            200..=299 | 409 | 412 => Ok(()),
            _ if is_missed(answer, ours) => Ok(()),
            413 => {
                let what = format!("the list of referrers with {entries} entries and ours");
                Err(self.refused(what, answer))
            }
            _ => Err(self.refused("the list of referrers", answer)),
        }
    }

    /// Reads the index under the fallback tag of `subject`; empty when there is no such tag.
    ///
    /// # Errors
    /// Anything but an index or a clear absence: what is not understood is not overwritten.
    pub(super) async fn read_index(&self, subject: &Digest) -> Result<Read, Error> {
        // All types that a registry may store, so that none looks like an absence.
        let mut call = self.read_manifest(Method::GET, &tag(subject));
        call.hop = READ;
        let answer = self.send(&call).await?;
        let at = Instant::now();
        let unreadable = |why: String| Error::IndexUnreadable {
            tag: self.tag_name(subject),
            why,
        };
        match answer.status.as_u16() {
            200 => {}
            404 => {
                return Ok(Read {
                    index: Index::empty().map_err(|error| unreadable(error.to_string()))?,
                    state: None,
                    etag: None,
                    at,
                });
            }
            401 | 403 => return Err(self.unauthorized(&answer)),
            _ => return Err(self.refused("to read the list of referrers", &answer)),
        }
        let media_type = answer.header(reqwest::header::CONTENT_TYPE);
        let index = Index::read(&answer.body, media_type).map_err(unreadable)?;
        Ok(Read {
            index,
            state: Some(Digest::of(&answer.body)),
            etag: answer.headers.get(ETAG).cloned(),
            at,
        })
    }

    pub(super) fn tag_name(&self, subject: &Digest) -> String {
        format!("{}:{}", self.name(), tag(subject))
    }
}

/// Whether the registry says that it does not have a manifest of ours, which was seen before: another
/// process pushes the same one at this moment.
fn is_missed(answer: &Answer, ours: &[Entry]) -> bool {
    let said = String::from_utf8_lossy(&answer.body);
    let names = |entry: &Entry| said.contains(&entry.digest.to_string());
    misses_a_part(answer) && ours.iter().any(names)
}

/// The fallback tag (OCI distribution specification, "Referrers Tag Schema").
pub(super) fn tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}
