// SPDX-License-Identifier: Apache-2.0
//! The JSON of a bundle.

use serde::{Deserialize, Serialize};

use super::error::{Error, malformed};
use crate::content::Content;
use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::log::wire;
use crate::protojson::{Base64, nullable};

/// The name of the hash algorithm of a message digest.
const SHA256: &str = "SHA2_256";

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bundle {
    pub(super) media_type: String,
    pub(super) verification_material: Material,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message_signature: Option<Message>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dsse_envelope: Option<DsseEnvelope>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<Certificate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) x509_certificate_chain: Option<Chain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<PublicKey>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub(super) tlog_entries: Vec<wire::Entry>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Timestamps::is_empty")]
    pub(super) timestamp_verification_data: Timestamps,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Chain {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) certificates: Vec<Certificate>,
}

/// Stands in place of a certificate if a bare key made the signature.
#[derive(Deserialize, Serialize)]
pub(super) struct PublicKey {
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub(super) hint: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Certificate {
    pub(super) raw_bytes: Base64,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Timestamps {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) rfc3161_timestamps: Vec<Timestamp>,
}

impl Timestamps {
    fn is_empty(&self) -> bool {
        self.rfc3161_timestamps.is_empty()
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Timestamp {
    pub(super) signed_timestamp: Base64,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_digest: Option<MessageDigest>,
    signature: Base64,
}

#[derive(Deserialize, Serialize)]
pub(super) struct MessageDigest {
    algorithm: String,
    digest: Base64,
}

impl Message {
    pub(super) fn of(digest: Option<&Digest>, signature: &[u8]) -> Self {
        Self {
            message_digest: digest.map(|digest| MessageDigest {
                algorithm: SHA256.to_owned(),
                digest: Base64(digest.bytes().to_vec()),
            }),
            signature: Base64(signature.to_vec()),
        }
    }

    pub(super) fn read(self) -> Result<Content, Error> {
        let digest = match self.message_digest {
            Some(MessageDigest { algorithm, digest }) if algorithm == SHA256 => {
                let digest = Digest::parse(&format!("sha256:{}", hex::encode(&digest.0)));
                Some(digest.ok_or_else(|| malformed("a digest of another length"))?)
            }
            Some(_) => return Err(malformed("a digest that is not SHA-256")),
            None => None,
        };
        Ok(Content::Message { digest, signature: self.signature.0 })
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DsseEnvelope {
    payload: Base64,
    payload_type: String,
    signatures: Vec<DsseSignature>,
}

/// A key ID may be present; it is ignored.
#[derive(Deserialize, Serialize)]
pub(super) struct DsseSignature {
    sig: Base64,
}

impl DsseEnvelope {
    pub(super) fn of(envelope: &Envelope) -> Self {
        Self {
            payload: Base64(envelope.payload.clone()),
            payload_type: envelope.payload_type.clone(),
            signatures: vec![DsseSignature { sig: Base64(envelope.signature.clone()) }],
        }
    }

    pub(super) fn read(self) -> Result<Envelope, Error> {
        let mut signatures = self.signatures.into_iter();
        let (Some(signature), None) = (signatures.next(), signatures.next()) else {
            return Err(malformed("an envelope without exactly one signature"));
        };
        Ok(Envelope {
            payload_type: self.payload_type,
            payload: self.payload.0,
            signature: signature.sig.0,
        })
    }
}
