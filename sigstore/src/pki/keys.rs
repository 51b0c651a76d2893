// SPDX-License-Identifier: Apache-2.0
//! Public keys, and verifying signatures with them.
//!
//! The kind of the key and the hash are chosen separately: the timestamp authority of the public
//! instance signs with a P-384 key and SHA-256.

use std::fmt;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use der::asn1::{BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Encode, Sequence};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

const ID_EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ID_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The hash functions that a signature may use. Older ones are never accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The hash function of an algorithm identifier (RFC 5754 2).
    pub fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        match oid.to_string().as_str() {
            "2.16.840.1.101.3.4.2.1" => Some(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Some(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The hash function of a signature algorithm (RFC 5758 3, RFC 8017 A.2.4), if it names one. For
    /// Ed25519, which has its own, the result is arbitrary.
    pub fn of_signature(oid: ObjectIdentifier) -> Option<Self> {
        match oid.to_string().as_str() {
            "1.2.840.10045.4.3.2" | "1.2.840.113549.1.1.11" | "1.3.101.112" => Some(Self::Sha256),
            "1.2.840.10045.4.3.3" | "1.2.840.113549.1.1.12" => Some(Self::Sha384),
            "1.2.840.10045.4.3.4" | "1.2.840.113549.1.1.13" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Edwards curve 25519, RFC 8032.
    Ed25519,
    /// NIST curve P-256.
    P256,
    /// NIST curve P-384.
    P384,
    /// NIST curve P-521.
    P521,
    /// RSA, used with PKCS #1 v1.5 signatures.
    Rsa,
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: Kind,
    /// The point, the 32 bytes of Ed25519, or an `RSAPublicKey`.
    key: Vec<u8>,
    spki: Vec<u8>,
}

#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

impl PublicKey {
    /// Reads a DER `SubjectPublicKeyInfo` (RFC 5280 4.1.2.7); `None` for another encoding or a kind
    /// of key that no Sigstore service uses.
    pub fn from_spki(der: &[u8]) -> Option<Self> {
        let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
        let parameters = info.algorithm.parameters;
        let kind = match info.algorithm.oid {
            ID_EC => match parameters?.decode_as::<ObjectIdentifier>().ok()? {
                P256 => Kind::P256,
                P384 => Kind::P384,
                P521 => Kind::P521,
                _ => return None,
            },
            ID_ED25519 if parameters.is_none() => Kind::Ed25519,
            ID_RSA if parameters.is_some_and(der::asn1::AnyRef::is_null) => Kind::Rsa,
            _ => return None,
        };
        let key = info.subject_public_key.as_bytes()?.to_vec();
        let whole = match kind {
            Kind::Ed25519 => key.len() == 32,
            Kind::P256 | Kind::P384 | Kind::P521 => !key.is_empty(),
            Kind::Rsa => RsaPublicKey::from_der(&key).is_ok(),
        };
        whole.then(|| Self { kind, key, spki: der.to_vec() })
    }

    /// Reads a DER `RSAPublicKey` (RFC 8017 A.1.1), the form of one old CT log of the staging
    /// instance.
    pub fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let algorithm =
            AlgorithmIdentifierRef { oid: ID_RSA, parameters: Some(der::asn1::AnyRef::NULL) };
        let spki = SubjectPublicKeyInfoRef {
            algorithm,
            subject_public_key: BitStringRef::from_bytes(der).ok()?,
        };
        Self::from_spki(&spki.to_der().ok()?)
    }

    /// Reads a PEM key (RFC 7468 13): `PUBLIC KEY`, or `RSA PUBLIC KEY` as older programs write it.
    /// White space around it is ignored; `None` for anything else, a private key included.
    pub fn from_pem(pem: &str) -> Option<Self> {
        match der::pem::decode_vec(pem.trim().as_bytes()) {
            Ok(("PUBLIC KEY", der)) => Self::from_spki(&der),
            Ok(("RSA PUBLIC KEY", der)) => Self::from_pkcs1(&der),
            Ok(_) | Err(_) => None,
        }
    }

    /// The key as DER `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The kind of the key.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The hash that Sigstore clients use with this kind of key; Ed25519 has its own.
    pub fn usual_hash(&self) -> Hash {
        match self.kind {
            Kind::Ed25519 | Kind::P256 | Kind::Rsa => Hash::Sha256,
            Kind::P384 => Hash::Sha384,
            Kind::P521 => Hash::Sha512,
        }
    }

    /// The name of the key with its usual hash in Sigstore's protocol buffers (`PublicKeyDetails`
    /// of `sigstore_common.proto`); `None` if it has none. The key of a Rekor v1 log has this name too,
    /// although such a log signs with SHA-256 on every curve, because other clients refuse a trusted
    /// root that names SHA-256 for a longer curve.
    pub fn details(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Ed25519 => Some("PKIX_ED25519"),
            Kind::P256 => Some("PKIX_ECDSA_P256_SHA_256"),
            Kind::P384 => Some("PKIX_ECDSA_P384_SHA_384"),
            Kind::P521 => Some("PKIX_ECDSA_P521_SHA_512"),
            Kind::Rsa => {
                let key = RsaPublicKey::from_der(&self.key).ok()?;
                match key.modulus.as_bytes().len() {
                    256 => Some("PKIX_RSA_PKCS1V15_2048_SHA256"),
                    384 => Some("PKIX_RSA_PKCS1V15_3072_SHA256"),
                    512 => Some("PKIX_RSA_PKCS1V15_4096_SHA256"),
                    _ => None,
                }
            }
        }
    }

    /// Verifies that this key made `signature` over `message`. ECDSA signatures are ASN.1 DER; for
    /// Ed25519 the hash does not matter.
    pub fn verify(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm(hash), &self.key).verify(message, signature).is_ok()
    }

    /// Verifies that this key made `signature` over the message with the digest `digest`. Always `false`
    /// for Ed25519, which signs only messages.
    pub fn verify_digest(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> bool {
        let algorithm = match hash {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        };
        let Ok(digest) = Digest::import_less_safe(digest, algorithm) else {
            return false;
        };
        UnparsedPublicKey::new(self.algorithm(hash), &self.key)
            .verify_digest(&digest, signature)
            .is_ok()
    }

    fn algorithm(&self, hash: Hash) -> &'static dyn VerificationAlgorithm {
        match (self.kind, hash) {
            (Kind::Ed25519, Hash::Sha256 | Hash::Sha384 | Hash::Sha512) => &ED25519,
            (Kind::P256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
            (Kind::P256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
            (Kind::P256, Hash::Sha512) => &ECDSA_P256_SHA512_ASN1,
            (Kind::P384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
            (Kind::P384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
            (Kind::P384, Hash::Sha512) => &ECDSA_P384_SHA512_ASN1,
            (Kind::P521, Hash::Sha256) => &ECDSA_P521_SHA256_ASN1,
            (Kind::P521, Hash::Sha384) => &ECDSA_P521_SHA384_ASN1,
            (Kind::P521, Hash::Sha512) => &ECDSA_P521_SHA512_ASN1,
            (Kind::Rsa, Hash::Sha256) => &RSA_PKCS1_2048_8192_SHA256,
            (Kind::Rsa, Hash::Sha384) => &RSA_PKCS1_2048_8192_SHA384,
            (Kind::Rsa, Hash::Sha512) => &RSA_PKCS1_2048_8192_SHA512,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.kind)
    }
}

#[cfg(test)]
mod tests;
