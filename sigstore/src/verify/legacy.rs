// SPDX-License-Identifier: Apache-2.0
//! Verifies signatures of images in cosign's older layout: the payload is a layer, and everything else
//! is in the annotations of its descriptor (cosign `specs/SIGNATURE_SPEC.md`).
//!
//! This layout has no proof of inclusion. Only the log's promise shows that the signature was logged.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::error::Error;
use super::judge::{self, Evidence, Proof};
use super::policy::Policy;
use super::{Accepted, SignedBy};
use crate::certificate::SigningCertificate;
use crate::content::ContentRef;
use crate::digest::Digest;
use crate::log::LogEntry;
use crate::protojson::{Base64, nullable};
use crate::statement::{SIGN, SignedClaims};
use crate::trust::TrustedRoot;

/// The media type of the layer.
pub const MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// The type that a payload must name.
const KIND: &str = "cosign container image signature";

/// The payload (`containers/image`, "simple signing").
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
    /// The annotations of `-a`.
    #[serde(default, deserialize_with = "nullable")]
    optional: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

#[derive(Deserialize)]
struct Stamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    response: Base64,
}

/// Verifies that the layer with the bytes `payload` and these annotations is a signature of
/// `artifact` that `policy` accepts. It makes the same claim as a statement with the predicate type of
/// `cosign sign`, so it counts as one.
///
/// # Errors
/// The first check that fails.
pub fn legacy(
    (payload, annotations): (&[u8], &BTreeMap<String, String>),
    root: &TrustedRoot,
    artifact: &Digest,
    policy: &Policy,
) -> Result<Accepted, Error> {
    let malformed = |why| Error::Legacy { why };
    let annotation = |name| annotations.get(name).filter(|text| !text.is_empty());
    let signature = annotation(SIGNATURE).ok_or_else(|| malformed("it has no signature"))?;
    let signature =
        STANDARD.decode(signature).map_err(|_text| malformed("its signature is not base64"))?;
    let certificate = annotation(CERTIFICATE).map(|pem| read_certificate(pem));
    let certificate = certificate.transpose()?;
    let entry = annotation(ENTRY).map(|json| LogEntry::from_legacy(json.as_bytes()));
    let entry = entry.transpose()?;
    let timestamp = annotation(TIMESTAMP).map(|json| stamp(json));
    let timestamp = timestamp.transpose()?;
    let claims = claims(payload, artifact)?;
    let evidence = Evidence {
        verifier: judge::verifier(certificate.as_ref(), policy)?,
        content: ContentRef::Message { digest: &Digest::of(payload), signature: &signature },
        entries: entry.as_slice(),
        timestamps: timestamp.as_slice(),
        proof: Proof::Promise,
    };
    let vouched = judge::judge(&evidence, root, policy)?;
    let claims = claims.fits(policy)?;
    let signed_by = SignedBy::of(evidence.verifier);
    Ok(Accepted::new(artifact, signed_by, claims, vouched))
}

/// The certificate in `pem`. A stored chain is not read, because authorities come from the trusted root
/// only.
fn read_certificate(pem: &str) -> Result<SigningCertificate, Error> {
    match der::pem::decode_vec(pem.trim().as_bytes()) {
        Ok(("CERTIFICATE", der)) => Ok(SigningCertificate::parse(&der)?),
        Ok(_) | Err(_) => Err(Error::Legacy { why: "its certificate is not PEM" }),
    }
}

fn stamp(json: &str) -> Result<Vec<u8>, Error> {
    let stamp: Stamp = ambisign_host::json::parse(json.as_bytes())
        .map_err(|_json| Error::Legacy { why: "its timestamp is malformed" })?;
    Ok(stamp.response.0)
}

