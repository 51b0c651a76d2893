// SPDX-License-Identifier: Apache-2.0
//! Reads candidates for signatures of an image, for verification.
//!
//! Only digests are relied on: all content is compared with its digest. Everything has a limit, because
//! anyone who can push to a repository can attach things to its images.

use std::collections::BTreeMap;

use ambisign_host::{Answer, CallLimits, Class, Explain as _, HttpReason};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::verify::LEGACY_MEDIA_TYPE;
use oci_client::manifest::OCI_IMAGE_INDEX_MEDIA_TYPE;
use reqwest::Method as Verb;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use url::Url;

use crate::error::Error;
use crate::http::call::{Call, Elsewhere};
use crate::limits::REGISTRY_READ;
use crate::read::Puller;
use crate::read::candidates::{BUNDLE, Layer, Line, Lists, legacy_tag};
use crate::read::fallback_tag::tag;
use crate::read::manifest::essence;
use crate::read::referrers::{Listed, MOST_PAGES, next_page};

/// A list is not read on when it has this many lines: more than are looked at, because lines tell what
/// need not be.
const MOST_LINES: usize = 10_000;

/// The longest accepted blob, in bytes: that of a bundle.
const LONGEST: usize = ambisign_sigstore::bundle::LONGEST;

/// A read of a signature's blob.
const BLOB: CallLimits = CallLimits { body: LONGEST, ..REGISTRY_READ };

/// The content of a candidate.
#[derive(Debug)]
pub enum Stored {
    /// A Sigstore bundle, not parsed.
    Bundle(Vec<u8>),
    /// A signature of the older layout.
    Legacy {
        /// The layer.
        payload: Vec<u8>,
        /// The annotations of its descriptor.
        annotations: BTreeMap<String, String>,
    },
    /// Another attachment, with its media type.
    Other(String),
}

/// What was read at a place.
#[derive(Debug)]
pub struct Fetched {
    /// What it is.
    pub stored: Stored,
    /// How many bytes were read.
    pub bytes: usize,
}

/// The manifest of a signature.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attachment {
    schema_version: u64,
    artifact_type: Option<String>,
    pub(crate) layers: Option<Vec<Layer>>,
}

