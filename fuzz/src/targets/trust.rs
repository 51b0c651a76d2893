// SPDX-License-Identifier: Apache-2.0
//! Trusted roots, signing configs, and the certificates that they vouch for.

use ambisign_sigstore::certificate::{SigningCertificate, chain, sct};
use ambisign_sigstore::pki::names;
use ambisign_sigstore::pki::x509::Certificate;
use ambisign_sigstore::trust::{SigningConfig, TrustedRoot, tuf};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::der;
use super::super::holds::{check_error, strict};
use super::super::seeds::{TUF_PRODUCTION, TUF_STAGING};
use super::super::vectors;
use super::now;

/// Certificates with SCTs: none is trusted but those that Fulcio made.
pub fn certificate(bytes: &[u8]) {
    let authority = Certificate::parse(bytes);
    if let Some(authority) = &authority {
        // As if it had issued a certificate with its own names.
        let _allowed = names::verify(authority, authority);
    }
    let certificate = match SigningCertificate::parse(bytes) {
        Ok(certificate) => certificate,
        Err(error) => return check_error(&error),
    };
    assert!(authority.is_some_and(|found| found.der() == bytes));
    assert_eq!(certificate.der(), bytes);
    let pem = certificate.pem().expect("PEM");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(STANDARD.decode(body).as_deref(), Ok(bytes));
    let vector = vectors::named("happy-path-v0.3");
    let root = &vector.root;
    for authority in root.authorities() {
        // As if it were issued by this authority.
        if let Some(issuer) = authority.chain().first() {
            let _promised = sct::verify(&certificate, issuer, root, None);
        }
    }
    if let Err(error) = chain::verify(&certificate, root, certificate.not_before()) {
        check_error(&error);
    }
    match certificate.trusted(root) {
        Err(error) => check_error(&error),
        Ok(()) => {
            let tbs = |der: &[u8]| {
                let node = der::read(der)?.into_iter().next()?;
                Some(der::write(node.nodes().get(..2)?))
            };
            let mut known = vectors::all().iter().map(|vector| vector.bundle.certificate());
            assert!(known.any(|der| der.map(tbs) == Some(tbs(bytes))), "trusted");
        }
    }
}

/// Signing configs.
pub fn signing_config(bytes: &[u8]) {
    let config = match SigningConfig::parse(bytes) {
        Ok(config) => config,
        Err(error) => return check_error(&error),
    };
    strict(bytes);
    match config.select(now()) {
        Err(error) => check_error(&error),
        Ok(services) => {
            assert!(!services.logs.is_empty());
            let all = services.logs.iter().chain(&services.authorities);
            for service in all.chain([&services.fulcio]) {
                assert!(ambisign_host::plain_http_allowed(&service.url));
            }
        }
    }
}

/// Trusted roots.
pub fn trusted_root(bytes: &[u8]) {
    let root = match TrustedRoot::parse(bytes) {
        Ok(root) => root,
        Err(error) => return check_error(&error),
    };
    strict(bytes);
    if let Err(error) = root.sufficient(now(), true) {
        check_error(&error);
    }
    assert!(root.log_ids().all(|id| root.log(id).is_some()));
    let authorities = root.authorities().iter().chain(root.timestamp_authorities());
    assert!(authorities.into_iter().all(|authority| !authority.chain().is_empty()));
    for vector in vectors::all().iter().take(3) {
        if let Err(error) = vector.certificate().trusted(&root) {
            check_error(&error);
        }
    }
}

/// TUF metadata: only the holders of the keys can make it.
pub fn tuf_metadata(bytes: &[u8]) {
    match tuf::fuzzing::anchor(bytes) {
        Err(error) => check_error(&error),
        Ok(_) => {
            strict(bytes);
            let signed = |bytes: &[u8]| {
                let mut json: Value = serde_json::from_slice(bytes).expect("JSON");
                json["signed"].take()
            };
            let known = [TUF_PRODUCTION, TUF_STAGING].map(signed);
            assert!(known.contains(&signed(bytes)), "a forged root was accepted");
        }
    }
    // The root is verified each time, which is slow.
    let json: Value = serde_json::from_slice(bytes).unwrap_or_default();
    if json.get("signed").is_some() {
        let root = [TUF_PRODUCTION, TUF_STAGING][bytes.len() % 2];
        for file in tuf::fuzzing::signed(root, bytes).expect("a root") {
            check_error(&file.expect_err("forged metadata was accepted"));
        }
    }
    match tuf::fuzzing::delegates(bytes, "npm.example.org/keys.json") {
        Err(error) => check_error(&error),
        Ok(_) => strict(bytes),
    }
}
