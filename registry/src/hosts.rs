// SPDX-License-Identifier: Apache-2.0
//! Registries with logins from a platform.

use ambisign_host::Host;
use ambisign_providers::Realm;

/// GitHub's registry.
pub(crate) const GHCR: &str = "ghcr.io";

/// Returns `true` if the platform of this job may provide a login for `registry`.
pub(crate) fn is_of_platform(host: &Host, registry: &str) -> bool {
    let is_gitlab = |gitlab: &str| registry.eq_ignore_ascii_case(gitlab);
    registry == GHCR || is_google(registry) || host.env.get("CI_REGISTRY").is_some_and(is_gitlab)
}

/// GitLab, where everybody has projects.
const GITLAB: &str = "gitlab.com";

/// Whether `registry` is the registry of this job's GitLab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gitlab {
    /// It is, and may receive the job's password.
    Own,
    /// Only a variable says so, and `realm` does not know the registry.
    Unknown,
    /// It is not.
    No,
}

/// Finds out whether `registry` is the registry of this job's GitLab. Variables name it; a [`Realm::Named`] must
/// know it too: its host is that of the GitLab, or below it.
pub(crate) fn gitlab(host: &Host, realm: &Realm, registry: &str) -> Gitlab {
    let named = host.env.get("CI_REGISTRY");
    if !named.is_some_and(|named| named.eq_ignore_ascii_case(registry)) {
        return Gitlab::No;
    }
    let known = match realm {
        Realm::Environment => return Gitlab::Own,
        Realm::Named(None) => GITLAB.to_owned(),
        Realm::Named(Some(server)) => server.to_string(),
    };
    let registry = bare(registry);
    let below = registry.strip_suffix(known.as_str());
    if below.is_some_and(|sub| sub.is_empty() || sub.ends_with('.')) {
        Gitlab::Own
    } else {
        Gitlab::Unknown
    }
}

/// The hosts whose token endpoints may receive the password of a GitLab job for `registry`: the registry itself,
/// and the GitLab that issues its tokens.
pub(crate) fn gitlab_endpoints(host: &Host, realm: &Realm, registry: &str) -> Vec<String> {
    let own = bare(registry);
    let server = match realm {
        // Without the variable, as in a container that got only some of them, it is the domain above
        // (`registry.gitlab.com`, `gitlab.com`).
        Realm::Environment => {
            host.env.get("CI_SERVER_HOST").map(str::to_ascii_lowercase).or_else(|| {
                let (_, above) = own.split_once('.')?;
                above.contains('.').then(|| above.to_owned())
            })
        }
        Realm::Named(None) => Some(GITLAB.to_owned()),
        Realm::Named(Some(server)) => Some(server.to_string()),
    };
    [Some(own), server].into_iter().flatten().collect()
}

/// The host of `registry`, without its port, in lower case.
fn bare(registry: &str) -> String {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host.to_ascii_lowercase()
}

/// Returns `true` if `registry` is one of Google's, which accept an access token. With a port, it is not.
pub(crate) fn is_google(registry: &str) -> bool {
    registry == "gcr.io" || registry.ends_with(".gcr.io") || registry.ends_with(".pkg.dev")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ambisign_host::{Clock, Env, Host, Net, NetOptions};
    use ambisign_providers::Realm;

    use super::{Gitlab, gitlab, gitlab_endpoints, is_google};

    fn host(variables: &[(&str, &str)]) -> Host {
        let (env, clock) = (variables.iter().copied().collect::<Env>(), Clock::system());
        Host {
            net: Net::new(&env, clock, NetOptions::default()),
            env,
            clock,
            root: PathBuf::from("/"),
        }
    }

    /// A variable alone sends the password of a GitLab job anywhere: with `--public-instance` the GitLab must be
    /// known.
    #[test]
    fn ci_registry_alone_names_no_receiver() {
        let corp = Realm::Named(Some(url::Host::Domain("gitlab.corp.example".to_owned())));
        let (any, known) = (Realm::Environment, Realm::Named(None));
        for (registry, realm, expected) in [
            ("registry.gitlab.com", &any, Gitlab::Own),
            ("registry.gitlab.com", &known, Gitlab::Own),
            ("evil.example", &any, Gitlab::Own),
            ("evil.example", &known, Gitlab::Unknown),
            ("evilgitlab.com", &known, Gitlab::Unknown),
            ("registry.gitlab.com.evil.example", &known, Gitlab::Unknown),
            ("gitlab.corp.example:5050", &corp, Gitlab::Own),
            ("Registry.GitLab.corp.example", &corp, Gitlab::Own),
            ("registry.gitlab.com", &corp, Gitlab::Unknown),
        ] {
            let host = host(&[("CI_REGISTRY", registry)]);
            assert_eq!(gitlab(&host, realm, registry), expected, "{registry}");
            assert_eq!(gitlab(&host, realm, "other.example"), Gitlab::No);
        }
    }

    #[test]
    fn a_gitlab_password_is_for_two_hosts() {
        let (any, known) = (Realm::Environment, Realm::Named(None));
        let server = [("CI_SERVER_HOST", "git.corp.example")];
        for (variables, realm, registry, expected) in [
            (&[][..], &any, "registry.gitlab.com", &["registry.gitlab.com", "gitlab.com"][..]),
            (&[][..], &any, "gitlab.example:5050", &["gitlab.example"][..]),
            (&server[..], &any, "r.example:5050", &["r.example", "git.corp.example"][..]),
            (
                &server[..],
                &known,
                "registry.gitlab.com",
                &["registry.gitlab.com", "gitlab.com"][..],
            ),
        ] {
            assert_eq!(gitlab_endpoints(&host(variables), realm, registry), expected);
        }
    }

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
