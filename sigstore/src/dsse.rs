// SPDX-License-Identifier: Apache-2.0
//! The Dead Simple Signing Envelope (DSSE 1.0).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// The payload type of in-toto statements.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A payload, its type, and one signature over both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The media type of the payload.
    pub payload_type: String,
    /// The payload, byte for byte as it was signed.
    pub payload: Vec<u8>,
    /// The signature over [`Envelope::pae`]; for ECDSA in ASN.1 DER.
    pub signature: Vec<u8>,
}

impl Envelope {
    /// The pre-authentication encoding of type and payload, which the signature covers.
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// The envelope as compact JSON, with members in the order of the specification and no key ID.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Wire {
            payload: STANDARD.encode(&self.payload),
            payload_type: &self.payload_type,
            signatures: [WireSignature { sig: STANDARD.encode(&self.signature) }],
        })
    }
}

/// The pre-authentication encoding (DSSE protocol, "Signature Definition"): lengths are decimal
/// byte counts, and the payload is raw.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    payload: String,
    payload_type: &'a str,
    signatures: [WireSignature; 1],
}

#[derive(Serialize)]
struct WireSignature {
    sig: String,
}

#[cfg(test)]
mod tests {
    use super::{Envelope, IN_TOTO, pae};
    use crate::digest::Digest;

    #[test]
    fn encodes_lengths_in_bytes() {
        assert_eq!(pae("tä", b"\x00x"), b"DSSEv1 3 t\xc3\xa4 2 \x00x");
    }

    /// A log of Rekor v1 hashes these bytes.
    #[test]
    fn is_written_in_one_form() {
        let (payload_type, payload) = ("t".to_owned(), b"{}".to_vec());
        let envelope = Envelope { payload_type, payload, signature: vec![0, 1, 2] };
        let text = r#"{"payload":"e30=","payloadType":"t","signatures":[{"sig":"AAEC"}]}"#;
        assert_eq!(envelope.to_json().unwrap(), text);
        assert_eq!(envelope.pae(), b"DSSEv1 1 t 2 {}");
    }

    #[test]
    fn encodes_a_statement() {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#,
            "ab".repeat(32)
        );
        let digest = Digest::of(&pae(IN_TOTO, statement.as_bytes()));
        assert_eq!(
            digest.hex(),
            "cc06fe7b0e6205ac2e84b149fd7dc7d5d18afcab2d875569c1b9872ff2761c5b"
        );
    }
}
