// SPDX-License-Identifier: Apache-2.0
//! An index and everything that it lists, as `--recursive` signs it.

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

/// More manifests than this are not signed for one name.
const MOST_MANIFESTS: usize = 1000;
/// Indexes in indexes: more levels than this have no use.
const MOST_LEVELS: usize = 8;

/// A target, and the index that led to it.
#[derive(Debug)]
pub struct IndexEntry {
    /// The image or index.
    pub target: Target,
    /// The index that lists it; `None` for what was asked for.
    pub parent: Option<Digest>,
    /// How long it took to prepare it.
    pub took: Duration,
}

/// A member and its place: its position in the index, after the place of the index.
struct Placed {
    place: Vec<usize>,
    member: IndexEntry,
}

impl Registry<'_> {
    /// [`Registry::prepare`] for `reference` alone.
    ///
    /// # Errors
    /// Its own.
    pub async fn prepare_alone(&self, reference: &Reference) -> Result<Vec<IndexEntry>, Error> {
        Ok(vec![self.member(reference, None).await?])
    }

    /// [`Registry::prepare`] for `reference` and, if it is an index, for all that it lists and that
    /// indexes in it list, `at_once` at the same time: depth first, each index before what it lists,
    /// each digest once.
    ///
    /// # Errors
    /// Its own; or one of the others cannot be prepared, so that nothing of the index is signed.
    pub async fn prepare_with_children(
        &self,
        reference: &Reference,
        at_once: NonZeroUsize,
    ) -> Result<Vec<IndexEntry>, Error> {
        let top = self.member(reference, None).await?;
        let index = top.target.reference().clone();
        let listed = |source| Error::Listed {
            index: index.to_string(),
            source: Box::new(source),
        };
        let mut known = HashSet::from([*top.target.digest()]);
        let mut level = vec![Placed {
            place: Vec::new(),
            member: top,
        }];
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
            level = prepared
                .buffered(at_once.get())
                .try_collect()
                .await
                .map_err(listed)?;
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
            why: "it lists something by a digest that is not SHA-256".to_owned(),
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
        Ok(IndexEntry {
            target,
            parent,
            took,
        })
    }
}

/// What the indexes of `level` list and nobody before them, with place and parent.
fn children(level: &[Placed], known: &mut HashSet<Digest>) -> Vec<(Vec<usize>, Digest, Child)> {
    let mut children = Vec::new();
    for placed in level {
        let target = &placed.member.target;
        for (at, child) in target.listed().iter().enumerate() {
            // One more than are signed is enough to refuse them.
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
    Error::TooLarge {
        reference: index.to_string(),
        limit,
        unit,
    }
}
