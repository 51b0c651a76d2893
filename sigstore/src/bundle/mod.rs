// SPDX-License-Identifier: Apache-2.0
//! The Sigstore bundle: a signature and everything needed to verify it offline
//! (`sigstore_bundle.proto`).

mod error;
mod wire;

use ambisign_host::excerpt;

use crate::content::Content;
use crate::log::{LogEntry, merkle};
use crate::pki::x509::Certificate;
use crate::protojson::Base64;

pub use error::Error;
use error::malformed;

/// The media type of the bundles that we write.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A longer bundle is refused, in bytes.
pub const LONGEST: usize = 16 * 1024 * 1024;

/// More log entries or timestamps than this are refused (client specification 4.1).
const MOST_WITNESSES: usize = 32;

/// A bundle whose form was checked. Nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    material: Material,
    content: Content,
    entries: Vec<LogEntry>,
    timestamps: Vec<Vec<u8>>,
}

/// The verification material that names the key of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    /// The DER certificate of the key.
    Certificate(Vec<u8>),
    /// A hint at the key, which is not used for verification.
    Key { hint: String },
}

/// The versions of the format. They differ in the place of the certificate and in required members.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V0_1,
    V0_2,
    V0_3,
}

impl Version {
    fn parse(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.dev.sigstore.bundle+json;version=0.1" => Some(Self::V0_1),
            "application/vnd.dev.sigstore.bundle+json;version=0.2" => Some(Self::V0_2),
            "application/vnd.dev.sigstore.bundle+json;version=0.3" | MEDIA_TYPE => Some(Self::V0_3),
            _ => None,
        }
    }
}

impl Bundle {
    /// Builds a bundle from a DER signing certificate, the signed content, log entries, and DER
    /// timestamps.
    pub fn new(
        certificate: Vec<u8>,
        content: impl Into<Content>,
        entries: Vec<LogEntry>,
        timestamps: Vec<Vec<u8>>,
    ) -> Self {
        Self {
            material: Material::Certificate(certificate),
            content: content.into(),
            entries,
            timestamps,
        }
    }

    /// Reads a bundle of version 0.1, 0.2 or 0.3.
    ///
    /// # Errors
    /// The bundle is malformed.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > LONGEST {
            return Err(Error::TooMany { what: "bytes" });
        }
        let wire: wire::Bundle = ambisign_host::json::parse(json).map_err(malformed)?;
        let Some(version) = Version::parse(&wire.media_type) else {
            let found = excerpt(&wire.media_type);
            return Err(Error::MediaType { found });
        };
        let material = wire.verification_material;
        let entries = entries(material.tlog_entries, version)?;
        let stamps = material.timestamp_verification_data.rfc3161_timestamps;
        let timestamps: Vec<_> = stamps.into_iter().map(|t| t.signed_timestamp.0).collect();
        check_unique_and_bounded(&timestamps, "timestamps")?;
        let certificates = (material.certificate, material.x509_certificate_chain);
        let material = match (certificates, material.public_key) {
            ((Some(leaf), None), None) if version == Version::V0_3 => {
                Material::Certificate(leaf.raw_bytes.0)
            }
            ((None, Some(chain)), None) if version != Version::V0_3 => {
                Material::Certificate(leaf(chain)?)
            }
            ((None, None), Some(key)) => Material::Key { hint: key.hint },
            (_, None) => return Err(malformed("not exactly the certificate of its version")),
            (_, Some(_)) => return Err(malformed("both a certificate and a key")),
        };
        let content = match (wire.dsse_envelope, wire.message_signature) {
            (Some(envelope), None) => Content::Envelope(envelope.read()?),
            (None, Some(message)) => message.read()?,
            _ => return Err(malformed("not exactly one of envelope and signature")),
        };
        Ok(Self { material, content, entries, timestamps })
    }

    /// Writes the bundle as compact JSON of version 0.3, without zero values.
    ///
    /// # Errors
    /// The serializer fails, for which no case is known.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let timestamps = self
            .timestamps
            .iter()
            .map(|der| wire::Timestamp { signed_timestamp: Base64(der.clone()) });
        let (dsse_envelope, message_signature) = match &self.content {
            Content::Envelope(envelope) => (Some(wire::DsseEnvelope::of(envelope)), None),
            Content::Message { digest, signature } => {
                (None, Some(wire::Message::of(digest.as_ref(), signature)))
            }
        };
        let (certificate, public_key) = match &self.material {
            Material::Certificate(der) => {
                let raw_bytes = Base64(der.clone());
                (Some(wire::Certificate { raw_bytes }), None)
            }
            Material::Key { hint } => (None, Some(wire::PublicKey { hint: hint.clone() })),
        };
        serde_json::to_vec(&wire::Bundle {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: wire::Material {
                certificate,
                x509_certificate_chain: None,
                public_key,
                tlog_entries: self.entries.iter().map(LogEntry::to_wire).collect(),
                timestamp_verification_data: wire::Timestamps {
                    rfc3161_timestamps: timestamps.collect(),
                },
            },
            message_signature,
            dsse_envelope,
        })
    }

    /// The signing certificate, in DER; `None` if a bare key made the signature.
    pub fn certificate(&self) -> Option<&[u8]> {
        match &self.material {
            Material::Certificate(der) => Some(der),
            Material::Key { .. } => None,
        }
    }

    /// What was signed, and the signature.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The log entries.
    pub fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    /// The timestamps, as DER `TimeStampResp`.
    pub fn timestamps(&self) -> &[Vec<u8>] {
        &self.timestamps
    }
}

fn entries(wires: Vec<crate::log::wire::Entry>, version: Version) -> Result<Vec<LogEntry>, Error> {
    let entries: Result<Vec<_>, _> = wires.into_iter().map(LogEntry::from_wire).collect();
    let entries = entries?;
    // The index is not always signed, so one leaf could be in the bundle with several.
    let leaves = entries.iter().map(|entry| (*entry.log_id(), merkle::leaf_hash(entry.body())));
    check_unique_and_bounded(&leaves.collect::<Vec<_>>(), "log entries")?;
    let places: Vec<_> = entries.iter().map(|e| (*e.log_id(), e.index())).collect();
    check_unique_and_bounded(&places, "log entries")?;
    if version == Version::V0_1 && entries.iter().any(|entry| !entry.has_promise()) {
        return Err(malformed("a log entry of version 0.1 without inclusion promise"));
    }
    Ok(entries)
}

fn check_unique_and_bounded<T: PartialEq>(items: &[T], what: &'static str) -> Result<(), Error> {
    if items.len() > MOST_WITNESSES {
        return Err(Error::TooMany { what });
    }
    let mut rest = items;
    while let Some((first, others)) = rest.split_first() {
        if others.contains(first) {
            return Err(Error::TooMany { what });
        }
        rest = others;
    }
    Ok(())
}

/// The first certificate of the chain. The others are not used, because authorities come from the
/// trusted root alone; but a bundle with a root certificate is refused (client specification 4.1).
fn leaf(chain: wire::Chain) -> Result<Vec<u8>, Error> {
    let mut certificates = chain.certificates.into_iter();
    let leaf = certificates.next();
    for above in certificates {
        let above = Certificate::parse(&above.raw_bytes.0)
            .ok_or_else(|| malformed("a certificate that cannot be read"))?;
        if above.subject() == above.issuer() {
            return Err(Error::RootCertificate);
        }
    }
    let leaf = leaf.ok_or_else(|| malformed("an empty certificate chain"))?;
    Ok(leaf.raw_bytes.0)
}

#[cfg(test)]
mod tests;
