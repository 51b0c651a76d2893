// SPDX-License-Identifier: Apache-2.0
//! Parses timestamps: `TimeStampResp` and `TSTInfo` (RFC 3161) around a `SignedData` (RFC 5652). All
//! signed parts keep their original bytes.

use std::time::{Duration, SystemTime};

use cms::cert::IssuerAndSerialNumber;
use cms::content_info::ContentInfo;
use cms::signed_data::{EncapsulatedContentInfo, SignerIdentifier};
use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, Int, ObjectIdentifier, OctetStringRef};
use der::{Decode, Encode, Sequence, Tag, Tagged};
use x509_cert::attr::Attribute;
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::spki::AlgorithmIdentifierRef;

use super::identifier::{CertificateId, is_name_of};
use crate::pki::keys::Hash;
use crate::pki::x509::{Certificate, elements};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");

/// A response is not a timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ParseError {
    /// It does not have the required form.
    Malformed(&'static str),
    /// The status is not "granted" (RFC 3161 2.4.2).
    Status(u8),
}

/// A parsed timestamp. Nothing in it is verified yet.
pub(super) struct Token {
    /// The stamped data: hash function and digest.
    pub(super) imprint: (Hash, Vec<u8>),
    /// The time.
    pub(super) time: SystemTime,
    /// The nonce, as a minimal two's complement integer.
    pub(super) nonce: Option<Vec<u8>>,
    /// Identifies the certificate that made the signature, according to the token.
    signer: SignerIdentifier,
    /// The digests of that certificate in the signed attributes, at least one.
    certificate_ids: Vec<CertificateId>,
    /// The name of the authority, if the token has one.
    authority: Option<GeneralName>,
    /// The certificates in the token, in DER.
    certificates: Vec<Vec<u8>>,
    /// The signed bytes: the signed attributes as a SET (RFC 5652 5.4).
    pub(super) signed: Vec<u8>,
    hash: Hash,
    signature: Vec<u8>,
}

impl Token {
    /// Parses a `TimeStampResp` and checks every rule about its form: it is granted, has exactly one
    /// signer, and its signed attributes name the content.
    pub(super) fn parse(response: &[u8]) -> Result<Self, ParseError> {
        let bad = |why| move || ParseError::Malformed(why);
        let response = TimeStampResp::from_der(response).ok();
        let response = response.ok_or_else(bad("it is not a response"))?;
        if response.status.status != 0 {
            return Err(ParseError::Status(response.status.status));
        }
        let token = response.token.ok_or_else(bad("it has no token"))?;
        let data = SignedData::read(token).ok_or_else(bad("its token is not signed data"))?;
        let info = TstInfo::from_der(&data.content).ok();
        let info = info.ok_or_else(bad("its content is not a timestamp"))?;
        let signer = Signer::read(&data.signer).ok_or_else(bad("its signer cannot be read"))?;
        if !signer.attests(&data.content) {
            return Err(ParseError::Malformed("its signed attributes do not name its content"));
        }
        if info.version != 1 || info.has_critical_extension() {
            return Err(ParseError::Malformed("its content is of another version"));
        }
        let authority = info.authority().ok().ok_or_else(bad("its name cannot be read"))?;
        Ok(Self {
            imprint: info.imprint().ok_or_else(bad("it uses another hash"))?,
            time: info.time().ok_or_else(bad("its time cannot be read"))?,
            nonce: info.nonce.map(|nonce| nonce.as_bytes().to_vec()),
            certificate_ids: signer.certificate_ids().ok_or_else(bad(NO_CERTIFICATE_ID))?,
            authority,
            signer: signer.id,
            certificates: data.certificates,
            signed: signer.signed,
            hash: signer.signature_hash,
            signature: signer.signature,
        })
    }

    /// Returns `true` if the token names `certificate` as its signer: the signer identifier, the signed
    /// digest of the certificate and the name of the authority match, and if the token contains
    /// certificates, it is one of them.
    pub(super) fn names(&self, certificate: &Certificate) -> bool {
        let named = match &self.signer {
            SignerIdentifier::IssuerAndSerialNumber(id) => is_of(id, certificate),
            SignerIdentifier::SubjectKeyIdentifier(id) => {
                let found = certificate.extension(SUBJECT_KEY_IDENTIFIER);
                id.to_der().ok().as_deref() == found
            }
        };
        let named = named
            && self.certificate_ids.iter().all(|id| id.is_of(certificate))
            && self.authority.as_ref().is_none_or(|name| is_name_of(name, certificate));
        let embedded = &self.certificates;
        named && (embedded.is_empty() || embedded.iter().any(|der| der == certificate.der()))
    }

