// SPDX-License-Identifier: Apache-2.0
//! The client of a Rekor v2 log: `hashedRekordRequestV002`, and tiles if an answer was lost.

use std::time::Duration;

use ambisign_host::{CallLimits, Host, request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::time::sleep;

use super::Error;
use super::answer::refused;
use crate::certificate::Verifier;
use crate::content::ContentRef;
use crate::digest::Digest;
use crate::limits::REKOR;
use crate::log::checkpoint::Checkpoint;
use crate::log::tiles::{self, Tile};
use crate::log::{LogEntry, Logged, Proof};
use crate::service::{self, Kind};
use crate::trust::root::Log;
use crate::trust::{Service, TrustedRoot};

/// A v2 log of this run.
pub(super) struct RekorV2<'a> {
    pub(super) host: &'a Host,
    pub(super) service: &'a Service,
    pub(super) root: &'a TrustedRoot,
}

impl RekorV2<'_> {
    /// Submits `logged`, within `limits`. The entry is not verified yet.
    ///
    /// If an answer was lost and the same bytes are sent again, the log may answer 409 with an index;
    /// the entry is then rebuilt from the log's checkpoint and tiles.
    pub(super) async fn submit(
        &self,
        logged: &Logged<'_>,
        limits: &CallLimits,
    ) -> Result<LogEntry, Error> {
        let url = request::below(&self.service.url, "api/v2/log/entries");
        let request =
            request::post_accepting(url, "application/json", "application/json", request(logged));
        let answer = self.host.net.send(limits, request).await.map_err(Error::Log)?;
        match answer.status.as_u16() {
            200 | 201 if service::is_page(&answer.body) => {
                let url = &self.service.url;
                Err(service::mistaken(self.host, Kind::RekorV2, url, &answer).await.into())
            }
            200 | 201 => Ok(LogEntry::from_json(&answer.body)?.without_time()),
            409 => match answer.header("x-log-index").and_then(|index| index.parse().ok()) {
                Some(index) => self.find_again(index, logged).await,
                None => Err(Error::refused(409, answer.excerpt(&self.host.net))),
            },
            _ => Err(refused(self.host, Kind::RekorV2, &self.service.url, &answer).await),
        }
    }
}

/// The number of requests for a checkpoint that covers the entry, and the pause between them. A log
/// publishes at least every ten seconds.
const LOOKS: u32 = 30;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// The kind of the keys of this program.
const KEY: &str = "PKIX_ECDSA_P256_SHA_256";
const UNREADABLE: &str = "its checkpoint is unreadable";

impl RekorV2<'_> {
    /// Rebuilds the answer that was lost: the entry at `index` and its proof in the newest checkpoint.
    /// The entry is verified afterwards.
    async fn find_again(&self, index: u64, logged: &Logged<'_>) -> Result<LogEntry, Error> {
        let lost = |why| Error::Lost { index, why };
        let text = self.covering(index).await?;
        let checkpoint = Checkpoint::parse(&text).ok_or_else(|| lost(UNREADABLE))?;
        let (size, root) = (checkpoint.size, checkpoint.root);
        let log_id = self.log_of(&checkpoint).ok_or_else(|| lost("its log is not trusted"))?;
        let needed = tiles::needed(index, size);
        let fetched = try_join_all(needed.iter().map(|tile| self.tile(tile))).await?;
        let hashes = fetched.into_iter().collect::<Option<_>>();
        let hashes = hashes.and_then(|tiles| tiles::inclusion_proof(index, size, &tiles));
        let hashes = hashes.ok_or_else(|| lost("its tiles do not hold a proof"))?;
        let proof = Proof { index, size, root, hashes, checkpoint: text.clone() };
        LogEntry::rebuild(log_id, logged, proof).ok_or(Error::Encoding)
    }

    /// The first checkpoint that covers the entry at `index`.
    async fn covering(&self, index: u64) -> Result<String, Error> {
        for _ in 0..LOOKS {
            let text = String::from_utf8_lossy(&self.read("checkpoint").await?).into_owned();
            match Checkpoint::parse(&text) {
                Some(checkpoint) if checkpoint.size > index => return Ok(text),
                Some(_) => sleep(BETWEEN_LOOKS).await,
                None => {
                    return Err(Error::Lost { index, why: UNREADABLE });
                }
            }
        }
        Err(Error::Lost { index, why: "no checkpoint covers it yet" })
    }

    /// The ID of the trusted log that signed `checkpoint`.
    fn log_of(&self, checkpoint: &Checkpoint<'_>) -> Option<[u8; 32]> {
        let mut logs = self.root.log_ids().filter_map(|id| self.root.log(id));
        let signed = |log: &&Log| checkpoint.is_signed_by(log, checkpoint.origin, 2);
        logs.find(signed).map(|log| *log.id())
    }

    async fn tile(&self, tile: &Tile) -> Result<Option<(Tile, Vec<[u8; 32]>)>, Error> {
        let bytes = self.read(&tile.path()).await?;
        Ok(tile.read(&bytes).map(|hashes| (*tile, hashes)))
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        let url = request::below(&self.service.url, &format!("api/v2/{path}"));
        let mut answer =
            self.host.net.send(&REKOR, request::get_json(url)).await.map_err(Error::unread)?;
        if answer.status.is_success() {
            return Ok(std::mem::take(&mut answer.body));
        }
        Err(Error::refused(answer.status.as_u16(), answer.excerpt(&self.host.net)))
    }
}

/// The request. For an envelope it has the digest of the pre-authentication encoding, because a v2 log
/// does not know envelopes.
fn request(logged: &Logged<'_>) -> Vec<u8> {
    let raw = json!({ "rawBytes": STANDARD.encode(logged.verifier.der()) });
    let verifier = match logged.verifier {
        Verifier::Certificate(_) => json!({ "x509Certificate": raw, "keyDetails": KEY }),
        Verifier::Key(_) => json!({ "publicKey": raw, "keyDetails": KEY }),
    };
    let signature = STANDARD.encode(logged.content.signature());
    let digest = match logged.content {
        ContentRef::Envelope(envelope) => Digest::of(&envelope.pae()),
        ContentRef::Message { digest, .. } => *digest,
    };
    let request = json!({
        "digest": STANDARD.encode(digest.bytes()),
        "signature": { "content": signature, "verifier": verifier },
    });
    json!({ "hashedRekordRequestV002": request }).to_string().into_bytes()
}
