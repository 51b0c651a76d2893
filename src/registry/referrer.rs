// SPDX-License-Identifier: Apache-2.0
//! A signature next to its image: a manifest whose OCI subject is the image, found through the
//! referrers API or, where a registry has none, through the fallback tag.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ambisign_host::Answer;
use ambisign_sigstore::digest::Digest;
use oci_client::manifest::{
    OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest,
};
use reqwest::Method as Verb;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, LINK};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::sleep;
use url::Url;

use super::connection::{Connection, Elsewhere};
use super::error::Error;
use super::index::Entry;
use super::push::{EMPTY, Looks};
use super::target::Target;

/// The media type of a Sigstore bundle, which is also the artifact type of its manifest.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The media type of the config blob `{}`.
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";

/// How many pages of referrers are read.
pub(super) const MOST_PAGES: u32 = 100;

/// How signatures of an image are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By the index under the tag `sha256-<hex>`.
    FallbackTag,
    /// By the referrers API.
    Referrers,
}

/// A manifest to be pushed, and its line in a list of referrers.
#[derive(Debug)]
pub(super) struct Referrer {
    /// The manifest as JSON.
    pub(super) bytes: Vec<u8>,
    /// Its descriptor.
    pub(super) entry: Entry,
}

impl Referrer {
    /// The manifest that attaches `bundle` to `target`, in the form in which cosign 3 writes it.
    ///
    /// # Errors
    /// None in practice: the members are text and numbers.
    pub(super) fn new(
        target: &Target,
        (bundle, predicate_type): (&[u8], &str),
        created: SystemTime,
    ) -> Result<Self, serde_json::Error> {
        let annotation = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let created = humantime::format_rfc3339_seconds(created).to_string();
        let annotations = BTreeMap::from([
            annotation("dev.sigstore.bundle.content", "dsse-envelope"),
            annotation("dev.sigstore.bundle.predicateType", predicate_type),
            annotation("org.opencontainers.image.created", &created),
        ]);
        let manifest = OciImageManifest {
            media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
            config: OciDescriptor {
                artifact_type: Some(BUNDLE.to_owned()),
                ..of_bytes(EMPTY_TYPE, EMPTY)
            },
            layers: vec![of_bytes(BUNDLE, bundle)],
            subject: Some(OciDescriptor {
                size: i64::try_from(target.size()).unwrap_or(i64::MAX),
                ..descriptor(target.media_type(), target.digest())
            }),
            artifact_type: Some(BUNDLE.to_owned()),
            annotations: Some(annotations.clone()),
            ..OciImageManifest::default()
        };
        let bytes = serde_json::to_vec(&manifest)?;
        let line = OciDescriptor {
            artifact_type: Some(BUNDLE.to_owned()),
            annotations: Some(annotations),
            ..of_bytes(OCI_IMAGE_MEDIA_TYPE, &bytes)
        };
        let entry = Entry {
            digest: Digest::of(&bytes),
            json: RawValue::from_string(serde_json::to_string(&line)?)?,
        };
        Ok(Self { bytes, entry })
    }
}

fn of_bytes(media_type: &str, bytes: &[u8]) -> OciDescriptor {
    OciDescriptor {
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        ..descriptor(media_type, &Digest::of(bytes))
    }
}

fn descriptor(media_type: &str, digest: &Digest) -> OciDescriptor {
    OciDescriptor {
        media_type: media_type.to_owned(),
        digest: digest.to_string(),
        ..OciDescriptor::default()
    }
}

/// A list of referrers, of whose lines a reader takes what it needs.
#[derive(Deserialize)]
pub(super) struct Listed<L> {
    pub(super) manifests: Option<Vec<L>>,
}

#[derive(Deserialize)]
pub(super) struct Line {
    digest: String,
}

