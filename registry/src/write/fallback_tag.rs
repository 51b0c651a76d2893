// SPDX-License-Identifier: Apache-2.0
//! Adds an entry to the index at the fallback tag, which others write too.
//!
//! Registries do not guarantee conditional writes, and some accept a wrong `If-Match` with 201. So a
//! writer reads the index after its write: immediately, and again after a pause in which another writer
//! that read the old index would have written it back. A writer whose entry was lost writes again.

use std::collections::BTreeSet;
use std::time::Duration;

use ambisign_host::{Answer, CallLimits, Class};
use ambisign_sigstore::digest::Digest;
use oci_client::manifest::OCI_IMAGE_INDEX_MEDIA_TYPE;
use reqwest::Method;
use reqwest::header::{HeaderValue, IF_MATCH, IF_NONE_MATCH};
use tokio::time::{Instant, sleep_until};

use super::pending::PendingEntries;
use crate::error::Error;
use crate::http::backoff::{Backoff, visible_by};
use crate::http::refusal::says;
use crate::limits::REGISTRY_WRITE;
use crate::read::fallback_tag::{Read, tag};
use crate::read::index::{Entry, Index};
use crate::write::Pusher;
use crate::write::push::misses_a_part;

/// The most writes of the index.
const MOST_ROUNDS: u32 = 12;

/// How often a registry may refuse to replace an index that has not changed, because the read before may
/// have been outdated.
const MOST_REFUSALS: u32 = 3;

/// The time to wait while a registry shows an old index, before writing again. Another writer may have
/// restored the old one.
const OLD: Duration = Duration::from_secs(15);

/// The longest random wait before the second round; it doubles with each further one.
const FIRST_SPREAD: Duration = Duration::from_millis(50);

/// The longest random wait before any round.
const LONGEST_SPREAD: Duration = Duration::from_secs(2);

/// The most entries of others that may be removed in one round.
const MOST_GONE: usize = 100;

/// A write of the tag, which is repeated only after reading it.
const WRITE: CallLimits = CallLimits { tries: 1, ..REGISTRY_WRITE };

/// The result of one round.
enum Round {
    /// Another writer was faster, or the outcome is unknown.
    Lost,
    /// Our entries were listed in this state of the index, which differs from the one `before`.
    Listed { before: Option<Digest>, state: Option<Digest>, since: Instant, patience: Duration },
    /// The registry accepted the index but still shows the one `before`.
    Unseen { before: Option<Digest>, patience: Duration },
}

/// The result of a write.
enum Written {
    /// It was accepted.
    Yes,
    /// It was not accepted, and another read shows why.
    No,
    /// It is not accepted while it lists these, which the registry does not have.
    Without(BTreeSet<Digest>),
    /// The registry refuses to replace the tag.
    Refused(Box<Answer>),
}

/// The result of reading the index after our write.
enum Look {
    Listed(Read),
    Lost,
    Unseen,
}

