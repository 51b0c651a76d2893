// SPDX-License-Identifier: Apache-2.0
//! The client of a timestamp authority (RFC 3161 over HTTP, 3.4).

use ambisign_host::{CallLimits, Host, request};
use der::asn1::{Any, OctetString, Uint};
use der::oid::db::rfc5912::ID_SHA_256;
use der::{Encode, Sequence};
use rand_core::CryptoRng;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::Error;
use crate::digest::Digest;
use crate::log::Logged;
use crate::service::{self, Kind};
use crate::timestamp::{Stamped, Timestamp};
use crate::trust::{Service, TrustedRoot};

/// One authority of this run.
pub(super) struct TimestampAuthority<'a> {
    pub(super) host: &'a Host,
    pub(super) service: &'a Service,
    pub(super) root: &'a TrustedRoot,
}

impl TimestampAuthority<'_> {
    /// Gets a timestamp for the signature of `logged` within `limits`, and verifies it (gate G7).
    pub(super) async fn stamp(
        &self,
        logged: &Logged<'_>,
        nonce: &Nonce,
        limits: &CallLimits,
    ) -> Result<Timestamp, Error> {
        let signature = logged.content.signature();
        let query = query(signature, nonce).map_err(|_der| Error::Encoding)?;
        let (kind, accept) = ("application/timestamp-query", "application/timestamp-reply");
        let request = request::post_accepting(self.service.url.clone(), kind, accept, query);
        let answer = self.host.net.send(limits, request).await.map_err(Error::Timestamp)?;
        let status = answer.status.as_u16();
        let is_good = matches!(status, 200 | 201);
        // A reply is a SEQUENCE (RFC 3161 2.4.2), and a page is not from an authority.
        let is_reply = answer.body.first() == Some(&0x30);
        let is_refusal = !service::is_of_url(status) && !service::is_page(&answer.body);
        if !is_reply && (is_good || !is_refusal) {
            let (kind, url) = (Kind::TimestampAuthority, &self.service.url);
            return Err(service::mistaken(self.host, kind, url, &answer).await.into());
        }
        if !is_good {
            let excerpt = answer.excerpt(&self.host.net);
            return Err(Error::TimestampRefused { status, excerpt });
        }
        let stamped = Stamped { signature, nonce: Some(&nonce.0), verifier: logged.verifier };
        Ok(Timestamp::verify(&answer.body, &stamped, self.root)?)
    }
}

/// A positive number of exactly eight bytes, big-endian, so that no encoding shortens it.
pub(super) struct Nonce([u8; 8]);

impl Nonce {
    pub(super) fn draw<R: CryptoRng>(rng: &mut R) -> Self {
        let mut bytes = [0; 8];
        rng.fill_bytes(&mut bytes);
        if let Some(first) = bytes.first_mut() {
            *first = (*first & 0x3f) | 0x40;
        }
        Self(bytes)
    }
}

/// `TimeStampReq` (RFC 3161 2.4.1).
#[derive(Sequence)]
struct Query {
    version: u8,
    imprint: Imprint,
    nonce: Uint,
    cert_req: bool,
}

/// `MessageImprint` (RFC 3161 2.4.1).
#[derive(Sequence)]
struct Imprint {
    algorithm: AlgorithmIdentifierOwned,
    hashed: OctetString,
}

/// The request. It stamps the raw signature, not the image and not base64 text.
fn query(signature: &[u8], nonce: &Nonce) -> der::Result<Vec<u8>> {
    let algorithm = AlgorithmIdentifierOwned { oid: ID_SHA_256, parameters: Some(Any::null()) };
    let hashed = OctetString::new(Digest::of(signature).bytes().as_slice())?;
    let imprint = Imprint { algorithm, hashed };
    Query { version: 1, imprint, nonce: Uint::new(&nonce.0)?, cert_req: true }.to_der()
}

#[cfg(test)]
mod tests {
    use super::{Nonce, query};

    #[test]
    fn writes_the_query_of_rfc_3161() {
        let signature = hex::decode("3006020101020102").unwrap();
        let nonce = Nonce([1, 2, 3, 4, 5, 6, 7, 8]);
        let expected = "30430201013031300d060960864801650304020105000420676f0b8a8568db389920de2cf8e9c2c1555518e9cc97ae2652d7c819f5eb3e8c020801020304050607080101ff";
        assert_eq!(hex::encode(query(&signature, &nonce).unwrap()), expected);
    }
}
