// SPDX-License-Identifier: Apache-2.0
//! The profiles: what each registry does that the specification does not say, and where that is known
//! from. Their dates are those of the reports; nobody asked a hosted registry from here.

use std::time::Duration;

use crate::common::fault::Fault::{Cached, RedirectTo, RetryAfter, Rewrite, Status};
use crate::common::fault::{At, Condition, Fault, FaultProxy, Rule, Seen, Turn};
use crate::common::{Registry, Stack};

/// How long a late replica is late here. Reports say 10 s.
const LATE: Duration = Duration::from_secs(2);

/// A registry of the field.
pub(crate) struct Profile {
    /// Its name.
    pub(crate) name: &'static str,
    /// The real registry behind it.
    pub(crate) base: Registry,
    /// What it does otherwise.
    pub(crate) deviations: Vec<Deviation>,
    /// What comes of it, in the order of [`Situation::ALL`].
    pub(crate) expected: [Expected; 4],
    /// Where it redirects what it does not serve.
    _pages: Option<FaultProxy>,
}

/// One thing that a registry does otherwise.
pub(crate) struct Deviation {
    /// What it is.
    pub(crate) what: &'static str,
    /// Where that is known from.
    pub(crate) source: &'static str,
    /// How it is done.
    pub(crate) rules: Vec<Rule>,
}

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Situation {
    /// One image.
    One,
    /// An index and what it lists.
    Index,
    /// Fifty images in one run.
    Fifty,
    /// One image that somebody else signs at the same time.
    Writer,
}

impl Situation {
    /// In the order of the table.
    pub(crate) const ALL: [Self; 4] = [Self::One, Self::Index, Self::Fifty, Self::Writer];
    /// In the order of play.
    pub(crate) const SLOWEST_FIRST: [Self; 4] = [Self::Fifty, Self::Writer, Self::Index, Self::One];

    /// As the table says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::One => "one image",
            Self::Index => "an index",
            Self::Fifty => "50 images",
            Self::Writer => "another writer",
        }
    }
}

/// What comes of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Signed, and found by cosign 3.
    Signed,
    /// Refused before a certificate.
    Before(Refusal),
    /// Refused after the log entry, because only a push can tell.
    After(Refusal),
    /// Of two writers one is refused so.
    OneAfter(Refusal),
}

/// How a run is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) exit: i32,
    /// A part of the fix.
    pub(crate) fix: &'static str,
    /// What is done then.
    pub(crate) then: Then,
}

/// What follows the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The image is named where it is. It is found through the profile.
    NameThere,
    /// Whoever runs the registry does away with the deviation.
    Operator,
    /// `--signature-repository`.
    SignatureRepository,
}

const SIGNATURE_REPOSITORY: &str = "`--signature-repository";
const SIGNED: [Expected; 4] = [Expected::Signed; 4];

/// Every profile.
pub(crate) fn all(stack: &Stack) -> Vec<Profile> {
    let mut all = vec![
        plain("docker-registry 2.8", Registry::Fallback),
        plain("go-containerregistry", Registry::Referrers),
        ghcr(),
        gitlab(),
    ];
    all.extend([ecr(), ecr_without_api(), harbor(), harbor_strict(), quay()]);
    all.extend([artifactory(), acr(), replicas(), docker_hub()]);
    all.extend([registry_k8s_io(stack), front(stack)]);
    all.extend([cache(), proxy_html(), proxy_index()]);
    all
}

fn of(name: &'static str, base: Registry, deviations: Vec<Deviation>) -> Profile {
    Profile { name, base, deviations, expected: SIGNED, _pages: None }
}

fn plain(name: &'static str, base: Registry) -> Profile {
    of(name, base, Vec::new())
}

/// A rule for each of two methods that read.
fn reads(at: At, fault: &Fault) -> Vec<Rule> {
    let rule = |method| Rule::on(method, at, fault.clone());
    ["GET", "HEAD"].map(rule).into()
}

