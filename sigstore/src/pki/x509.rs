// SPDX-License-Identifier: Apache-2.0
//! X.509 certificates (RFC 5280). The signed part keeps its original bytes.

use std::collections::BTreeSet;
use std::fmt;
use std::time::SystemTime;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Reader, SliceReader, Tag};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

use super::keys::{Hash, PublicKey};
use super::window::Window;

/// The alternative names of a subject (RFC 5280 4.2.1.6).
pub(crate) const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// A parsed certificate. Nothing in it is verified yet.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: Vec<u8>,
    parsed: x509_cert::Certificate,
    key: PublicKey,
    usage: Usage,
}

/// The usage of a certificate, from its extensions.
#[derive(Clone, Debug)]
pub struct Usage {
    /// `true` if it may issue certificates (RFC 5280 4.2.1.9).
    pub ca: bool,
    /// How many further authorities may follow below it.
    pub path_length: Option<u8>,
    /// The key usage (RFC 5280 4.2.1.3), if present.
    pub key: Option<KeyUsage>,
    /// Whether the extended key usage (RFC 5280 4.2.1.12) is critical, and its purposes, if present.
    pub extended: Option<(bool, Vec<ObjectIdentifier>)>,
}

impl Certificate {
    /// Reads a DER certificate. Refuses repeated extensions, two different signature algorithms
    /// (RFC 5280 4.1.1.2) and unknown kinds of keys.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let parsed = x509_cert::Certificate::from_der(der).ok()?;
        let tbs = parsed.tbs_certificate();
        let mut seen = BTreeSet::new();
        let mut ids = extensions(&parsed).iter().map(|found| found.extn_id);
        if !ids.all(|id| seen.insert(id)) {
            return None;
        }
        if tbs.signature() != parsed.signature_algorithm() {
            return None;
        }
        let constraints = tbs.get_extension::<BasicConstraints>().ok()?;
        let extended = tbs.get_extension::<ExtendedKeyUsage>().ok()?;
        let usage = Usage {
            ca: constraints.as_ref().is_some_and(|(_, limits)| limits.ca),
            path_length: constraints.and_then(|(_, limits)| limits.path_len_constraint),
            key: tbs.get_extension::<KeyUsage>().ok()?.map(|(_, usage)| usage),
            extended: extended.map(|(critical, uses)| (critical, uses.0)),
        };
        let key = PublicKey::from_spki(&tbs.subject_public_key_info().to_der().ok()?)?;
        let tbs = elements(der).ok()?.first()?.to_vec();
        let der = der.to_vec();
        Some(Self { der, tbs, parsed, key, usage })
    }

    /// The whole certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The public key of the certificate.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The usage of the certificate.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// The validity, both ends included (RFC 5280 4.1.2.5).
    pub fn validity(&self) -> Window {
        let validity = self.parsed.tbs_certificate().validity();
        let (start, end) = (validity.not_before, validity.not_after);
        Window::new(start.to_system_time(), Some(end.to_system_time()))
    }

    /// The last second of the validity.
    pub fn not_after(&self) -> SystemTime {
        let validity = self.parsed.tbs_certificate().validity();
        validity.not_after.to_system_time()
    }

    /// The name of the issuer.
    pub fn issuer(&self) -> &Name {
        self.parsed.tbs_certificate().issuer()
    }

    /// The name of the subject.
    pub fn subject(&self) -> &Name {
        self.parsed.tbs_certificate().subject()
    }

    /// The serial number.
    pub fn serial(&self) -> &SerialNumber {
        self.parsed.tbs_certificate().serial_number()
    }

    /// All extensions.
    pub fn extensions(&self) -> &[Extension] {
        extensions(&self.parsed)
    }

    /// The content of the extension `oid`.
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        let found = self.extensions().iter().find(|e| e.extn_id == oid)?;
        Some(found.extn_value.as_bytes())
    }

    /// Returns `true` if an extension other than those in `known` is critical (RFC 5280 4.2).
    pub fn has_critical_beside(&self, known: &[ObjectIdentifier]) -> bool {
        let mut all = self.extensions().iter();
        all.any(|extension| extension.critical && !known.contains(&extension.extn_id))
    }

    /// Returns `true` if `authority` has the name of the issuer and its key made the signature. This
    /// does not check that `authority` may issue certificates.
    pub fn is_signed_by(&self, authority: &Self) -> bool {
        let Some(signature) = self.parsed.signature().as_bytes() else {
            return false;
        };
        self.issuer() == authority.subject()
            && Hash::of_signature(self.parsed.signature_algorithm().oid).is_some_and(|hash| {
                let key = authority.key();
                key.verify(hash, &self.tbs, signature)
            })
    }

    /// The signed part without the extension `oid`. Other bytes are unchanged, except for lengths.
    pub fn tbs_without(&self, oid: ObjectIdentifier) -> der::Result<Vec<u8>> {
        let mut fields = Vec::new();
        for field in elements(&self.tbs)? {
            // `extensions [3] EXPLICIT` (RFC 5280 4.1) holds one SEQUENCE.
            let any = AnyRef::from_der(field)?;
            if !is_extensions(any.header().tag()) {
                fields.push(field.to_vec());
                continue;
            }
            let mut kept = Vec::new();
            for extension in elements(any.value())? {
                if Extension::from_der(extension)?.extn_id != oid {
                    kept.extend_from_slice(extension);
                }
            }
            let sequence = AnyRef::new(Tag::Sequence, &kept)?.to_der()?;
            fields.push(AnyRef::new(any.header().tag(), &sequence)?.to_der()?);
        }
        AnyRef::new(Tag::Sequence, &fields.concat())?.to_der()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.subject())
    }
}

fn extensions(certificate: &x509_cert::Certificate) -> &[Extension] {
    let extensions = certificate.tbs_certificate().extensions();
    extensions.map_or(&[], Vec::as_slice)
}

fn is_extensions(tag: Tag) -> bool {
    matches!(tag, Tag::ContextSpecific { constructed: true, number } if number.value() == 3)
}

/// The encoded elements of the constructed value `der`, which ends where its last element ends.
pub(crate) fn elements(der: &[u8]) -> der::Result<Vec<&[u8]>> {
    let mut reader = SliceReader::new(AnyRef::from_der(der)?.value())?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        found.push(reader.tlv_bytes()?);
    }
    Ok(found)
}
