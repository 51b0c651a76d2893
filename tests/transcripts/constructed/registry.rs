// SPDX-License-Identifier: Apache-2.0
//! Registries that answer otherwise than any that a sandbox plays.

use ambisign::digest::Digest;
use ambisign::registry::{Error as Registry, Login};
use reqwest::StatusCode;

use super::{Error, boxed};

const REPOSITORY: &str = "registry.example.com/acme/app";

/// Every error of this part.
pub(super) fn all() -> Vec<Error> {
    let (repository, reference) = (
        REPOSITORY.to_owned(),
        format!("{REPOSITORY}@{}", digest('a')),
    );
    vec![
        boxed(Registry::IndexUnreadable {
            tag: format!("{REPOSITORY}:sha256-{}", "a".repeat(64)),
            why: "it is no image index".to_owned(),
        }),
        boxed(Registry::OtherArtifact {
            bundle: digest('a'),
            target: digest('b'),
        }),
        boxed(Registry::PushDenied {
            repository: repository.clone(),
            status: StatusCode::FORBIDDEN,
            said: "denied: write_package".to_owned(),
            credential: "with the credential of `/root/.docker/config.json`".to_owned(),
            login: Login::Given,
        }),
        boxed(Registry::ReadOnly { repository }),
        boxed(Registry::SharedTag {
            tag: format!("{REPOSITORY}:sha256-{}", "a".repeat(64)),
            manifest: digest('b').to_string(),
            rounds: 5,
        }),
        boxed(Registry::Token {
            realm: "https://auth.example.com/token".to_owned(),
        }),
        boxed(Registry::TooLarge {
            reference,
            limit: 4_194_304,
            unit: "bytes",
        }),
    ]
}

/// A digest of one digit.
fn digest(digit: char) -> Digest {
    let digits = digit.to_string().repeat(64);
    Digest::parse(&format!("sha256:{digits}")).unwrap()
}
