// SPDX-License-Identifier: Apache-2.0
//! Prepares an index and everything that it lists, for `--recursive`.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use ambisign_sigstore::digest::Digest;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

use super::Error;
use super::Registry;
use super::Target;
use crate::read::manifest::{Child, signable};
use crate::reference::Reference;

/// The most manifests that are signed for one name.
const MOST_MANIFESTS: usize = 1000;
/// The most levels of nested indexes. More have no use.
const MOST_LEVELS: usize = 8;

/// A target, and the index that led to it.
#[derive(Debug)]
pub struct IndexEntry {
    /// The image or index.
    pub target: Target,
    /// The index that lists it; `None` for the requested image.
    pub parent: Option<Digest>,
    /// The time that preparing it took.
    pub took: Duration,
}

/// An entry and its path: its position in each index on the way to it.
struct Placed {
    place: Vec<usize>,
    member: IndexEntry,
}

impl Registry<'_> {
    /// Runs [`Registry::prepare`] for `reference` alone.
    ///
    /// # Errors
    /// Those of [`Registry::prepare`].
    pub async fn prepare_alone(&self, reference: &Reference) -> Result<Vec<IndexEntry>, Error> {
        Ok(vec![self.member(reference, None).await?])
    }

    /// Runs [`Registry::prepare`] for `reference` and, if it is an index, for everything that it lists,
    /// recursively, with `at_once` at the same time. The result is in depth-first order: each index
    /// before its entries, and each digest once.
    ///
    /// # Errors
    /// Those of [`Registry::prepare`], also for an entry. Then nothing of the index is signed.
    pub async fn prepare_with_children(
        &self,
        reference: &Reference,
        at_once: NonZeroUsize,
    ) -> Result<Vec<IndexEntry>, Error> {
        let top = self.member(reference, None).await?;
        let index = top.target.reference().clone();
        let listed = |source| Error::Listed { index: index.to_string(), source: Box::new(source) };
        let mut known = HashSet::from([*top.target.digest()]);
        let mut level = vec![Placed { place: Vec::new(), member: top }];
        let mut members = Vec::new();
        for _level in 0..MOST_LEVELS {
            let next = children(&level, &mut known);
            members.append(&mut level);
            if next.is_empty() {
                members.sort_by(|one, other| one.place.cmp(&other.place));
                return Ok(members.into_iter().map(|placed| placed.member).collect());
            }
            if members.len() + next.len() > MOST_MANIFESTS {
                return Err(too_large(&index, MOST_MANIFESTS, "manifests below it"));
            }
            let prepared = stream::iter(next)
                .map(|(place, parent, child)| self.child(&index, (place, parent), child));
            level = prepared.buffered(at_once.get()).try_collect().await.map_err(listed)?;
        }
        Err(too_large(&index, MOST_LEVELS, "levels"))
    }

    async fn child(
        &self,
        index: &Reference,
        (place, parent): (Vec<usize>, Digest),
        child: Child,
    ) -> Result<Placed, Error> {
        let digest = child.digest.ok_or_else(|| Error::Manifest {
            reference: index.to_string(),
            why: "it lists an entry with a digest that is not SHA-256".to_owned(),
        })?;
        let reference = index.with_digest(digest);
        let listed_as = signable(&reference.to_string(), child.media_type.as_deref())?;
        let member = self.member(&reference, Some(parent)).await?;
        if member.target.media_type() != listed_as {
            return Err(Error::MediaType {
                reference: reference.to_string(),
                found: member.target.media_type().to_owned(),
                expected: format!("its index says {listed_as:?}"),
            });
        }
        Ok(Placed { place, member })
    }

    async fn member(
        &self,
        reference: &Reference,
        parent: Option<Digest>,
    ) -> Result<IndexEntry, Error> {
        let started = Instant::now();
        let target = self.prepare(reference).await?;
        let took = started.elapsed();
        Ok(IndexEntry { target, parent, took })
    }
}

/// The entries that the indexes of `level` list for the first time, with path and parent.
fn children(level: &[Placed], known: &mut HashSet<Digest>) -> Vec<(Vec<usize>, Digest, Child)> {
    let mut children = Vec::new();
    for placed in level {
        let target = &placed.member.target;
        for (at, child) in target.listed().iter().enumerate() {
            // One more than the limit is enough to refuse them.
            if children.len() > MOST_MANIFESTS {
                return children;
            }
            if child.digest.is_none_or(|digest| known.insert(digest)) {
                let place = [placed.place.as_slice(), &[at]].concat();
                children.push((place, *target.digest(), child.clone()));
            }
        }
    }
    children
}

fn too_large(index: &Reference, limit: usize, unit: &'static str) -> Error {
    Error::TooLarge { reference: index.to_string(), limit, unit }
}
