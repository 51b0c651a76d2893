// SPDX-License-Identifier: Apache-2.0
//! Reads the PEM files with certificates and keys of a deployment.

use std::path::Path;
use std::time::SystemTime;

use der::asn1::ObjectIdentifier;
use der::{Decode, Document, Encode};
use serde_json::{Value, json};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::error::Error;
use crate::digest::Digest;
use crate::pki::keys::{self, PublicKey};
use crate::pki::x509::Certificate;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// The longest accepted file, in bytes.
const LONGEST: u64 = 256 * 1024;

/// The purpose of a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// From the issuer of signing certificates to the anchor.
    CertificateAuthority,
    /// From the certificate that stamps to the anchor.
    TimestampAuthority,
}

/// Certificates, each signed by the next, and the last by itself.
pub(super) struct Chain(Vec<Certificate>);

impl Chain {
    /// Reads the chain in the PEM file `path`. The order in the file does not matter.
    pub(super) fn read(path: &Path, kind: Kind) -> Result<Self, Error> {
        let wrong = |why| Error::Chain { path: path.to_owned(), why };
        let pem = read(path)?;
        let parsed = x509_cert::Certificate::load_pem_chain(&pem)
            .map_err(|_syntax| wrong("it is not PEM, or not X.509"))?;
        let certificates: Option<Vec<_>> =
            parsed.iter().map(|found| Certificate::parse(&found.to_der().ok()?)).collect();
        let certificates =
            certificates.ok_or_else(|| wrong("one of its keys is of an unknown kind"))?;
        let chain = ordered(certificates).ok_or_else(|| {
            wrong("its certificates are not one chain that ends in a self-signed root")
        })?;
        let stamps = |found: &Certificate| {
            let uses = found.usage().extended.as_ref();
            uses.is_some_and(|(_, uses)| uses.contains(&TIME_STAMPING)) && !found.usage().ca
        };
        let first = chain.first().ok_or_else(|| wrong("it is empty"))?;
        match kind {
            Kind::CertificateAuthority if !first.usage().ca => {
                Err(wrong("its first certificate may not issue certificates"))
            }
            Kind::TimestampAuthority if !stamps(first) => {
                Err(wrong("its first certificate is not for timestamps"))
            }
            Kind::CertificateAuthority | Kind::TimestampAuthority => Ok(Self(chain)),
        }
    }

    /// From the first to the anchor.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.0.iter()
    }

    /// The time from which all of them are valid.
    pub(super) fn start(&self) -> SystemTime {
        let starts = self.0.iter().map(|found| found.validity().start());
        starts.max().unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The name of the anchor (`DistinguishedName` of `sigstore_common.proto`).
    pub(super) fn subject(&self) -> Value {
        let subject = self.0.last().map(Certificate::subject);
        let attribute = |oid| {
            let found = subject?.iter_rdn().flat_map(|rdn| rdn.iter());
            let mut found = found.filter(|attribute| attribute.oid == oid);
            Some(String::from_utf8_lossy(found.next()?.value.value()).into_owned())
        };
        json!({
            "organization": attribute(ORGANIZATION).unwrap_or_default(),
            "commonName": attribute(COMMON_NAME).unwrap_or_default(),
        })
    }

    /// The SHA-256 digest of the anchor, for people to compare.
    pub(super) fn fingerprint(&self) -> String {
        let anchor = self.0.last().map(Certificate::der).unwrap_or_default();
        format!("root {}", Digest::of(anchor))
    }
}

/// Sorts the certificates into a path: only the first issued none of the others, and the last is
/// self-signed. `None` if they are not a single path.
fn ordered(mut rest: Vec<Certificate>) -> Option<Vec<Certificate>> {
    // Files are assembled by hand, so the root is often in them twice.
    rest.sort_by(|one, other| one.der().cmp(other.der()));
    rest.dedup_by(|one, other| one.der() == other.der());
    let anchor = rest.iter().position(|found| found.is_signed_by(found))?;
    let mut path = vec![rest.swap_remove(anchor)];
    while !rest.is_empty() {
        let issuer = path.last()?;
        let next = rest.iter().position(|found| found.is_signed_by(issuer))?;
        path.push(rest.swap_remove(next));
    }
    path.reverse();
    Some(path)
}

/// A log's public key.
pub(super) struct Key(PublicKey);

impl Key {
    /// Reads the PEM file `path`: `PUBLIC KEY` (RFC 5480, 8410, 8017).
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let wrong = || Error::Key { path: path.to_owned() };
        let pem = String::from_utf8(read(path)?).map_err(|_encoding| wrong())?;
        let (label, document) = Document::from_pem(pem.trim()).map_err(|_syntax| wrong())?;
        let key = PublicKey::from_spki(document.as_bytes());
        let key = key.filter(|key| label == "PUBLIC KEY" && key.details().is_some());
        key.map(Self).ok_or_else(wrong)
    }

    /// DER `SubjectPublicKeyInfo`.
    pub(super) fn spki(&self) -> &[u8] {
        self.0.spki()
    }

    /// The name of its kind in Sigstore's protocol buffers.
    pub(super) fn details(&self) -> &'static str {
        self.0.details().unwrap_or_default()
    }

    /// The ID of a log with this key (RFC 6962 3.2).
    pub(super) fn id(&self) -> [u8; 32] {
        *Digest::of(self.spki()).bytes()
    }

    /// The ID of a log that signs its checkpoints as `origin` with this key (C2SP signed-note). An
    /// ECDSA key has the ID of RFC 6962 there too.
    pub(super) fn note_id(&self, origin: &str) -> [u8; 32] {
        let mut input = format!("{origin}\n").into_bytes();
        match self.0.kind() {
            keys::Kind::P256 | keys::Kind::P384 | keys::Kind::P521 => return self.id(),
            keys::Kind::Ed25519 => {
                let info = SubjectPublicKeyInfoOwned::from_der(self.spki()).ok();
                let key = info.and_then(|info| Some(info.subject_public_key.as_bytes()?.to_vec()));
                input.push(0x01);
                input.extend(key.unwrap_or_default());
            }
            keys::Kind::Rsa => {
                input.push(0xff);
                input.extend(b"PKIX-RSA-PKCS#1v1.5");
                input.extend(self.spki());
            }
        }
        *Digest::of(&input).bytes()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    ambisign_host::file::read(path, LONGEST)
        .map_err(|source| Error::Read { path: path.to_owned(), source })
}
