// SPDX-License-Identifier: Apache-2.0
//! The errors of verification.

use std::time::SystemTime;

use ambisign_host::errors;
use humantime::format_rfc3339_seconds;

use super::policy::{Claim, Match};
use crate::bundle;
use crate::certificate::CertificateError;
use crate::digest::Digest;
use crate::log::EntryError;
use crate::statement::Unusable;
use crate::timestamp::TimestampError;

errors! {
    /// Why a signature is not accepted.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum Error {
        #[error("the signer says {} for `{name}` and not {wanted:?}", found.as_deref().unwrap_or("nothing"))]
        Annotation {
            name: String,
            /// The value, as JSON; `None` if the annotation is missing.
            found: Option<String>,
            wanted: String,
        } = "verify/annotation", Untrusted | Rejected {
            what: "A required annotation is not in the signed statement.",
            why: "An annotation is missing or has another value.",
            advice: "Compare it with the annotations of the signature, which `--output json` lists.",
        },
        #[error("the signature is not for the artifact {wanted}")]
        Artifact { wanted: Digest } = "verify/artifact", Untrusted | Rejected {
            what: "The signature is for another artifact.",
            why: "The bundle belongs to another file or image, or the content changed.",
            advice: "Compare the digests.",
        },
        /// It is not a bundle that can be verified.
        #[error(transparent)]
        Bundle(#[from] error: bundle::Error) = of error as Untrusted,
        #[error("the signature has a certificate, of {found:?}, and a key was to be verified with")]
        CertificateSigned { found: String } = "verify/certificate-signed", Untrusted | Rejected {
            fix: "name the signer with `--certificate-identity` instead of `--key`",
            what: "You verify with a key, but the signature has a certificate.",
            why: "A signature with a certificate is verified by its identity.",
            advice: "Pass the identity instead of the key.",
        },
        /// Its signing certificate does not verify.
        #[error(transparent)]
        Certificate(#[from] error: CertificateError) = of error as Untrusted { fix: of_certificate(error) },
        #[error("the {} is {} and not {wanted}", claim.name(), shown(found.as_deref()))]
        Claim {
            claim: Claim,
            /// The value; `None` if the certificate does not have the claim.
            found: Option<String>,
            wanted: Match,
        } = "verify/claim", Untrusted | Rejected {
            what: "A claim about the CI job has another value than the required one.",
            why: "The certificate names another event, commit, repository, ref or runner, or none.",
            advice: "Compare your flags with the message.",
        },
        /// One of its log entries does not verify.
        #[error(transparent)]
        Entry(#[from] error: EntryError) = of error as Untrusted { fix: of_entry(error) },
        #[error("the signature has a time in the future: {}", format_rfc3339_seconds(*time))]
        Future { time: SystemTime } = "verify/future", Untrusted | Rejected {
            fix: "set the clock of this machine; if it is right, do not use the artifact",
            what: "The proven time of the signature is more than a day ahead of the clock of this machine.",
            why: "The clock is wrong, or a service signed a time that has not come.",
            advice: "Set the clock. If it is right, the services that signed cannot be trusted.",
        },
        #[error("it was signed by {found:?}, not by {wanted}")]
        Identity { found: String, wanted: Match } = "verify/identity", Untrusted | Rejected {
            fix: wanted.matches_part(found).then_some(WHOLE),
            what: "Another identity signed.",
            why: "Names are compared exactly, the ref of a workflow included.",
            advice: "Compare the name in the message with the one that you expect.",
        },
        #[error("the issuer of the signer's identity is {found:?}, not {wanted}")]
        Issuer { found: String, wanted: Match } = "verify/issuer", Untrusted | Rejected {
            fix: wanted.matches_part(found).then_some(WHOLE),
            what: "Another issuer vouches for the identity.",
            why: "The same name from another issuer is another identity.",
            advice: "Compare the issuer in the message with the one that you expect.",
        },
        #[error("the signature was not made with the expected key")]
        Key = "verify/key", Untrusted | Rejected {
            what: "The signature was made with another key.",
            why: "The given key does not belong to the signer, or it is an old one.",
            advice: "Get the signer's current public key.",
        },
        #[error("it was signed with a bare key and has no certificate that names the signer")]
        KeySigned = "verify/key-signed", Untrusted | Rejected {
            what: "You require an identity, but a bare key made the signature.",
            why: "Such a signature does not name the signer.",
            advice: "Pass the key with `--key`, or have it signed with an identity.",
        },
        #[error("the signature is malformed: {why}")]
        Legacy { why: &'static str } = "verify/legacy", Untrusted | Rejected {
            what: "A signature in cosign's older layout is malformed.",
            why: "It was damaged, or another program wrote it.",
            advice: "Have it signed again.",
        },
        #[error("the log was not trusted at the time of the signature")]
        LogOutsideValidity = "verify/log-outside-validity", Untrusted | Rejected {
            what: "The log was not trusted at the time of the signature.",
            why: "The log was no longer in use at that time, or not yet.",
            advice: "Update the trusted root.",
        },
        #[error("nothing proves the time of the signature")]
        NoTime = "verify/no-time", Untrusted | Rejected {
            what: "Nothing proves the time of the signature.",
            why: "Certificates are valid for minutes, so a signature without a proven time proves nothing.",
            advice: "Have it signed with a timestamp or a log entry.",
        },
        #[error("the predicate type is {}, not {}", shown(found.as_deref()), list(wanted))]
        PredicateType {
            /// Its predicate type; `None` if the signed content is not a statement.
            found: Option<String>,
            wanted: Vec<String>,
        } = "verify/predicate-type", Untrusted | Rejected {
            what: "The statement is not a signature but of another kind.",
            why: "Attestations, such as SBOMs, are attached in the same way.",
            advice: "Name its predicate type with `--predicate-type` to accept it.",
        },
        #[error("the signature does not verify")]
        Signature = "verify/signature", Untrusted | Rejected {
            what: "The signature does not verify.",
            why: "The artifact or the signature was changed.",
            advice: "Do not use the artifact until you know the reason.",
        },
        #[error("the signed envelope does not hold a usable in-toto statement: {why}")]
        Statement { why: &'static str } = "verify/statement", Untrusted | Rejected {
            what: "The signed content is not a usable statement.",
            why: "Another program wrote it, or it names no artifact.",
            advice: "Have it signed again.",
        },
        /// One of its timestamps does not verify.
        #[error(transparent)]
        Timestamp(#[from] error: TimestampError) = of error as Untrusted { fix: of_timestamp(error) },
        #[error("{found} of {wanted} required logs vouch for it")]
        TooFewEntries {
            /// The number that do. Each operator counts once.
            found: usize,
            wanted: usize,
        } = "verify/too-few-entries", Untrusted | Rejected {
            what: "Fewer logs vouch for the signature than are required.",
            why: "It was signed without a log, or with one that is not in the trusted root.",
            advice: "Use the trusted root of the instance that signed.",
        },
        #[error("{found} of {wanted} required timestamp authorities vouch for it")]
        TooFewTimestamps {
            /// The number that do. Each operator counts once.
            found: usize,
            wanted: usize,
        } = "verify/too-few-timestamps", Untrusted | Rejected {
            what: "Fewer timestamp authorities vouch for the signature than are required.",
            why: "It was signed without a timestamp, or with an authority that is not in the trusted root.",
            advice: "Use the trusted root of the instance that signed.",
        },
    }
}

/// The fix if an expression matches only a part.
const WHOLE: &str = "let the expression begin and end with `.*` where anything may stand: it must match the whole, not a part as in cosign";

/// The fix of a part of a bundle that cannot be read: no service is asked that could be another one.
const DAMAGED: &str = "take the bundle from its source again, or have the artifact signed again";
/// The fix of times that do not meet.
const UNTIMELY: &str =
    "have it signed again, with the clocks of the signer and of the services right";

/// The fix for a verifier, where the fix of a certificate is for the signer.
fn of_certificate(error: &CertificateError) -> Option<&'static str> {
    match error {
        CertificateError::Malformed => Some(DAMAGED),
        CertificateError::OutsideValidity => Some(UNTIMELY),
        CertificateError::Sct { .. } => {
            Some("check that the trusted root is that of the instance that signed")
        }
        CertificateError::Lifetime { .. }
        | CertificateError::Profile { .. }
        | CertificateError::UntrustedChain { .. } => None,
    }
}

/// The same of a log entry.
fn of_entry(error: &EntryError) -> Option<&'static str> {
    match error {
        EntryError::Malformed { .. } => Some(DAMAGED),
        EntryError::OutsideValidity { .. } => Some(UNTIMELY),
        EntryError::Checkpoint { .. } | EntryError::Promise => {
            Some("check that the trusted root is that of the instance that signed")
        }
        EntryError::Body { .. } | EntryError::Inclusion { .. } | EntryError::UnknownLog { .. } => {
            None
        }
    }
}

/// The same of a timestamp.
fn of_timestamp(error: &TimestampError) -> Option<&'static str> {
    match error {
        TimestampError::Malformed { .. } | TimestampError::Refused { .. } => Some(DAMAGED),
        TimestampError::OutsideValidity => Some(UNTIMELY),
        TimestampError::Imprint
        | TimestampError::Nonce
        | TimestampError::Signature
        | TimestampError::UntrustedChain { .. } => None,
    }
}

fn shown(found: Option<&str>) -> String {
    found.map_or_else(|| "not given".to_owned(), |found| format!("{found:?}"))
}

fn list(wanted: &[String]) -> String {
    let quoted: Vec<_> = wanted.iter().map(|one| format!("{one:?}")).collect();
    quoted.join(" or ")
}

impl From<Unusable> for Error {
    fn from(Unusable { why }: Unusable) -> Self {
        Self::Statement { why }
    }
}
