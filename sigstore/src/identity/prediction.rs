// SPDX-License-Identifier: Apache-2.0
//! Predicts the identity and issuer that Fulcio will write into the certificate.
//!
//! The rules are those of the public instance's configuration. For a private Fulcio, or an issuer that
//! is not listed here, nothing is predicted.

use serde_json::{Map, Value};

use super::claims::text;
use super::error::IdentityError;

type Claims = Map<String, Value>;

/// The prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// The certificate must have exactly these values.
    Known {
        /// The subject alternative name.
        san: String,
        /// The issuer extension (1.3.6.1.4.1.57264.1.8).
        issuer: String,
    },
    /// The rules of this issuer are not known. The identity in the certificate must consist of the
    /// token's claims, and it is printed.
    Unknown,
}

/// Claims that GitHub's certificates are made of.
const GITHUB: &[&str] = &[
    "job_workflow_ref",
    "job_workflow_sha",
    "sha",
    "event_name",
    "repository",
    "workflow",
    "ref",
    "runner_environment",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "workflow_ref",
    "workflow_sha",
    "run_id",
    "run_attempt",
];
/// Claims that GitLab's certificates are made of.
const GITLAB: &[&str] = &[
    "ci_config_ref_uri",
    "ci_config_sha",
    "runner_environment",
    "project_path",
    "sha",
    "ref",
    "ref_type",
    "project_id",
    "namespace_path",
    "namespace_id",
    "pipeline_source",
    "job_id",
    "project_visibility",
];
/// Claims that Buildkite's certificates are made of.
pub(super) const BUILDKITE: &[&str] = &["organization_slug", "pipeline_slug"];
/// Claims that CircleCI's certificates are made of. Fulcio takes missing ones as empty.
pub(super) const CIRCLECI: &[&str] =
    &["oidc.circleci.com/project-id", "oidc.circleci.com/pipeline-definition-id"];
/// Claims that Codefresh's certificates are made of.
pub(super) const CODEFRESH: &[&str] =
    &["account_name", "pipeline_name", "account_id", "pipeline_id"];
/// Claims that Buddy's certificates are made of.
pub(super) const BUDDY: &[&str] = &["workspace_domain", "project_name", "pipeline_id"];

const GITLAB_ISSUERS: &[&str] = &[
    "https://gitlab.com",
    "https://dev.gitlab.org",
    "https://ops.gitlab.net",
    "https://gitlab.archlinux.org",
];
const EMAIL_ISSUERS: &[&str] = &[
    "https://accounts.google.com",
    "https://auth.eclipse.org/auth/realms/foundation-service-accounts",
    "https://issuer.hello.coop",
    "https://www.kaggle.com/api/v1/models/signing",
    "https://sigstore.verify.ibm.com/oauth2",
];
const DEX_ISSUERS: &[&str] =
    &["https://oauth2.sigstore.dev/auth", "https://oauth2.sigstage.dev/auth"];