/// Whether a request is about a tag and not a digest.
fn is_tag(seen: &Seen, _body: &[u8]) -> bool {
    let name = seen.path.rsplit('/').next().unwrap_or_default();
    seen.path.contains("/manifests/") && !name.contains(':')
}

fn same(path: &str) -> String {
    path.to_owned()
}

fn no_referrers() -> Deviation {
    Deviation {
        what: "has no referrers API",
        source: "the specification allows it",
        rules: reads(At::Contains("/referrers/"), &Status(404, &[], "")),
    }
}

fn ghcr() -> Profile {
    let nothing =
        Rule { method: None, at: At::Any, turn: Turn::Every, fault: Status(404, &[], "Not Found") };
    let pages = FaultProxy::start("127.0.0.1:9", vec![nothing]);
    let url = format!("{}/-/v2/packages/container/package", pages.url());
    let location: &[(&str, &str)] = Box::leak(Box::new([("location", &*url.leak())]));
    let away = Status(303, location, "");
    let of_tags = away.clone().when(Condition::Absent).when(Condition::Asked(is_tag));
    let deviations = vec![
        Deviation {
            what: "redirects queries for referrers to its web pages",
            source: "artifacthub/hub#4785, NVIDIA/aicr#1957, sbomify#1624",
            rules: reads(At::Contains("/referrers/"), &away),
        },
        Deviation {
            what: "redirects reads of missing tags too",
            source: "fluxcd/source-controller#2050",
            rules: reads(At::Contains("/manifests/"), &of_tags),
        },
    ];
    Profile { _pages: Some(pages), ..of("ghcr.io", Registry::Fallback, deviations) }
}

