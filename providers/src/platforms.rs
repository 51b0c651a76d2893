// SPDX-License-Identifier: Apache-2.0
//! Platforms that are recognised, but do not provide a suitable token by themselves.
//!
//! A CI system among them keeps its jobs from using the identity of the machine. Otherwise they do not
//! affect the choice; their names and fixes are shown in errors and notes.

use ambisign_host::Host;

use crate::{Kind, Options, PlatformHint};

/// The placeholder for the recommended token variable in a fix.
const VARIABLE: &str = "{variable}";
/// The placeholder for the audience in a fix.
const AUDIENCE: &str = "{audience}";

/// A platform and the way to recognise it.
#[derive(Clone, Copy, Debug)]
pub struct Platform {
    /// Its display name.
    pub name: &'static str,
    /// The kind of identity that it would have.
    pub kind: Kind,
    /// The variables or files that identify it, for messages.
    pub marks: &'static [&'static str],
    here: fn(&Host) -> bool,
    fix: &'static str,
}

/// Every such platform.
pub static PLATFORMS: &[Platform] = &[
    Platform {
        name: "AppVeyor",
        kind: Kind::Ci,
        marks: &["APPVEYOR"],
        here: |host| host.env.get("APPVEYOR").is_some(),
        fix: BRING,
    },
    Platform {
        name: "Azure Pipelines",
        kind: Kind::Ci,
        marks: &["TF_BUILD"],
        here: |host| host.env.get("TF_BUILD").is_some(),
        fix: "set `{variable}` to a token of an issuer that the recipient trusts: those of Azure \
              DevOps are bound to a service connection",
    },
    Platform {
        name: "Bitbucket Pipelines",
        kind: Kind::Ci,
        marks: &["BITBUCKET_BUILD_NUMBER"],
        here: |host| host.env.get("BITBUCKET_BUILD_NUMBER").is_some(),
        fix: "give the step `oidc: {audiences: [{audience}]}`, set `{variable}` to \
              `$BITBUCKET_STEP_OIDC_TOKEN`, and use a recipient that trusts Bitbucket",
    },
    Platform {
        name: "Buddy",
        kind: Kind::Ci,
        marks: &["BUDDY"],
        here: |host| host.env.get("BUDDY") == Some("true"),
        fix: BRING,
    },
    Platform {
        name: "Drone",
        kind: Kind::Ci,
        marks: &["DRONE"],
        here: |host| host.env.get("DRONE") == Some("true"),
        fix: BRING,
    },
    Platform {
        name: "Harness",
        kind: Kind::Ci,
        marks: &["HARNESS_BUILD_ID"],
        here: |host| host.env.get("HARNESS_BUILD_ID").is_some(),
        fix: BRING,
    },
    Platform {
        name: "Jenkins",
        kind: Kind::Ci,
        marks: &["JENKINS_URL"],
        here: |host| host.env.get("JENKINS_URL").is_some(),
        fix: "bind an OpenID Connect id-token credential with audience `{audience}` to \
              `{variable}`, and use a recipient that trusts this Jenkins",
    },
    Platform {
        name: "Semaphore",
        kind: Kind::Ci,
        marks: &["SEMAPHORE"],
        here: |host| host.env.get("SEMAPHORE") == Some("true"),
        fix: BRING,
    },
    Platform {
        name: "TeamCity",
        kind: Kind::Ci,
        marks: &["TEAMCITY_VERSION"],
        here: |host| host.env.get("TEAMCITY_VERSION").is_some(),
        fix: BRING,
    },
    Platform {
        name: "Terraform Cloud",
        kind: Kind::Ci,
        marks: &["TFC_RUN_ID"],
        here: |host| host.env.get("TFC_RUN_ID").is_some(),
        fix: BRING,
    },
    Platform {
        name: "Travis CI",
        kind: Kind::Ci,
        marks: &["TRAVIS"],
        here: |host| host.env.get("TRAVIS") == Some("true"),
        fix: BRING,
    },
    Platform {
        name: "Woodpecker",
        kind: Kind::Ci,
        marks: &["CI_SYSTEM_NAME"],
        here: |host| {
            host.env.get("CI_SYSTEM_NAME") == Some("woodpecker")
                || host.env.get("CI") == Some("woodpecker")
        },
        fix: BRING,
    },
    Platform {
        name: "AWS",
        kind: Kind::Machine,
        marks: &["CODEBUILD_BUILD_ID", "AWS_LAMBDA_FUNCTION_NAME", "ECS_CONTAINER_METADATA_URI_V4"],
        here: |host| {
            ["CODEBUILD_BUILD_ID", "AWS_LAMBDA_FUNCTION_NAME"]
                .into_iter()
                .chain(["ECS_CONTAINER_METADATA_URI_V4"])
                .any(|name| host.env.get(name).is_some())
        },
        fix: "run on EKS with a projected token of audience `{audience}`, or set `{variable}` to a \
              token of your CI",
    },
    Platform {
        name: "AWS workload identity of a pod",
        kind: Kind::Machine,
        marks: &["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
        here: |host| {
            ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
                .into_iter()
                .any(|name| host.env.get(name).is_some())
        },
        fix: PROJECT,
    },
    Platform {
        name: "Azure workload identity of a pod",
        kind: Kind::Machine,
        marks: &["AZURE_FEDERATED_TOKEN_FILE"],
        here: |host| host.env.get("AZURE_FEDERATED_TOKEN_FILE").is_some(),
        fix: PROJECT,
    },
    Platform {
        name: "Kubernetes",
        kind: Kind::Machine,
        marks: &["/var/run/secrets/kubernetes.io/serviceaccount/token"],
        here: |host| host.path("/var/run/secrets/kubernetes.io/serviceaccount/token").exists(),
        fix: PROJECT,
    },
];

const BRING: &str = "set `{variable}` to an OIDC token with audience `{audience}` of an issuer that the recipient \
     trusts";

/// The existing tokens of a pod are for the API server or for a cloud, so they must not be sent to another
/// service.
const PROJECT: &str =
    "mount a projected `serviceAccountToken` with audience `{audience}` at `{file}`";

impl Platform {
    /// The platform, if it is detected.
    pub fn detect(&self, host: &Host, options: &Options) -> Option<PlatformHint> {
        (self.here)(host).then(|| PlatformHint {
            name: self.name,
            fix: self
                .fix
                .replace(VARIABLE, &options.variable())
                .replace(AUDIENCE, &options.audience)
                .replace("{file}", &options.token_file.display().to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::PLATFORMS;
    use crate::PROVIDERS;
    use crate::choose::tests::Place;

    #[test]
    fn a_platform_with_a_provider_is_not_listed_here() {
        for platform in PLATFORMS {
            let provider = PROVIDERS.iter().find(|row| {
                row.kind == platform.kind && row.marks().any(|mark| platform.marks.contains(&mark))
            });
            let name = provider.map(|row| row.name);
            assert!(name.is_none(), "{} is the provider {name:?}", platform.name);
        }
    }

    #[test]
    fn every_variable_shows_its_platform_and_fixes_are_complete() {
        for platform in PLATFORMS {
            for mark in platform.marks {
                let place = if mark.starts_with('/') {
                    Place::new().file(mark, "token")
                } else {
                    let value = match platform.name {
                        "Woodpecker" => "woodpecker",
                        _ => "true",
                    };
                    Place::new().var(mark, value)
                };
                let hint = platform.detect(&place.host(), &place.options());
                let fix = hint.expect(mark).fix;
                for placeholder in ["{variable}", "{audience}", "{file}", "  "] {
                    assert!(!fix.contains(placeholder), "{fix}");
                }
            }
            assert!(platform.detect(&Place::new().host(), &Place::new().options()).is_none());
        }
    }
}
