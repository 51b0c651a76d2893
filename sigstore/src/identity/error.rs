// SPDX-License-Identifier: Apache-2.0
//! Why a token cannot be used as an identity.

use std::time::Duration;

use ambisign_host::errors;

errors! {
    /// Why a token cannot be used as an identity.
    #[derive(Debug, thiserror::Error)]
    pub enum IdentityError {
        /// The token was minted for somebody else.
        #[error("the identity token is for audience {found:?}, and this run needs {wanted:?}")]
        Audience {
            /// The audiences of the token.
            found: Vec<String>,
            /// The audience that was asked for.
            wanted: String,
        } = "identity/audience", Identity {
            fix: audience_fix(found, wanted),
            what: "The token was made for somebody else.",
            why: "Tokens name who may use them, and Fulcio takes those for its own audience alone.",
            advice: "Ask the platform for a token with the audience that the message names; `--audience` is for private instances.",
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
        } = "identity/changed", Identity {
            what: "In the middle of the run the provider gave a token of another identity.",
            why: "One run signs as one identity, so that its first line stays true.",
            advice: "Find out why the provider changes; run again for the images that are left.",
        },
        /// The e-mail address was not verified by the issuer.
        #[error("the identity token of {issuer} does not say that its e-mail address is verified")]
        EmailNotVerified {
            /// The issuer.
            issuer: String,
        } = "identity/email-not-verified", Identity {
            what: "The token has an e-mail address that its issuer did not verify.",
            why: "Fulcio refuses those: anybody could claim any address.",
            advice: "Verify the address at the issuer, or use another account.",
        },
        /// The token's time is over, or will be before it can be used.
        #[error("the identity token {}", expiry(*ago, *left))]
        Expired {
            /// Since when.
            ago: Duration,
            /// The time it has left.
            left: Duration,
            /// Whether it was asked for just now: then the clock is to blame.
            fresh: bool,
        } = "identity/expired", Identity {
            fix: if *fresh {
                "set the clock of the machine (NTP), which is ahead: the token was made just now"
            } else {
                "mint the token in the step that signs, or let ambisign ask for it"
            },
            what: "The token's time is over.",
            why: "It was made too early: such tokens live for minutes.",
            advice: "Ask for it in the step that signs, not at the beginning of the job.",
        },
        /// The issuer is not a URL that an issuer can have.
        #[error("the identity token has an issuer that is not an https URL: {issuer:?}")]
        Issuer {
            /// The beginning of the issuer.
            issuer: String,
        } = "identity/issuer", Identity {
            what: "The issuer in the token is not a proper https address.",
            why: "The token is not of OpenID Connect, or of a test system.",
            advice: "Look at where the token comes from.",
        },
        /// The certificate needs a claim that the token lacks.
        #[error("the identity token of {issuer} has no claim `{claim}`")]
        MissingClaim {
            /// The issuer.
            issuer: String,
            /// The claim.
            claim: &'static str,
        } = "identity/missing-claim", Identity {
            fix: missing_claim_fix(claim),
            what: "The token lacks a fact that Fulcio needs of this issuer.",
            why: "Some issuers leave out claims unless they are asked, such as Google its e-mail address.",
            advice: "Ask the issuer for the full form of the token.",
        },
        /// Not a JSON Web Token in its compact form.
        #[error("the identity token is not a JSON Web Token: {why} ({length} bytes)")]
        NotAJwt {
            /// What is wrong with its form; never its content.
            why: &'static str,
            /// The length in bytes.
            length: usize,
        } = "identity/not-a-jwt", Identity {
            fix: "give the raw token: three base64url parts with dots between, no `Bearer`, no quotes",
            what: "What stands in place of the token is no token.",
            why: "An error message, a path or an empty answer was stored instead of it.",
            advice: "Look at the command that fetches the token; it must print the token alone.",
        },
        /// The token comes from the future.
        #[error("the identity token is not valid for another {} s", by.as_secs())]
        NotYetValid {
            /// How far.
            by: Duration,
        } = "identity/not-yet-valid", Identity {
            fix: "set the clock of the machine (NTP)",
            what: "The token begins in the future.",
            why: "The clock of this machine is slow.",
            advice: "Set the clock.",
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
        } = "identity/not-required", Identity {
            fix: "sign in the job that has this identity, or change `--require-identity` and `--require-issuer`",
            what: "The run would sign as another identity than the one you require.",
            why: "`--require-identity` or `--require-issuer` compare exactly.",
            advice: "Correct the requirement, or find out why the job has another identity.",
        },
        /// The run took longer than a token that there is only one of.
        #[error(
            "the certificate is too old to sign more, and the identity token that was given is over"
        )]
        Outlived = "identity/outlived", Identity {
            what: "The run took longer than the token that was given.",
            why: "A new certificate was needed, and a token in a variable or file cannot be renewed.",
            advice: "Sign fewer images in one run, or let ambisign ask the platform itself.",
        },
        /// A private repository would become known.
        #[error(
            "the repository is {visibility}, and signing puts its name, workflow, commit and the digests \
             of the images into a public log for good"
        )]
        Private {
            /// The visibility as the token says it.
            visibility: String,
        } = "identity/private", Identity {
            fix: "pass `--allow-private-repository` if its name, workflow and commit may be public, or sign with an instance of your own",
            what: "The repository is not public, and the log is.",
            why: "A signature would publish the names of repository and workflow for good.",
            advice: "Give `--allow-private-repository` if that is fine, or use a private instance of Sigstore.",
        },
        /// Nobody can tell whether the identity has signed an image before.
        #[error(
            "the identity of the certificate is not known before it is issued, and so not whether it has signed before"
        )]
        Unpredicted = "identity/unpredicted", Identity {
            what: "Which identity the certificate will carry is known only once it is there.",
            why: "A private Fulcio has rules of its own, so it cannot be told whether the same identity has signed before.",
            advice: "Name it by `--require-identity` and `--require-issuer`; both must then hold.",
        },
    }
}

/// A deployment may have an audience of its own, such as the client ID of its issuer.
fn audience_fix(found: &[String], wanted: &str) -> String {
    match found {
        [own]
            if own
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'`') =>
        {
            format!(
                "mint the token with audience {wanted:?}, or pass `--audience {own}` if your Fulcio takes \
             that one"
            )
        }
        _ => format!("mint the token with audience {wanted:?}"),
    }
}

impl IdentityError {
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