impl Connection<'_> {
    /// Finds out how signatures of this repository are found, before anything is signed: a list that
    /// cannot be read is an error now rather than after the log entry.
    ///
    /// # Errors
    /// The registry refuses, or what is under the fallback tag is not an index.
    pub(super) async fn probe(&self, subject: &Digest) -> Result<Method, Error> {
        let mut known = self.repository.method.lock().await;
        let method = match *known {
            Some(Method::Referrers) => Method::Referrers,
            Some(Method::FallbackTag) => {
                drop(known);
                self.read_index(subject).await?;
                return Ok(Method::FallbackTag);
            }
            None => {
                let (page, index) =
                    tokio::join!(self.referrers(subject, None), self.read_index(subject));
                if self.has_api(&page?)? {
                    Method::Referrers
                } else {
                    index?;
                    Method::FallbackTag
                }
            }
        };
        *known = Some(method);
        Ok(method)
    }

    /// Whether an answer to a query for referrers shows that there is such an API.
    ///
    /// Readers look into the body only when the content type is exactly that of an index, so another
    /// one means that nobody finds what is listed there.
    fn has_api(&self, page: &Answer) -> Result<bool, Error> {
        let exact = page.header(CONTENT_TYPE) == Some(OCI_IMAGE_INDEX_MEDIA_TYPE);
        Ok(self.is_answered(page)? && exact)
    }

    /// Whether the status of an answer to a query for referrers is that of a list, and not that of a
    /// registry without such an API. ghcr.io sends the query to another host, which has none either.
    pub(super) fn is_answered(&self, page: &Answer) -> Result<bool, Error> {
        match page.status.as_u16() {
            200 => Ok(true),
            301..=308 | 400 | 404 | 405 | 406 | 501 => Ok(false),
            401 | 403 => Err(self.unauthorized(page)),
            _ => Err(self.refused("the list of referrers", page)),
        }
    }

    /// One page of referrers: the first, or the one that `link` leads to.
    pub(super) async fn referrers(
        &self,
        subject: &Digest,
        link: Option<Url>,
    ) -> Result<Answer, Error> {
        let path = format!("referrers/{subject}");
        let mut call = self.call(Verb::GET, &path, Elsewhere::Answer);
        if let Some(link) = link {
            call.url = link;
        }
        let accept = HeaderValue::from_static(OCI_IMAGE_INDEX_MEDIA_TYPE);
        call.headers.insert(ACCEPT, accept);
        self.send(&call).await
    }

    /// Waits until the referrers API lists `manifest`; `false` when there is no such API.
    ///
    /// # Errors
    /// There is one, but it does not list the manifest.
    pub(super) async fn is_listed(
        &self,
        subject: &Digest,
        manifest: &Digest,
    ) -> Result<bool, Error> {
        let mut looks = Looks::until(self.visible_by());
        loop {
            match self.look(subject, manifest).await? {
                Some(true) => return Ok(true),
                Some(false) if looks.wait().await => {}
                Some(false) => {
                    return Err(Error::NotVisible {
                        manifest: format!("{}@{manifest}", self.name()),
                        place: format!("the referrers API of {}", self.name()),
                    });
                }
                None => return Ok(false),
            }
        }
    }

    /// One look through all pages; `None` when there is no referrers API.
    async fn look(&self, subject: &Digest, manifest: &Digest) -> Result<Option<bool>, Error> {
        let wanted = manifest.to_string();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let page = self.referrers(subject, next.take()).await?;
            if !self.has_api(&page)? {
                return Ok(None);
            }
            let listed: Listed<Line> = ambisign_host::json::parse(&page.body).map_err(|error| {
                self.read_back_error(
                    &wanted,
                    format!("the list of referrers is unreadable: {error}"),
                )
            })?;
            let mut lines = listed.manifests.iter().flatten();
            if lines.any(|line| line.digest == wanted) {
                return Ok(Some(true));
            }
            next = next_page(&page);
            if next.is_none() {
                break;
            }
        }
        Ok(Some(false))
    }

    /// Makes a manifest that was pushed findable. What others read is written only once `stored` has
    /// seen the manifest itself.
    ///
    /// # Errors
    /// The registry refuses, other writers of the fallback tag keep winning, or `stored` fails.
    pub(super) async fn publish(
        &self,
        subject: &Digest,
        (entry, stored): (&Entry, &impl AsyncFn() -> Result<(), Error>),
        processed: Option<String>,
    ) -> Result<(Method, BTreeSet<Digest>), Error> {
        let known = *self.repository.method.lock().await;
        // The header alone proves nothing: some registries send it without having the API.
        let hinted = processed == Some(subject.to_string());
        let look = hinted || known != Some(Method::FallbackTag);
        if look && self.is_listed(subject, &entry.digest).await? {
            return Ok((Method::Referrers, BTreeSet::new()));
        }
        let gone = self.share(subject, entry, stored).await?;
        Ok((Method::FallbackTag, gone))
    }

    /// Waits a random time up to `longest`, so that writers do not meet again.
    pub(super) async fn spread(&self, longest: Duration) {
        let random = getrandom::u32().unwrap_or(u32::MAX);
        sleep(longest.mul_f64(f64::from(random) / f64::from(u32::MAX))).await;
    }
}

/// Where a list goes on.
pub(super) fn next_page(page: &Answer) -> Option<Url> {
    let link = page.header(LINK).and_then(next_link)?;
    page.url.join(link).ok()
}

/// The target of `rel="next"` in a `Link` header (RFC 8288).
pub(super) fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use ambisign_sigstore::digest::Digest;

    use super::{Referrer, next_link};
    use crate::image::Reference;
    use crate::registry::target::Target;

    #[test]
    fn writes_what_cosign_writes() {
        let image = Digest::of(b"image");
        let reference = Reference::parse(&format!("r.example/app@{image}")).unwrap();
        let target = Target::for_tests(&reference, 423);
        let bundle = (b"bundle".as_slice(), "https://sigstore.dev/cosign/sign/v1");
        let created = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_369_784_900);
        let referrer = Referrer::new(&target, bundle, created).unwrap();
        let annotations = r#"{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1","org.opencontainers.image.created":"2026-11-22T17:49:44Z"}"#;
        let blob = Digest::of(b"bundle");
        let expected = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}},"layers":[{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","digest":"{blob}","size":6}}],"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{image}","size":423}},"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","annotations":{annotations}}}"#
        );
        assert_eq!(String::from_utf8(referrer.bytes).unwrap(), expected);
        let manifest = Digest::of(expected.as_bytes());
        let line = format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{manifest}","size":{},"annotations":{annotations},"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}}"#,
            expected.len()
        );
        assert_eq!(referrer.entry.json.get(), line);
        assert_eq!(referrer.entry.digest, manifest);
    }

    #[test]
    fn finds_the_next_page() {
        assert_eq!(
            next_link(r#"</v2/a?n=1&last=b>; rel="next""#),
            Some("/v2/a?n=1&last=b")
        );
        assert_eq!(
            next_link(r#"<x>; rel="prev", <y>; title=a; rel=next"#),
            Some("y")
        );
        assert_eq!(next_link("garbage"), None);
        assert_eq!(next_link("<x>; rel=\"prev\""), None);
    }
}
