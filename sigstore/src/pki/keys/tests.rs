// SPDX-License-Identifier: Apache-2.0
use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::pem::{LineEnding, encode_string};
use der::{Decode as _, Encode as _};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::{Hash, Kind, PublicKey};
use crate::pki::testing::{public_key, sign};

const EC: &str = "1.2.840.10045.2.1";
const ED25519: &str = "1.3.101.112";
const RSA: &str = "1.2.840.113549.1.1.1";
const NULL: &[u8] = b"\x05\x00";
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x22";
const P521: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x23";
const SECP256K1: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x0a";

fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new(text).unwrap()
}

/// A key of this algorithm, with these parameters or none.
fn spki(algorithm: &str, parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let parameters = (!parameters.is_empty()).then(|| AnyRef::from_der(parameters).unwrap());
    let algorithm = AlgorithmIdentifierRef { oid: oid(algorithm), parameters };
    let subject_public_key = BitStringRef::from_bytes(key).unwrap();
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().unwrap()
}

/// An `RSAPublicKey` with a modulus of so many bytes (RFC 8017 A.1.1).
fn rsa(bytes: usize) -> Vec<u8> {
    let [high, low] = u16::try_from(bytes + 1).unwrap().to_be_bytes();
    let modulus = [&[2, 0x82, high, low, 0][..], &vec![0xff; bytes]].concat();
    let content = [&modulus, &[2, 3, 1, 0, 1][..]].concat();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82, high, low][..], &content].concat()
}

#[test]
fn reads_the_kinds_of_keys_that_sigstore_uses() {
    use Kind::{Ed25519, P256 as P2, P384 as P3, P521 as P5, Rsa};
    let point = [4, 1, 2];
    let rows: [(_, &str, &[u8], &[u8], _); 16] = [
        ("P-256", EC, P256, &point, Some((P2, Hash::Sha256, Some("PKIX_ECDSA_P256_SHA_256")))),
        ("P-384", EC, P384, &point, Some((P3, Hash::Sha384, Some("PKIX_ECDSA_P384_SHA_384")))),
        ("P-521", EC, P521, &point, Some((P5, Hash::Sha512, Some("PKIX_ECDSA_P521_SHA_512")))),
        ("another curve", EC, SECP256K1, &point, None),
        ("no curve", EC, b"", &point, None),
        ("no point", EC, P256, b"", None),
        ("Ed25519", ED25519, b"", &[1; 32], Some((Ed25519, Hash::Sha256, Some("PKIX_ED25519")))),
        ("a short key", ED25519, b"", &[1; 31], None),
        ("a long key", ED25519, b"", &[1; 33], None),
        ("parameters", ED25519, NULL, &[1; 32], None),
        (
            "RSA 2048",
            RSA,
            NULL,
            &rsa(256),
            Some((Rsa, Hash::Sha256, Some("PKIX_RSA_PKCS1V15_2048_SHA256"))),
        ),
        (
            "RSA 3072",
            RSA,
            NULL,
            &rsa(384),
            Some((Rsa, Hash::Sha256, Some("PKIX_RSA_PKCS1V15_3072_SHA256"))),
        ),
        (
            "RSA 4096",
            RSA,
            NULL,
            &rsa(512),
            Some((Rsa, Hash::Sha256, Some("PKIX_RSA_PKCS1V15_4096_SHA256"))),
        ),
        ("RSA 8192", RSA, NULL, &rsa(1024), Some((Rsa, Hash::Sha256, None))),
        ("RSA with a curve", RSA, P256, &rsa(256), None),
        ("no RSA key", RSA, NULL, &point, None),
    ];
    for (what, algorithm, parameters, key, expected) in rows {
        let der = spki(algorithm, parameters, key);
        let found = PublicKey::from_spki(&der);
        let read = found.as_ref().map(|key| (key.kind(), key.usual_hash(), key.details()));
        assert_eq!(read, expected, "{what}");
        assert!(found.is_none_or(|key| key.spki() == der), "{what}");
    }
    // Ed448, and RSA without parameters.
    assert_eq!(PublicKey::from_spki(&spki("1.3.101.113", b"", &[1; 57])), None);
    assert_eq!(PublicKey::from_spki(&spki(RSA, b"", &rsa(256))), None);
    assert_eq!(PublicKey::from_spki(b""), None);
}

#[test]
fn reads_keys_in_pem() {
    let key = rsa(256);
    let whole = spki(RSA, NULL, &key);
    let pem = |label, der: &[u8]| encode_string(label, LineEnding::LF, der).unwrap();
    let expected = PublicKey::from_spki(&whole);
    assert!(expected.is_some());
    for text in [pem("PUBLIC KEY", &whole), pem("RSA PUBLIC KEY", &key)] {
        assert_eq!(PublicKey::from_pem(&text), expected);
        assert_eq!(PublicKey::from_pem(&format!("\n {text} \n")), expected);
    }
    for text in [pem("PRIVATE KEY", &whole), pem("RSA PUBLIC KEY", &whole), String::new()] {
        assert_eq!(PublicKey::from_pem(&text), None, "{text}");
    }
    assert_eq!(PublicKey::from_pkcs1(&key), expected);
}

/// RFC 5754 2, RFC 5758 3, RFC 8017 A.2.4. SHA-1 and MD5 are in none of the lists.
#[test]
fn names_of_hashes() {
    let (sha256, sha384, sha512) = (Hash::Sha256, Hash::Sha384, Hash::Sha512);
    for (name, hash) in [
        ("2.16.840.1.101.3.4.2.1", Some(sha256)),
        ("2.16.840.1.101.3.4.2.2", Some(sha384)),
        ("2.16.840.1.101.3.4.2.3", Some(sha512)),
        ("2.16.840.1.101.3.4.2.4", None),
        ("1.3.14.3.2.26", None),
    ] {
        assert_eq!(Hash::from_oid(oid(name)), hash, "{name}");
    }
    for (name, hash) in [
        ("1.2.840.10045.4.3.2", Some(sha256)),
        ("1.2.840.10045.4.3.3", Some(sha384)),
        ("1.2.840.10045.4.3.4", Some(sha512)),
        ("1.2.840.113549.1.1.11", Some(sha256)),
        ("1.2.840.113549.1.1.12", Some(sha384)),
        ("1.2.840.113549.1.1.13", Some(sha512)),
        ("1.3.101.112", Some(sha256)),
        ("1.2.840.10045.4.1", None),
        ("1.2.840.113549.1.1.5", None),
    ] {
        assert_eq!(Hash::of_signature(oid(name)), hash, "{name}");
    }
    for (hash, length) in [(sha256, 32), (sha384, 48), (sha512, 64)] {
        assert_eq!(hash.digest(b"x").len(), length);
    }
}

#[test]
fn a_signature_is_of_one_key_one_hash_and_one_message() {
    let (key, signature) = (public_key(1), sign(1, b"message"));
    let (sha256, sha384) = (Hash::Sha256, Hash::Sha384);
    for (key, hash, message, good) in [
        (&key, sha256, b"message", true),
        (&key, sha384, b"message", false),
        (&key, sha256, b"another", false),
        (&public_key(2), sha256, b"message", false),
    ] {
        assert_eq!(key.verify(hash, message, &signature), good);
        assert_eq!(key.verify_digest(hash, &hash.digest(message), &signature), good);
    }
    assert!(!key.verify_digest(sha256, &sha384.digest(b"message"), &signature));
    assert!(!key.verify_digest(sha256, b"", &signature));
}
