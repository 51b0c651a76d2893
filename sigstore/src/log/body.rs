// SPDX-License-Identifier: Apache-2.0
//! The canonical body of a log entry, which the log commits to.
//!
//! For Rekor v2, and for entries that this run submitted, the body is computed and must be equal byte
//! for byte. For other entries of Rekor v1, each member is compared with the signed content, because
//! the body may contain the hash of an envelope in another encoding. Clients that compared too little
//! accepted entries for other artifacts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::logged::Logged;
use crate::certificate::Verifier;
use crate::content::ContentRef;
use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::pki::keys::Hash;
use crate::protojson::Base64;

/// The known kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Rekor v1, `dsse` 0.0.1.
    Dsse,
    /// Rekor v1, `hashedrekord` 0.0.1.
    HashedRekord,
    /// Rekor v2, `hashedrekord` 0.0.2.
    HashedRekordV2,
    /// Rekor v1, `intoto` 0.0.2, the predecessor of `dsse`.
    InToto,
}

impl Kind {
    pub(super) fn parse(kind: &str, version: &str) -> Option<Self> {
        match (kind, version) {
            ("dsse", "0.0.1") => Some(Self::Dsse),
            ("hashedrekord", "0.0.1") => Some(Self::HashedRekord),
            ("hashedrekord", "0.0.2") => Some(Self::HashedRekordV2),
            ("intoto", "0.0.2") => Some(Self::InToto),
            _ => None,
        }
    }

    /// The major version of Rekor with such entries.
    pub(super) fn rekor(self) -> u32 {
        match self {
            Self::Dsse | Self::HashedRekord | Self::InToto => 1,
            Self::HashedRekordV2 => 2,
        }
    }

    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Dsse => ("dsse", "0.0.1"),
            Self::HashedRekord => ("hashedrekord", "0.0.1"),
            Self::HashedRekordV2 => ("hashedrekord", "0.0.2"),
            Self::InToto => ("intoto", "0.0.2"),
        }
    }
}

/// The body of `kind` for `logged` (RFC 8785; every value is ASCII without anything to escape); `None`
/// if this kind cannot represent it.
pub(super) fn canonical(kind: Kind, logged: &Logged<'_>) -> Option<Vec<u8>> {
    match (kind, &logged.content) {
        (Kind::Dsse, ContentRef::Envelope(envelope)) => dsse(envelope, &logged.verifier),
        (Kind::HashedRekord, ContentRef::Message { digest, signature }) => {
            hashedrekord(digest, signature, &logged.verifier)
        }
        (Kind::HashedRekordV2, _) => hashedrekord_v2(logged),
        (Kind::Dsse | Kind::HashedRekord | Kind::InToto, _) => None,
    }
}

fn dsse(envelope: &Envelope, verifier: &Verifier<'_>) -> Option<Vec<u8>> {
    let body = format!(
        concat!(
            r#"{{"apiVersion":"0.0.1","kind":"dsse","spec":{{"#,
            r#""envelopeHash":{{"algorithm":"sha256","value":"{}"}},"#,
            r#""payloadHash":{{"algorithm":"sha256","value":"{}"}},"#,
            r#""signatures":[{{"signature":"{}","verifier":"{}"}}]}}}}"#
        ),
        Digest::of(envelope.to_json().ok()?.as_bytes()).hex(),
        Digest::of(&envelope.payload).hex(),
        STANDARD.encode(&envelope.signature),
        STANDARD.encode(verifier.pem()?),
    );
    Some(body.into_bytes())
}

fn hashedrekord(digest: &Digest, signature: &[u8], verifier: &Verifier<'_>) -> Option<Vec<u8>> {
    let body = format!(
        concat!(
            r#"{{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{{"#,
            r#""data":{{"hash":{{"algorithm":"sha256","value":"{}"}}}},"#,
            r#""signature":{{"content":"{}","publicKey":{{"content":"{}"}}}}}}}}"#
        ),
        digest.hex(),
        STANDARD.encode(signature),
        STANDARD.encode(verifier.pem()?),
    );
    Some(body.into_bytes())
}

/// An envelope is logged as the digest of its encoding, under the hash that its key signs with.
fn hashedrekord_v2(logged: &Logged<'_>) -> Option<Vec<u8>> {
    let key = logged.verifier.key();
    let hash = key.usual_hash();
    let (digest, signature) = match logged.content {
        ContentRef::Envelope(envelope) => (hash.digest(&envelope.pae()), &*envelope.signature),
        ContentRef::Message { digest, signature } => match hash {
            Hash::Sha256 => (digest.bytes().to_vec(), signature),
            Hash::Sha384 | Hash::Sha512 => return None,
        },
    };
    let algorithm = match hash {
        Hash::Sha256 => "SHA2_256",
        Hash::Sha384 => "SHA2_384",
        Hash::Sha512 => "SHA2_512",
    };
    let member = match logged.verifier {
        Verifier::Certificate(_) => "x509Certificate",
        Verifier::Key(_) => "publicKey",
    };
    Some(record_v2(
        (algorithm, &digest),
        signature,
        (key.details()?, member, logged.verifier.der()),
    ))
}