impl Pusher<'_> {
    /// Lists `entry` at the fallback tag of `subject` once `stored` confirms that its manifest exists, and
    /// checks that it stays listed. Returns the entries of others that had to be removed, because the
    /// registry no longer has their manifests.
    ///
    /// # Errors
    /// The registry refuses, the index is unreadable, other writers keep overwriting it, the registry does
    /// not show what it accepted, or `stored` fails.
    pub(crate) async fn share(
        &self,
        subject: &Digest,
        entry: &Entry,
        stored: &impl AsyncFn() -> Result<(), Error>,
    ) -> Result<BTreeSet<Digest>, Error> {
        let end = visible_by(self.puller.connection.host);
        let ours = self.pending(subject);
        ours.lock().await.add(entry);
        let mut spread = FIRST_SPREAD;
        let mut rounds = 0;
        // The first round takes place even if the run ends soon: the limit of each request holds.
        while rounds == 0 || rounds < MOST_ROUNDS && Instant::now() < end {
            if rounds > 0 {
                self.spread(spread).await;
                spread = spread.saturating_mul(2).min(LONGEST_SPREAD);
            }
            rounds += 1;
            let round = self.round(subject, &mut *ours.lock().await, stored).await?;
            // The lock is free during the wait, so that other images can continue.
            if self.stays(subject, entry, round, end).await? {
                return Ok(ours.lock().await.gone.clone());
            }
        }
        Err(Error::SharedTag {
            tag: self.puller.tag_name(subject),
            manifest: format!("{}@{}", self.puller.connection.name(), entry.digest),
            rounds,
        })
    }

    /// Reads the index again until it has not changed for as long as another writer may take. While one
    /// writes, another may have read before us. An outdated index does not count as a change; it waits
    /// for the new one.
    async fn stays(
        &self,
        subject: &Digest,
        entry: &Entry,
        round: Round,
        end: Instant,
    ) -> Result<bool, Error> {
        let mut looks = Backoff::until(end.min(Instant::now() + OLD));
        let (before, patience, mut seen) = match round {
            Round::Lost => return Ok(false),
            Round::Unseen { before, patience } => (before, patience, None),
            Round::Listed { before, state, since, patience } => {
                (before, patience, Some((state, since)))
            }
        };
        loop {
            match seen {
                Some((_, since)) => sleep_until(since + patience).await,
                None if looks.wait().await => {}
                None if Instant::now() + LONGEST_SPREAD < end => return Ok(false),
                None => {
                    return Err(Error::NotVisible {
                        manifest: format!("{}@{}", self.puller.connection.name(), entry.digest),
                        place: self.puller.tag_name(subject),
                    });
                }
            }
            seen = match self.look_again(subject, entry, before).await? {
                Look::Lost => return Ok(false),
                Look::Unseen => None,
                Look::Listed(look) => match seen {
                    Some((state, _)) if state == look.state || look.at >= end => return Ok(true),
                    Some(_) | None => Some((look.state, look.at)),
                },
            };
        }
    }

    async fn look_again(
        &self,
        subject: &Digest,
        entry: &Entry,
        before: Option<Digest>,
    ) -> Result<Look, Error> {
        let look = self.puller.read_index(subject).await?;
        Ok(if look.index.lists(std::slice::from_ref(entry)) {
            Look::Listed(look)
        } else if look.state == before {
            Look::Unseen
        } else {
            Look::Lost
        })
    }

    /// Reads, merges, writes, and reads again.
    async fn round(
        &self,
        subject: &Digest,
        ours: &mut PendingEntries,
        stored: &impl AsyncFn() -> Result<(), Error>,
    ) -> Result<Round, Error> {
        let read = self.puller.read_index(subject).await?;
        if read.index.lists(&ours.entries) {
            return Ok(Round::Listed {
                before: read.state,
                state: read.state,
                since: read.at,
                patience: ours.patience(),
            });
        }
        stored().await?;
        let written = self.write_index(subject, &read, ours).await?;
        let since = Instant::now();
        ours.slowest = ours.slowest.max(since - read.at);
        if let Written::Without(gone) = written {
            ours.gone.extend(gone);
            return Ok(Round::Lost);
        }
        let again = self.puller.read_index(subject).await?;
        if again.index.lists(&ours.entries) {
            return Ok(Round::Listed {
                before: read.state,
                state: again.state,
                since,
                patience: ours.patience(),
            });
        }
        if again.state != read.state {
            ours.refusals = 0;
            return Ok(Round::Lost);
        }
        match written {
            Written::Yes if again.state == Some(*subject) => {
                Err(self.puller.tag_is_subject(subject))
            }
            Written::Yes => Ok(Round::Unseen { before: read.state, patience: ours.patience() }),
            Written::Refused(answer) => {
                ours.refusals += 1;
                if ours.refusals < MOST_REFUSALS {
                    Ok(Round::Lost)
                } else {
                    Err(self.refused_tag(subject, read.state, &answer))
                }
            }
            Written::No | Written::Without(_) => Ok(Round::Lost),
        }
    }

    /// Writes the index that was read, with our entries and without those of missing manifests.
    async fn write_index(
        &self,
        subject: &Digest,
        read: &Read,
        ours: &PendingEntries,
    ) -> Result<Written, Error> {
        let merged = read.index.with(&ours.entries, &ours.gone);
        let mut call = self.puller.connection.write_manifest(
            &tag(subject),
            OCI_IMAGE_INDEX_MEDIA_TYPE,
            merged.as_bytes(),
        );
        call.hop = WRITE;
        match (&read.etag, read.state) {
            (Some(etag), Some(_)) => call.headers.insert(IF_MATCH, etag.clone()),
            (None, Some(_)) => None,
            (_, None) => call.headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*")),
        };
        match self.puller.connection.send(&call).await {
            Ok(answer) => self.judge(answer, (subject, read), ours).await,
            // It is unknown whether it was written; the next read shows it.
            Err(Error::Http(error)) if error.class() == Class::Temporary => Ok(Written::No),
            Err(error) => Err(error),
        }
    }

    /// Interprets the answer to a write. Losing a race is not an error.
    async fn judge(
        &self,
        answer: Answer,
        (subject, read): (&Digest, &Read),
        ours: &PendingEntries,
    ) -> Result<Written, Error> {
        let status = answer.status.as_u16();
        if answer.status.is_success() {
            return Ok(Written::Yes);
        }
        let misses = misses_a_part(&answer);
        if misses {
            if ours.entries.iter().any(|entry| says(&answer, &entry.digest.to_string())) {
                return Ok(Written::No);
            }
            let gone = self.gone(&answer, &read.index).await?;
            if !gone.is_empty() {
                return Ok(Written::Without(gone));
            }
        }
        match status {
            409 | 412 => Ok(Written::Refused(Box::new(answer))),
            400 | 405 if read.state.is_some() && !misses => {
                Err(self.refused_tag(subject, read.state, &answer))
            }
            413 => {
                let entries = read.index.len();
                let what = format!("the list of referrers with {entries} entries and a new one");
                Err(self.puller.connection.refused(what, &answer))
            }
            _ => Err(self.puller.connection.refused("the list of referrers", &answer)),
        }
    }

    /// The manifests that `index` lists, that `answer` names as missing, and that do not exist, because a
    /// cleanup deleted them and left the list unchanged.
    async fn gone(&self, answer: &Answer, index: &Index) -> Result<BTreeSet<Digest>, Error> {
        let mut gone = BTreeSet::new();
        let named = index.digests().filter(|digest| says(answer, &digest.to_string()));
        for digest in named.take(MOST_GONE) {
            let call = self.puller.connection.read_manifest(Method::HEAD, &digest.to_string());
            if self.puller.connection.send(&call).await?.status == 404 {
                gone.insert(digest);
            }
        }
        Ok(gone)
    }

    /// The error of a tag that cannot be written. If it exists, it is immutable.
    fn refused_tag(&self, subject: &Digest, state: Option<Digest>, answer: &Answer) -> Error {
        if state.is_none() {
            return self.puller.connection.refused("the list of referrers", answer);
        }
        Error::ImmutableTag {
            tag: self.puller.tag_name(subject),
            status: answer.status,
            excerpt: answer.excerpt(&self.puller.connection.host.net),
        }
    }
}
