// SPDX-License-Identifier: Apache-2.0
//! Access to the private parsers of registries' answers, for `fuzz/` and its test only.

use std::collections::BTreeSet;

use ambisign_host::json;
use ambisign_sigstore::digest::Digest;
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use serde_json::value::RawValue;
use url::Url;

use crate::error::Error;
use crate::http::auth::TokenAnswer;
use crate::http::challenge::Challenge;
use crate::login::docker_config;
use crate::read::candidates;
use crate::read::index::{Entry, Index};
use crate::read::manifest::{Announced, Manifest};
use crate::read::referrers::{Line, Listed, next_link};
use crate::read::signatures;
use crate::read::tags::Tags;

/// The token endpoint that a `WWW-Authenticate` header names.
pub fn realm(header: &[u8]) -> Option<Url> {
    let mut headers = HeaderMap::new();
    headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(header).ok()?);
    match Challenge::of(&headers)? {
        Challenge::Basic => None,
        Challenge::Bearer { realm, .. } => Some(realm),
    }
}

/// The target of a `Link` header.
pub fn link(header: &str) -> Option<&str> {
    next_link(header)
}

/// The number of credentials for `repository` of `registry` in a container tool's configuration file.
///
/// # Errors
/// The file is malformed.
pub fn credentials(file: &[u8], registry: &str, repository: &str) -> Result<usize, json::Error> {
    let file: docker_config::File = json::parse(file)?;
    let helpers = file.helper(registry).into_iter().count();
    let entries = file.entries(registry, repository);
    let pairs = entries.iter().filter_map(|(_, entry)| entry.pair());
    Ok(helpers + pairs.count())
}

/// The digest of a manifest or an index, and the digests that it lists.
///
/// # Errors
/// It cannot be signed.
pub fn manifest(bytes: &[u8], media_type: &str) -> Result<(Digest, Vec<Digest>), Error> {
    let announced = Announced { media_type: Some(media_type), digest: None };
    let manifest = Manifest::read("registry.example/app", bytes, announced, None)?;
    let children = manifest.children.into_iter();
    Ok((manifest.digest, children.filter_map(|child| child.digest).collect()))
}

/// The index at a fallback tag with an entry for each of `digests`.
///
/// # Errors
/// The bytes are not an index.
pub fn merge(bytes: &[u8], digests: &[Digest]) -> Result<String, String> {
    let media_type = oci_client::manifest::OCI_IMAGE_INDEX_MEDIA_TYPE;
    let index = Index::read(bytes, Some(media_type))?;
    let entry = |digest: &Digest| {
        let json = RawValue::from_string(format!(r#"{{"digest":"{digest}"}}"#));
        json.map(|json| Entry { digest: *digest, json })
    };
    let entries: Result<Vec<_>, _> = digests.iter().map(entry).collect();
    let entries = entries.map_err(|error| error.to_string())?;
    Ok(index.with(&entries, &BTreeSet::new()))
}

/// The number of referrers in an answer of the referrers API, which is also put in the order in which a
/// reader looks at them.
///
/// # Errors
/// The answer is malformed.
pub fn referrers(bytes: &[u8]) -> Result<usize, json::Error> {
    let listed: Listed<Line> = json::parse(bytes)?;
    let lines: Listed<candidates::Line> = json::parse(bytes)?;
    let ordered = candidates::by_rank(&lines.manifests.unwrap_or_default(), &[]);
    let count = listed.manifests.iter().flatten().count();
    debug_assert!(ordered.iter().map(Vec::len).sum::<usize>() <= count);
    Ok(count)
}

/// The number of tags in a list of tags.
///
/// # Errors
/// The list is malformed.
pub fn tags(bytes: &[u8]) -> Result<usize, json::Error> {
    let read: Tags = json::parse(bytes)?;
    Ok(read.tags.iter().flatten().count())
}

/// The number of layers in the manifest of a signature.
///
/// # Errors
/// The manifest is malformed.
pub fn attachment(bytes: &[u8]) -> Result<usize, String> {
    let layers = signatures::attachment(bytes)?.layers;
    Ok(layers.map_or(0, |layers| layers.len()))
}

/// Parses the answer of a token endpoint.
///
/// # Errors
/// The answer is malformed.
pub fn token(bytes: &[u8]) -> Result<(), json::Error> {
    json::parse::<TokenAnswer>(bytes).map(drop)
}
