// SPDX-License-Identifier: Apache-2.0
//! Fulcio's JSON (fulcio.proto, `CA` service).

use ambisign_host::json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

/// The body of `POST /api/v2/signingCert` with a certificate signing request in PEM. It does not
/// contain the token, because a redirect would send the body on.
pub(super) fn request(csr_pem: &str) -> Vec<u8> {
    json!({ "certificateSigningRequest": STANDARD.encode(csr_pem) }).to_string().into_bytes()
}

/// The signing certificate of an answer, in DER. The rest of its chain is not read, because trust
/// anchors come from the trusted root.
pub(super) fn leaf(body: &[u8]) -> Option<Vec<u8>> {
    let answer: Answer = json::parse(body).ok()?;
    let chain = answer.embedded.or(answer.detached)?.chain;
    let (label, leaf) = der::pem::decode_vec(chain.certificates.first()?.trim().as_bytes()).ok()?;
    (label == "CERTIFICATE").then_some(leaf)
}

/// What Fulcio says of nearly every token that it does not accept (fulcio `pkg/server`,
/// `invalidIdentityToken`).
pub(super) const OF_A_TOKEN: &str = "There was an error processing the identity token";

/// The highest code of an error of gRPC, which Fulcio writes into its answers. Other services of
/// Sigstore write the HTTP status there.
const HIGHEST_CODE: u32 = 16;

/// The message of an error answer of Fulcio, whole; `None` for what Fulcio does not write.
pub(super) fn message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        code: u32,
        message: String,
    }
    let error: Error = json::parse(body).ok()?;
    (error.code <= HIGHEST_CODE).then_some(error.message)
}

/// Whether an answer means to be a certificate, readable or not.
pub(super) fn is_certificate(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(body);
    start.trim_start().starts_with("{\"signedCertificate")
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

/// An issuer whose tokens Fulcio accepts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issuer {
    /// The exact issuer.
    pub(super) issuer_url: Option<String>,
    /// A pattern of issuers.
    pub(super) wildcard_issuer_url: Option<String>,
    /// The audience that its tokens must have.
    #[serde(default)]
    pub(super) audience: String,
    /// What its certificates are made of.
    #[serde(default)]
    issuer_type: String,
    /// Whether an e-mail address counts that the issuer did not verify.
    #[serde(default)]
    pub(super) skip_email_verification: bool,
}

impl Issuer {
    /// Whether the identity of its certificates is the e-mail address of the token.
    pub(super) fn is_of_email(&self) -> bool {
        self.issuer_type == "email"
    }
}