impl Puller<'_> {
    /// Returns `true` if the manifest `digest` exists and `wanted` is its only layer.
    pub(crate) async fn has_layer(&self, digest: &Digest, wanted: &str) -> Result<bool, Error> {
        let call = self.connection.read_manifest(Verb::GET, &digest.to_string());
        let answer = match self.connection.send(&call).await {
            Err(error) if error.class() != Class::Temporary => return Ok(false),
            answer => answer?,
        };
        if answer.status != 200 || Digest::of(&answer.body) != *digest {
            return Ok(false);
        }
        let layers = attachment(&answer.body).ok().and_then(|read| read.layers);
        Ok(matches!(layers.as_deref(), Some([layer]) if layer.digest == wanted))
    }

    pub(crate) async fn lists(&self, image: &Digest) -> Lists {
        let (api, tagged, layers) = tokio::join!(
            self.listed_by_api(image),
            self.listed_by_tag(image),
            self.legacy_layers(image)
        );
        let mut lists = Lists::default();
        for list in [api, tagged] {
            match list {
                Ok((lines, cut)) => {
                    lists.cut |= cut;
                    lists.lines.extend(lines);
                }
                Err(error) => lists.problems.push(error),
            }
        }
        match layers {
            Ok(layers) => lists.layers = layers,
            Err(error) => lists.problems.push(error),
        }
        lists
    }

    /// All pages of the referrers API; empty if the registry does not have it.
    async fn listed_by_api(&self, image: &Digest) -> Result<(Vec<Line>, bool), Error> {
        let mut lines = Vec::new();
        let mut next: Option<Url> = None;
        for _ in 0..MOST_PAGES {
            let page = self.referrers(image, next.take()).await?;
            // A proxy that answers every request does not have the API.
            if !(self.is_answered(&page)? && is_index(&page)) {
                return Ok((lines, false));
            }
            lines.extend(self.lines(&page, format!("the referrers of {image}"))?);
            next = next_page(&page);
            if next.is_none() || lines.len() >= MOST_LINES {
                break;
            }
        }
        Ok((lines, next.is_some()))
    }

    /// The index at the fallback tag; empty if the tag does not exist or is the image itself.
    async fn listed_by_tag(&self, image: &Digest) -> Result<(Vec<Line>, bool), Error> {
        let call = self.read_tag(&tag(image));
        let Some(answer) = self.under_tag(&call, "the list of referrers").await? else {
            return Ok((Vec::new(), false));
        };
        if Digest::of(&answer.body) == *image {
            return Ok((Vec::new(), false));
        }
        let name = self.tag_name(image);
        if is_index(&answer) {
            return Ok((self.lines(&answer, name)?, false));
        }
        Err(Error::IndexUnreadable {
            tag: name,
            why: "its media type is not that of an index".to_owned(),
        })
    }

    fn lines(&self, page: &Answer, tag: String) -> Result<Vec<Line>, Error> {
        match ambisign_host::json::parse::<Listed<Line>>(&page.body) {
            Ok(listed) => Ok(listed.manifests.unwrap_or_default()),
            Err(error) => Err(Error::IndexUnreadable { tag, why: error.to_string() }),
        }
    }

    /// The layers of the older layout; empty if the tag does not exist.
    async fn legacy_layers(&self, image: &Digest) -> Result<Vec<Layer>, Error> {
        let tag = legacy_tag(image);
        let call = self.read_tag(&tag);
        let Some(answer) = self.under_tag(&call, "the older signatures").await? else {
            return Ok(Vec::new());
        };
        let name = format!("{}:{tag}", self.connection.name());
        let layers = match attachment(&answer.body) {
            Ok(manifest) => manifest.layers.unwrap_or_default(),
            Err(why) => return Err(Error::IndexUnreadable { tag: name, why }),
        };
        let signatures = layers.into_iter();
        Ok(signatures.filter(|layer| layer.media_type == LEGACY_MEDIA_TYPE).collect())
    }

    /// The content of the manifest `digest`.
    pub(crate) async fn referrer(&self, digest: &Digest) -> Result<Fetched, Error> {
        let name = format!("{}@{digest}", self.connection.name());
        let call = self.connection.read_manifest(Verb::GET, &digest.to_string());
        let answer = self.connection.send(&call).await?;
        self.found(&answer, &name)?;
        is(digest, &answer.body, &name)?;
        let manifest = attachment(&answer.body)
            .map_err(|why| Error::Manifest { reference: name.clone(), why })?;
        let mut bytes = answer.body.len();
        let stored = match manifest.layers.unwrap_or_default().as_slice() {
            [layer] if layer.media_type.starts_with(BUNDLE) => {
                let bundle = self.blob(layer).await?;
                bytes += bundle.len();
                Stored::Bundle(bundle)
            }
            layers => {
                let found = layers.first().map(|layer| layer.media_type.clone());
                let found = manifest.artifact_type.or(found).unwrap_or_default();
                Stored::Other(found.chars().take(80).collect())
            }
        };
        Ok(Fetched { stored, bytes })
    }

    /// The blob of `layer`.
    pub(crate) async fn blob(&self, layer: &Layer) -> Result<Vec<u8>, Error> {
        let name = format!("{}@{}", self.connection.name(), layer.digest);
        let too_large =
            || Error::TooLarge { reference: name.clone(), limit: LONGEST, unit: "bytes" };
        if usize::try_from(layer.size).map_or(true, |size| size > LONGEST) {
            return Err(too_large());
        }
        let digest = Digest::parse(&layer.digest).ok_or_else(|| Error::Manifest {
            reference: name.chars().take(200).collect(),
            why: "its layer is named by a digest that is not SHA-256".to_owned(),
        })?;
        let answer = match self.connection.send(&self.read_blob(&digest)).await {
            Err(Error::Http(error)) if matches!(error.reason, HttpReason::TooLarge { .. }) => {
                return Err(too_large());
            }
            other => other?,
        };
        self.found(&answer, &name)?;
        is(&digest, &answer.body, &name)?;
        Ok(answer.body.to_vec())
    }

    /// A read of the blob of a signature, as readers make it and as a writer makes it to see that they
    /// can: wherever the registry keeps it.
    pub(crate) fn read_blob(&self, digest: &Digest) -> Call {
        let path = format!("blobs/{digest}");
        Call { hop: BLOB, ..self.connection.call(Verb::GET, &path, Elsewhere::FollowDigest) }
    }

    fn found(&self, answer: &Answer, name: &str) -> Result<(), Error> {
        match answer.status.as_u16() {
            200 => Ok(()),
            status if !self.connection.is_home(&answer.url) => {
                let why = format!("does not serve the signature (HTTP {status})");
                Err(self.connection.lost(&answer.url, why))
            }
            401 | 403 => Err(self.connection.unauthorized(answer)),
            404 => Err(Error::NotFound { reference: name.to_owned() }),
            _ => Err(self.connection.refused("a signature", answer)),
        }
    }
}

fn is_index(answer: &Answer) -> bool {
    answer.header(CONTENT_TYPE).map(essence) == Some(OCI_IMAGE_INDEX_MEDIA_TYPE)
}

fn is(digest: &Digest, bytes: &[u8], name: &str) -> Result<(), Error> {
    let found = Digest::of(bytes);
    if found == *digest {
        return Ok(());
    }
    Err(Error::DigestMismatch {
        reference: name.to_owned(),
        expected: digest.to_string(),
        found: found.to_string(),
    })
}

/// Parses the manifest of a signature.
///
/// # Errors
/// The problem.
pub(crate) fn attachment(bytes: &[u8]) -> Result<Attachment, String> {
    let manifest: Attachment =
        ambisign_host::json::parse(bytes).map_err(|error| error.to_string())?;
    if manifest.schema_version != 2 {
        return Err("its `schemaVersion` is not 2".to_owned());
    }
    Ok(manifest)
}
