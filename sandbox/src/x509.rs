// SPDX-License-Identifier: Apache-2.0
//! Certificates (RFC 5280), by hand.

use std::time::{Duration, SystemTime};

use crate::der::{self, Reader, element, oid, sequence};
use crate::keys::{EcKey, sha256};
use crate::{Error, World};

/// How long authorities live: ten years.
const DECADE: Duration = Duration::from_secs(3650 * 86400);
/// How long before its start a sandbox's authorities and logs are valid: a day, so that a timestamp
/// of an hour ago is wrong for the certificate alone.
pub(crate) const PAST: Duration = Duration::from_secs(86400);

/// Everything of a certificate but the issuer.
pub(crate) struct Template {
    /// The Name.
    pub(crate) subject: Vec<u8>,
    pub(crate) spki: Vec<u8>,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
    pub(crate) serial: [u8; 16],
    /// Each one whole.
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl Template {
    /// The TBSCertificate under the Name `issuer`.
    pub(crate) fn tbs(&self, issuer: &[u8]) -> Vec<u8> {
        let [first, rest @ ..] = self.serial;
        // Positive and of full length, whatever the bytes are (RFC 5280 4.1.2.2).
        let serial = [&[first & 0x3f | 0x40], &rest[..]].concat();
        sequence(&[
            &element(0xa0, &der::integer(&[2])),
            &der::integer(&serial),
            &ecdsa_sha256(),
            issuer,
            &sequence(&[&der::utc_time(self.not_before), &der::utc_time(self.not_after)]),
            &self.subject,
            &self.spki,
            &element(0xa3, &sequence(&[&self.extensions.concat()])),
        ])
    }
}

/// A key with its certificate.
pub(crate) struct Authority {
    pub(crate) key: EcKey,
    /// The Name.
    pub(crate) name: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
}

impl Authority {
    /// Signs a TBSCertificate.
    pub(crate) fn sign(&self, tbs: &[u8]) -> Vec<u8> {
        certificate(tbs, &self.key)
    }
}

/// What an authority may do.
pub(crate) enum Role<'a> {
    /// Sign certificates of others; the purpose is named on intermediates.
    Ca(Option<&'a [u32]>),
    /// One purpose only, critical.
    Leaf(&'a [u32]),
    /// Answer TLS for these names.
    Server(&'a [&'a str]),
}

/// `id-kp-codeSigning`.
pub(crate) const CODE_SIGNING: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 3, 3];
/// `id-kp-timeStamping`.
pub(crate) const TIME_STAMPING: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 3, 8];
const SERVER_AUTH: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 3, 1];

/// Makes the authority `role`, under `issuer` or else self-signed; its key comes from the seed.
pub(crate) fn authority(
    world: &World,
    name: &str,
    role: &Role<'_>,
    issuer: Option<&Authority>,
) -> Result<Authority, Error> {
    authority_with(world, name, role, issuer, Vec::new())
}

/// The same, with `more` extensions, each one whole.
pub(crate) fn authority_with(
    world: &World,
    name: &str,
    role: &Role<'_>,
    issuer: Option<&Authority>,
    more: Vec<Vec<u8>>,
) -> Result<Authority, Error> {
    let (seed, now) = (world.seed, world.clock.now());
    let key = seed.ec(name)?;
    let subject = common_name(name);
    let ca = matches!(role, Role::Ca(_));
    let mut extensions = vec![
        extension(&[2, 5, 29, 19], true, &sequence(if ca { &[&[1, 1, 0xff]] } else { &[] })),
        // keyCertSign and cRLSign, or digitalSignature.
        extension(&[2, 5, 29, 15], true, if ca { &[3, 2, 1, 6] } else { &[3, 2, 7, 0x80] }),
        key_id(&key.spki()),
        authority_key_id(&issuer.map_or_else(|| key.spki(), |issuer| issuer.key.spki())),
    ];
    match role {
        Role::Ca(None) => {}
        Role::Ca(Some(purpose)) => extensions.push(purposes(false, purpose)),
        Role::Leaf(purpose) => extensions.push(purposes(true, purpose)),
        Role::Server(names) => {
            extensions.push(purposes(false, SERVER_AUTH));
            let dns = names.iter().flat_map(|name| element(0x82, name.as_bytes()));
            let all: Vec<u8> = element(0x87, &[127, 0, 0, 1]).into_iter().chain(dns).collect();
            extensions.push(extension(&[2, 5, 29, 17], false, &sequence(&[&all])));
        }
    }
    extensions.extend(more);
    let [serial, _] = *seed.bytes(&format!("serial of {name}")).as_chunks().0 else {
        return Err(Error::key("no serial"));
    };
    let (not_before, not_after) = (now - PAST, now + DECADE);
    let template = Template {
        subject: subject.clone(),
        spki: key.spki(),
        not_before,
        not_after,
        serial,
        extensions,
    };
    let (name, signer) = issuer.map_or((&subject, &key), |issuer| (&issuer.name, &issuer.key));
    let certificate = certificate(&template.tbs(name), signer);
    Ok(Authority { key, name: subject, certificate })
}

