// SPDX-License-Identifier: Apache-2.0
//! The manifest or index to sign, with the bytes that the registry serves.

use ambisign_sigstore::digest::Digest;
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::Error;

/// The most layers or images.
const MOST_DESCRIPTORS: usize = 1000;

/// A parsed manifest.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The digest of the bytes.
    pub(crate) digest: Digest,
    /// The media type, without parameters.
    pub(crate) media_type: String,
    /// The number of bytes.
    pub(crate) size: u64,
    /// The entries of an index, in order; empty for an image.
    pub(crate) children: Vec<Child>,
}

/// An entry of an index.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    /// The digest of its manifest, if it is a SHA-256 digest.
    pub(crate) digest: Option<Digest>,
    /// The media type, which the OCI image specification requires.
    pub(crate) media_type: Option<String>,
}

/// The headers of the registry about the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announced<'a> {
    /// `Content-Type`.
    pub(crate) media_type: Option<&'a str>,
    /// `Docker-Content-Digest`.
    pub(crate) digest: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: u64,
    media_type: Option<String>,
    config: Option<IgnoredAny>,
    layers: Option<Vec<IgnoredAny>>,
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    media_type: Option<String>,
}

impl Manifest {
    /// Parses `bytes`, which the registry served for `reference` (OCI image specification,
    /// "Image Manifest Specification" and "Image Index Specification").
    ///
    /// # Errors
    /// The digest is not `wanted` or not the announced one; the media type cannot be signed or differs from
    /// the one in the bytes; or the JSON is not a manifest of at most 1,000 descriptors.
    pub(crate) fn read(
        reference: &str,
        bytes: &[u8],
        announced: Announced<'_>,
        wanted: Option<&Digest>,
    ) -> Result<Self, Error> {
        let digest = Digest::of(bytes);
        let expected = wanted.map(Digest::to_string);
        for expected in [expected.as_deref(), announced.digest].into_iter().flatten() {
            if expected != digest.to_string() {
                return Err(Error::DigestMismatch {
                    reference: reference.to_owned(),
                    expected: expected.chars().take(80).collect(),
                    found: digest.to_string(),
                });
            }
        }
        let unreadable =
            |why: &str| Error::Manifest { reference: reference.to_owned(), why: why.to_owned() };
        let media_type = signable(reference, announced.media_type)?;
        let wire: Wire =
            ambisign_host::json::parse(bytes).map_err(|error| unreadable(&error.to_string()))?;
        if wire.schema_version != 2 {
            return Err(unreadable("its `schemaVersion` is not 2"));
        }
        check_type(reference, media_type, wire.media_type.as_deref())?;
        let is_image = wire.config.is_some() || wire.layers.is_some();
        let is_index = wire.manifests.is_some();
        // Clients interpret a manifest that is both in different ways (CVE-2021-41190).
        if is_image == is_index || is_index != is_index_type(media_type) {
            return Err(unreadable("its members do not fit its media type"));
        }
        let layers = wire.layers.as_deref().unwrap_or_default().len();
        let children = wire.manifests.unwrap_or_default();
        if layers.max(children.len()) > MOST_DESCRIPTORS {
            return Err(Error::TooLarge {
                reference: reference.to_owned(),
                limit: MOST_DESCRIPTORS,
                unit: "descriptors",
            });
        }
        let children = children
            .into_iter()
            .map(|child| Child {
                digest: Digest::parse(&child.digest),
                media_type: child.media_type.map(|name| shortened(&name)),
            })
            .collect();
        Ok(Self {
            digest,
            media_type: media_type.to_owned(),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            children,
        })
    }
}

/// The media type in a header, without parameters.
pub(crate) fn essence(header: &str) -> &str {
    header.split_once(';').map_or(header, |(name, _)| name).trim()
}

fn is_index_type(media_type: &str) -> bool {
    matches!(media_type, OCI_IMAGE_INDEX_MEDIA_TYPE | IMAGE_MANIFEST_LIST_MEDIA_TYPE)
}

/// `header`, if it is a type that can be signed.
pub(crate) fn signable<'a>(reference: &str, header: Option<&'a str>) -> Result<&'a str, Error> {
    let found = header.map(essence).unwrap_or_default();
    let is_image = matches!(found, OCI_IMAGE_MEDIA_TYPE | IMAGE_MANIFEST_MEDIA_TYPE);
    if is_image || is_index_type(found) {
        return Ok(found);
    }
    Err(Error::MediaType {
        reference: reference.to_owned(),
        found: found.chars().take(80).collect(),
        expected: "only OCI and Docker images and indexes are signed".to_owned(),
    })
}

