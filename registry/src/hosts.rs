// SPDX-License-Identifier: Apache-2.0
//! Registries with logins from a platform.

use ambisign_host::Host;

/// GitHub's registry.
pub(crate) const GHCR: &str = "ghcr.io";

/// Returns `true` if the platform of this job may provide a login for `registry`.
pub(crate) fn is_of_platform(host: &Host, registry: &str) -> bool {
    let is_gitlab = |gitlab: &str| registry.eq_ignore_ascii_case(gitlab);
    registry == GHCR || is_google(registry) || host.env.get("CI_REGISTRY").is_some_and(is_gitlab)
}

/// Returns `true` if `registry` is one of Google's, which accept an access token. With a port, it is not.
pub(crate) fn is_google(registry: &str) -> bool {
    registry == "gcr.io" || registry.ends_with(".gcr.io") || registry.ends_with(".pkg.dev")
}

#[cfg(test)]
mod tests {
    use super::is_google;

    #[test]
    fn an_access_token_is_for_the_registries_of_google() {
        for name in ["gcr.io", "eu.gcr.io", "europe-docker.pkg.dev"] {
            assert!(is_google(name), "{name}");
        }
        for name in [
            "gcr.io.evil.example",
            "evilgcr.io",
            "evilpkg.dev",
            "pkg.dev",
            "gcr.io:8443",
            "europe-docker.pkg.dev:443",
            "k8s.gcr.io.example",
            "ghcr.io",
        ] {
            assert!(!is_google(name), "{name}");
        }
    }
}