/// Predicts the certificate for `claims` of `issuer`.
///
/// # Errors
/// The rule of this issuer needs a claim that is missing.
pub(crate) fn predict(issuer: &str, claims: &Claims) -> Result<Prediction, IdentityError> {
    let reader = Reader { issuer, claims };
    let san = match rule(issuer) {
        Rule::Buddy => {
            let [workspace, project, pipeline] = reader.all(BUDDY)?;
            let base = reader.or("base_url", "https://app.buddy.works");
            format!("{base}/{workspace}/{project}/pipelines/pipeline/{pipeline}")
        }
        Rule::Buildkite => {
            let [organization, pipeline] = reader.all(BUILDKITE)?;
            format!("https://buildkite.com/{organization}/{pipeline}")
        }
        Rule::Chainguard => format!("{issuer}/{}", reader.need("sub")?),
        Rule::CircleCi => {
            let [project, definition] = reader.all(CIRCLECI)?;
            format!(
                "https://circleci.com/api/v2/projects/{project}/pipeline-definitions/{definition}"
            )
        }
        Rule::Codefresh => {
            let [account, pipeline, account_id, pipeline_id] = reader.all(CODEFRESH)?;
            let base = reader.or("platform_url", "https://g.codefresh.io");
            format!("{base}/{account}/{pipeline}:{account_id}/{pipeline_id}")
        }
        Rule::Dex => {
            let connector = claims.get("federated_claims").and_then(|c| c.get("connector_id"));
            let Some(issuer) = connector.and_then(Value::as_str).map(str::to_owned) else {
                return Ok(Prediction::Unknown);
            };
            return Ok(Prediction::Known { san: reader.email()?, issuer });
        }
        Rule::Email => reader.email()?,
        Rule::GitHub => {
            let [workflow, ..] = reader.all::<16>(GITHUB)?;
            format!("https://github.com/{workflow}")
        }
        Rule::GitLab => {
            let [config, ..] = reader.all::<13>(GITLAB)?;
            format!("https://{config}")
        }
        Rule::Kubernetes => reader.service_account()?,
        Rule::Unknown => return Ok(Prediction::Unknown),
    };
    Ok(Prediction::Known { san, issuer: issuer.to_owned() })
}

/// The kinds of issuers with rules of their own.
enum Rule {
    Buddy,
    Buildkite,
    Chainguard,
    CircleCi,
    Codefresh,
    Dex,
    Email,
    GitHub,
    GitLab,
    Kubernetes,
    Unknown,
}

fn rule(issuer: &str) -> Rule {
    match issuer {
        "https://agent.buildkite.com" => Rule::Buildkite,
        "https://issuer.enforce.dev" => Rule::Chainguard,
        "https://oidc.circleci.com" => Rule::CircleCi,
        "https://oidc.codefresh.io" => Rule::Codefresh,
        "https://oidc.buddyusercontent.com"
        | "https://eu-oidc.buddyusercontent.com"
        | "https://asia-oidc.buddyusercontent.com" => Rule::Buddy,
        "https://token.actions.githubusercontent.com" => Rule::GitHub,
        _ if matches("https://token.actions.githubusercontent.com/*", issuer) => Rule::GitHub,
        _ if matches("https://oidc.circleci.com/org/*", issuer) => Rule::CircleCi,
        _ if GITLAB_ISSUERS.contains(&issuer) => Rule::GitLab,
        _ if EMAIL_ISSUERS.contains(&issuer) => Rule::Email,
        _ if DEX_ISSUERS.contains(&issuer) => Rule::Dex,
        _ if KUBERNETES.iter().any(|pattern| matches(pattern, issuer)) => Rule::Kubernetes,
        _ => Rule::Unknown,
    }
}

/// Clusters whose issuers the public instance trusts.
const KUBERNETES: &[&str] = &[
    "https://container.googleapis.com/v1/projects/*/locations/*/clusters/*",
    "https://oidc.eks.*.amazonaws.com/id/*",
    "https://oidc.prod-aks.azure.com/*",
    "https://oidc.prod-aks.azure.com/*/",
    "https://oidc.prod-aks.azure.com/*/*",
    "https://*.oic.prod-aks.azure.com/*/*",
    "https://*.oic.prod-aks.azure.com/*/*/",
];

/// Matches the whole of `text`; `*` stands for one or more of `[-_a-zA-Z0-9]`, as in Fulcio's
/// configuration.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((literal, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(tail) = text.strip_prefix(literal) else {
        return false;
    };
    let stars = tail.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    let end = stars.unwrap_or(tail.len());
    // No literal after a star begins with a character that the star can match, so only the longest run
    // can match.
    end > 0 && matches(rest, tail.get(end..).unwrap_or_default())
}

/// Reads claims and reports the missing one.
struct Reader<'a> {
    issuer: &'a str,
    claims: &'a Claims,
}

