// SPDX-License-Identifier: Apache-2.0
//! Why a token cannot be used as an identity.

use std::borrow::Cow;
use std::time::Duration;

use ambisign_host::{Class, Explain};

/// Why a token cannot be used as an identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The token was minted for somebody else.
    #[error("the identity token is for audience {found:?}, and this run needs {wanted:?}")]
    Audience {
        /// The audiences of the token.
        found: Vec<String>,
        /// The audience that was asked for.
        wanted: String,
    },
    /// A later token of the run stands for somebody else than the first.
    #[error(
        "a later identity token stands for {what} {found:?}, and this run began with {before:?}"
    )]
    Changed {
        /// `identity` or `issuer`.
        what: &'static str,
        /// What it is now.
        found: String,
        /// What the run began with, and told.
        before: String,
    },
    /// The e-mail address was not verified by the issuer.
    #[error("the identity token of {issuer} does not say that its e-mail address is verified")]
    EmailNotVerified {
        /// The issuer.
        issuer: String,
    },
    /// The token's time is over, or will be before it can be used.
    #[error("the identity token {}", expiry(*ago, *left))]
    Expired {
        /// Since when.
        ago: Duration,
        /// The time it has left.
        left: Duration,
    },
    /// The issuer is not a URL that an issuer can have.
    #[error("the identity token has an issuer that is not an https URL: {issuer:?}")]
    Issuer {
        /// The beginning of the issuer.
        issuer: String,
    },
    /// The certificate needs a claim that the token lacks.
    #[error("the identity token of {issuer} has no claim `{claim}`")]
    MissingClaim {
        /// The issuer.
        issuer: String,
        /// The claim.
        claim: &'static str,
    },
    /// Not a JSON Web Token in its compact form.
    #[error("the identity token is not a JSON Web Token: {why} ({length} bytes)")]
    NotAJwt {
        /// What is wrong with its form; never its content.
        why: &'static str,
        /// The length in bytes.
        length: usize,
    },
    /// The token comes from the future.
    #[error("the identity token becomes valid in {} s, so the clock of this machine is wrong", by.as_secs())]
    NotYetValid {
        /// How far.
        by: Duration,
    },
    /// The identity is not the one that the user insists on.
    #[error("the {what} of this run is {found:?}, and {wanted:?} is required")]
    NotRequired {
        /// `identity` or `issuer`.
        what: &'static str,
        /// What it is, in the certificate or as predicted for it.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// The run took longer than a token that there is only one of.
    #[error(
        "the certificate is too old to sign more, and the identity token that was given is over"
    )]
    Outlived,
    /// A private repository would become known.
    #[error(
        "the repository is {visibility}, and signing puts its name, workflow, commit and the digests \
         of the images into a public log for good"
    )]
    Private {
        /// The visibility as the token says it.
        visibility: String,
    },
    /// Nobody can tell whether the identity has signed an image before.
    #[error(
        "the identity of the certificate is not known before it is issued, and so not whether it has signed before"
    )]
    Unpredicted,
}

fn expiry(ago: Duration, left: Duration) -> String {
    if left.is_zero() {
        format!("expired {} s ago", ago.as_secs())
    } else {
        format!("expires in {} s, before it can be used", left.as_secs())
    }
}

impl Explain for IdentityError {
    fn code(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Audience { .. } => "identity/audience",
            Self::Changed { .. } => "identity/changed",
            Self::EmailNotVerified { .. } => "identity/email-not-verified",
            Self::Expired { .. } => "identity/expired",
            Self::Issuer { .. } => "identity/issuer",
            Self::MissingClaim { .. } => "identity/missing-claim",
            Self::NotAJwt { .. } => "identity/not-a-jwt",
            Self::NotRequired { .. } => "identity/not-required",
            Self::NotYetValid { .. } => "identity/not-yet-valid",
            Self::Outlived => "identity/outlived",
            Self::Private { .. } => "identity/private",
            Self::Unpredicted => "identity/unpredicted",
        })
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Audience { wanted, .. } => format!("mint the token with audience {wanted:?}").into(),
            Self::Changed { .. } => "see who replaces the token while the run goes on".into(),
            Self::EmailNotVerified { .. } => "use an account whose e-mail address is verified".into(),
            Self::Expired { .. } => {
                "mint the token in the step that signs, or let ambisign ask for it".into()
            }
            Self::Issuer { .. } => "check where the token comes from".into(),
            Self::MissingClaim { claim, .. } => missing_claim_fix(claim).into(),
            Self::NotAJwt { .. } => {
                "give the raw token: three base64url parts with dots between, no `Bearer`, no quotes"
                    .into()
            }
            Self::NotRequired { .. } => {
                "sign in the job that has this identity, or change `--require-identity` and \
                 `--require-issuer`"
                    .into()
            }
            Self::NotYetValid { .. } => "set the clock of the machine (NTP)".into(),
            Self::Unpredicted => {
                "pass `--require-identity` and `--require-issuer`, which must then hold".into()
            }
            Self::Outlived => {
                "sign the other images in another run, or let ambisign ask for the token itself"
                    .into()
            }
            Self::Private { .. } => {
                "pass `--allow-private-repository` if its name, workflow and commit may be public, \
                 or sign with an instance of your own"
                    .into()
            }
        })
    }

    fn class(&self) -> Class {
        Class::Identity
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
