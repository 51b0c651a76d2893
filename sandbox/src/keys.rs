// SPDX-License-Identifier: Apache-2.0
//! Keys: one for each role, made from the seed, but for the two RSA keys.

use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::der::{self, Reader};

/// `SHA-256(parts...)`.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// Where the keys of one sandbox come from.
#[derive(Clone, Copy)]
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    /// 32 bytes that only this seed and this label give.
    pub(crate) fn bytes(self, label: &str) -> [u8; 32] {
        sha256(&[b"ambisign-sandbox\0", &self.0.to_be_bytes(), label.as_bytes()])
    }

    /// The P-256 key of `role`.
    pub(crate) fn ec(self, role: &str) -> Result<EcKey, Error> {
        // One hash in 2^32 is not a valid scalar; a seed that produces one is unusable.
        SigningKey::from_slice(&self.bytes(role)).map(EcKey).map_err(Error::key)
    }

    /// The Ed25519 key of `role`.
    pub(crate) fn ed25519(self, role: &str) -> Result<Ed25519KeyPair, Error> {
        Ed25519KeyPair::from_seed_unchecked(&self.bytes(role)).map_err(Error::key)
    }
}

/// A P-256 key.
pub(crate) struct EcKey(SigningKey);

impl EcKey {
    /// ECDSA with SHA-256, ASN.1 DER; deterministic (RFC 6979).
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    /// The SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> Vec<u8> {
        let point = self.0.verifying_key().to_sec1_point(false);
        der::sequence(&[&ec_algorithm(), &der::bits(point.as_bytes())])
    }

    /// What Sigstore calls the key's log: SHA-256 of the SubjectPublicKeyInfo.
    pub(crate) fn id(&self) -> [u8; 32] {
        sha256(&[&self.spki()])
    }

    /// PKCS#8 (RFC 5208).
    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        let point = self.0.verifying_key().to_sec1_point(false);
        let sec1 = der::sequence(&[
            &der::integer(&[1]),
            &der::element(der::OCTET_STRING, &self.0.to_bytes()),
            &der::element(0xa1, &der::bits(point.as_bytes())),
        ]);
        let private = der::element(der::OCTET_STRING, &sec1);
        der::sequence(&[&der::integer(&[0]), &ec_algorithm(), &private])
    }
}

fn ec_algorithm() -> Vec<u8> {
    der::sequence(&[&der::oid(&[1, 2, 840, 10045, 2, 1]), &der::oid(&[1, 2, 840, 10045, 3, 1, 7])])
}

/// A client's P-256 key. The sandbox takes no other kind.
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo.
    pub(crate) fn from_spki(spki: &[u8]) -> Option<Self> {
        let mut inside = Reader::new(spki).enter(der::SEQUENCE)?;
        let algorithm = inside.expect(der::SEQUENCE)?.whole;
        let point = inside.expect(der::BIT_STRING)?.content.strip_prefix(&[0])?;
        (algorithm == ec_algorithm()).then_some(())?;
        VerifyingKey::from_sec1_bytes(point).ok().map(Self)
    }

    /// Whether `signature` (DER) is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_der(signature).is_ok_and(|s| self.0.verify(message, &s).is_ok())
    }

    /// The same over a message of which only the SHA-256 is known.
    pub(crate) fn verifies_digest(&self, digest: &[u8], signature: &[u8]) -> bool {
        Signature::from_der(signature).is_ok_and(|s| self.0.verify_prehash(digest, &s).is_ok())
    }
}

/// The PKCS#8 of the OIDC issuer, the same in every sandbox: an RSA key takes half a second to find,
/// and a fixed one makes tokens that a test can know. It opens nothing outside a sandbox.
pub(crate) const ISSUER: &[u8] = include_bytes!("../keys/oidc.pk8");
/// That of the service account, likewise.
pub(crate) const ACCOUNT: &[u8] = include_bytes!("../keys/account.pk8");

/// An RSA key of 2048 bits: OIDC tokens are RS256, and cosign takes no other on its command line.
pub(crate) struct RsaKey(RsaKeyPair);

impl RsaKey {
    /// Reads PKCS#8.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        RsaKeyPair::from_pkcs8(der).map(Self).map_err(Error::key)
    }

    /// PKCS#1 v1.5 with SHA-256.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.0
            .sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signature)
            .map_err(Error::key)?;
        Ok(signature)
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = self.0.public_key();
        signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key)
            .verify(message, signature)
            .is_ok()
    }

    /// Modulus and exponent, big-endian.
    pub(crate) fn numbers(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut inside = Reader::new(self.0.public_key().as_ref()).enter(der::SEQUENCE)?;
        let mut number = || {
            let content = inside.expect(der::INTEGER)?.content;
            Some(content.strip_prefix(&[0]).unwrap_or(content).to_vec())
        };
        Some((number()?, number()?))
    }
}