fn record_v2(data: (&str, &[u8]), signature: &[u8], verifier: (&str, &str, &[u8])) -> Vec<u8> {
    format!(
        concat!(
            r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{{"hashedRekordV002":{{"#,
            r#""data":{{"algorithm":"{}","digest":"{}"}},"signature":{{"content":"{}","#,
            r#""verifier":{{"keyDetails":"{}","{}":{{"rawBytes":"{}"}}}}}}}}}}}}"#
        ),
        data.0,
        STANDARD.encode(data.1),
        STANDARD.encode(signature),
        verifier.0,
        verifier.1,
        STANDARD.encode(verifier.2),
    )
    .into_bytes()
}

/// Compares the body of an entry of `kind` with the signed content.
///
/// # Errors
/// The first difference.
pub(super) fn compare(kind: Kind, body: &[u8], logged: &Logged<'_>) -> Result<(), &'static str> {
    match (kind, &logged.content) {
        (Kind::HashedRekordV2, _) => match canonical(kind, logged) {
            Some(expected) if expected == body => Ok(()),
            Some(_) => Err("it does not record this signature"),
            None => Err("its kind cannot record such a signature"),
        },
        (Kind::HashedRekord, ContentRef::Message { digest, signature }) => {
            let body: Body<HashedRekord> = read(kind, body)?;
            let spec = body.spec;
            same(spec.data.hash.is(digest), "it names another digest")?;
            same(spec.signature.content.0 == *signature, SIGNATURE)?;
            same(is_pem(&spec.signature.public_key.content, logged), VERIFIER)
        }
        (Kind::Dsse, ContentRef::Envelope(envelope)) => {
            let body: Body<Dsse> = read(kind, body)?;
            let spec = body.spec;
            let payload = Digest::of(&envelope.payload);
            same(spec.payload_hash.is(&payload), PAYLOAD)?;
            let [found] = spec.signatures.as_slice() else {
                return Err("it does not name exactly one signature");
            };
            same(found.signature.0 == envelope.signature, SIGNATURE)?;
            same(is_pem(&found.verifier, logged), VERIFIER)
        }
        (Kind::InToto, ContentRef::Envelope(envelope)) => intoto(body, envelope, logged),
        (Kind::HashedRekord, ContentRef::Envelope(_)) => Err("it records a bare message"),
        (Kind::Dsse | Kind::InToto, ContentRef::Message { .. }) => Err("it records an envelope"),
    }
}

const SIGNATURE: &str = "it names another signature";
const VERIFIER: &str = "it names another certificate or key";
const PAYLOAD: &str = "it names another payload";

/// This kind encodes payload and signature twice, and may omit the payload.
fn intoto(body: &[u8], envelope: &Envelope, logged: &Logged<'_>) -> Result<(), &'static str> {
    let body: Body<InToto> = read(Kind::InToto, body)?;
    let content = body.spec.content;
    same(content.payload_hash.is(&Digest::of(&envelope.payload)), PAYLOAD)?;
    same(content.envelope.payload_type == envelope.payload_type, PAYLOAD)?;
    if let Some(payload) = content.envelope.payload {
        same(payload.0 == STANDARD.encode(&envelope.payload).as_bytes(), PAYLOAD)?;
    }
    let [found] = content.envelope.signatures.as_slice() else {
        return Err("it does not name exactly one signature");
    };
    let signature = STANDARD.encode(&envelope.signature);
    same(found.sig.0 == signature.as_bytes(), SIGNATURE)?;
    same(is_pem(&found.public_key, logged), VERIFIER)
}

fn same(equal: bool, why: &'static str) -> Result<(), &'static str> {
    if equal { Ok(()) } else { Err(why) }
}

fn read<T: serde::de::DeserializeOwned>(kind: Kind, body: &[u8]) -> Result<Body<T>, &'static str> {
    let body: Body<T> = ambisign_host::json::parse(body)
        .map_err(|_json| "it does not have the form of its kind")?;
    if kind.name() == (body.kind.as_str(), body.api_version.as_str()) {
        Ok(body)
    } else {
        Err("its kind differs from that of the entry")
    }
}

/// Returns `true` if `pem` contains the certificate or key and nothing else. Clients break its lines in
/// different ways (RFC 7468 2, lax parsing), so the decoded bytes are compared.
fn is_pem(pem: &Base64, logged: &Logged<'_>) -> bool {
    let text = std::str::from_utf8(&pem.0).map(str::trim).ok();
    let label = logged.verifier.label();
    let base64: Option<String> = text
        .and_then(|text| text.strip_prefix(&*format!("-----BEGIN {label}-----")))
        .and_then(|text| text.strip_suffix(&*format!("-----END {label}-----")))
        .map(|text| text.split_ascii_whitespace().collect());
    base64.is_some_and(|text| STANDARD.decode(text).is_ok_and(|der| der == logged.verifier.der()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body<T> {
    api_version: String,
    kind: String,
    spec: T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHash {
    algorithm: String,
    value: String,
}

impl WireHash {
    fn is(&self, digest: &Digest) -> bool {
        self.algorithm == "sha256" && self.value == digest.hex()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HashedRekord {
    data: Data,
    signature: RecordSignature,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    hash: WireHash,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordSignature {
    content: Base64,
    public_key: RecordKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordKey {
    content: Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Dsse {
    #[serde(rename = "envelopeHash")]
    _envelope_hash: WireHash,
    payload_hash: WireHash,
    signatures: Vec<DsseSignature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DsseSignature {
    signature: Base64,
    verifier: Base64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InToto {
    content: InTotoContent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InTotoContent {
    envelope: InTotoEnvelope,
    #[serde(rename = "hash")]
    _envelope_hash: WireHash,
    payload_hash: WireHash,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InTotoEnvelope {
    payload: Option<Base64>,
    payload_type: String,
    signatures: Vec<InTotoSignature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InTotoSignature {
    public_key: Base64,
    sig: Base64,
    #[serde(rename = "keyid", default)]
    _key_id: Option<String>,
}

#[cfg(test)]
mod tests;
