// SPDX-License-Identifier: Apache-2.0
//! Timestamps of an authority whose key the tests have, so that what is wrong is signed.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::Encode as _;
use der::asn1::ObjectIdentifier;
use serde_json::json;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage};

use crate::pki::keys::Hash;
use crate::pki::testing::{Order, extension, second, sign};
use crate::timestamp::TIME_STAMPING;
use crate::trust::TrustedRoot;

/// The numbers of the authority and of its issuer.
pub(super) const OWN: u8 = 5;
pub(super) const ABOVE: u8 = 6;

pub(super) const SHA256: &str = "2.16.840.1.101.3.4.2.1";
pub(super) const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";

/// What a timestamp is made of. As it is, it is of second 150.
pub(super) struct Draft {
    pub(super) status: u8,
    pub(super) has_token: bool,
    /// The types of the data and of its content.
    pub(super) types: [&'static str; 2],
    pub(super) signers: usize,
    pub(super) version: u8,
    /// What is stamped, the hash, and the name that the hash has.
    pub(super) imprint: (&'static [u8], Hash, &'static str),
    /// The tag and the text.
    pub(super) time: (u8, &'static str),
    /// The name of the authority and the extensions, whole or empty.
    pub(super) rest: [Vec<u8>; 2],
    /// Changes the signed attributes: content type, digest, digest of the certificate.
    pub(super) attributes: fn(&mut Vec<Vec<u8>>),
    /// The last attribute, for the certificate of the authority.
    pub(super) id: fn(&[u8]) -> Vec<u8>,
    /// Identifies the signer.
    pub(super) signer: Option<Vec<u8>>,
    /// The certificates in the token, by their numbers.
    pub(super) certificates: &'static [u8],
    /// What stands between the certificates and the signers: revocation lists, or nothing.
    pub(super) lists: Vec<u8>,
    /// The tag of the signed attributes.
    pub(super) tag: u8,
    /// The algorithm of the signature, and the number of the key.
    pub(super) signed: (&'static str, u8),
    pub(super) own: Order,
    pub(super) above: Order,
    /// When the authority is trusted.
    pub(super) window: (u64, u64),
}

impl Draft {
    pub(super) fn new() -> Self {
        let mut stamps = extension(ExtendedKeyUsage(vec![TIME_STAMPING]));
        stamps.critical = true;
        let issues = extension(BasicConstraints { ca: true, path_len_constraint: None });
        let order = |subject, extension| Order {
            subject,
            issuer: ABOVE,
            seconds: (100, 200),
            extensions: vec![extension],
        };
        Self {
            status: 0,
            has_token: true,
            types: [SIGNED_DATA, TST_INFO],
            signers: 1,
            version: 1,
            imprint: (b"signature", Hash::Sha256, SHA256),
            time: (0x18, "19700101000230Z"),
            rest: [Vec::new(), Vec::new()],
            attributes: |_| {},
            id: |own| certificate_id(None, &Hash::Sha256.digest(own)),
            signer: None,
            certificates: &[],
            lists: Vec::new(),
            tag: 0xa0,
            signed: (ECDSA_SHA256, OWN),
            own: order(OWN, stamps),
            above: order(ABOVE, issues),
            window: (120, 180),
        }
    }

    /// The trusted root with the authority alone.
    pub(super) fn root(&self) -> TrustedRoot {
        let time = |seconds| humantime::format_rfc3339_seconds(second(seconds)).to_string();
        let chain = [&self.own, &self.above];
        let chain = chain.map(|one| json!({"rawBytes": STANDARD.encode(one.der())}));
        let json = json!({"mediaType": "application/vnd.dev.sigstore.trustedroot.v0.2+json",
            "timestampAuthorities": [{"uri": "https://tsa.example.test",
                "operator": "example.test", "certChain": {"certificates": chain},
                "validFor": {"start": time(self.window.0), "end": time(self.window.1)}}]});
        TrustedRoot::parse(json.to_string().as_bytes()).unwrap()
    }

    /// The `TimeStampResp`.
    pub(super) fn response(&self) -> Vec<u8> {
        let status = sequence(&[&element(0x02, &[&[self.status]])]);
        let [data_type, content_type] = self.types;
        let info = self.info();
        let signers = vec![self.signer_info(&info); self.signers].concat();
        let certificates = self.certificates.iter().map(|number| match *number {
            OWN => self.own.der(),
            _ => self.above.der(),
        });
        let certificates: Vec<u8> = certificates.flatten().collect();
        let optional =
            if certificates.is_empty() { Vec::new() } else { element(0xa0, &[&certificates]) };
        let content = element(0xa0, &[&element(0x04, &[&info])]);
        let data = sequence(&[
            &element(0x02, &[&[3]]),
            &element(0x31, &[&algorithm(SHA256)]),
            &sequence(&[&oid(content_type), &content]),
            &optional,
            &self.lists,
            &element(0x31, &[&signers]),
        ]);
        let token = sequence(&[&oid(data_type), &element(0xa0, &[&data])]);
        sequence(&[&status, if self.has_token { &token } else { &[] }])
    }

    fn info(&self) -> Vec<u8> {
        let (stamped, hash, name) = self.imprint;
        let imprint = sequence(&[&algorithm(name), &element(0x04, &[&hash.digest(stamped)])]);
        let (tag, time) = self.time;
        let [authority, extensions] = &self.rest;
        sequence(&[
            &element(0x02, &[&[self.version]]),
            &oid("1.2.3"),
            &imprint,
            &element(0x02, &[&[7]]),
            &element(tag, &[time.as_bytes()]),
            authority,
            extensions,
        ])
    }

    fn signer_info(&self, info: &[u8]) -> Vec<u8> {
        let mut attributes = vec![
            attribute("1.2.840.113549.1.9.3", &oid(TST_INFO)),
            attribute("1.2.840.113549.1.9.4", &element(0x04, &[&Hash::Sha256.digest(info)])),
            (self.id)(&self.own.der()),
        ];
        (self.attributes)(&mut attributes);
        let attributes = attributes.concat();
        let (name, key) = self.signed;
        let signature = sign(key, &element(0x31, &[&attributes]));
        let own = self.own.make();
        let named = || {
            let serial = element(0x02, &[own.serial().as_bytes()]);
            sequence(&[&own.issuer().to_der().unwrap(), &serial])
        };
        sequence(&[
            &element(0x02, &[&[1]]),
            &self.signer.clone().unwrap_or_else(named),
            &algorithm(SHA256),
            &element(self.tag, &[&attributes]),
            &algorithm(name),
            &element(0x04, &[&signature]),
        ])
    }
}

/// The attribute of this type with one value.
pub(super) fn attribute(name: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[&oid(name), &element(0x31, &[value])])
}

/// `SigningCertificateV2`, with the name of the hash unless it is SHA-256 (RFC 5035 3).
pub(super) fn certificate_id(hash: Option<&str>, digest: &[u8]) -> Vec<u8> {
    let hash = hash.map(algorithm).unwrap_or_default();
    let id = sequence(&[&hash, &element(0x04, &[digest])]);
    attribute("1.2.840.113549.1.9.16.2.47", &sequence(&[&sequence(&[&id])]))
}

/// `SigningCertificate`, whose hash is SHA-1 (RFC 2634 5.4).
pub(super) fn certificate_id_v1(digest: &[u8]) -> Vec<u8> {
    let id = sequence(&[&element(0x04, &[digest])]);
    attribute("1.2.840.113549.1.9.16.2.12", &sequence(&[&sequence(&[&id])]))
}

pub(super) fn algorithm(name: &str) -> Vec<u8> {
    sequence(&[&oid(name)])
}

pub(super) fn oid(name: &str) -> Vec<u8> {
    ObjectIdentifier::from_str(name).unwrap().to_der().unwrap()
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

/// DER with this tag.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match length {
        [0, short] if short < 0x80 => vec![tag, short],
        [0, short] => vec![tag, 0x81, short],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}
