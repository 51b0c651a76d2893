// SPDX-License-Identifier: Apache-2.0
//! The timestamp authority (RFC 3161): DER requests, CMS answers (RFC 5652).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::der::{self, Reader, element, integer, oid, sequence, set_of};
use crate::http::{Reply, Request, Service, reply, swagger_failure};
use crate::keys::sha256;
use crate::lie::Lie;
use crate::x509::{self, Authority, Role};
use crate::{Error, World};

/// The path of the endpoint.
pub(crate) const PATH: &str = "/api/v1/timestamp";
/// Sigstore's default policy.
const POLICY: &[u32] = &[1, 3, 6, 1, 4, 1, 57264, 2];
/// `id-ct-TSTInfo`.
const TST_INFO: &[u32] = &[1, 2, 840, 113549, 1, 9, 16, 1, 4];
/// `id-sha256`.
const SHA256: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];

/// The authority.
pub(crate) struct Tsa {
    pub(crate) root: Authority,
    pub(crate) leaf: Authority,
    /// The same name as `leaf`; no trusted root lists it.
    impostor: Authority,
    /// Number of the next timestamp.
    count: AtomicU64,
    world: World,
}

/// What is odd about a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// Nothing.
    Nothing,
    /// The signed attributes have the digest of another certificate.
    CertificateId,
    /// The signed attributes have the digest of no certificate.
    NoCertificateId,
    /// It gives the authority the name of another.
    Name,
}

/// A TimeStampReq.
struct Ask<'a> {
    /// The MessageImprint, whole.
    imprint: &'a [u8],
    /// The nonce's INTEGER, whole.
    nonce: Option<&'a [u8]>,
    wants_certificate: bool,
}

impl Tsa {
    /// A new authority; its keys come from the seed.
    pub(crate) fn new(world: &World) -> Result<Self, Error> {
        let root = x509::authority(world, "sandbox-tsa-root", &Role::Ca(None), None)?;
        let role = Role::Leaf(x509::TIME_STAMPING);
        let leaf = x509::authority(world, "sandbox-tsa", &role, Some(&root))?;
        let mut impostor = x509::authority(world, "sandbox-tsa-impostor", &role, None)?;
        impostor.name.clone_from(&leaf.name);
        let (count, world) = (AtomicU64::new(1), world.clone());
        Ok(Self { root, leaf, impostor, count, world })
    }

    /// The TimeStampResp.
    fn stamp(&self, ask: &Ask<'_>) -> Vec<u8> {
        let mut time = self.world.clock.now();
        if self.world.tell(Lie::TimestampOutsideCertificate) {
            time -= Duration::from_secs(3600);
        }
        self.respond(ask, time, Odd::Nothing)
    }

    /// A timestamp of `data`, with the authority's certificate.
    pub(crate) fn stamp_at(&self, time: SystemTime, data: &[u8], odd: Odd) -> Vec<u8> {
        let digest = element(der::OCTET_STRING, &sha256(&[data]));
        let imprint = sequence(&[&sha256_algorithm(), &digest]);
        let ask = Ask { imprint: &imprint, nonce: None, wants_certificate: true };
        self.respond(&ask, time, odd)
    }

    fn respond(&self, ask: &Ask<'_>, time: SystemTime, odd: Odd) -> Vec<u8> {
        let other = integer(&[0x4e, 0x6f]);
        let nonce = if self.world.tell(Lie::TimestampWithAnotherNonce) {
            Some(&other[..])
        } else {
            ask.nonce
        };
        let unseen = sequence(&[
            &sha256_algorithm(),
            &element(der::OCTET_STRING, &sha256(&[b"other data"])),
        ]);
        let imprint =
            if self.world.tell(Lie::TimestampOfOtherData) { &unseen } else { ask.imprint };
        let serial = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let info = sequence(&[
            &integer(&[1]),
            &oid(POLICY),
            imprint,
            &integer(&serial),
            &der::generalized_time(time),
            &sequence(&[&integer(&[1])]), // the accuracy: one second
            nonce.unwrap_or_default(),
            &element(
                0xa0,
                &element(0xa4, if odd == Odd::Name { &self.root.name } else { &self.leaf.name }),
            ),
        ]);
        let signed = self.signed_data(&info, time, (ask.wants_certificate, odd));
        let content = sequence(&[&oid(&[1, 2, 840, 113549, 1, 7, 2]), &element(0xa0, &signed)]);
        sequence(&[&sequence(&[&integer(&[0])]), &content])
    }

