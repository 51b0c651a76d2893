// SPDX-License-Identifier: Apache-2.0
//! Why the trusted root does not fit the services.

use ambisign_host::{codes, errors};

use crate::fulcio;
use crate::pki::path::PathError;
use crate::service;
use crate::witness;

errors! {
    /// Why the trusted root does not fit the services.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// Fulcio does not take the token.
        #[error(transparent)]
        Fulcio(#[from] error: fulcio::Error) = of error,
        #[error("no authority of the trusted root may issue a certificate for {name:?}: {flaw}")]
        NameConstraints { name: String, flaw: PathError } = "trust/name-constraints", Trust {
            fix: "sign with an identity that the name constraints of Fulcio's authority allow",
            what: "Name constraints forbid Fulcio's authority to issue for this identity.",
            why: "A certificate of the authority limits the names that it may issue certificates for, and verifiers refuse all others.",
            advice: "Sign with an identity that the authority may issue for, or let Fulcio issue with another authority.",
        },
        /// Something else answers at the URL of a service.
        #[error(transparent)]
        Mistaken(#[from] error: service::Error) = of error,
        #[error("Fulcio at {url} issues certificates of {theirs}, and the trusted root has {ours}")]
        OtherAuthority { url: String, theirs: String, ours: String } = "trust/other-authority", Trust {
            fix: "use the trusted root of this Fulcio; `ambisign trust create` makes one of its certificate chain",
            what: "The trusted root does not have the authority with which this Fulcio issues certificates.",
            why: "The trusted root is of another instance, or older than the authority.",
            advice: "Use the trusted root of this deployment, and a new one.",
        },
        #[error("the trusted root does not fit the log at {url}: {why}")]
        OtherLog { url: String, why: String } = "trust/other-log", Trust {
            fix: "use the trusted root of this log; `ambisign trust create` makes one of its public key and, for Rekor v2, its `origin`",
            what: "What the log signs does not verify with the trusted root.",
            why: "The trusted root has another key, another log ID or another name of the log.",
            advice: "Use the trusted root of this deployment, and a new one.",
        },
        #[error("the trusted root does not verify the timestamps of {url}")]
        OtherTimestampAuthority {
            url: String,
            #[source]
            flaw: PathError,
        } = "trust/other-timestamp-authority", Trust {
            fix: if *flaw == PathError::OutsideValidity {
                Flaw::Window.fix()
            } else {
                "use the trusted root of this timestamp authority; `ambisign trust create` makes one of its certificate chain"
            },
            what: "A timestamp of random bytes does not verify with the trusted root.",
            why: "The trusted root has the timestamp authority of another instance, or an older one.",
            advice: "Use the trusted root of this deployment, and a new one.",
        },
        #[error("the trusted root has the authority of Fulcio at {url}, and it cannot be used: {flaw}")]
        UnusableAuthority { url: String, flaw: Flaw } = "trust/unusable-authority", Trust {
            fix: flaw.fix(),
            what: "No certificate of Fulcio's authority could be verified with the trusted root.",
            why: "Its chain has another order, ended, or limits what the authority may issue.",
            advice: "Correct the chain in the trusted root; `ambisign trust create` writes it in the right order.",
        },
        /// A timestamp authority refuses, or its timestamp does not verify.
        #[error(transparent)]
        Witness(#[from] error: witness::Error) = of error,
    }
}

/// What is wrong with the chain of an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// The certificate that issues is not the first.
    #[error("its chain does not begin with the certificate that issues")]
    Order,
    /// Its validity has not begun or has ended.
    #[error("its `validFor` does not contain this time")]
    Window,
    /// The chain does not hold.
    #[error("{0}")]
    Path(PathError),
}

impl Flaw {
    fn fix(self) -> &'static str {
        match self {
            Self::Order => {
                "list the chain from the certificate that issues to the root, as `ambisign trust \
                 create` does"
            }
            Self::Path(PathError::Extension | PathError::Policies) => {
                "have Fulcio issue with an authority without such extensions"
            }
            Self::Path(PathError::Names(_)) => {
                "have Fulcio issue with an authority whose name the name constraints above it allow"
            }
            Self::Path(PathError::OutsideValidity) | Self::Window => {
                "get the trusted root with the authority that is valid now, and check the clock"
            }
            Self::Path(_) => "correct the chain of this authority in the trusted root",
        }
    }
}

codes! {
    /// The warnings about how the services fit the trusted root.
    pub WARNINGS {
        pub(super) OTHER_HASH = "trust/other-hash" {
            what: "The log signs with another hash than the trusted root names.",
            why: "Rekor v1 signs with SHA-256 on every curve, and trusted roots name the usual hash of the curve. cosign 3 refuses signatures that are logged there.",
            advice: "Verify with ambisign or with cosign 2, or give the log a key on the curve P-256.",
        },
    }
}
