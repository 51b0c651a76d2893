// SPDX-License-Identifier: Apache-2.0
//! Certificates, entries, timestamps and bundles whose flaw would take a key of their own to make.

use std::time::{Duration, SystemTime};

use ambisign_sigstore::bundle;
use ambisign_sigstore::certificate::CertificateError;
use ambisign_sigstore::credential::SignError;
use ambisign_sigstore::fulcio;
use ambisign_sigstore::log::EntryError;
use ambisign_sigstore::pki::names::Violation;
use ambisign_sigstore::pki::path::PathError;
use ambisign_sigstore::preflight::{self, Flaw};
use ambisign_sigstore::timestamp::TimestampError;
use ambisign_sigstore::verify;
use ambisign_sigstore::witness;

use super::{Error, boxed};

/// What goes wrong while signing.
pub(super) fn of_signing() -> Vec<Error> {
    vec![
        boxed(fulcio::Error::Encoding),
        boxed(fulcio::Error::IdentityMismatch {
            what: "identity",
            found: "https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main"
                .to_owned(),
            expected: Some(
                "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
                    .to_owned(),
            ),
        }),
        boxed(CertificateError::Lifetime {
            life: Duration::from_secs(3600),
            longest: Duration::from_secs(900),
        }),
        boxed(CertificateError::Profile { why: "is not for code signing" }),
        boxed(preflight::Error::NameConstraints {
            name: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
                .to_owned(),
            flaw: Violation::NotPermitted.into(),
        }),
        boxed(preflight::Error::OtherAuthority {
            url: "https://fulcio.example.com/".to_owned(),
            theirs: "\"CN=acme,O=acme.example\"".to_owned(),
            ours: "\"CN=sigstore-intermediate,O=sigstore.dev\"".to_owned(),
        }),
        boxed(preflight::Error::UnusableAuthority {
            url: "https://fulcio.example.com/".to_owned(),
            flaw: Flaw::Order,
        }),
        boxed(witness::Error::Encoding),
        boxed(witness::Error::Frozen { excerpt: "this log is frozen".to_owned() }),
        boxed(witness::Error::Late),
        boxed(witness::Error::Lost { index: 12_345, why: "it answered HTTP 404" }),
        boxed(witness::Error::Untimed),
        boxed(EntryError::OutsideValidity { what: "signing certificate" }),
        boxed(EntryError::UnknownLog { id: "c0d23d6ad406973f9559f3ba2d1ca01f".to_owned() }),
        boxed(TimestampError::Signature),
        boxed(TimestampError::UntrustedChain { flaw: PathError::Unknown }),
        boxed(SignError::Payload),
        boxed(SignError::Unsound),
    ]
}

/// What goes wrong while verifying.
pub(super) fn of_verifying() -> Vec<Error> {
    vec![
        boxed(bundle::Error::RootCertificate),
        boxed(bundle::Error::TooMany { what: "timestamps" }),
        boxed(ambisign::verification::Error::Format { wanted: "bundle" }),
        boxed(ambisign::verification::Error::Unfinished {
            image: format!("ghcr.io/acme/app@sha256:{}", "5".repeat(64)),
            looked_at: 1000,
        }),
        boxed(verify::Error::Key),
        boxed(verify::Error::KeySigned),
        boxed(verify::Error::Legacy { why: "its payload is not JSON" }),
        boxed(verify::Error::LogOutsideValidity),
        boxed(verify::Error::NoTime),
        boxed(verify::Error::Signature),
        boxed(verify::Error::Statement { why: "it is not JSON" }),
        boxed(verify::Error::Future {
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000),
        }),
        boxed(verify::Error::TooFewEntries { found: 0, wanted: 1 }),
        boxed(verify::Error::TooFewTimestamps { found: 0, wanted: 1 }),
    ]
}
