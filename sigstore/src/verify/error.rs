// SPDX-License-Identifier: Apache-2.0
//! Why a signature is not accepted.

use ambisign_host::errors;

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
        /// The signer did not say about the artifact what was asked for.
        #[error("the signer says {} for `{name}` and not {wanted:?}", found.as_deref().unwrap_or("nothing"))]
        Annotation {
            /// The name of the annotation.
            name: String,
            /// What it is, as JSON; `None` when it is not there.
            found: Option<String>,
            /// What it should be.
            wanted: String,
        } = "verify/annotation", Untrusted | Rejected {
            what: "The signer did not say what you require.",
            why: "An annotation is missing or has another value.",
            advice: "Compare the annotation with those of the signature; they are listed with `--output json`.",
        },
        /// It is of another artifact.
        #[error("the signature is not of the artifact {wanted}")]
        Artifact {
            /// The digest of the artifact.
            wanted: Digest,
        } = "verify/artifact", Untrusted | Rejected {
            what: "The signature is of something else.",
            why: "The bundle belongs to another file or image, or the content changed.",
            advice: "Compare the digests.",
        },
        /// It is not a bundle that can be verified.
        #[error(transparent)]
        Bundle(#[from] error: bundle::Error) = of error as Untrusted,
        /// It came with a certificate, and a key was given.
        #[error("the signature has a certificate, of {found:?}, and a key was to be verified with")]
        CertificateSigned {
            /// The name in the certificate.
            found: String,
        } = "verify/certificate-signed", Untrusted | Rejected {
            fix: "name the signer with `--certificate-identity` instead of `--key`",
            what: "You verify with a key, and it was signed with a certificate.",
            why: "Those two do not meet.",
            advice: "Name the identity instead of the key.",
        },
        /// Its signing certificate is not believed.
        #[error(transparent)]
        Certificate(#[from] error: CertificateError) = of error as Untrusted,
        /// The certificate has not the claim of a GitHub workflow that was asked for.
        #[error("the {} is {} and not {wanted:?}", claim.name(), shown(found.as_deref()))]
        Claim {
            /// Which claim.
            claim: Claim,
            /// What it is; `None` when the certificate does not say.
            found: Option<String>,
            /// What it should be.
            wanted: String,
        } = "verify/claim", Untrusted | Rejected {
            what: "A fact about the workflow is not what you require.",
            why: "The certificate names another event, commit, repository or ref.",
            advice: "Compare your flags with the message.",
        },
        /// One of its log entries proves nothing.
        #[error(transparent)]
        Entry(#[from] error: EntryError) = of error as Untrusted,
        /// Somebody else signed.
        #[error("it was signed by {found:?} and not by {wanted}")]
        Identity {
            /// Who signed.
            found: String,
            /// Who should have.
            wanted: Match,
        } = "verify/identity", Untrusted | Rejected {
            fix: wanted.matches_part(found).then_some(WHOLE),
            what: "Somebody else signed.",
            why: "Names are compared exactly, the ref of a workflow included.",
            advice: "Compare the name in the message with the one that you expect.",
        },
        /// Somebody else vouched for the identity.
        #[error("the identity of the signer was vouched for by {found:?} and not by {wanted}")]
        Issuer {
            /// Who vouched.
            found: String,
            /// Who should have.
            wanted: Match,
        } = "verify/issuer", Untrusted | Rejected {
            fix: wanted.matches_part(found).then_some(WHOLE),
            what: "The name is vouched for by another issuer.",
            why: "The same name at another issuer is somebody else.",
            advice: "Compare the issuer in the message with the one that you expect.",
        },
        /// It was signed with another key than the one that was expected.
        #[error("the signature was not made with the expected key")]
        Key = "verify/key", Untrusted | Rejected {
            what: "The signature was made with another key.",
            why: "The key is not that of the signer, or an old one.",
            advice: "Get the signer's current public key.",
        },
        /// It has no certificate, and an identity was expected.
        #[error("it was signed with a bare key, and has no certificate that could name the signer")]
        KeySigned = "verify/key-signed", Untrusted | Rejected {
            what: "You require a name, and it was signed with a bare key.",
            why: "Such a signature names nobody.",
            advice: "Verify with `--key`, or have it signed with an identity.",
        },
        /// What is stored in the older layout does not have its form.
        #[error("the signature is malformed: {why}")]
        Legacy {
            /// What is wrong.
            why: &'static str,
        } = "verify/legacy", Untrusted | Rejected {
            what: "An older signature is not built as those are.",
            why: "It was damaged, or another program wrote it.",
            advice: "Have it signed again.",
        },
        /// The log was not trusted at any proven time of the signature.
        #[error("the log was not trusted at the time of the signature")]
        LogOutsideValidity = "verify/log-outside-validity", Untrusted | Rejected {
            what: "The log was not trusted when the signature was made.",
            why: "It is a log of the past, or of the future.",
            advice: "Update the trusted root.",
        },
        /// Nothing proves when it was signed.
        #[error("nothing proves when it was signed")]
        NoTime = "verify/no-time", Untrusted | Rejected {
            what: "Nothing proves when the signature was made.",
            why: "Certificates live for minutes, so a signature without proven time proves nothing.",
            advice: "Have it signed with a timestamp or a log entry.",
        },
        /// It says something else about the artifact.
        #[error("the predicate type is {} and not {}", shown(found.as_deref()), list(wanted))]
        PredicateType {
            /// What it is; `None` when no statement was signed.
            found: Option<String>,
            /// Those that it may be.
            wanted: Vec<String>,
        } = "verify/predicate-type", Untrusted | Rejected {
            what: "The statement is of another kind than a signature.",
            why: "An attestation, such as an SBOM, is attached in the same way.",
            advice: "Name its kind with `--predicate-type` if that is what you look for.",
        },
        /// The signature is not one of the certificate's key.
        #[error("the signature does not verify")]
        Signature = "verify/signature", Untrusted | Rejected {
            what: "The signature is wrong.",
            why: "What was signed or the signature itself was changed.",
            advice: "Do not use the artifact before you know why.",
        },
        /// What was signed is not an in-toto statement.
        #[error("the signed envelope does not hold a usable in-toto statement: {why}")]
        Statement {
            /// What is wrong.
            why: &'static str,
        } = "verify/statement", Untrusted | Rejected {
            what: "What was signed is no statement that can be used.",
            why: "Another program wrote it, or it names nothing.",
            advice: "Have it signed again.",
        },
        /// One of its timestamps proves nothing.
        #[error(transparent)]
        Timestamp(#[from] error: TimestampError) = of error as Untrusted,
        /// Fewer logs than required vouch for it.
        #[error("{found} of {wanted} required logs vouch for it")]
        TooFewEntries {
            /// How many do, each operator counted once.
            found: usize,
            /// How many should.
            wanted: usize,
        } = "verify/too-few-entries", Untrusted | Rejected {
            what: "Fewer logs vouch for the signature than are required.",
            why: "It was signed without log, or with one that you do not trust.",
            advice: "Use the trusted root of the instance that signed.",
        },
        /// Fewer timestamp authorities than required vouch for it.
        #[error("{found} of {wanted} required timestamp authorities vouch for it")]
        TooFewTimestamps {
            /// How many do, each operator counted once.
            found: usize,
            /// How many should.
            wanted: usize,
        } = "verify/too-few-timestamps", Untrusted | Rejected {
            what: "Fewer authorities vouch for the time than are required.",
            why: "It was signed without timestamp, or with an authority that you do not trust.",
            advice: "Use the trusted root of the instance that signed.",
        },
    }
}

/// The fix where an expression matches a part.
const WHOLE: &str = "let the expression begin and end with `.*` where anything may stand: it must match the whole, not a part as in cosign";

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
