// SPDX-License-Identifier: Apache-2.0
//! Certificates for tests, made to order.

use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use der::Encode as _;
use der::asn1::ObjectIdentifier;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder as _, CertificateBuilder, Result};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::Extension;
use x509_cert::ext::ToExtension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

use super::keys::PublicKey;
use super::x509::Certificate;

/// A certificate to be made. Names and keys of the same number belong together.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) subject: u8,
    pub(crate) issuer: u8,
    pub(crate) seconds: (u64, u64),
    pub(crate) extensions: Vec<Extension>,
}

/// So many seconds after 1970.
pub(crate) fn second(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(crate) fn extension<E>(extension: E) -> Extension
where
    for<'a> &'a E: ToExtension<Error = der::Error>,
{
    (&extension).to_extension(&Name::default(), &[]).unwrap()
}

pub(crate) fn raw(oid: &str, critical: bool, value: &[u8]) -> Extension {
    Extension {
        extn_id: ObjectIdentifier::from_str(oid).unwrap(),
        critical,
        extn_value: der::asn1::OctetString::new(value).unwrap(),
    }
}

struct Profile(Order);

fn name(number: u8) -> Name {
    Name::from_str(&format!("CN=number {number}")).unwrap()
}

/// The P-256 key of a number.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

/// The public half of [`key`].
pub(crate) fn public_key(number: u8) -> PublicKey {
    let spki = key(number).verifying_key().to_public_key_der().unwrap();
    PublicKey::from_spki(spki.as_bytes()).unwrap()
}

/// The signature by [`key`] over `message`, with SHA-256.
pub(crate) fn sign(number: u8, message: &[u8]) -> Vec<u8> {
    let signature: DerSignature = key(number).sign(message);
    signature.as_bytes().to_vec()
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _: &Name) -> Name {
        name(self.0.issuer)
    }

    fn get_subject(&self) -> Name {
        name(self.0.subject)
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> Result<Vec<Extension>> {
        Ok(self.0.extensions.clone())
    }
}

impl Order {
    pub(crate) fn der(&self) -> Vec<u8> {
        let spki = key(self.subject).verifying_key().to_public_key_der();
        let spki = SubjectPublicKeyInfoOwned::try_from(spki.unwrap().as_bytes()).unwrap();
        let time = |seconds| Time::try_from(second(seconds)).unwrap();
        let validity = Validity::new(time(self.seconds.0), time(self.seconds.1));
        let serial = SerialNumber::new(&[1, self.subject]).unwrap();
        let profile = Profile(self.clone());
        let builder = CertificateBuilder::new(profile, serial, validity, spki).unwrap();
        let made = builder.build::<_, DerSignature>(&key(self.issuer)).unwrap();
        made.to_der().unwrap()
    }

    pub(crate) fn make(&self) -> Certificate {
        Certificate::parse(&self.der()).unwrap()
    }
}
