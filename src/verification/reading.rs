// SPDX-License-Identifier: Apache-2.0
//! Fixes for verifiers. The errors of registries and of trust material advise the signer, who may push;
//! a verifier may only read.

use ambisign_host::{Explain as _, Failure, HttpReason};
use ambisign_registry::Error;
use ambisign_sigstore::trust::{self, tuf};
use url::{Position, Url};

/// What gives the right to read where the fix of a registry asks for the right to write: the beginning
/// of a repository, and the fix.
const LOGINS: [(&str, &str); 2] = [
    (
        "ghcr.io/",
        "log in before this step with docker/login-action, or set `GITHUB_TOKEN` to \
         `${{ github.token }}` of a job with `permissions: packages: read`",
    ),
    (
        "index.docker.io/",
        "log in before this step: `docker login --username NAME --password-stdin`, with an access \
         token that may read",
    ),
];

/// What helps with an error: its code, and the fix.
const FIXES: [(&str, &str); 5] = [
    (
        "registry/index-unreadable",
        "ask the signer of the image what wrote that tag: it does not list signatures",
    ),
    (
        "registry/manifest",
        "have the image built and pushed again with a current tool",
    ),
    (
        "registry/not-found",
        "compare registry, repository and digest with those that were published, and log in if the \
         repository is private",
    ),
    (
        "registry/policy",
        "have the image signed: until then only accounts that may push can read it",
    ),
    (
        "registry/tag-redirected",
        "run again later: the registry usually stops doing so",
    ),
];

/// The failure for an error of a registry that is only read, with the fix for a verifier.
pub(super) fn of_registry(error: &Error) -> Failure {
    let mut failure = Failure::of(error);
    if let Some(fix) = registry(error) {
        failure.fix = Some(fix.to_owned());
    }
    failure
}

/// The fix for a verifier, where that of `error` is for the signer.
fn registry(error: &Error) -> Option<&'static str> {
    if let Error::Refused { status, .. } = error {
        return match status.as_u16() {
            500.. => None,
            401 | 403 => Some("log in with an account that may read this repository"),
            _ => Some("act on the answer that is shown"),
        };
    }
    if let Error::Unauthorized { repository, .. } = error {
        let login = LOGINS.iter();
        let mut login = login.filter(|(host, _)| repository.starts_with(host));
        return login.next().map(|(_, fix)| *fix);
    }
    let code = error.code();
    let mut fixes = FIXES.iter().filter(|(known, _)| *known == code);
    fixes.next().map(|(_, fix)| *fix)
}

/// What helps who needs the trusted root alone, instead of the fix of `error`: that of a public host
/// names all services that a run asks that signs.
pub(crate) fn trust(error: &trust::Error) -> Option<String> {
    let trust::Error::Tuf(tuf::Error::Http(http)) = error else {
        return None;
    };
    let HttpReason::Unreachable { .. } = http.reason else {
        return None;
    };
    let url = Url::parse(&http.url).ok()?;
    let host = &url[Position::BeforeHost..Position::AfterPort];
    Some(format!(
        "let this machine reach {host}, directly or by `HTTPS_PROXY`, or give the trusted root as a \
         file with `--trusted-root`"
    ))
}

#[cfg(test)]
mod tests {
    use ambisign_host::{Explain as _, HttpError, HttpReason};
    use ambisign_registry::Error;
    use ambisign_sigstore::trust::{self, tuf};
    use reqwest::{Method, StatusCode};

    use super::{of_registry, trust as of_trust};

    fn unreachable(url: &str, why: Option<&str>) -> trust::Error {
        trust::Error::Tuf(tuf::Error::Http(HttpError {
            method: Method::GET,
            url: url.into(),
            tries: 4,
            sent: false,
            proxy: None,
            reason: match why {
                Some(why) => HttpReason::Unreachable {
                    why: why.to_owned(),
                    sent: false,
                },
                None => HttpReason::Deadline,
            },
        }))
    }

    /// Fulcio, log and timestamp authority are asked by nobody who verifies.
    #[test]
    fn a_verifier_needs_the_mirror_alone() {
        let error = unreachable("https://tuf-repo-cdn.sigstore.dev/1.root.json", Some("dns"));
        let fix = of_trust(&error).unwrap();
        assert!(fix.contains("reach tuf-repo-cdn.sigstore.dev,"), "{fix}");
        assert!(!fix.contains("fulcio"), "{fix}");
        let error = unreachable("https://tuf.example.com:8443/1.root.json", Some("dns"));
        assert!(of_trust(&error).unwrap().contains("tuf.example.com:8443"));
        assert_eq!(
            of_trust(&unreachable("https://tuf.example.com/", None)),
            None
        );
        assert_eq!(of_trust(&trust::Error::NoRoot), None);
    }

    #[test]
    fn nobody_who_reads_is_told_to_push() {
        let refused = |status| Error::Refused {
            repository: "r.example/app".to_owned(),
            what: "the list of referrers".to_owned(),
            status,
            excerpt: String::new(),
            credential: String::new(),
        };
        for (status, fix) in [
            (StatusCode::FORBIDDEN, Some("may read this repository")),
            (StatusCode::METHOD_NOT_ALLOWED, Some("act on the answer")),
            (StatusCode::BAD_GATEWAY, None),
        ] {
            let error = refused(status);
            let told = of_registry(&error).fix.unwrap();
            match fix {
                Some(fix) => assert!(told.contains(fix), "{status}: {told}"),
                None => assert_eq!(told, error.fix().unwrap()),
            }
        }
    }
}