    /// Returns `true` if the key of `certificate` made the signature.
    pub(super) fn is_signed_by(&self, certificate: &Certificate) -> bool {
        let key = certificate.key();
        key.verify(self.hash, &self.signed, &self.signature)
    }
}

const NO_CERTIFICATE_ID: &str = "its signed attributes do not name the authority's certificate";

const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");

fn is_of(id: &IssuerAndSerialNumber, certificate: &Certificate) -> bool {
    id.issuer == *certificate.issuer() && id.serial_number == *certificate.serial()
}

/// RFC 3161 2.4.2.
#[derive(Sequence)]
struct TimeStampResp<'a> {
    status: PkiStatusInfo<'a>,
    token: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct PkiStatusInfo<'a> {
    status: u8,
    text: Option<Vec<AnyRef<'a>>>,
    failure: Option<BitStringRef<'a>>,
}

/// RFC 3161 2.4.2.
#[derive(Sequence)]
struct TstInfo<'a> {
    version: u8,
    policy: ObjectIdentifier,
    imprint: MessageImprint<'a>,
    serial: Int,
    time: AnyRef<'a>,
    accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    ordering: bool,
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    authority: Option<AnyRef<'a>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

/// The accuracy of the time. Sigstore's clients do not use it.
#[derive(Sequence)]
struct Accuracy {
    seconds: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    millis: Option<Int>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    micros: Option<Int>,
}

#[derive(Sequence)]
struct MessageImprint<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    digest: &'a OctetStringRef,
}

impl TstInfo<'_> {
    fn imprint(&self) -> Option<(Hash, Vec<u8>)> {
        let hash = Hash::from_oid(self.imprint.algorithm.oid)?;
        Some((hash, self.imprint.digest.as_bytes().to_vec()))
    }

    /// The time. RFC 3161 allows fractions of a second, which certificates do not have.
    fn time(&self) -> Option<SystemTime> {
        if self.time.tag() != Tag::GeneralizedTime {
            return None;
        }
        let text = std::str::from_utf8(self.time.value()).ok()?;
        let (whole, fraction) = match text.strip_suffix('Z')?.split_once('.') {
            Some((whole, fraction)) => (format!("{whole}Z"), nanoseconds(fraction)?),
            None => (text.to_owned(), 0),
        };
        let whole = AnyRef::new(Tag::GeneralizedTime, whole.as_bytes()).ok()?;
        let whole = whole.decode_as::<GeneralizedTime>().ok()?.to_system_time();
        whole.checked_add(Duration::from_nanos(fraction))
    }

    fn authority(&self) -> der::Result<Option<GeneralName>> {
        self.authority.map(|name| GeneralName::from_der(&name.to_der()?)).transpose()
    }

    fn has_critical_extension(&self) -> bool {
        let mut all = self.extensions.iter().flatten();
        all.any(|extension| extension.critical)
    }
}

fn nanoseconds(fraction: &str) -> Option<u64> {
    let digits = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    digits.then(|| nine.parse().ok()).flatten()
}

/// RFC 5652 5.1, with the original signed bytes.
struct SignedData {
    content: Vec<u8>,
    certificates: Vec<Vec<u8>>,
    signer: Vec<u8>,
}

impl SignedData {
    fn read(token: AnyRef<'_>) -> Option<Self> {
        let token = token.decode_as::<ContentInfo>().ok()?;
        if token.content_type != SIGNED_DATA {
            return None;
        }
        let data = token.content.to_der().ok()?;
        let fields = elements(&data).ok()?;
        let [_version, _digest_algorithms, content, optional @ .., signers] = fields.as_slice()
        else {
            return None;
        };
        let content = EncapsulatedContentInfo::from_der(content).ok()?;
        if content.econtent_type != TST_INFO {
            return None;
        }
        let content = content.econtent?.to_der().ok()?;
        let content = <&OctetStringRef>::from_der(&content).ok()?.as_bytes().to_vec();
        let mut certificates = Vec::new();
        for field in optional {
            if tag_number(field)? == 0 {
                certificates.extend(elements(field).ok()?.into_iter().map(<[u8]>::to_vec));
            }
        }
        // With a second signature, it would be unclear who vouches for the time.
        let signers = elements(signers).ok()?;
        let [signer] = signers.as_slice() else {
            return None;
        };
        Some(Self { content, certificates, signer: signer.to_vec() })
    }
}

