// SPDX-License-Identifier: Apache-2.0
//! Pushes blobs and manifests to a repository (OCI distribution specification, "Push").
//!
//! Content is named by its digest, so every step may be repeated, except a write into an upload session,
//! whose state is unknown after a lost answer.

use std::time::Duration;

use ambisign_host::{Answer, CallLimits, Class, HttpError, HttpReason};
use ambisign_sigstore::digest::Digest;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};
use tokio::time::{Instant, sleep};
use url::Url;

use crate::error::Error;
use crate::hints::UPLOAD;
use crate::http::backoff::Backoff;
use crate::http::call::{Call, Elsewhere};
use crate::http::refusal::says;
use crate::limits::REGISTRY_WRITE;
use crate::write::Pusher;

/// The config blob of every referrer manifest (OCI image specification, "Guidance for an Empty
/// Descriptor").
pub(crate) const EMPTY: &[u8] = b"{}";

/// The most attempts to send the bytes of a blob.
const BLOB_TRIES: u32 = 5;

/// The most attempts to send a manifest if the registry reports a missing part.
const MANIFEST_TRIES: u32 = 5;

/// A write that is sent once, because repeating it needs a read first.
const ONCE: CallLimits = CallLimits { tries: 1, ..REGISTRY_WRITE };

impl Pusher<'_> {
    /// Requests an upload session. Returns the URL for its blob, or the answer that denies it.
    ///
    /// # Errors
    /// There is no answer, or the URL for the blob is not allowed.
    pub(crate) async fn ask_upload(&self) -> Result<Result<Url, Answer>, Error> {
        let mut call =
            self.puller.connection.call(Method::POST, "blobs/uploads/", Elsewhere::Follow);
        call.body = Some(Vec::new());
        // An empty body does not imply the header, and some registries answer 411 without it.
        let length = HeaderValue::from_static("0");
        call.headers.insert(CONTENT_LENGTH, length);
        let answer = self.puller.connection.send(&call).await?;
        let session = self.puller.connection.location(&answer);
        let Some(session) = session.filter(|_| answer.status == StatusCode::ACCEPTED) else {
            return Ok(Err(answer));
        };
        // Check the URL now, because the blob could not be sent there.
        if !self.puller.connection.is_home(&session) {
            self.puller.connection.permit(&session).await?;
        }
        Ok(Ok(session))
    }

    /// Opens an upload session, which proves push permission, and returns the URL for its blob.
    ///
    /// # Errors
    /// The registry refuses.
    pub(crate) async fn open_upload(&self) -> Result<Url, Error> {
        let asked = self.ask_upload().await?;
        asked.map_err(|answer| self.puller.connection.refused(UPLOAD, &answer))
    }

    /// Pushes `bytes` into `session`, or into a new one if there is none or it has expired.
    ///
    /// After a lost answer, this checks whether the registry has the blob, rather than sending it again.
    ///
    /// # Errors
    /// The registry refuses twice, or stays unreachable.
    pub(crate) async fn push_blob(
        &self,
        mut session: Option<Url>,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let digest = Digest::of(bytes);
        let end = Instant::now() + REGISTRY_WRITE.all;
        let end = self.puller.connection.host.net.deadline().map_or(end, |run| end.min(run));
        let mut refused = false;
        let mut tries = 1;
        loop {
            let url = match session.take() {
                Some(url) => url,
                None => self.open_upload().await?,
            };
            match self.put_blob(url, &digest, bytes).await {
                Ok(answer) if answer.status.is_success() => return Ok(()),
                // The session may have expired; a new one shows whether that was the reason.
                Ok(answer) if refused => {
                    return Err(self.puller.connection.refused("a blob", &answer));
                }
                Ok(_) => refused = true,
                Err(Error::Http(error)) if error.class() == Class::Temporary => {
                    if self.has_blob(&digest).await? {
                        return Ok(());
                    }
                    let wait = wait_after(&error, tries);
                    if tries >= BLOB_TRIES || wait >= end.saturating_duration_since(Instant::now())
                    {
                        return Err(error.into());
                    }
                    sleep(wait).await;
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn put_blob(&self, session: Url, digest: &Digest, bytes: &[u8]) -> Result<Answer, Error> {
        let mut call = self.puller.connection.call(Method::PUT, "", Elsewhere::Follow);
        call.url = session;
        call.url.query_pairs_mut().append_pair("digest", &digest.to_string());
        let octets = HeaderValue::from_static("application/octet-stream");
        call.headers.insert(CONTENT_TYPE, octets);
        call.body = Some(bytes.to_vec());
        call.hop = ONCE;
        self.puller.connection.send(&call).await
    }

    /// Whether the repository has the blob. An answer that is neither yes nor no counts as no. Some
    /// registries redirect a look-up to their storage without a look of their own.
    ///
    /// # Errors
    /// No answer, or storage that may not be asked.
    pub(crate) async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let path = format!("blobs/{digest}");
        let connection = &self.puller.connection;
        let call = connection.call(Method::HEAD, &path, Elsewhere::FollowDigest);
        Ok(connection.send(&call).await?.status.is_success())
    }

    /// Pushes the config blob of referrer manifests, once for each repository and run.
    ///
    /// # Errors
    /// Those of [`Connection::push_blob`].
    pub(crate) async fn push_config(&self) -> Result<(), Error> {
        let push = || async {
            if self.has_blob(&Digest::of(EMPTY)).await? {
                return Ok(());
            }
            self.push_blob(None, EMPTY).await
        };
        self.state.config.get_or_try_init(push).await?;
        Ok(())
    }

    /// Pushes a manifest by its digest. Returns the `OCI-Subject` of the answer, with which a registry
    /// announces that it lists the manifest as a referrer.
    ///
    /// # Errors
    /// The registry refuses, or announces another digest than that of the bytes.
    pub(crate) async fn push_manifest(
        &self,
        media_type: &'static str,
        bytes: &[u8],
    ) -> Result<Option<String>, Error> {
        let digest = Digest::of(bytes).to_string();
        // Repeating this is safe, because the name is the digest of the bytes.
        let call = self.puller.connection.write_manifest(&digest, media_type, bytes);
        let answer = match self.send_complete(&call).await {
            Ok(answer) => answer,
            Err(Error::Http(error)) if error.class() == Class::Temporary => {
                let stored = self
                    .puller
                    .connection
                    .send(&self.puller.connection.read_manifest(Method::GET, &digest))
                    .await?;
                if stored.status == 200 && stored.body == bytes {
                    return Ok(None);
                }
                return Err(error.into());
            }
            Err(error) => return Err(error),
        };
        if !matches!(answer.status.as_u16(), 200..=202) {
            return Err(self.puller.connection.refused("the signature's manifest", &answer));
        }
        if let Some(announced) = answer.header("docker-content-digest")
            && announced != digest
        {
            return Err(self.puller.connection.read_back_error(
                &digest,
                format!(
                    "the registry calls it {:?}",
                    announced.chars().take(80).collect::<String>()
                ),
            ));
        }
        Ok(answer.header("oci-subject").map(str::to_owned))
    }

    /// Sends a manifest whose parts exist. A registry may not see one of them while another process pushes
    /// the same bytes again, as all do with the config blob.
    async fn send_complete(&self, call: &Call) -> Result<Answer, Error> {
        let mut looks = Backoff::new();
        for _ in 1..MANIFEST_TRIES {
            let answer = self.puller.connection.send(call).await?;
            if !misses_a_part(&answer) || !looks.wait().await {
                return Ok(answer);
            }
        }
        self.puller.connection.send(call).await
    }

    /// Reads a manifest back by its digest.
    ///
    /// # Errors
    /// It does not exist, or it has other bytes.
    pub(crate) async fn read_back_manifest(&self, bytes: &[u8]) -> Result<(), Error> {
        let digest = Digest::of(bytes).to_string();
        let call = self.puller.connection.read_manifest(Method::GET, &digest);
        self.read_back(&call, bytes, &digest).await
    }

    /// Reads a blob back by its digest, as readers do: from other storage too, where the registry
    /// keeps it there.
    ///
    /// # Errors
    /// It does not exist, or it has other bytes.
    pub(crate) async fn read_back_blob(&self, bytes: &[u8]) -> Result<(), Error> {
        let digest = Digest::of(bytes);
        let call = self.puller.read_blob(&digest);
        self.read_back(&call, bytes, &digest.to_string()).await
    }

    async fn read_back(&self, call: &Call, bytes: &[u8], digest: &str) -> Result<(), Error> {
        let mut looks = Backoff::of_ours(self.puller.connection.host);
        loop {
            let answer = self.puller.connection.send(call).await?;
            match answer.status.as_u16() {
                200 if answer.body == bytes => return Ok(()),
                200 => {
                    let why = "the registry serves other bytes in its place".to_owned();
                    return Err(self.puller.connection.read_back_error(digest, why));
                }
                404 if looks.wait().await => {}
                404 => {
                    return Err(Error::NotVisible {
                        manifest: format!("{}@{digest}", self.puller.connection.name()),
                        place: self.puller.connection.name(),
                    });
                }
                status if !self.puller.connection.is_home(&answer.url) => {
                    let why = format!("does not serve what was pushed (HTTP {status})");
                    return Err(self.puller.connection.lost(&answer.url, why));
                }
                _ => {
                    return Err(self
                        .puller
                        .connection
                        .refused("to serve what was pushed", &answer));
                }
            }
        }
    }
}

/// Returns `true` if a registry refuses a manifest because it does not have one of its parts (OCI
/// distribution specification, "Error Codes").
pub(crate) fn misses_a_part(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 400 | 404)
        && ["MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"].iter().any(|code| says(answer, code))
}

/// The wait that the registry asks for, or an exponential step.
fn wait_after(error: &HttpError, tries: u32) -> Duration {
    let mut asked = None;
    if let HttpReason::Status { retry_after, .. } = &error.reason {
        asked = *retry_after;
    }
    let steps = 2_u32.saturating_pow(tries.saturating_sub(1));
    asked.unwrap_or_else(|| REGISTRY_WRITE.first_wait.saturating_mul(steps))
}
