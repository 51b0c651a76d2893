// SPDX-License-Identifier: Apache-2.0
//! Compares a certificate with the claims of a token if the rules of its Fulcio are unknown.
//!
//! For every kind of issuer, Fulcio builds the name from claims: an e-mail address, `sub`, the
//! reference of a workflow, or several claims in one URL. A name without any of them belongs to another
//! identity.

use serde_json::{Map, Value};
use url::Url;

use super::prediction::{BUDDY, BUILDKITE, CIRCLECI, CODEFRESH};

type Claims = Map<String, Value>;

/// Claims that never make a name, because the tokens of many identities share them.
const OF_NOBODY: [&str; 4] = ["iss", "aud", "jti", "nonce"];

/// Names composed of several claims: the name contains every claim of a row (Fulcio,
/// `config/identity/config.yaml`).
const PUT_TOGETHER: [&[&str]; 4] = [BUDDY, BUILDKITE, CIRCLECI, CODEFRESH];

/// Characters that may surround a claim in a name.
const SEPARATORS: [char; 7] = ['/', '!', '@', ':', '#', '?', '='];

/// Returns `true` if `issuer` in a certificate is the `iss` of `claims` or another of their texts. The
/// configuration of Fulcio can name the claim with the issuer, as for tokens that Dex passes on.
pub(super) fn is_issuer(issuer: &str, claims: &Claims) -> bool {
    claims.values().any(|value| has_text(value, issuer))
}

/// Returns `true` if the name `san` in a certificate consists of `claims`: it is one of them, or
/// contains `sub`, the e-mail address, a workflow or a URI.
pub(super) fn is_name(san: &str, claims: &Claims) -> bool {
    let of_somebody = || {
        let all = claims.iter();
        all.filter(|(name, _)| !OF_NOBODY.contains(&name.as_str()))
    };
    let names_by_itself = |name: &str, text: &str| match name {
        "sub" | "email" | "ci_config_ref_uri" => true,
        _ => name.ends_with("workflow_ref") || is_uri_with_path(text),
    };
    of_somebody().any(|(_, value)| has_text(value, san))
        || of_somebody().any(|(name, value)| {
            let text = value.as_str().unwrap_or_default();
            names_by_itself(name, text) && contains(san, text)
        })
        || PUT_TOGETHER.iter().any(|row| {
            let mut texts = row.iter().map(|name| text(claims.get(*name)));
            texts.all(|text| text.is_some_and(|text| contains(san, &text)))
        })
        || is_service_account(san, claims)
}

/// Returns `true` if `value` is `wanted`, or an object that contains it.
fn has_text(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Object(members) => members.values().any(|value| has_text(value, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    }
}

/// A claim as text. Numbers count as text, as in Fulcio.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A URI without a path does not count: it is in the names of all users of that server.
fn is_uri_with_path(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.has_host() && url.path().len() > 1)
}

/// Returns `true` if `whole` contains `part` between separators or ends.
fn contains(whole: &str, part: &str) -> bool {
    !part.is_empty()
        && whole.match_indices(part).any(|(start, _)| {
            let before = whole.get(..start).unwrap_or_default();
            let behind = whole.get(start + part.len()..).unwrap_or_default();
            (before.is_empty() || before.ends_with(SEPARATORS))
                && (behind.is_empty() || behind.starts_with(SEPARATORS))
        })
}

/// Kubernetes nests the names of namespace and account in one claim.
fn is_service_account(san: &str, claims: &Claims) -> bool {
    let pod = claims.get("kubernetes.io");
    let namespace = pod.and_then(|pod| pod.get("namespace")?.as_str());
    let account = pod.and_then(|pod| pod.get("serviceaccount")?.get("name")?.as_str());
    let parts = [namespace, account];
    let mut parts = parts.into_iter();
    parts.all(|part| part.is_some_and(|part| contains(san, part)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{is_issuer, is_name};

    fn github() -> Value {
        json!({"iss": "https://git.example", "aud": "sigstore", "sub": "repo:acme/app:ref:refs/heads/main",
            "job_workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main",
            "ref": "refs/heads/main", "repository": "acme/app", "repository_owner": "acme",
            "server_url": "https://git.example", "run_id": 7})
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn made_of(san: &str, claims: Value) -> bool {
        is_name(san, &object(claims))
    }

    /// What each kind of issuer that Fulcio knows makes of a token.
    #[test]
    fn an_unknown_prediction_accepts_what_fulcio_makes_of_claims() {
        let workflow = "https://git.example/acme/app/.github/workflows/release.yml@refs/heads/main";
        let kubernetes = json!({"sub": "system:serviceaccount:ci:signer",
            "kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "signer"}}});
        for (san, claims) in [
            (workflow, github()),
            ("dev@example.test", json!({"email": "dev@example.test"})),
            ("u-1!example.test", json!({"sub": "u-1"})),
            ("https://issuer.example/i-1", json!({"sub": "i-1"})),
            ("spiffe://example.test/ci", json!({"sub": "spiffe://example.test/ci"})),
            (
                "https://gitlab.example/acme/app//.gitlab-ci.yml@refs/heads/main",
                json!({"ci_config_ref_uri": "gitlab.example/acme/app//.gitlab-ci.yml@refs/heads/main"}),
            ),
            (
                "https://buildkite.com/acme/app",
                json!({"organization_slug": "acme", "pipeline_slug": "app"}),
            ),
            ("https://kubernetes.io/namespaces/ci/serviceaccounts/signer", kubernetes),
            ("https://ci.example/job/app/7", json!({"build_url": "https://ci.example/job/app"})),
        ] {
            assert!(made_of(san, claims.clone()), "{san} of {claims}");
        }
    }

    #[test]
    fn an_unknown_prediction_accepts_nothing_but_claims() {
        let other = "https://git.example/evil/app/.github/workflows/release.yml@refs/heads/main";
        for (san, claims) in [
            ("mallory@example.test", github()),
            (other, github()),
            // Every token of the issuer has these.
            ("https://git.example", json!({"iss": "https://git.example"})),
            ("sigstore", github()),
            ("7", github()),
            // A part of a word is another word.
            ("https://issuer.example/my-app", json!({"sub": "app"})),
            ("root!example.test", json!({"sub": "oot"})),
            ("anybody", json!({"sub": ""})),
            (
                "https://buildkite.com/acme/web",
                json!({"organization_slug": "acme", "pipeline_slug": "app"}),
            ),
        ] {
            assert!(!made_of(san, claims.clone()), "{san} of {claims}");
        }
    }

    #[test]
    fn an_unknown_prediction_takes_an_issuer_from_the_token_alone() {
        let dex = object(json!({"iss": "https://dex.example",
            "federated_claims": {"connector_id": "https://github.com/login/oauth"}}));
        assert!(is_issuer("https://dex.example", &dex));
        assert!(is_issuer("https://github.com/login/oauth", &dex));
        assert!(!is_issuer("https://dex.example/", &dex));
        assert!(!is_issuer("https://issuer.example", &dex));
    }
}
