// SPDX-License-Identifier: Apache-2.0
//! Places where signatures of an image may be, and which of them are looked at.

use std::collections::{BTreeMap, BTreeSet};

use ambisign_sigstore::digest::Digest;
use serde::Deserialize;

use super::manifest::Manifest;
use crate::error::Error;
use crate::http::connection::Connection;
use crate::read::fallback_tag::tag;

/// How many things that are attached to an image are looked at.
const MOST_PLACES: usize = 100;

/// What the media types of all versions of the bundle begin with.
pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// Where signatures of one image may be.
#[derive(Debug)]
pub struct Listing {
    /// The image.
    pub image: Digest,
    /// The places, best first.
    pub places: Vec<Candidate>,
    /// How many more there are that nobody looks at.
    pub left_out: usize,
    /// Lists that could not be read: there may be more.
    pub problems: Vec<Error>,
}

/// Where a signature may be.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub(crate) kind: Kind,
    /// For messages: manifest or tag, and layer.
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
    /// The place, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A line of a list. What is not needed is not kept: whoever attaches things decides how long it is.
#[derive(Deserialize)]
#[serde(from = "Descriptor")]
pub(crate) struct Line {
    /// `None` for another algorithm than SHA-256.
    digest: Option<Digest>,
    /// Some lists do not say what a manifest is, and some say it wrongly: it decides the order alone.
    is_bundle: bool,
}

/// A line as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    artifact_type: Option<String>,
}

impl From<Descriptor> for Line {
    fn from(descriptor: Descriptor) -> Self {
        let artifact_type = descriptor.artifact_type;
        Self {
            digest: Digest::parse(&descriptor.digest),
            is_bundle: artifact_type.is_some_and(|name| name.starts_with(BUNDLE)),
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

/// What the three lists say.
#[derive(Default)]
pub(crate) struct Lists {
    pub(crate) lines: Vec<Line>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) problems: Vec<Error>,
    /// Whether the end of a list was not read.
    pub(crate) cut: bool,
}

impl Lists {
    pub(crate) fn listing(self, connection: &Connection<'_>, image: Manifest) -> Listing {
        let name = connection.name();
        let (bundles, others): (Vec<_>, Vec<_>) =
            self.lines.into_iter().partition(|line| line.is_bundle);
        let legacy = |(at, layer)| Candidate {
            name: format!("{name}:{} layer {at}", legacy_tag(&image.digest)),
            kind: Kind::Layer(layer),
        };
        let mut seen = BTreeSet::new();
        let referrer = |line: Line| {
            let digest = line.digest?;
            seen.insert(digest).then(|| Candidate {
                name: format!("{name}@{digest}"),
                kind: Kind::Referrer(digest),
            })
        };
        let known = bundles.len().min(MOST_PLACES / 2);
        let mut referrers = bundles.into_iter().chain(others).filter_map(referrer);
        let mut layers = (1..).zip(self.layers).map(legacy);
        // Both generations get their turn before what is probably no signature, and neither can crowd
        // out the other.
        let mut places: Vec<_> = referrers.by_ref().take(known).collect();
        places.extend(layers.by_ref().take(MOST_PLACES / 4));
        places.extend(referrers);
        places.extend(layers);
        let left_out = places.len().saturating_sub(MOST_PLACES) + usize::from(self.cut);
        places.truncate(MOST_PLACES);
        Listing {
            image: image.digest,
            places,
            left_out,
            problems: self.problems,
        }
    }
}

/// The tag of the older layout (cosign `specs/SIGNATURE_SPEC.md`, "Storage").
pub(crate) fn legacy_tag(image: &Digest) -> String {
    format!("{}.sig", tag(image))
}
