// SPDX-License-Identifier: Apache-2.0
//! The client of a Rekor v1 log: entries of the kinds `dsse` and `hashedrekord`, both 0.0.1.

use ambisign_host::{Answer, CallLimits, Host, request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::LOCATION;
use serde_json::json;

use super::Error;
use super::answer::refused;
use crate::content::ContentRef;
use crate::limits::REKOR;
use crate::log::{LogEntry, Logged};
use crate::service::{self, Kind};
use crate::trust::Service;

/// A v1 log of this run.
pub(super) struct RekorV1<'a> {
    pub(super) host: &'a Host,
    pub(super) service: &'a Service,
}

impl RekorV1<'_> {
    /// Submits `logged`, within `limits`. The entry is not verified yet.
    ///
    /// If an answer was lost and the same bytes are sent again, the log answers 409 and names the
    /// entry that it already has, which is then fetched.
    pub(super) async fn submit(
        &self,
        logged: &Logged<'_>,
        limits: &CallLimits,
    ) -> Result<LogEntry, Error> {
        let url = request::below(&self.service.url, "api/v1/log/entries");
        let body = request(logged).ok_or(Error::Encoding)?;
        let request = request::post_accepting(url, "application/json", "application/json", body);
        let answer = self.host.net.send(limits, request).await.map_err(Error::Log)?;
        let answer = match answer.status.as_u16() {
            409 => self.existing(&answer).await?,
            _ => answer,
        };
        match answer.status.as_u16() {
            200 | 201 if service::is_page(&answer.body) => Err(self.mistaken(&answer).await),
            200 | 201 => Ok(LogEntry::from_v1(&answer.body)?),
            _ => Err(refused(self.host, Kind::RekorV1, &self.service.url, &answer).await),
        }
    }

    async fn mistaken(&self, answer: &Answer) -> Error {
        service::mistaken(self.host, Kind::RekorV1, &self.service.url, answer).await.into()
    }

    /// Fetches the entry that a 409 names. It uses only the ID in the answer, never its host.
    async fn existing(&self, conflict: &Answer) -> Result<Answer, Error> {
        let id = conflict.header(LOCATION).and_then(|to| to.rsplit('/').next()).filter(|id| {
            matches!(id.len(), 64 | 80) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let Some(id) = id else {
            return Err(Error::refused(409, conflict.excerpt(&self.host.net)));
        };
        let url = request::below(&self.service.url, &format!("api/v1/log/entries/{id}"));
        let answer = self.host.net.send(&REKOR, request::get_json(url)).await;
        answer.map_err(Error::unread)
    }
}

/// A proposed entry, with the PEM of the verifier. It contains a whole envelope as a string, or the
/// digest of a message.
fn request(logged: &Logged<'_>) -> Option<Vec<u8>> {
    let verifier = STANDARD.encode(logged.verifier.pem()?);
    let (kind, spec) = match logged.content {
        ContentRef::Envelope(envelope) => {
            let envelope = envelope.to_json().ok()?;
            let content = json!({ "envelope": envelope, "verifiers": [verifier] });
            ("dsse", json!({ "proposedContent": content }))
        }
        ContentRef::Message { digest, signature } => {
            let hash = json!({ "algorithm": "sha256", "value": digest.hex() });
            let signature = json!({
                "content": STANDARD.encode(signature),
                "publicKey": { "content": verifier },
            });
            ("hashedrekord", json!({ "data": { "hash": hash }, "signature": signature }))
        }
    };
    serde_json::to_vec(&json!({ "apiVersion": "0.0.1", "kind": kind, "spec": spec })).ok()
}
