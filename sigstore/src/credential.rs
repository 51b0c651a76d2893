// SPDX-License-Identifier: Apache-2.0
//! A key with its certificate, and what is signed with it.

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

/// Older than this no certificate signs anything new, however long it lives.
const RENEW_AFTER: Duration = Duration::from_secs(8 * 60);

/// A key and the certificate that Fulcio gave for it, already checked against the trusted root.
pub struct Credential {
    key: EphemeralKey,
    certificate: SigningCertificate,
    received: Instant,
}

impl Credential {
    /// Only `Fulcio::issue` makes one.
    pub(crate) fn new(key: EphemeralKey, certificate: SigningCertificate) -> Self {
        Self {
            key,
            certificate,
            received: Instant::now(),
        }
    }

    /// The certificate.
    pub fn certificate(&self) -> &SigningCertificate {
        &self.certificate
    }

    /// Whether it may still sign: judged by the time since it arrived, not by the wall clock.
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
    /// The certificate does not verify what the key signed (gate G6), which is a bug.
    pub fn sign_statement<R: CryptoRng>(
        self: &Arc<Self>,
        payload: Payload,
        rng: &mut R,
    ) -> Result<Signed, SignError> {
        let payload = payload.into_bytes();
        let digest = Digest::of(&pae(IN_TOTO, &payload));
        let signature = self.sign(&digest, rng)?;
        let content = Content::Envelope(Envelope {
            payload_type: IN_TOTO.to_owned(),
            payload,
            signature,
        });
        Ok(self.signed(content, digest))
    }

    /// Signs bytes of which `digest` is the digest.
    ///
    /// # Errors
    /// As [`Credential::sign_statement`].
    pub fn sign_message<R: CryptoRng>(
        self: &Arc<Self>,
        digest: &Digest,
        rng: &mut R,
    ) -> Result<Signed, SignError> {
        let signature = self.sign(digest, rng)?;
        let content = Content::Message {
            digest: Some(*digest),
            signature,
        };
        Ok(self.signed(content, *digest))
    }

    /// Signs, and verifies the signature with the certificate.
    fn sign<R: CryptoRng>(&self, digest: &Digest, rng: &mut R) -> Result<Vec<u8>, SignError> {
        let signature = self.key.sign(digest, rng).ok_or(SignError::Unsound)?;
        let key = self.certificate.certificate().key();
        if !key.verify_digest(Hash::Sha256, digest.bytes(), &signature) {
            return Err(SignError::Unsound);
        }
        Ok(signature)
    }

    fn signed(self: &Arc<Self>, content: Content, digest: Digest) -> Signed {
        Signed {
            content,
            digest,
            credential: Arc::clone(self),
        }
    }
}

/// How the life of a certificate is divided, so that timestamp and log entry fall into it: each call
/// has the longest time that it may take, or a share of lives that are too short for that.
struct Shares {
    /// For signing, from the arrival on.
    sign: Duration,
    /// For the logs.
    log: Duration,
    /// From the arrival to the end.
    life: Duration,
}

impl Shares {
    fn of(certificate: &SigningCertificate) -> Self {
        let (from, to) = (certificate.not_before(), certificate.not_after());
        let life = to.duration_since(from).unwrap_or_default();
        // Its life began before it arrived.
        let arrival = FULCIO.each.min(life / 20);
        let stamps = TSA.all.min(life / 10);
        let log = REKOR.all.min(life / 10 * 3);
        let life = life - arrival;
        Self {
            sign: RENEW_AFTER.min(life - stamps - log),
            log,
            life,
        }
    }
}

errors! {
    /// Why nothing could be signed. Each of these is a bug.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum SignError {
        /// The statement could not be written.
        #[error("the statement about the image could not be written")]
        Payload = "sign/payload", Bug {
            fix: "report this: it is a bug in ambisign",
            what: "What is signed could not be written.",
            why: "This cannot happen.",
            advice: "Report it.",
        },
        /// The certificate's key does not verify the signature.
        #[error("the certificate does not verify our own signature")]
        Unsound = "sign/unsound", Bug {
            fix: "report this: it is a bug in ambisign",
            what: "Our own signature does not verify.",
            why: "Broken memory or a bug; it was found before anything was published.",
            advice: "Run on another machine, and report it if it stays.",
        },
    }
}

/// A signature that nobody has seen yet.
#[must_use]
pub struct Signed {
    content: Content,
    digest: Digest,
    credential: Arc<Credential>,
}

impl Signed {
    /// What was signed, with the signature.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The digest of what the signature is over: of the encoded envelope, or of the bytes.
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

    /// What a log has to have an entry of.
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
        for (life, sign, log) in [
            (600, 350, 180),
            (3600, 480, 180),
            (100, 55, 30),
            (20, 11, 6),
            (0, 0, 0),
        ] {
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
