// SPDX-License-Identifier: Apache-2.0
//! The ephemeral key of a run.

use der::EncodePem;
use der::pem::LineEnding;
use p256::ecdsa::signature::hazmat::RandomizedPrehashSigner;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::Generate;
use p256::pkcs8::EncodePublicKey;
use rand_core::CryptoRng;
use x509_cert::builder::{Builder, RequestBuilder};
use x509_cert::name::Name;

use crate::digest::Digest;

/// A P-256 key that never leaves the process; its memory is wiped on drop.
pub(crate) struct EphemeralKey(SigningKey);

impl EphemeralKey {
    /// A fresh key.
    pub(crate) fn generate<R: CryptoRng>(rng: &mut R) -> Self {
        Self(SigningKey::generate_from_rng(rng))
    }

    /// A certificate signing request (PKCS #10) in PEM, with an empty subject: Fulcio takes the
    /// public key and the proof of possession from it, and nothing else.
    pub(crate) fn request<R: CryptoRng>(&self, rng: &mut R) -> Option<String> {
        let builder = RequestBuilder::new(Name::default()).ok()?;
        let request = builder.build_with_rng::<_, DerSignature, _>(&self.0, rng).ok()?;
        request.to_pem(LineEnding::LF).ok()
    }

    /// The public key as SubjectPublicKeyInfo (RFC 5280 4.1.2.7) in DER.
    pub(crate) fn public_key(&self) -> Option<Vec<u8>> {
        Some(self.0.verifying_key().to_public_key_der().ok()?.into_vec())
    }

    /// The DER signature over the data with the digest `digest`.
    ///
    /// The nonce is random, so no two signatures are equal and a log never confuses them.
    pub(crate) fn sign<R: CryptoRng>(&self, digest: &Digest, rng: &mut R) -> Option<Vec<u8>> {
        let signature: DerSignature = self.0.sign_prehash_with_rng(rng, digest.bytes()).ok()?;
        Some(signature.as_bytes().to_vec())
    }
}