impl Reader<'_> {
    /// Numbers count as text, as in Fulcio; `null` and the empty string count as missing.
    fn need(&self, claim: &'static str) -> Result<String, IdentityError> {
        let found = match self.claims.get(claim) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) | None => None,
        };
        let missing = || IdentityError::MissingClaim { issuer: self.issuer.to_owned(), claim };
        found.ok_or_else(missing)
    }

    /// All of `names`, the first `N` of them as values.
    fn all<const N: usize>(&self, names: &[&'static str]) -> Result<[String; N], IdentityError> {
        let mut values = [const { String::new() }; N];
        for (index, name) in names.iter().enumerate() {
            let value = self.need(name)?;
            if let Some(slot) = values.get_mut(index) {
                *slot = value;
            }
        }
        Ok(values)
    }

    fn or(&self, claim: &str, default: &str) -> String {
        text(self.claims, claim).unwrap_or(default).to_owned()
    }

    fn email(&self) -> Result<String, IdentityError> {
        let email = self.need("email")?;
        match self.claims.get("email_verified") {
            Some(Value::Bool(true)) => Ok(email),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(email),
            Some(_) | None => {
                Err(IdentityError::EmailNotVerified { issuer: self.issuer.to_owned() })
            }
        }
    }

    /// Checks that the parts are present, because Fulcio does not.
    fn service_account(&self) -> Result<String, IdentityError> {
        let pod = self.claims.get("kubernetes.io");
        let part = |value: Option<&Value>| {
            value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let namespace = part(pod.and_then(|pod| pod.get("namespace")));
        let account = part(pod.and_then(|pod| pod.get("serviceaccount")?.get("name")));
        let (Some(namespace), Some(account)) = (namespace, account) else {
            let issuer = self.issuer.to_owned();
            return Err(IdentityError::MissingClaim { issuer, claim: "kubernetes.io" });
        };
        Ok(format!("https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{account}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{GITHUB, GITLAB, Prediction, matches, predict};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn known(issuer: &str, claims: Value) -> (String, String) {
        match predict(issuer, &object(claims)).unwrap() {
            Prediction::Known { san, issuer } => (san, issuer),
            Prediction::Unknown => panic!("{issuer} is unknown"),
        }
    }

    /// Issuers whose certificates have a name of several claims (Fulcio, `config/identity/config.yaml`).
    #[test]
    fn names_put_together_by_fulcio() {
        let buddy = "https://oidc.buddyusercontent.com";
        for (issuer, claims, name) in [
            (
                "https://agent.buildkite.com",
                json!({"organization_slug": "acme", "pipeline_slug": "app"}),
                "https://buildkite.com/acme/app",
            ),
            ("https://issuer.enforce.dev", json!({"sub": "id"}), "https://issuer.enforce.dev/id"),
            (
                "https://oidc.circleci.com/org/0-1",
                json!({"oidc.circleci.com/project-id": "p",
                    "oidc.circleci.com/pipeline-definition-id": 7}),
                "https://circleci.com/api/v2/projects/p/pipeline-definitions/7",
            ),
            (
                "https://oidc.circleci.com",
                json!({"oidc.circleci.com/project-id": "p",
                    "oidc.circleci.com/pipeline-definition-id": "d"}),
                "https://circleci.com/api/v2/projects/p/pipeline-definitions/d",
            ),
            (
                "https://oidc.codefresh.io",
                json!({"account_name": "acme", "pipeline_name": "app", "account_id": "a",
                    "pipeline_id": "p"}),
                "https://g.codefresh.io/acme/app:a/p",
            ),
            (
                buddy,
                json!({"workspace_domain": "acme", "project_name": "app", "pipeline_id": 7}),
                "https://app.buddy.works/acme/app/pipelines/pipeline/7",
            ),
            (
                "https://eu-oidc.buddyusercontent.com",
                json!({"workspace_domain": "acme", "project_name": "app", "pipeline_id": 7,
                    "base_url": "https://buddy.example"}),
                "https://buddy.example/acme/app/pipelines/pipeline/7",
            ),
        ] {
            assert_eq!(known(issuer, claims.clone()), (name.to_owned(), issuer.to_owned()));
            // Every claim is needed but those that name a server, and none may be empty.
            for claim in claims.as_object().unwrap().keys().filter(|key| *key != "base_url") {
                let mut without = object(claims.clone());
                without.insert(claim.clone(), json!(""));
                assert!(predict(issuer, &without).is_err(), "{issuer} {claim}");
            }
        }
    }

    #[test]
    fn an_address_must_be_verified() {
        for (verified, good) in [
            (json!(true), true),
            (json!("True"), true),
            (json!("yes"), false),
            (json!(false), false),
            (json!(null), false),
        ] {
            let claims = json!({"email": "joe@example.test", "email_verified": verified});
            let found = predict("https://accounts.google.com", &object(claims));
            assert_eq!(found.is_ok(), good, "{verified}");
        }
    }

    #[test]
    fn github_with_and_without_enterprise_slug() {
        let mut claims: Map<String, Value> =
            GITHUB.iter().map(|name| ((*name).to_owned(), json!("x"))).collect();
        claims.insert(
            "job_workflow_ref".to_owned(),
            json!("o/r/.github/workflows/f.yml@refs/heads/m"),
        );
        for issuer in [
            "https://token.actions.githubusercontent.com",
            "https://token.actions.githubusercontent.com/acme",
        ] {
            let (san, found) = known(issuer, Value::Object(claims.clone()));
            assert_eq!(san, "https://github.com/o/r/.github/workflows/f.yml@refs/heads/m");
            assert_eq!(found, issuer);
        }
        claims.remove("run_attempt");
        assert!(predict("https://token.actions.githubusercontent.com", &claims).is_err());
    }

    #[test]
    fn gitlab_refuses_null() {
        let mut claims: Map<String, Value> =
            GITLAB.iter().map(|name| ((*name).to_owned(), json!("x"))).collect();
        claims.insert("ci_config_ref_uri".to_owned(), Value::Null);
        assert!(predict("https://gitlab.com", &claims).is_err());
    }

    #[test]
    fn google_needs_a_verified_email() {
        let issuer = "https://accounts.google.com";
        let claims = json!({"email": "a@b.iam.gserviceaccount.com", "email_verified": "true"});
        assert_eq!(known(issuer, claims).0, "a@b.iam.gserviceaccount.com");
        assert!(predict(issuer, &object(json!({"email": "a@b"}))).is_err());
        assert!(predict(issuer, &object(json!({"email_verified": true}))).is_err());
    }

    #[test]
    fn dex_names_the_connector() {
        let claims = json!({"email": "a@b.example", "email_verified": true,
                            "federated_claims": {"connector_id": "https://github.com/login/oauth"}});
        let expected = ("a@b.example".to_owned(), "https://github.com/login/oauth".to_owned());
        assert_eq!(known("https://oauth2.sigstore.dev/auth", claims), expected);
    }

    #[test]
    fn kubernetes_clusters() {
        let claims = json!({"kubernetes.io": {"namespace": "n", "serviceaccount": {"name": "s"}}});
        let issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC";
        assert_eq!(known(issuer, claims).0, "https://kubernetes.io/namespaces/n/serviceaccounts/s");
        assert!(predict(issuer, &Map::new()).is_err());
    }

    #[test]
    fn private_issuers_are_unknown() {
        let unknown = predict("https://gitlab.example.com", &Map::new());
        assert_eq!(unknown.unwrap(), Prediction::Unknown);
    }

    #[test]
    fn stars_take_one_or_more_name_characters() {
        assert!(matches("https://a/*", "https://a/b-_C1"));
        assert!(!matches("https://a/*", "https://a/"));
        assert!(!matches("https://a/*", "https://a/b/c"));
        assert!(!matches("https://a.*.com/id/*", "https://a.evil.org/.com/id/x"));
    }
}
