// SPDX-License-Identifier: Apache-2.0
//! Registries that answer otherwise than any that a sandbox plays.

use ambisign_registry::{Error as Registry, Login};
use ambisign_sigstore::digest::Digest;
use reqwest::StatusCode;

use super::{Error, boxed};

const REPOSITORY: &str = "registry.example.com/acme/app";

/// Every error of this part.
pub(super) fn all() -> Vec<Error> {
    of_requests().into_iter().chain(of_tags()).collect()
}

fn of_requests() -> Vec<Error> {
    let (repository, reference) = (REPOSITORY.to_owned(), format!("{REPOSITORY}@{}", digest('a')));
    vec![
        boxed(Registry::OtherArtifact { bundle: digest('a'), target: digest('b') }),
        boxed(Registry::Policy {
            reference: reference.clone(),
            excerpt: "PROJECTPOLICYVIOLATION: the image is not signed".to_owned(),
        }),
        boxed(Registry::PushDenied {
            repository: repository.clone(),
            status: StatusCode::FORBIDDEN,
            excerpt: "denied: write_package".to_owned(),
            credential: "with the credential of `/root/.docker/config.json`".to_owned(),
            login: Login::Given,
        }),
        boxed(Registry::ReadBack {
            reference: reference.clone(),
            why: "the registry serves other bytes in its place".to_owned(),
        }),
        boxed(Registry::ReadOnly { repository }),
        boxed(Registry::Token { realm: "https://auth.example.com/token".to_owned() }),
        boxed(Registry::TooLarge { reference, limit: 4_194_304, unit: "bytes" }),
    ]
}

/// Errors of the tags that list signatures.
fn of_tags() -> Vec<Error> {
    let repository = REPOSITORY.to_owned();
    vec![
        boxed(Registry::IndexUnreadable {
            tag: fallback_tag(),
            why: "it is no image index".to_owned(),
        }),
        boxed(Registry::ImmutableTag {
            tag: fallback_tag(),
            status: StatusCode::PRECONDITION_FAILED,
            excerpt: "configured as immutable".to_owned(),
        }),
        boxed(Registry::SharedTag {
            tag: fallback_tag(),
            manifest: digest('b').to_string(),
            rounds: 5,
        }),
        boxed(Registry::TagIsSubject { tag: fallback_tag() }),
        boxed(Registry::TagRedirected {
            tag: fallback_tag(),
            to: "https://elsewhere.example".to_owned(),
        }),
        boxed(Registry::Tags { repository, why: "it has no end".to_owned() }),
    ]
}

fn fallback_tag() -> String {
    format!("{REPOSITORY}:sha256-{}", "a".repeat(64))
}

/// A digest of one digit.
fn digest(digit: char) -> Digest {
    let digits = digit.to_string().repeat(64);
    Digest::parse(&format!("sha256:{digits}")).unwrap()
}
