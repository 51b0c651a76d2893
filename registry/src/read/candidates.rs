// SPDX-License-Identifier: Apache-2.0
//! Candidates for signatures of an image, and their selection.

use std::collections::BTreeMap;

use ambisign_sigstore::digest::Digest;
use serde::Deserialize;

use super::manifest::Manifest;
use crate::error::Error;
use crate::http::connection::Connection;
use crate::read::fallback_tag::tag;

/// How many things that are attached to an image are read at most.
pub const MOST_PLACES: usize = 1000;

/// The prefix of the media types of all versions of the bundle.
pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// The media type of the config of a signature. go-containerregistry before 0.22.1 wrote it into lists
/// as the type of the signature.
const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";

/// What a list says of the predicate in a bundle, where its writer says it.
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// The candidates for signatures of an image.
#[derive(Debug)]
pub struct Listing {
    /// The image.
    pub image: Digest,
    /// The candidates, best first, at most [`MOST_PLACES`]. Their order does not depend on that of the
    /// lists.
    pub places: Vec<Candidate>,
    /// The number of further candidates, which are not inspected. The unread rest of a list counts as one.
    pub left_out: usize,
    /// The lists that could not be read, so that there may be more candidates.
    pub problems: Vec<Error>,
}

/// A candidate for a signature.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub(crate) kind: Kind,
    /// Its name in messages: manifest or tag, and layer.
    pub(crate) name: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A manifest that points to the image.
    Referrer(Digest),
    /// A layer of the older layout.
    Layer(Layer),
}

impl Candidate {
    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// An entry of a list, without unused members. Anyone who can attach things determines its length.
#[derive(Deserialize)]
#[serde(from = "Descriptor")]
pub(crate) struct Line {
    /// `None` for another algorithm than SHA-256.
    digest: Option<Digest>,
    declared: Declared,
}

/// What a line says of what it names. Some say nothing, and some are wrong: it decides the order alone.
#[derive(PartialEq, Eq)]
enum Declared {
    /// A bundle, and perhaps the type of its predicate.
    Bundle(Option<Box<str>>),
    /// Nothing that helps.
    Nothing,
    /// Something else.
    Other,
}

/// How likely a line names a signature that is looked for, the likeliest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It says so.
    Wanted,
    /// A bundle of an unknown kind.
    Bundle,
    /// Unknown.
    Unknown,
    /// A bundle of another kind.
    OtherBundle,
    /// Something else.
    Other,
}

/// The JSON of an entry.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    artifact_type: Option<String>,
    /// Any JSON, because malformed annotations must not make the list invalid.
    annotations: Option<serde_json::Value>,
}

impl From<Descriptor> for Line {
    fn from(descriptor: Descriptor) -> Self {
        let declared = match descriptor.artifact_type.as_deref() {
            None | Some("" | EMPTY_CONFIG) => Declared::Nothing,
            Some(name) if name.starts_with(BUNDLE) => {
                let annotations = descriptor.annotations.as_ref();
                let predicate = annotations.and_then(|all| all.get(PREDICATE_TYPE)?.as_str());
                Declared::Bundle(predicate.filter(|name| !name.is_empty()).map(Box::from))
            }
            Some(_) => Declared::Other,
        };
        Self { digest: Digest::parse(&descriptor.digest), declared }
    }
}

impl Line {
    fn rank(&self, predicate_types: &[String]) -> Rank {
        match &self.declared {
            Declared::Bundle(None) => Rank::Bundle,
            Declared::Bundle(Some(name)) if predicate_types.iter().any(|one| **one == **name) => {
                Rank::Wanted
            }
            Declared::Bundle(Some(_)) => Rank::OtherBundle,
            Declared::Nothing => Rank::Unknown,
            Declared::Other => Rank::Other,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Layer {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

/// The content of the three lists.
#[derive(Default)]
pub(crate) struct Lists {
    pub(crate) lines: Vec<Line>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) problems: Vec<Error>,
    /// `true` if a list was not read to its end.
    pub(crate) cut: bool,
}

impl Lists {
    /// The places of signatures of `image` of one of `predicate_types`.
    pub(crate) fn listing(
        self,
        connection: &Connection<'_>,
        image: Manifest,
        predicate_types: &[String],
    ) -> Listing {
        let name = connection.name();
        let legacy = |(at, layer)| Candidate {
            name: format!("{name}:{} layer {at}", legacy_tag(&image.digest)),
            kind: Kind::Layer(layer),
        };
        let layers = (1..).zip(self.layers).map(legacy);
        let referrer =
            |digest| Candidate { name: format!("{name}@{digest}"), kind: Kind::Referrer(digest) };
        let [bundles, unknown, others] =
            by_rank(&self.lines, predicate_types).map(|digests| digests.into_iter().map(referrer));
        let mut places = taking_turns(bundles, layers, unknown);
        places.extend(others);
        let left_out = places.len().saturating_sub(MOST_PLACES) + usize::from(self.cut);
        places.truncate(MOST_PLACES);
        Listing { image: image.digest, places, left_out, problems: self.problems }
    }
}

/// What `lines` name, each once: bundles that may be wanted, what may be one, and the rest. Each in an
/// order that others cannot change.
pub(crate) fn by_rank(lines: &[Line], predicate_types: &[String]) -> [Vec<Digest>; 3] {
    let mut ranks = BTreeMap::new();
    for line in lines {
        if let Some(digest) = line.digest {
            let rank = line.rank(predicate_types);
            let known = ranks.entry(digest).or_insert(rank);
            // The lists may say different things.
            *known = rank.min(*known);
        }
    }
    let mut sorted: Vec<_> = ranks.into_iter().collect();
    sorted.sort_by_key(|(_, rank)| *rank);
    let of = |ranks: &[Rank]| {
        let all = sorted.iter().filter(|(_, rank)| ranks.contains(rank));
        all.map(|(digest, _)| *digest).collect()
    };
    [of(&[Rank::Wanted, Rank::Bundle]), of(&[Rank::Unknown]), of(&[Rank::OtherBundle, Rank::Other])]
}

/// Half of them bundles, and none crowds out the others.
fn taking_turns(
    mut bundles: impl Iterator<Item = Candidate>,
    mut layers: impl Iterator<Item = Candidate>,
    mut unknown: impl Iterator<Item = Candidate>,
) -> Vec<Candidate> {
    let mut places = Vec::new();
    loop {
        let before = places.len();
        places.extend(bundles.by_ref().take(2));
        places.extend(layers.next());
        places.extend(unknown.next());
        if places.len() == before {
            return places;
        }
    }
}

/// The tag of the older layout (cosign `specs/SIGNATURE_SPEC.md`, "Storage").
pub(crate) fn legacy_tag(image: &Digest) -> String {
    format!("{}.sig", tag(image))
}
