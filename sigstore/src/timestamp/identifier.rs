// SPDX-License-Identifier: Apache-2.0
//! What a timestamp says about the certificate that made it, in addition to its signer identifier: the
//! digest of the certificate (RFC 3161 2.4.2, RFC 5816) and a name of the authority.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Tag, Tagged};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::spki::AlgorithmIdentifierRef;

use crate::pki::keys::Hash;
use crate::pki::x509::{Certificate, SUBJECT_ALT_NAME, elements};

/// The digest of a certificate (`ESSCertID` of RFC 2634, `ESSCertIDv2` of RFC 5035).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CertificateId {
    /// `None` for SHA-1, the only hash of the first version. It protects nothing here: the signature does.
    hash: Option<Hash>,
    digest: Vec<u8>,
}

impl CertificateId {
    /// Reads the value of a `SigningCertificate` attribute, whose first identifier is that of the signer.
    pub(super) fn read_v1(attribute: &[u8]) -> Option<Self> {
        let id = first(attribute)?;
        let fields = elements(&id).ok()?;
        let digest = octets(fields.first()?)?;
        Some(Self { hash: None, digest })
    }

    /// Reads the value of a `SigningCertificateV2` attribute; SHA-256 is the default.
    pub(super) fn read_v2(attribute: &[u8]) -> Option<Self> {
        let id = first(attribute)?;
        let fields = elements(&id).ok()?;
        let (hash, digest) = match fields.as_slice() {
            [algorithm, digest, ..] if is_sequence(algorithm) => {
                let algorithm = AlgorithmIdentifierRef::from_der(algorithm).ok()?;
                (Hash::from_oid(algorithm.oid)?, digest)
            }
            [digest, ..] => (Hash::Sha256, digest),
            [] => return None,
        };
        Some(Self { hash: Some(hash), digest: octets(digest)? })
    }

    /// Returns `true` if it is that of `certificate`.
    pub(super) fn is_of(&self, certificate: &Certificate) -> bool {
        let der = certificate.der();
        let found = match self.hash {
            Some(hash) => hash.digest(der),
            None => digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref().to_vec(),
        };
        found == self.digest
    }
}

/// The first identifier in the list of an attribute.
fn first(attribute: &[u8]) -> Option<Vec<u8>> {
    let list = elements(attribute).ok()?;
    let ids = elements(list.first()?).ok()?;
    Some(ids.first()?.to_vec())
}

fn is_sequence(der: &[u8]) -> bool {
    AnyRef::from_der(der).is_ok_and(|any| any.tag() == Tag::Sequence)
}

fn octets(der: &[u8]) -> Option<Vec<u8>> {
    Some(<&OctetStringRef>::from_der(der).ok()?.as_bytes().to_vec())
}

/// Returns `true` if `name`, which a timestamp gives its authority, is one of `certificate`: its subject
/// or an alternative name (RFC 3161 2.4.2, `tsa`).
pub(super) fn is_name_of(name: &GeneralName, certificate: &Certificate) -> bool {
    if let GeneralName::DirectoryName(name) = name
        && name == certificate.subject()
    {
        return true;
    }
    let others = certificate.extension(SUBJECT_ALT_NAME);
    let others = others.and_then(|der| SubjectAltName::from_der(der).ok());
    others.is_some_and(|others| others.0.contains(name))
}
