// SPDX-License-Identifier: Apache-2.0
//! The errors of an identity token.

use std::time::Duration;

use ambisign_host::errors;

use super::place::TokenPlace;

errors! {
    /// Why a token cannot be used as an identity.
    #[derive(Debug, thiserror::Error)]
    pub enum IdentityError {
        #[error("the identity token is for audience {found:?}, and this run needs {wanted:?}")]
        Audience { found: Vec<String>, wanted: String } = "identity/audience", Identity {
            fix: audience_fix(found, wanted),
            what: "The token was minted for another audience.",
            why: "A token names the services that may accept it, and Fulcio accepts only tokens for its own audience.",
            advice: "Ask the platform for a token with the audience that the message names; `--audience` is for private instances.",
        },
        #[error("a later identity token has the {what} {found:?}, but this run began with {before:?}")]
        Changed {
            /// `identity` or `issuer`.
            what: &'static str,
            found: String,
            /// The value at the start of the run, which was printed.
            before: String,
        } = "identity/changed", Identity {
            what: "During the run, the provider returned a token with another identity.",
            why: "One run signs as one identity, the one that its first line names.",
            advice: "Find out why the provider's identity changes, and run again for the remaining images.",
        },
        #[error("the identity token of {issuer} does not say that its e-mail address is verified")]
        EmailNotVerified { issuer: String } = "identity/email-not-verified", Identity {
            what: "The token has an e-mail address that its issuer did not verify.",
            why: "Fulcio refuses unverified addresses, because anyone could claim any address.",
            advice: "Verify the address at the issuer, or use another account.",
        },
        #[error("the identity token {}", expiry(*ago, *left))]
        Expired {
            ago: Duration,
            left: Duration,
            /// Whether it was asked for just now: then the clock is to blame.
            fresh: bool,
        } = "identity/expired", Identity {
            fix: if *fresh {
                "set the clock of the machine (NTP), which is ahead: the token was made just now"
            } else {
                "mint the token in the step that signs, or let ambisign request it"
            },
            what: "The token has expired.",
            why: "It was minted too early; such tokens are valid for minutes.",
            advice: "Request it in the step that signs, not at the beginning of the job.",
        },
        /// One of the others, about a token that somebody put there.
        #[error("{error}; the token comes from {place}")]
        Given { place: TokenPlace, error: Box<IdentityError> } = of error { fix: given_fix(error, place) },
        #[error("the identity token has an issuer that is not an https URL: {issuer:?}")]
        Issuer { issuer: String } = "identity/issuer", Identity {
            what: "The issuer in the token is not a valid https URL.",
            why: "The token is not an OpenID Connect token, or it comes from a test system.",
            advice: "Check the source of the token.",
        },
        #[error("the identity token of {issuer} has no claim `{claim}`")]
        MissingClaim { issuer: String, claim: &'static str } = "identity/missing-claim", Identity {
            fix: missing_claim_fix(claim),
            what: "The token lacks a claim that Fulcio requires for this issuer.",
            why: "Some issuers omit claims that were not requested, such as Google the e-mail address.",
            advice: "Request the full form of the token from the issuer.",
        },
        #[error("the identity token is not a JSON Web Token: {why} ({length} bytes)")]
        NotAJwt {
            /// The problem with its form; never its content.
            why: &'static str,
            /// The length in bytes.
            length: usize,
        } = "identity/not-a-jwt", Identity {
            fix: "pass the raw token: three base64url parts separated by dots, without `Bearer` and quotes",
            what: "The value that should be the token is not a token.",
            why: "An error message, a path or an empty answer was stored instead.",
            advice: "Check the command that fetches the token; it must print only the token.",
        },
        #[error("the identity token is not valid for another {} s", by.as_secs())]
        NotYetValid { by: Duration } = "identity/not-yet-valid", Identity {
            fix: "set the clock of the machine (NTP)",
            what: "The token is not valid yet.",
            why: "The clock of this machine is slow.",
            advice: "Set the clock.",
        },
        #[error("the {what} of this run is {found:?}, but {wanted:?} is required")]
        NotRequired {
            /// `identity` or `issuer`.
            what: &'static str,
            /// The value in the certificate, or the predicted one.
            found: String,
            wanted: String,
        } = "identity/not-required", Identity {
            fix: "sign in the job that has this identity, or change `--require-identity` and `--require-issuer`",
            what: "The run would sign as another identity than the required one.",
            why: "`--require-identity` and `--require-issuer` are compared exactly.",
            advice: "Correct the requirement, or find out why the job has another identity.",
        },
        #[error("the identity token says {claim} {found:?}, but `{variable}` of this job is {expected:?}")]
        OtherJob { claim: &'static str, found: String, variable: &'static str, expected: String } = "identity/other-job", Identity {
            fix: format!("use the token of this job, and leave `{variable}` as the platform sets it"),
            what: "The identity token belongs to another job than the one that runs.",
            why: "An earlier step or a server handed over the token of another job, or changed a variable of the platform. The signature would name that other job.",
            advice: "Let ambisign request the token in the job that signs, and leave the variables of the platform as they are.",
        },
        #[error("the certificate is too old to sign more, and the given identity token has expired")]
        Outlived = "identity/outlived", Identity {
            what: "The run took longer than the given token was valid.",
            why: "A new certificate was needed, and a token in a variable or file cannot be renewed.",
            advice: "Sign fewer images in one run, or let ambisign request tokens from the platform.",
        },
        #[error(
            "the repository is {visibility}, and signing puts its name, workflow, commit and the digests \
             of the images into a public log permanently"
        )]
        Private { visibility: String } = "identity/private", Identity {
            fix: "pass `--allow-private-repository` if its name, workflow and commit may be public, or use a private Sigstore instance",
            what: "The repository is not public, but the log is.",
            why: "A signature publishes the names of the repository and the workflow permanently.",
            advice: "Pass `--allow-private-repository` if that is acceptable, or use a private instance of Sigstore.",
        },
        #[error("the identity is not known before the certificate is issued, so earlier signatures by it cannot be found")]
        Unpredicted = "identity/unpredicted", Identity {
            what: "The identity in the certificate is not known before Fulcio issues it.",
            why: "A private Fulcio has its own rules, so signatures by the same identity cannot be found in advance.",
            advice: "Name it with `--require-identity` and `--require-issuer`; the certificate must then have both.",
        },
    }
}

