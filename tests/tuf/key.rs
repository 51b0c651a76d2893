// SPDX-License-Identifier: Apache-2.0
//! Keys of a simulated repository, and the form in which metadata is signed.

use std::rc::Rc;

use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPublicKeyCompressedBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PSS_SHA256,
};
use base64::Engine as _;
use der::asn1::BitStringRef;
use der::{Decode as _, Encode as _};
use serde::Serialize as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// A key pair with its public half as in metadata.
#[derive(Clone)]
pub(crate) struct Key {
    pair: Rc<Pair>,
    public: Value,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Key {
    /// The type that a repository has where nothing else is said.
    pub(crate) fn ecdsa() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let public = pem(pair.public_key().as_der().unwrap().as_ref());
        Self::new(Pair::Ecdsa(pair), "ecdsa", "ecdsa-sha2-nistp256", &public)
    }

    /// On the curve P-384.
    pub(crate) fn p384() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        let public = pem(pair.public_key().as_der().unwrap().as_ref());
        Self::new(Pair::Ecdsa(pair), "ecdsa", "ecdsa-sha2-nistp384", &public)
    }

    pub(crate) fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = hex::encode(pair.public_key());
        Self::new(Pair::Ed25519(pair), "ed25519", "ed25519", &public)
    }

    pub(crate) fn rsa() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pem(pair.public_key().as_der().unwrap().as_ref());
        Self::new(Pair::Rsa(pair), "rsa", "rsassa-pss-sha256", &public)
    }

    fn new(pair: Pair, keytype: &str, scheme: &str, public: &str) -> Self {
        Self {
            pair: Rc::new(pair),
            public: json!({"keytype": keytype, "scheme": scheme, "keyval": {"public": public}}),
        }
    }

    /// The same key with one more member, which its ID covers.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.public[name] = value;
        self
    }

    /// The same key with its public half in forms that no metadata has and some libraries take.
    pub(crate) fn in_other_forms(&self) -> Vec<Self> {
        let with = |public: String| self.clone().with("keyval", json!({"public": public}));
        match &*self.pair {
            Pair::Ecdsa(pair) => {
                let whole = pair.public_key().as_der().unwrap();
                let point: EcPublicKeyCompressedBin<'_> = pair.public_key().as_be_bytes().unwrap();
                vec![with(hex::encode(whole.as_ref())), with(hex::encode(point.as_ref()))]
            }
            Pair::Ed25519(pair) => {
                let whole = pair.public_key().as_der().unwrap();
                vec![with(hex::encode(whole.as_ref()))]
            }
            Pair::Rsa(pair) => {
                let whole = pair.public_key().as_der().unwrap();
                let nested = SubjectPublicKeyInfoRef {
                    subject_public_key: BitStringRef::from_bytes(whole.as_ref()).unwrap(),
                    ..SubjectPublicKeyInfoRef::from_der(whole.as_ref()).unwrap()
                };
                vec![with(pem(&nested.to_der().unwrap()))]
            }
        }
    }

    /// The public half, as in metadata.
    pub(crate) fn public(&self) -> &Value {
        &self.public
    }

    /// The SHA-256 of the public half.
    pub(crate) fn id(&self) -> String {
        hex::encode(Sha256::digest(canonical(&self.public)))
    }

    /// A member of `signatures` over `signed`.
    pub(crate) fn sign(&self, signed: &Value) -> Value {
        let message = canonical(signed);
        let random = SystemRandom::new();
        let signature = match &*self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, &message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(&message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, &message, &mut signature).unwrap();
                signature
            }
        };
        json!({"keyid": self.id(), "sig": hex::encode(signature)})
    }
}

/// The bytes of `value` that are hashed and signed.
fn canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let form = olpc_cjson::CanonicalFormatter::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, form);
    value.serialize(&mut writer).unwrap();
    bytes
}

fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let body = lines.join("\n");
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}