/// Shortens a media type to the part that decides whether it can be signed, because an index may list a
/// thousand long ones.
fn shortened(media_type: &str) -> String {
    essence(media_type).chars().take(80).collect()
}

/// Compares the header with the member. The member is optional in OCI but required by Docker, and
/// clients without it use the header alone.
fn check_type(reference: &str, header: &str, member: Option<&str>) -> Result<(), Error> {
    let is_oci = header.starts_with("application/vnd.oci.");
    if member == Some(header) || (member.is_none() && is_oci) {
        return Ok(());
    }
    let member: String = member.unwrap_or("none").chars().take(80).collect();
    Err(Error::MediaType {
        reference: reference.to_owned(),
        found: header.to_owned(),
        expected: format!("its bytes say {member:?}"),
    })
}

#[cfg(test)]
mod tests {
    use ambisign_host::Explain as _;
    use ambisign_sigstore::digest::Digest;

    use super::{Announced, Manifest};

    const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

    fn code(bytes: &str, media_type: Option<&str>) -> String {
        let announced = Announced { media_type, digest: None };
        match Manifest::read("r/x", bytes.as_bytes(), announced, None) {
            Ok(manifest) => format!("ok {}", manifest.children.len()),
            Err(error) => error.code().into_owned(),
        }
    }

    #[test]
    fn reads_images_and_indexes() {
        let image =
            format!(r#"{{"schemaVersion":2,"mediaType":"{OCI}","config":{{}},"layers":[]}}"#);
        let docker = image.replace(OCI, DOCKER);
        let bare = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
        let child = Digest::of(b"child");
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"digest":"{child}","x":1}},{{"digest":"sha512:x"}}]}}"#
        );
        assert_eq!(code(&image, Some(OCI)), "ok 0");
        assert_eq!(code(&image, Some(&format!("{OCI}; charset=utf-8"))), "ok 0");
        assert_eq!(code(&docker, Some(DOCKER)), "ok 0");
        assert_eq!(code(bare, Some(OCI)), "ok 0");
        assert_eq!(code(&index, Some(INDEX)), "ok 2");
    }

    #[test]
    fn refuses_confusion() {
        let image =
            format!(r#"{{"schemaVersion":2,"mediaType":"{OCI}","config":{{}},"layers":[]}}"#);
        let bare = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
        let both = r#"{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}"#;
        let many = format!(
            r#"{{"schemaVersion":2,"config":{{}},"layers":[{}]}}"#,
            vec!["{}"; 1001].join(",")
        );
        for (bytes, media_type, expected) in [
            (image.as_str(), Some(INDEX), "registry/media-type"),
            (&image, Some(DOCKER), "registry/media-type"),
            (&image, Some("text/html"), "registry/media-type"),
            (&image, None, "registry/media-type"),
            (bare, Some(DOCKER), "registry/media-type"),
            (bare, Some(INDEX), "registry/manifest"),
            (both, Some(OCI), "registry/manifest"),
            (both, Some(INDEX), "registry/manifest"),
            (r#"{"schemaVersion":1,"config":{}}"#, Some(OCI), "registry/manifest"),
            (r#"{"schemaVersion":2}"#, Some(OCI), "registry/manifest"),
            (r#"{"schemaVersion":2,"config":{},"config":{}}"#, Some(OCI), "registry/manifest"),
            ("<html>", Some(OCI), "registry/manifest"),
            (&many, Some(OCI), "registry/too-large"),
        ] {
            assert_eq!(code(bytes, media_type), expected, "{bytes:.80} {media_type:?}");
        }
    }

    #[test]
    fn compares_every_digest() {
        let bytes = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
        let other = Digest::of(b"other");
        let text = other.to_string();
        let announced = Announced { media_type: Some(OCI), digest: None };
        let wrong = Announced { digest: Some(&text), ..announced };
        for result in [
            Manifest::read("r", bytes, announced, Some(&other)),
            Manifest::read("r", bytes, wrong, None),
        ] {
            assert_eq!(result.unwrap_err().code(), "registry/digest-mismatch");
        }
    }
}