fn claims(payload: &[u8], artifact: &Digest) -> Result<SignedClaims, Error> {
    let malformed = |why| Error::Legacy { why };
    let payload: Payload = ambisign_host::json::parse(payload)
        .map_err(|_json| malformed("its payload is malformed"))?;
    if payload.critical.kind != KIND {
        return Err(malformed("its payload has another type"));
    }
    if payload.critical.image.digest != artifact.to_string() {
        return Err(Error::Artifact { wanted: *artifact });
    }
    Ok(SignedClaims { predicate_type: Some(SIGN.to_owned()), annotations: payload.optional })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ambisign_host::Explain as _;
    use serde::Deserialize;

    use super::{CERTIFICATE, ENTRY, SIGNATURE, TIMESTAMP, legacy};
    use crate::digest::Digest;
    use crate::trust::TrustedRoot;
    use crate::verify::Policy;
    use crate::verify::policy::Signer;

    const ROOT: &[u8] = include_bytes!("../../../tests/vectors/own/legacy/trusted_root.json");
    const OTHER_ROOT: &[u8] =
        include_bytes!("../../../tests/vectors/roots/production/trusted_root.json");
    const LAYERS: &[u8] = include_bytes!("../../../tests/vectors/own/legacy/layers.json");

    /// Two signatures of one image: cosign 2 made the first, with a timestamp, and cosign 3 the second,
    /// with an annotation.
    #[derive(Clone, Deserialize)]
    struct Case {
        digest: String,
        identity: String,
        issuer: String,
        layers: [Layer; 2],
    }

    #[derive(Clone, Deserialize)]
    struct Layer {
        payload: String,
        annotations: BTreeMap<String, String>,
    }

    impl Case {
        fn new() -> Self {
            serde_json::from_slice(LAYERS).unwrap()
        }

        fn policy(&self) -> Policy {
            Policy {
                predicate_types: vec![super::SIGN.to_owned()],
                ..Policy::of(Signer::exactly(&self.identity, &self.issuer))
            }
        }

        /// `ok` or the code of the error.
        fn judge(&self, layer: usize, root: &[u8], policy: &Policy) -> String {
            let layer = &self.layers[layer];
            let found = legacy(
                (layer.payload.as_bytes(), &layer.annotations),
                &TrustedRoot::parse(root).unwrap(),
                &Digest::parse(&self.digest).unwrap(),
                policy,
            );
            found.map_or_else(|error| error.code().into_owned(), |_| "ok".to_owned())
        }
    }

    #[test]
    fn signatures_of_cosign_are_accepted() {
        let case = Case::new();
        let mut policy = case.policy();
        for layer in [0, 1] {
            assert_eq!(case.judge(layer, ROOT, &policy), "ok");
            assert_eq!(
                case.judge(layer, OTHER_ROOT, &policy),
                ["timestamp/untrusted-chain", "rekor/unknown-log"][layer]
            );
        }
        policy.timestamps = 1;
        assert_eq!(case.judge(0, ROOT, &policy), "ok");
        assert_eq!(case.judge(1, ROOT, &policy), "verify/too-few-timestamps");
        policy.timestamps = 0;
        policy.annotations = vec![("env".to_owned(), "old".to_owned())];
        assert_eq!(case.judge(0, ROOT, &policy), "verify/annotation");
        assert_eq!(case.judge(1, ROOT, &policy), "ok");
        policy.predicate_types = vec!["https://example.test/other".to_owned()];
        assert_eq!(case.judge(1, ROOT, &policy), "verify/predicate-type");
    }

    #[test]
    fn everything_must_be_of_one_signature() {
        type Change = fn(&mut Case);
        let changes: &[(&str, Change)] = &[
            ("verify/artifact", |case| case.digest = Digest::of(b"x").to_string()),
            ("verify/identity", |case| case.identity.push('x')),
            ("verify/issuer", |case| case.issuer.push('x')),
            ("rekor/body", |case| case.layers[0].payload.push(' ')),
            ("verify/legacy", |case| case.layers[0].payload.push('x')),
            ("verify/legacy", |case| {
                let payload = &mut case.layers[0].payload;
                *payload = payload.replace("cosign container", "another");
            }),
            ("verify/legacy", |case| drop(case.layers[0].annotations.remove(SIGNATURE))),
            ("verify/too-few-entries", |case| drop(case.layers[0].annotations.remove(ENTRY))),
            ("verify/key-signed", |case| drop(case.layers[0].annotations.remove(CERTIFICATE))),
            // The promise alone proves the time.
            ("ok", |case| drop(case.layers[0].annotations.remove(TIMESTAMP))),
            ("timestamp/imprint", |case| swap(case, SIGNATURE)),
            // A genuine entry of the other signature of the same image.
            ("rekor/body", |case| swap(case, ENTRY)),
            ("rekor/body", |case| swap(case, CERTIFICATE)),
            ("rekor/promise", |case| entry(case, "\"logIndex\":", "\"logIndex\":1")),
            ("rekor/promise", |case| entry(case, "\"integratedTime\":17", "\"integratedTime\":18")),
            ("rekor/unknown-log", |case| entry(case, "\"logID\":\"38", "\"logID\":\"39")),
            ("rekor/malformed", |case| entry(case, "\"Payload\"", "\"payload\"")),
            ("rekor/promise", |case| {
                entry(case, "\"SignedEntryTimestamp\":\"ME", "\"SignedEntryTimestamp\":\"MF")
            }),
        ];
        for (number, (code, change)) in changes.iter().enumerate() {
            let mut case = Case::new();
            change(&mut case);
            assert_eq!(case.judge(0, ROOT, &case.policy()), *code, "{number}");
        }
    }

    fn swap(case: &mut Case, name: &str) {
        let other = case.layers[1].annotations[name].clone();
        case.layers[0].annotations.insert(name.to_owned(), other);
    }

    fn entry(case: &mut Case, old: &str, new: &str) {
        let text = case.layers[0].annotations.get_mut(ENTRY).unwrap();
        assert!(text.contains(old), "{text}");
        *text = text.replace(old, new);
    }
}