fn gitlab() -> Profile {
    fn as_digest(path: &str) -> String {
        if path.ends_with(".sig") {
            return path.to_owned();
        }
        path.replace("/manifests/sha256-", "/manifests/sha256:")
    }
    let at = At::Contains("/manifests/sha256-");
    let invalid = Status(400, &[], r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#);
    let is_fallback = |seen: &Seen, _: &[u8]| !seen.path.ends_with(".sig");
    let invalid = invalid.when(Condition::There(as_digest));
    let mut rules = reads(at, &Rewrite(as_digest));
    rules.push(Rule::on("PUT", at, invalid.when(Condition::Asked(is_fallback))));
    let tag_is_digest = Deviation {
        what: "takes the tag `sha256-<hex>` for the digest `sha256:<hex>`",
        source: "oras-project/oras-go#1396, sigstore/cosign#4569",
        rules,
    };
    let refusal = Expected::Before(Refusal {
        code: "registry/tag-is-subject",
        exit: 6,
        fix: SIGNATURE_REPOSITORY,
        then: Then::SignatureRepository,
    });
    Profile {
        expected: [refusal; 4],
        ..of("registry.gitlab.com", Registry::Fallback, vec![no_referrers(), tag_is_digest])
    }
}

fn immutable_tags() -> Deviation {
    let said = r#"{"errors":[{"code":"TAG_INVALID","message":"The image tag already exists in the repository and cannot be overwritten because the tag is immutable."}]}"#;
    let refused = Status(400, &[], said).when(Condition::There(same));
    Deviation {
        what: "refuses a second write of a tag",
        source: "aws/containers-roadmap#2613",
        rules: vec![Rule::on(
            "PUT",
            At::Contains("/manifests/"),
            refused.when(Condition::Asked(is_tag)),
        )],
    }
}

fn ecr() -> Profile {
    of("Amazon ECR, immutable tags", Registry::Referrers, vec![immutable_tags()])
}

fn ecr_without_api() -> Profile {
    let [one, index, fifty, _] = SIGNED;
    let refusal = Refusal {
        code: "registry/immutable-tag",
        exit: 6,
        fix: SIGNATURE_REPOSITORY,
        then: Then::SignatureRepository,
    };
    Profile {
        expected: [one, index, fifty, Expected::OneAfter(refusal)],
        ..of("immutable tags, no referrers API", Registry::Fallback, vec![immutable_tags()])
    }
}

const NOT_SIGNED: Fault = Status(
    412,
    &[],
    r#"{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"The image is not signed in Cosign."}]}"#,
);

fn harbor() -> Profile {
    let is_consumer = |seen: &Seen, _: &[u8]| {
        let agents = seen.headers.iter().filter(|(name, _)| name == "user-agent");
        let mut agents = agents.map(|(_, value)| value.to_ascii_lowercase());
        !agents.any(|agent| agent.contains("cosign") || agent.contains("notation"))
    };
    let hidden = NOT_SIGNED.when(Condition::Asked(is_consumer));
    let content_trust = Deviation {
        what: "hides unsigned images from clients that do not sign, by their name",
        source: "goharbor/harbor, src/server/middleware/contenttrust and cosign",
        rules: reads(At::Contains("/manifests/"), &hidden),
    };
    of("Harbor, content trust", Registry::Referrers, vec![content_trust])
}

fn harbor_strict() -> Profile {
    let content_trust = Deviation {
        what: "hides unsigned images from everybody",
        source: "goharbor/harbor, CONTENT_TRUST_LEGACY_SIGNER_PULL_ENABLED=false",
        rules: reads(At::Contains("/manifests/sha256:"), &NOT_SIGNED),
    };
    let refusal = Expected::Before(Refusal {
        code: "registry/policy",
        exit: 6,
        fix: "turn the policy off until the image is signed",
        then: Then::Operator,
    });
    Profile {
        expected: [refusal; 4],
        ..of("Harbor, signers not excepted", Registry::Referrers, vec![content_trust])
    }
}

fn quay() -> Profile {
    let is_bundle = |_: &Seen, body: &[u8]| {
        String::from_utf8_lossy(body).contains("application/vnd.dev.sigstore.bundle")
    };
    let said = r#"{"errors":[{"code":"MANIFEST_INVALID","detail":{"message":"manifest schema mismatch"},"message":"manifest invalid"}]}"#;
    let refused = Status(400, &[], said).when(Condition::Asked(is_bundle));
    let allow_list = Deviation {
        what: "refuses manifests of types outside its allow-list",
        source: "sigstore/cosign#1424",
        rules: vec![Rule::on("PUT", At::Contains("/manifests/"), refused)],
    };
    let refusal = Expected::After(Refusal {
        code: "registry/refused",
        exit: 6,
        fix: "content is restricted",
        then: Then::Operator,
    });
    Profile {
        expected: [refusal; 4],
        ..of("Quay, allow-list without bundles", Registry::Referrers, vec![allow_list])
    }
}

fn artifactory() -> Profile {
    let denied = Status(403, &[], r#"{"errors":[{"code":"DENIED"}]}"#);
    let denied = denied.when(Condition::Absent).when(Condition::Asked(is_tag));
    let absent = Deviation {
        what: "answers 403 for a tag that is not there",
        source: "a report of issue 15",
        rules: reads(At::Contains("/manifests/"), &denied),
    };
    of("Artifactory", Registry::Fallback, vec![no_referrers(), absent])
}

fn acr() -> Profile {
    let late_image = Rule::on("GET", At::Contains("/manifests/sha256:"), Status(404, &[], ""));
    let deviations = vec![
        Deviation {
            what: "does not show an image that was pushed a moment ago",
            source: "a report of issue 15",
            rules: vec![late_image.turn(Turn::First(1))],
        },
        Deviation {
            what: "lists referrers late",
            source: "giantswarm/retagger#1237, #1239",
            rules: vec![Rule::on("GET", At::Contains("/referrers/"), Cached(LATE))],
        },
    ];
    of("Azure Container Registry", Registry::Referrers, deviations)
}

fn replicas() -> Profile {
    let old = Deviation {
        what: "shows an old tag for a while",
        source: "a report of issue 15",
        rules: vec![Rule::on("GET", At::Contains("/manifests/sha256-"), Cached(LATE))],
    };
    of("replicas with old tags", Registry::Fallback, vec![old])
}

fn docker_hub() -> Profile {
    let limited = Rule::on("GET", At::Contains("/manifests/"), RetryAfter(1));
    let limit = Deviation {
        what: "limits pulls",
        source: "its documentation",
        rules: vec![limited.turn(Turn::First(1))],
    };
    of("Docker Hub", Registry::Referrers, vec![limit])
}

fn away(stack: &Stack) -> Fault {
    RedirectTo(format!("http://{}", Registry::Fallback.host(stack)))
}

fn registry_k8s_io(stack: &Stack) -> Profile {
    let mut rules = reads(At::Any, &away(stack));
    rules.extend(["POST", "PUT"].map(|method| Rule::on(method, At::Any, Status(405, &[], ""))));
    let front = Deviation {
        what: "redirects reads to another registry, and takes no writes",
        source: "kubernetes/registry.k8s.io",
        rules,
    };
    let refusal = Expected::Before(Refusal {
        code: "registry/redirect",
        exit: 5,
        fix: "name the image at `127.0.0.1:",
        then: Then::NameThere,
    });
    Profile { expected: [refusal; 4], ..of("registry.k8s.io", Registry::Fallback, vec![front]) }
}

fn front(stack: &Stack) -> Profile {
    let all = Rule { method: None, at: At::Any, turn: Turn::Every, fault: away(stack) };
    let front = Deviation {
        what: "redirects everything to another registry, writes too",
        source: "names of one's own before a hosted registry",
        rules: vec![all],
    };
    let refusal = Expected::Before(Refusal {
        code: "registry/redirect",
        exit: 5,
        fix: "name the image at `127.0.0.1:",
        then: Then::NameThere,
    });
    Profile {
        expected: [refusal; 4],
        ..of("a front that redirects", Registry::Fallback, vec![front])
    }
}

fn cache() -> Profile {
    let refused = Status(405, &[], r#"{"errors":[{"code":"UNSUPPORTED"}]}"#);
    let no_writes = Deviation {
        what: "takes no writes",
        source: "distribution/distribution, proxy mode",
        rules: ["POST", "PUT"].map(|method| Rule::on(method, At::Any, refused.clone())).into(),
    };
    let refusal = Expected::Before(Refusal {
        code: "registry/refused",
        exit: 6,
        fix: "name the repository to which the image was pushed",
        then: Then::NameThere,
    });
    Profile {
        expected: [refusal; 4],
        ..of("a pull-through cache", Registry::Fallback, vec![no_writes])
    }
}

fn proxy_html() -> Profile {
    let page = Deviation {
        what: "answers the referrers API, which it does not have, with a page",
        source: "sigstore/cosign#4641 and earlier",
        rules: reads(At::Contains("/referrers/"), &Fault::Html),
    };
    of("a proxy that answers with a page", Registry::Fallback, vec![page])
}

fn proxy_index() -> Profile {
    let empty = Status(
        200,
        &[("content-type", "application/vnd.oci.image.index.v1+json")],
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
    );
    let index = Deviation {
        what: "answers the referrers API, which it does not have, with an empty index",
        source: "sigstore/cosign#4641 and earlier",
        rules: reads(At::Contains("/referrers/"), &empty),
    };
    let refusal = Expected::After(Refusal {
        code: "registry/not-visible",
        exit: 75,
        fix: "see whether a proxy answers `/referrers/` in place of the registry",
        then: Then::Operator,
    });
    Profile {
        expected: [refusal; 4],
        ..of("a proxy that answers with an empty list", Registry::Fallback, vec![index])
    }
}