    /// The SignedData over a TSTInfo.
    fn signed_data(
        &self,
        info: &[u8],
        time: SystemTime,
        (with_certificate, odd): (bool, Odd),
    ) -> Vec<u8> {
        let unknown = self.world.tell(Lie::TimestampByUnknownAuthority);
        let signer = if unknown { &self.impostor } else { &self.leaf };
        // The real issuer's name and the real serial, also if the impostor signs.
        let serial = x509::parts(&self.leaf.certificate).map_or(&[][..], |parts| parts.serial);
        let named = match odd {
            Odd::CertificateId => Some(&self.root.certificate),
            Odd::NoCertificateId => None,
            Odd::Nothing | Odd::Name => Some(&signer.certificate),
        };
        let attributes = signed_attributes(info, time, named);
        let signature = signer.key.sign(&attributes);
        let signer_info = sequence(&[
            &integer(&[1]),
            &sequence(&[&self.root.name, serial]),
            &sha256_algorithm(),
            // Signed as a SET OF, sent as [0] (RFC 5652 5.4).
            &[&[0xa0], attributes.get(1..).unwrap_or_default()].concat(),
            &x509::ecdsa_sha256(),
            &element(der::OCTET_STRING, &signature),
        ]);
        // The real authority writes the field even when nothing is in it.
        let certificates: &[u8] = if with_certificate { &signer.certificate } else { &[] };
        let octets = element(0xa0, &element(der::OCTET_STRING, info));
        sequence(&[
            &integer(&[3]),
            &element(der::SET, &sha256_algorithm()),
            &sequence(&[&oid(TST_INFO), &octets]),
            &element(0xa0, certificates),
            &element(der::SET, &signer_info),
        ])
    }
}

impl Service for Tsa {
    fn name(&self) -> &'static str {
        "tsa"
    }

    fn answer(&self, request: &Request) -> Reply {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", PATH) => match request.header("content-type") {
                Some("application/timestamp-query") => match Ask::read(&request.body) {
                    Some(ask) => reply(200, "application/timestamp-reply", self.stamp(&ask)),
                    None => swagger_failure(400, "the timestamp request is not valid"),
                },
                Some(kind) if kind.starts_with("application/") => {
                    swagger_failure(400, "the sandbox takes application/timestamp-query")
                }
                Some(_) | None => swagger_failure(415, "unsupported media type"),
            },
            ("GET", "/api/v1/timestamp/certchain") => {
                let chain =
                    [&self.leaf, &self.root].map(|one| x509::pem("CERTIFICATE", &one.certificate));
                reply(200, "application/pem-certificate-chain", chain.concat())
            }
            (_, PATH) => swagger_failure(405, "that method is not allowed, but [POST] are"),
            ("GET", "/ping") => reply(200, "text/plain", "."),
            _ => swagger_failure(404, "path was not found"),
        }
    }
}

impl<'a> Ask<'a> {
    /// Reads a TimeStampReq: version 1, a SHA-2 imprint, our policy or none, no extensions.
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut inside = Reader::new(der).enter(der::SEQUENCE)?;
        (inside.expect(der::INTEGER)?.content == [1]).then_some(())?;
        let imprint = inside.expect(der::SEQUENCE)?;
        let mut parts = Reader::new(imprint.content);
        let algorithm = parts.enter(der::SEQUENCE)?.expect(der::OID)?.whole;
        let length = parts.expect(der::OCTET_STRING)?.content.len();
        let expected = [(1, 32), (2, 48), (3, 64)];
        let known = expected.iter().any(|&(last, size)| {
            algorithm == oid(&[2, 16, 840, 1, 101, 3, 4, 2, last]) && length == size
        });
        let policy = inside.optional(der::OID).is_none_or(|policy| policy.whole == oid(POLICY));
        let nonce = inside.optional(der::INTEGER).map(|nonce| nonce.whole);
        let wants_certificate =
            inside.optional(der::BOOLEAN).is_some_and(|wanted| wanted.content == [0xff]);
        let ended = inside.next().is_none();
        (known && policy && ended).then_some(Self {
            imprint: imprint.whole,
            nonce,
            wants_certificate,
        })
    }
}

/// The signed attributes as a SET OF: content type, time, digest, and the signer's certificate
/// (RFC 5816).
fn signed_attributes(info: &[u8], time: SystemTime, certificate: Option<&Vec<u8>>) -> Vec<u8> {
    let attribute = |arcs: &[u32], value: &[u8]| sequence(&[&oid(arcs), &element(der::SET, value)]);
    let digest = |bytes: &[u8]| element(der::OCTET_STRING, &sha256(&[bytes]));
    let certificate_id = certificate.map(|certificate| {
        let id = sequence(&[&sequence(&[&sequence(&[&digest(certificate)])])]);
        attribute(&[1, 2, 840, 113549, 1, 9, 16, 2, 47], &id)
    });
    let mut attributes = vec![
        attribute(&[1, 2, 840, 113549, 1, 9, 3], &oid(TST_INFO)),
        attribute(&[1, 2, 840, 113549, 1, 9, 5], &der::utc_time(time)),
        attribute(&[1, 2, 840, 113549, 1, 9, 4], &digest(info)),
    ];
    attributes.extend(certificate_id);
    set_of(attributes)
}

fn sha256_algorithm() -> Vec<u8> {
    sequence(&[&oid(SHA256)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_known_request() {
        let der = hex::decode(
            "30430201013031300d060960864801650304020105000420676f0b8a8568db389920de2cf8e9c2c1555518e9\
             cc97ae2652d7c819f5eb3e8c020801020304050607080101ff",
        );
        let der = der.unwrap();
        let ask = Ask::read(&der).unwrap();
        assert!(ask.wants_certificate);
        assert_eq!(ask.nonce, Some(&[2, 8, 1, 2, 3, 4, 5, 6, 7, 8][..]));
        assert!(Ask::read(der.get(..40).unwrap()).is_none());
    }
}