/// RFC 5652 5.3.
struct Signer {
    id: SignerIdentifier,
    digest: Hash,
    /// The signed attributes, with the tag that is signed.
    signed: Vec<u8>,
    signature_hash: Hash,
    signature: Vec<u8>,
}

impl Signer {
    fn read(der: &[u8]) -> Option<Self> {
        let fields = elements(der).ok()?;
        let [_version, id, digest, attributes, algorithm, signature, ..] = fields.as_slice() else {
            return None;
        };
        let digest = AlgorithmIdentifierRef::from_der(digest).ok()?;
        let digest = Hash::from_oid(digest.oid)?;
        let algorithm = AlgorithmIdentifierRef::from_der(algorithm).ok()?;
        let attributes = AnyRef::from_der(attributes).ok()?;
        if tag_number_of(attributes.tag()) != Some(0) {
            return None;
        }
        // They are sent as `[0] IMPLICIT` but signed as a SET (RFC 5652 5.4).
        let signed = AnyRef::new(Tag::Set, attributes.value()).ok()?;
        Some(Self {
            id: SignerIdentifier::from_der(id).ok()?,
            digest,
            signed: signed.to_der().ok()?,
            // An algorithm may name only the kind of key.
            signature_hash: Hash::of_signature(algorithm.oid).unwrap_or(digest),
            signature: <&OctetStringRef>::from_der(signature).ok()?.as_bytes().to_vec(),
        })
    }

    /// Returns `true` if the signed attributes name the type and the digest of `content` (RFC 5652 11.1
    /// and 11.2), each exactly once.
    fn attests(&self, content: &[u8]) -> bool {
        let digest = self.digest.digest(content);
        let digest = OctetStringRef::new(&digest).and_then(|digest| digest.to_der());
        self.attribute(CONTENT_TYPE).is_some_and(|value| TST_INFO.to_der() == Ok(value))
            && self.attribute(MESSAGE_DIGEST).is_some_and(|value| digest == Ok(value))
    }

    /// The digests of the certificate, in both versions of the attribute (RFC 3161 2.4.2, RFC 5816); `None`
    /// if one cannot be read or none is present.
    fn certificate_ids(&self) -> Option<Vec<CertificateId>> {
        let first = self.attribute(SIGNING_CERTIFICATE).map(|value| CertificateId::read_v1(&value));
        let second =
            self.attribute(SIGNING_CERTIFICATE_V2).map(|value| CertificateId::read_v2(&value));
        let all: Vec<_> = first.into_iter().chain(second).collect::<Option<_>>()?;
        (!all.is_empty()).then_some(all)
    }

    /// The one value of the one attribute of this type, in DER.
    fn attribute(&self, oid: ObjectIdentifier) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        for attribute in elements(&self.signed).ok()? {
            let attribute = Attribute::from_der(attribute).ok()?;
            if attribute.oid == oid {
                found.extend(attribute.values.into_vec());
            }
        }
        let [value] = found.as_slice() else {
            return None;
        };
        value.to_der().ok()
    }
}

fn tag_number(der: &[u8]) -> Option<u32> {
    tag_number_of(AnyRef::from_der(der).ok()?.tag())
}

/// The number of a context-specific, constructed tag.
fn tag_number_of(tag: Tag) -> Option<u32> {
    let Tag::ContextSpecific { constructed: true, number } = tag else {
        return None;
    };
    Some(number.value())
}

#[cfg(test)]
mod tests {
    use super::nanoseconds;

    #[test]
    fn fractions() {
        assert_eq!(nanoseconds("5"), Some(500_000_000));
        assert_eq!(nanoseconds("0000000019"), Some(1));
        assert_eq!(nanoseconds(""), None);
        assert_eq!(nanoseconds("-1"), None);
    }
}
