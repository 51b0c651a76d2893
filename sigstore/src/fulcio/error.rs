// SPDX-License-Identifier: Apache-2.0
//! The errors of requesting a certificate.

use std::borrow::Cow;

use ambisign_host::{HttpError, errors};

use crate::certificate::CertificateError;
use crate::identity::TokenPlace;
use crate::network_hint;
use crate::service;

errors! {
    /// There is no certificate.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// The certificate does not verify.
        #[error(transparent)]
        Certificate(#[from] error: CertificateError) = of error,
        #[error("the certificate request could not be written")]
        Encoding = "fulcio/encoding", Bug {
            what: "The request for a certificate could not be written.",
            why: "This cannot happen.",
            advice: "Report it.",
        },
        /// The request failed.
        #[error("Fulcio gave no certificate")]
        Http(#[from] error: HttpError) = request error in "fulcio" { fix: network_hint::fix(error) },
        #[error("Fulcio's certificate has the {what} {found:?}, and the token {}", stands_for(expected.as_deref()))]
        IdentityMismatch {
            /// `identity` or `issuer`.
            what: &'static str,
            found: String,
            /// The expected value; `None` if it is only known that it must consist of the token's claims.
            expected: Option<String>,
        } = "fulcio/identity-mismatch", Untrusted {
            fix: match (expected, *what) {
                (Some(_), _) => None,
                (None, "issuer") => Some("check which Fulcio answered; if this issuer is right, name it with `--require-issuer`"),
                (None, _) => Some("check which Fulcio answered; if this identity is right, name it with `--require-identity`"),
            },
            what: "The certificate has another identity or issuer than the token.",
            why: "This is the wrong certificate authority, or it follows rules that ambisign does not know.",
            advice: "Do not run again; check which instance answered.",
        },
        #[error("Fulcio's certificate is not for the key of this run")]
        KeyMismatch = "fulcio/key-mismatch", Untrusted {
            what: "The certificate is for another key than the one of this run.",
            why: "The service returned the certificate of another request.",
            advice: "Do not run again; check which instance answered.",
        },
        /// Something else answers at the URL of Fulcio.
        #[error(transparent)]
        Mistaken(#[from] error: service::Error) = of error,
        /// Fulcio's configuration does not accept the token, so it was not sent.
        #[error("Fulcio does not accept the identity token{}: {}", from(place.as_ref()), objection.says(issuer))]
        Objected {
            /// Where somebody put the token.
            place: Option<TokenPlace>,
            issuer: String,
            objection: Objection,
        } = also "fulcio/refused", Identity { fix: objection.fix(issuer) },
        #[error("Fulcio refused the identity token{} (HTTP {status}): {excerpt}", from(place.as_ref()))]
        Refused {
            /// Where somebody put the token.
            place: Option<TokenPlace>,
            status: u16,
            excerpt: String,
            issuer: String,
            objection: Objection,
        } = "fulcio/refused", Identity {
            fix: objection.fix(issuer),
            what: "Fulcio does not accept the token.",
            why: "Its configuration does not allow the issuer, the audience, the time or a claim; the message shows its answer.",
            advice: "Compare the token with what this Fulcio accepts; private instances list their own issuers.",
        },
        #[error("Fulcio answered HTTP {status}: {excerpt}")]
        Rejected { status: u16, excerpt: String } = "fulcio/rejected", Temporary {
            what: "Fulcio refuses for now.",
            why: "Too many requests, or a fault on its side.",
            advice: "Run again.",
        },
        #[error("Fulcio's answer holds no certificate")]
        Unreadable = "fulcio/unreadable", Untrusted {
            fix: "check that the URL is Fulcio's and that no proxy answers",
            what: "Fulcio's answer holds no certificate.",
            why: "Something else answers at its address.",
            advice: "Check the URL and the proxies.",
        },
    }
}

/// ` from PLACE`, or nothing.
fn from(place: Option<&TokenPlace>) -> String {
    place.map(|place| format!(" from {place}")).unwrap_or_default()
}

fn stands_for(expected: Option<&str>) -> String {
    match expected {
        Some(expected) => format!("stands for {expected:?}"),
        None => "claims nothing of the kind".to_owned(),
    }
}

impl Error {
    /// Returns `true` if Fulcio may have issued a certificate nevertheless, which then stays in a public
    /// log.
    pub fn may_have_issued(&self) -> bool {
        match self {
            Self::Encoding | Self::Mistaken(_) | Self::Objected { .. } | Self::Refused { .. } => {
                false
            }
            Self::Http(error) => error.sent,
            // A server can fail after it has issued the certificate.
            Self::Rejected { status, .. } => *status >= 500,
            Self::Certificate(_)
            | Self::IdentityMismatch { .. }
            | Self::KeyMismatch
            | Self::Unreadable => true,
        }
    }
}

/// What Fulcio has against a token, as far as its configuration or its answer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It requires another audience.
    Audience {
        /// That audience.
        wanted: String,
    },
    /// It makes certificates of e-mail addresses, and the token has none that counts.
    Email,
    /// It does not know the issuer.
    Issuer,
    /// Its configuration was read, and shows no reason.
    None,
    /// Its answer says it.
    Quoted,
    /// Its configuration could not be read.
    Unread,
}

impl Objection {
    /// What its configuration says, for a token of `issuer`.
    pub fn says(&self, issuer: &str) -> String {
        match self {
            Self::Audience { wanted } => {
                format!("it takes tokens of {issuer} for audience {wanted:?} alone")
            }
            Self::Email => format!(
                "it makes certificates of the e-mail addresses in tokens of {issuer}, and this one \
                 has no verified address"
            ),
            Self::Issuer => format!("it takes no tokens of {issuer}"),
            Self::None | Self::Quoted => format!("it takes tokens of {issuer}"),
            Self::Unread => "its configuration could not be read".to_owned(),
        }
    }

    /// The fix, for a token of `issuer`.
    pub fn fix(&self, issuer: &str) -> Cow<'static, str> {
        match self {
            Self::Audience { wanted } => {
                format!("mint the token with audience {wanted:?} (`--audience {wanted}`)").into()
            }
            Self::Email => "mint the token with its verified e-mail address (scope `email`, \
                            `includeEmail`, `format=full`)"
                .into(),
            Self::Issuer => format!(
                "use a Fulcio that accepts tokens of {issuer}, or sign with another identity"
            )
            .into(),
            Self::None => {
                "run again once; if it stays, look at the token's expiry and claims: by its \
                           configuration Fulcio accepts the issuer and audience"
                    .into()
            }
            Self::Quoted => {
                "mint a token with what Fulcio asks for, or have the operator of this Fulcio \
                           change what it asks for"
                    .into()
            }
            Self::Unread => {
                "compare issuer, audience, expiry and e-mail address of the token with what \
                             this Fulcio accepts"
                    .into()
            }
        }
    }
}
