// SPDX-License-Identifier: Apache-2.0
//! A key with its certificate, and the signatures made with it.

use std::sync::Arc;
use std::time::Duration;

use ambisign_host::errors;
use rand_core::CryptoRng;
use tokio::time::Instant;

use crate::certificate::SigningCertificate;
use crate::content::{Content, ContentRef};
use crate::digest::Digest;
use crate::dsse::{Envelope, IN_TOTO, pae};
use crate::key::EphemeralKey;
use crate::limits::{FULCIO, REKOR, TSA};
use crate::log::Logged;
use crate::pki::keys::Hash;
use crate::statement::Payload;

/// No certificate older than this is used for new signatures, however long it is valid.
const RENEW_AFTER: Duration = Duration::from_secs(8 * 60);

/// A key and the certificate that Fulcio issued for it, already verified with the trusted root.
pub struct Credential {
    key: EphemeralKey,
    certificate: SigningCertificate,
    received: Instant,
}

impl Credential {
    /// Only `Fulcio::issue` makes one.
    pub(crate) fn new(key: EphemeralKey, certificate: SigningCertificate) -> Self {
        Self { key, certificate, received: Instant::now() }
    }

    /// The certificate.
    pub fn certificate(&self) -> &SigningCertificate {
        &self.certificate
    }

    /// Returns `true` if it may still sign. This depends on the time since it arrived, not on the wall
    /// clock.
    pub fn is_fresh(&self) -> bool {
        self.received.elapsed() < Shares::of(&self.certificate).sign
    }

    /// How long the logs may take, if the certificate still lives that long.
    fn log_time(&self) -> Option<Duration> {
        let Shares { log, life, .. } = Shares::of(&self.certificate);
        (self.received.elapsed() + log <= life).then_some(log)
    }

    /// Signs a statement in an envelope.
    ///
    /// # Errors
    /// The signature does not verify with the certificate (gate G6), which is a bug.
    pub fn sign_statement<R: CryptoRng>(
        self: &Arc<Self>,
        payload: Payload,
        rng: &mut R,
    ) -> Result<Signed, SignError> {
        let payload = payload.into_bytes();
        let digest = Digest::of(&pae(IN_TOTO, &payload));
        let signature = self.sign(&digest, rng)?;
        let content =
            Content::Envelope(Envelope { payload_type: IN_TOTO.to_owned(), payload, signature });
        Ok(self.signed(content, digest))
    }

    /// Signs the bytes with the digest `digest`.
    ///
    /// # Errors
    /// Those of [`Credential::sign_statement`].
    pub fn sign_message<R: CryptoRng>(
        self: &Arc<Self>,
        digest: &Digest,
        rng: &mut R,
    ) -> Result<Signed, SignError> {
        let signature = self.sign(digest, rng)?;
        let content = Content::Message { digest: Some(*digest), signature };
        Ok(self.signed(content, *digest))
    }

    /// Signs `digest` and verifies the signature with the certificate.
    fn sign<R: CryptoRng>(&self, digest: &Digest, rng: &mut R) -> Result<Vec<u8>, SignError> {
        let signature = self.key.sign(digest, rng).ok_or(SignError::Unsound)?;
        let key = self.certificate.certificate().key();
        if !key.verify_digest(Hash::Sha256, digest.bytes(), &signature) {
            return Err(SignError::Unsound);
        }
        Ok(signature)
    }

    fn signed(self: &Arc<Self>, content: Content, digest: Digest) -> Signed {
        Signed { content, digest, credential: Arc::clone(self) }
    }
}

/// Divides the life of a certificate so that timestamp and log entry fall within it. Each call gets its
/// maximum time, or a share of it if the certificate does not live that long.
struct Shares {
    /// The time for signing, from the arrival on.
    sign: Duration,
    /// The time for the logs.
    log: Duration,
    /// The time from the arrival to the end.
    life: Duration,
}

impl Shares {
    fn of(certificate: &SigningCertificate) -> Self {
        let (from, to) = (certificate.not_before(), certificate.not_after());
        let life = to.duration_since(from).unwrap_or_default();
        // The certificate was issued before it arrived.
        let arrival = FULCIO.each.min(life / 20);
        let stamps = TSA.all.min(life / 10);
        let log = REKOR.all.min(life / 10 * 3);
        let life = life - arrival;
        Self { sign: RENEW_AFTER.min(life - stamps - log), log, life }
    }
}

errors! {
    /// Signing failed. Each of these errors is a bug.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum SignError {
        #[error("the statement about the image could not be written")]
        Payload = "sign/payload", Bug {
            fix: "report this: it is a bug in ambisign",
            what: "The statement to sign could not be written.",
            why: "This cannot happen.",
            advice: "Report it.",
        },
        #[error("the certificate does not verify our own signature")]
        Unsound = "sign/unsound", Bug {
            fix: "report this: it is a bug in ambisign",
            what: "Our own signature does not verify.",
            why: "The memory of the machine is faulty, or this is a bug. Nothing was published.",
            advice: "Run on another machine, and report it if it happens again.",
        },
    }
}

/// A signature that has not left the process yet.
#[must_use]
pub struct Signed {
    content: Content,
    digest: Digest,
    credential: Arc<Credential>,
}

impl Signed {
    /// The signed content, with the signature.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The digest that was signed: of the encoded envelope, or of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The certificate of the key that signed.
    pub fn certificate(&self) -> &SigningCertificate {
        &self.credential.certificate
    }

    /// How long the logs may take, if the certificate still lives that long.
    pub(crate) fn log_time(&self) -> Option<Duration> {
        self.credential.log_time()
    }

    /// The signature and its verifier, which the log entry must match.
    pub(crate) fn logged(&self) -> Logged<'_> {
        Logged {
            verifier: self.certificate().into(),
            content: ContentRef::of(&self.content, &self.digest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shares;
    use crate::certificate::testing::certificate;
    use crate::limits::{REKOR, TSA};

    #[test]
    fn what_is_signed_last_is_logged_before_the_certificate_ends() {
        for (life, sign, log) in
            [(600, 350, 180), (3600, 480, 180), (100, 55, 30), (20, 11, 6), (0, 0, 0)]
        {
            let shares = Shares::of(&certificate((100, 100 + life)));
            let found = (shares.sign.as_secs(), shares.log.as_secs());
            assert_eq!(found, (sign, log), "{life}");
            assert!(shares.sign + shares.log <= shares.life);
        }
        // In the life of the public instance's certificates there is room for every limit.
        let public = Shares::of(&certificate((0, 600)));
        assert_eq!(public.log, REKOR.all);
        assert!(public.sign + TSA.all + REKOR.all <= public.life);
    }
}