/// A deployment may have an audience of its own, such as the client ID of its issuer.
fn audience_fix(found: &[String], wanted: &str) -> String {
    match found {
        [own] if own.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'`') => {
            format!(
                "mint the token with audience {wanted:?}, or pass `--audience {own}` if your Fulcio takes \
             that one"
            )
        }
        _ => format!("mint the token with audience {wanted:?}"),
    }
}

/// The fix for a token that somebody put at `place`, where it differs from that of any other token.
fn given_fix(error: &IdentityError, place: &TokenPlace) -> Option<String> {
    let is_over = matches!(error, IdentityError::Expired { fresh: false, .. });
    is_over.then(|| format!("mint the token for {} in the step that signs", place.name()))
}

impl IdentityError {
    /// The same of a token that somebody put at `place`; `None` is a token that was requested.
    #[must_use]
    pub fn of_place(self, place: Option<TokenPlace>) -> Self {
        match place {
            Some(place) => Self::Given { place, error: Box::new(self) },
            None => self,
        }
    }

    /// The same of a token that was asked for just now.
    #[must_use]
    pub fn of_fresh_token(self) -> Self {
        if let Self::Expired { ago, left, .. } = self {
            let fresh = true;
            return Self::Expired { ago, left, fresh };
        }
        self
    }
}

fn expiry(ago: Duration, left: Duration) -> String {
    if left.is_zero() {
        format!("expired {} s ago", ago.as_secs())
    } else {
        format!("expires in {} s, before it can be used", left.as_secs())
    }
}

fn missing_claim_fix(claim: &str) -> &'static str {
    match claim {
        "ci_config_ref_uri" | "ci_config_sha" => {
            "keep .gitlab-ci.yml in the project that signs, and include others from there"
        }
        "oidc.circleci.com/pipeline-definition-id" => {
            "use a pipeline with a pipeline definition (a GitHub App project)"
        }
        "email" => "mint the token with its e-mail (`includeEmail`, `format=full`)",
        _ => "use a token of the CI job itself",
    }
}
