// SPDX-License-Identifier: Apache-2.0
//! The variables that a credential helper gets, by its kind, in addition to those that any program may need
//! (`host/src/passed_on.rs`). docs/registries.md has the same table.

use ambisign_host::Host;
use ambisign_providers::Realm;

use crate::hosts::{self, Gitlab};

/// The beginning of the name of each helper.
pub(crate) const HELPER: &str = "docker-credential-";

/// Where container tools keep logins. Every helper may need them.
const TOOLS: [&str; 2] = ["DOCKER_CONFIG", "REGISTRY_AUTH_FILE"];

/// The helpers of one kind, by their names without [`HELPER`], and the variables that they read.
struct Kind {
    helpers: &'static [&'static str],
    sees: &'static [&'static str],
}

const AWS: &[&str] = &["AWS_*"];

/// The kinds of helpers, from their documentation and sources.
const KINDS: &[Kind] = &[
    Kind { helpers: &["ecr-login"], sees: AWS },
    Kind {
        helpers: &["gcloud", "gcr"],
        sees: &["CLOUDSDK_*", "GCE_METADATA_*", "GOOGLE_*", "NO_GCE_CHECK"],
    },
    Kind {
        helpers: &["acr", "acr-env", "acr-linux", "acr-login"],
        sees: &["AZURE_*", "IDENTITY_*", "IMDS_ENDPOINT", "MSI_*"],
    },
    Kind { helpers: &["pass"], sees: &["GNUPGHOME", "GPG_*", "PASSWORD_STORE_*"] },
    Kind {
        helpers: &["secretservice"],
        sees: &["DBUS_*", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"],
    },
    Kind { helpers: &["osxkeychain"], sees: &["SECURITYSESSIONID", "__CF_USER_TEXT_ENCODING"] },
    Kind {
        helpers: &["desktop", "desktop.exe", "wincred", "wincred.exe"],
        sees: &["DOCKER_CONTEXT", "DOCKER_HOST", "WSLENV", "WSL_*"],
    },
    Kind {
        helpers: &["gh", "gh-login", "ghcr", "ghcr-login"],
        sees: &["GH_CONFIG_DIR", "GH_HOST", "GITHUB_ACTOR"],
    },
    Kind { helpers: &["vault-login"], sees: &["VAULT_*"] },
];

/// The helper that reads a user and a password for each registry from variables with the name of its host.
const ENV: &str = "env";

/// First words of the names of helpers whose variables are those of a platform and not of the helper.
const OF_PLATFORMS: [&str; 11] = [
    "ACTIONS",
    "AMBISIGN",
    "BITBUCKET",
    "BUILDKITE",
    "CI",
    "CIRCLE",
    "CIRCLECI",
    "DOCKER",
    "GITHUB",
    "GITLAB",
    "SIGSTORE",
];

/// The variables that `program`, a helper that is asked about `server`, sees: names, or beginnings of names with a
/// `*` at the end.
pub(super) fn sees(program: &str, server: &str) -> Vec<String> {
    let helper = program.strip_prefix(HELPER).unwrap_or(program);
    let kind = KINDS.iter().find(|kind| kind.helpers.contains(&helper));
    let own = match kind {
        Some(kind) => kind.sees.iter().map(|name| (*name).to_owned()).collect(),
        None if helper == ENV => of_server(host_of(server)),
        None => of_name(helper),
    };
    TOOLS.map(str::to_owned).into_iter().chain(own).collect()
}

/// The variables of a helper without a row: those that begin with its name.
fn of_name(helper: &str) -> Vec<String> {
    let name = as_variable(helper).to_ascii_uppercase();
    if name.is_empty() || OF_PLATFORMS.contains(&name.split('_').next().unwrap_or_default()) {
        return Vec::new();
    }
    vec![format!("{name}_*")]
}

/// `DOCKER_repo_example_com_*` for the host `repo.example.com`, and the same for the domains above, as
/// docker-credential-env looks for them; for Amazon's registries also the variables of its credentials.
fn of_server(host: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = Some(host);
    while let Some(domain) = rest.filter(|domain| !domain.is_empty()) {
        names.push(format!("DOCKER_{}_*", as_variable(domain)));
        rest = domain.split_once('.').map(|(_, above)| above);
    }
    if host.ends_with(".amazonaws.com") {
        names.extend(AWS.iter().map(|name| (*name).to_owned()));
    }
    names
}

fn as_variable(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    text.chars().map(plain).collect()
}

/// The host and port of `server`, which is a host or a URL.
fn host_of(server: &str) -> &str {
    let name = server.strip_prefix("https://").unwrap_or(server);
    name.split('/').next().unwrap_or(name)
}

/// The logins of the job that a helper may see: only those for `server`, with what belongs to them.
pub(super) fn needs(host: &Host, realm: &Realm, server: &str) -> &'static [&'static str] {
    let name = host_of(server);
    if name == "ghcr.io" {
        return &["GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ACTOR"];
    }
    match hosts::gitlab(host, realm, name) {
        Gitlab::Own => &[
            "CI_REGISTRY_PASSWORD",
            "CI_JOB_TOKEN",
            "CI_DEPLOY_PASSWORD",
            "CI_DEPLOY_USER",
            "CI_REGISTRY",
            "CI_REGISTRY_USER",
            "CI_SERVER_HOST",
        ],
        Gitlab::No | Gitlab::Unknown => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ambisign_host::{Clock, Env, Host, Net, NetOptions};
    use ambisign_providers::Realm;

    use super::{KINDS, needs, sees};

    #[test]
    fn a_helper_sees_the_logins_for_its_registry() {
        let (env, clock) = (Env::from_iter([("CI_REGISTRY", "r.example:5050")]), Clock::system());
        let host = Host {
            net: Net::new(&env, clock, NetOptions::default()),
            env,
            clock,
            root: PathBuf::from("/"),
        };
        let (any, known) = (Realm::Environment, Realm::Named(None));
        for (server, realm, first) in [
            ("ghcr.io", &known, Some("GITHUB_TOKEN")),
            ("https://ghcr.io/v2/", &any, Some("GITHUB_TOKEN")),
            ("r.example:5050", &any, Some("CI_REGISTRY_PASSWORD")),
            ("r.example:5050", &known, None),
            ("r.example", &any, None),
            ("ghcr.io.example", &any, None),
            ("https://index.docker.io/v1/", &any, None),
        ] {
            assert_eq!(needs(&host, realm, server).first().copied(), first, "{server}");
        }
    }

    #[test]
    fn a_helper_sees_the_variables_of_its_kind() {
        let seen = |helper: &str, server: &str| {
            let seen = sees(&format!("docker-credential-{helper}"), server);
            assert_eq!(seen[..2], ["DOCKER_CONFIG", "REGISTRY_AUTH_FILE"]);
            seen[2..].join(" ")
        };
        let hub = "https://index.docker.io/v1/";
        for (helper, server, expected) in [
            ("ecr-login", hub, "AWS_*"),
            ("gcloud", hub, "CLOUDSDK_* GCE_METADATA_* GOOGLE_* NO_GCE_CHECK"),
            ("pass", hub, "GNUPGHOME GPG_* PASSWORD_STORE_*"),
            ("jfrog", hub, "JFROG_*"),
            ("my-own.1", hub, "MY_OWN_1_*"),
            ("env", "r-1.example:5000", "DOCKER_r_1_example_5000_* DOCKER_example_5000_*"),
            ("ci", hub, ""),
            ("github-token", hub, ""),
            ("docker", hub, ""),
        ] {
            assert_eq!(seen(helper, server), expected, "{helper}");
        }
        let aws = seen("env", "1.dkr.ecr.eu-west-1.amazonaws.com");
        assert!(aws.ends_with(" AWS_*"), "{aws}");
    }

    /// A pattern that is too short would pass on the variables of others.
    #[test]
    fn no_kind_takes_all() {
        for pattern in KINDS.iter().flat_map(|kind| kind.sees) {
            let prefix = pattern.strip_suffix('*').unwrap_or(pattern);
            assert!(prefix.len() >= 4 && !prefix.contains('*'), "{pattern}");
        }
    }
}
