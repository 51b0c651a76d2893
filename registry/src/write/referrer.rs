// SPDX-License-Identifier: Apache-2.0
//! The referrer manifest of a signature: its OCI subject is the image, and it is found through the
//! referrers API or, if the registry does not have it, through the fallback tag.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ambisign_sigstore::digest::Digest;
use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest};
use serde_json::value::RawValue;
use tokio::time::sleep;

use crate::discovery::Discovery;
use crate::error::Error;
use crate::http::backoff::Backoff;
use crate::read::index::Entry;
use crate::target::Target;
use crate::write::Pusher;
use crate::write::push::EMPTY;

/// The media type of a Sigstore bundle, which is also the artifact type of its manifest.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The media type of the config blob `{}`.
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";

/// A manifest to push, and its entry in a list of referrers.
#[derive(Debug)]
pub(crate) struct ReferrerManifest {
    /// The manifest as JSON.
    pub(crate) bytes: Vec<u8>,
    /// Its descriptor.
    pub(crate) entry: Entry,
}

impl ReferrerManifest {
    /// The manifest that attaches `bundle` to `target`, in the same form as cosign 3.
    ///
    /// # Errors
    /// Never in practice, because the members are text and numbers.
    pub(crate) fn new(
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

impl Pusher<'_> {
    /// Waits until the referrers API lists `manifest`; `false` if the registry does not have the API. A
    /// registry with that API says that it `confirmed` the subject (OCI distribution specification,
    /// "Pushing Manifests with Subject"). Where it does not, something else may answer in its place, and
    /// the wait is shorter.
    ///
    /// # Errors
    /// The API does not list the manifest.
    async fn is_listed(
        &self,
        subject: &Digest,
        manifest: &Digest,
        confirmed: bool,
    ) -> Result<bool, Error> {
        let host = self.puller.connection.host;
        let mut looks = if confirmed { Backoff::of_ours(host) } else { Backoff::of_others(host) };
        let name = self.puller.connection.name();
        loop {
            match self.puller.look(subject, manifest).await? {
                Some(true) => return Ok(true),
                Some(false) if looks.wait().await => {}
                Some(false) if confirmed => {
                    return Err(Error::NotVisible {
                        manifest: format!("{name}@{manifest}"),
                        place: format!("the referrers API of {name}"),
                    });
                }
                Some(false) => {
                    let manifest = format!("{name}@{manifest}");
                    return Err(Error::NotListed { manifest });
                }
                None => return Ok(false),
            }
        }
    }

    /// Lists a pushed manifest, once `stored` confirms that it exists.
    ///
    /// # Errors
    /// The registry refuses, other writers keep overwriting the fallback tag, or `stored` fails.
    pub(crate) async fn publish(
        &self,
        subject: &Digest,
        (entry, stored): (&Entry, &impl AsyncFn() -> Result<(), Error>),
        processed: Option<String>,
    ) -> Result<(Discovery, BTreeSet<Digest>), Error> {
        let known = *self.puller.discovery.lock().await;
        // The header is not enough, because some registries send it without having the API.
        let hinted = processed == Some(subject.to_string());
        let look = hinted || known != Some(Discovery::FallbackTag);
        if look && self.is_listed(subject, &entry.digest, hinted).await? {
            return Ok((Discovery::Referrers, BTreeSet::new()));
        }
        let gone = self.share(subject, entry, stored).await?;
        Ok((Discovery::FallbackTag, gone))
    }

    /// Waits a random time up to `longest`, so that writers do not collide again.
    pub(crate) async fn spread(&self, longest: Duration) {
        let random = getrandom::u32().unwrap_or(u32::MAX);
        sleep(longest.mul_f64(f64::from(random) / f64::from(u32::MAX))).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use ambisign_sigstore::digest::Digest;

    use super::ReferrerManifest;
    use crate::reference::Reference;
    use crate::target::Target;

    #[test]
    fn writes_what_cosign_writes() {
        let image = Digest::of(b"image");
        let reference = Reference::parse(&format!("r.example/app@{image}")).unwrap();
        let target = Target::for_tests(&reference, 423);
        let bundle = (b"bundle".as_slice(), "https://sigstore.dev/cosign/sign/v1");
        let created = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_369_784_900);
        let referrer = ReferrerManifest::new(&target, bundle, created).unwrap();
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
}
