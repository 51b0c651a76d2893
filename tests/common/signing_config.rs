// SPDX-License-Identifier: Apache-2.0
//! Signing configs that name another place for a service, such as a proxy before it.

use std::path::{Path, PathBuf};

/// A kind of service in a signing config.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Service {
    /// The certificate authority.
    Fulcio,
    /// The transparency log.
    Rekor,
    /// The timestamp authority.
    Tsa,
}

/// Writes `original` (a signing config) into `dir`, with `url` in place of the URLs of `service`.
pub(crate) fn signing_config_with(
    original: &Path,
    dir: &Path,
    service: Service,
    url: &str,
) -> PathBuf {
    let field = match service {
        Service::Fulcio => "caUrls",
        Service::Rekor => "rekorTlogUrls",
        Service::Tsa => "tsaUrls",
    };
    let text = std::fs::read(original).unwrap();
    let mut config: serde_json::Value = serde_json::from_slice(&text).unwrap();
    for entry in config[field].as_array_mut().unwrap() {
        entry["url"] = url.into();
    }
    let path = dir.join(format!("signing_config.{field}.json"));
    std::fs::write(&path, config.to_string()).unwrap();
    path
}
