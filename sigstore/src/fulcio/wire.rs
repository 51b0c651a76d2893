// SPDX-License-Identifier: Apache-2.0
//! Fulcio's JSON (fulcio.proto, `CA` service).

use ambisign_host::json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

/// The body of `POST /api/v2/signingCert` with a certificate signing request in PEM. The token is
/// not in it: a redirect would carry it away.
pub(super) fn request(csr_pem: &str) -> Vec<u8> {
    json!({ "certificateSigningRequest": STANDARD.encode(csr_pem) })
        .to_string()
        .into_bytes()
}

/// The signing certificate of an answer, in DER. The rest of its chain is not even read: trust
/// anchors come from the trusted root.
pub(super) fn leaf(body: &[u8]) -> Option<Vec<u8>> {
    let answer: Answer = json::parse(body).ok()?;
    let chain = answer.embedded.or(answer.detached)?.chain;
    let (label, leaf) = der::pem::decode_vec(chain.certificates.first()?.trim().as_bytes()).ok()?;
    (label == "CERTIFICATE").then_some(leaf)
}

/// The message of an error answer.
pub(super) fn message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        message: String,
    }
    let error: Error = json::parse(body).ok()?;
    Some(
        error
            .message
            .chars()
            .filter(|c| !c.is_control())
            .take(256)
            .collect(),
    )
}

/// The issuers that `GET /api/v2/configuration` lists.
pub(super) fn issuers(body: &[u8]) -> Option<Vec<Issuer>> {
    let configuration: Configuration = json::parse(body).ok()?;
    Some(configuration.issuers)
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "signedCertificateEmbeddedSct")]
    embedded: Option<Certificate>,
    #[serde(rename = "signedCertificateDetachedSct")]
    detached: Option<Certificate>,
}

#[derive(Deserialize)]
struct Certificate {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

#[derive(Deserialize)]
struct Configuration {
    issuers: Vec<Issuer>,
}

/// One issuer that Fulcio accepts tokens of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issuer {
    /// The issuer, to the letter.
    pub(super) issuer_url: Option<String>,
    /// A pattern of issuers.
    pub(super) wildcard_issuer_url: Option<String>,
    /// The audience that its tokens must have.
    #[serde(default)]
    pub(super) audience: String,
}
