// SPDX-License-Identifier: Apache-2.0
//! The certificate or key that a signature is verified with.

use std::time::SystemTime;

use der::pem::{LineEnding, encode_string};

use super::signing::{CertificateError, SigningCertificate};
use crate::pki::keys::{Hash, PublicKey};

/// The certificate of a signature, or a key that the verifier passes in.
#[derive(Clone, Copy, Debug)]
pub enum Verifier<'a> {
    /// A certificate, whose key counts only while the certificate is valid.
    Certificate(&'a SigningCertificate),
    /// A bare key, which is valid at any time.
    Key(&'a PublicKey),
}

impl<'a> Verifier<'a> {
    /// The key.
    pub fn key(&self) -> &'a PublicKey {
        match self {
            Self::Certificate(certificate) => certificate.certificate().key(),
            Self::Key(key) => key,
        }
    }

    /// The label that it has in PEM.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "CERTIFICATE",
            Self::Key(_) => "PUBLIC KEY",
        }
    }

    /// The certificate in DER, or the key as DER `SubjectPublicKeyInfo`.
    pub fn der(&self) -> &'a [u8] {
        match self {
            Self::Certificate(certificate) => certificate.der(),
            Self::Key(key) => key.spki(),
        }
    }

    /// The certificate or key in PEM, with lines of 64 characters and a final line feed. `None` if it
    /// is too long for PEM.
    pub fn pem(&self) -> Option<String> {
        encode_string(self.label(), LineEnding::LF, self.der()).ok()
    }

    /// Returns `true` if a signature at `time` counts.
    pub fn is_valid_at(&self, time: SystemTime) -> bool {
        match self {
            Self::Certificate(certificate) => certificate.is_valid_at(time),
            Self::Key(_) => true,
        }
    }

    /// Verifies `signature` over `message`, with the usual hash of the key or with SHA-256, which
    /// clients used to use for every key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = self.key();
        let mut hashes = [key.usual_hash(), Hash::Sha256].into_iter();
        hashes.any(|hash| key.verify(hash, message, signature))
    }
}

impl<'a> From<&'a SigningCertificate> for Verifier<'a> {
    fn from(certificate: &'a SigningCertificate) -> Self {
        Self::Certificate(certificate)
    }
}

impl SigningCertificate {
    /// The certificate in PEM, with lines of 64 characters and a final line feed.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] if the certificate is too long for PEM.
    pub fn pem(&self) -> Result<String, CertificateError> {
        let pem = Verifier::from(self).pem();
        pem.ok_or(CertificateError::Malformed)
    }

    /// Verifies that the certificate's key made `signature` over `message`, with the usual hash of the
    /// key or with SHA-256, which clients used to use for every key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Verifier::from(self).verify(message, signature)
    }
}