fn certificate(tbs: &[u8], signer: &EcKey) -> Vec<u8> {
    sequence(&[tbs, &ecdsa_sha256(), &der::bits(&signer.sign(tbs))])
}

/// `ecdsa-with-SHA256`.
pub(crate) fn ecdsa_sha256() -> Vec<u8> {
    sequence(&[&oid(&[1, 2, 840, 10045, 4, 3, 2])])
}

/// A Name of the sandbox's organisation.
fn common_name(name: &str) -> Vec<u8> {
    let part = |arcs: &[u32], text: &str| {
        let text = element(der::UTF8_STRING, text.as_bytes());
        element(der::SET, &sequence(&[&oid(arcs), &text]))
    };
    sequence(&[&part(&[2, 5, 4, 10], "sandbox.test"), &part(&[2, 5, 4, 3], name)])
}

/// An Extension.
pub(crate) fn extension(arcs: &[u32], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[der::BOOLEAN, 1, 0xff] } else { &[] };
    sequence(&[&oid(arcs), critical, &element(der::OCTET_STRING, value)])
}

/// The extended key usage of one purpose.
pub(crate) fn purposes(critical: bool, purpose: &[u32]) -> Vec<u8> {
    extension(&[2, 5, 29, 37], critical, &sequence(&[&oid(purpose)]))
}

/// The subject key identifier.
pub(crate) fn key_id(spki: &[u8]) -> Vec<u8> {
    extension(&[2, 5, 29, 14], false, &element(der::OCTET_STRING, &short_id(spki)))
}

/// The authority key identifier.
pub(crate) fn authority_key_id(spki: &[u8]) -> Vec<u8> {
    extension(&[2, 5, 29, 35], false, &sequence(&[&element(0x80, &short_id(spki))]))
}

/// Any 20 bytes that the key determines will do (RFC 7093 section 2 method 4).
fn short_id(spki: &[u8]) -> Vec<u8> {
    sha256(&[spki]).into_iter().take(20).collect()
}

/// Parts of a certificate that somebody sent.
pub(crate) struct Parts<'a> {
    pub(crate) serial: &'a [u8],
    pub(crate) spki: &'a [u8],
}

/// Serial (whole INTEGER) and key of a DER certificate.
pub(crate) fn parts(certificate: &[u8]) -> Option<Parts<'_>> {
    let mut tbs = Reader::new(certificate).enter(der::SEQUENCE)?.enter(der::SEQUENCE)?;
    tbs.optional(0xa0);
    let serial = tbs.expect(der::INTEGER)?.whole;
    for _algorithm_issuer_validity_subject in 0..4 {
        tbs.expect(der::SEQUENCE)?;
    }
    Some(Parts { serial, spki: tbs.expect(der::SEQUENCE)?.whole })
}

/// PEM of 64 columns, which is the text that Rekor keeps.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = crate::b64(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The DER of the first PEM block of `label`.
pub(crate) fn from_pem(label: &str, text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once("-----END")?;
    crate::unb64(&body.split_ascii_whitespace().collect::<String>())
}
