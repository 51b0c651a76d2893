// SPDX-License-Identifier: Apache-2.0
//! Why a log entry proves nothing.

use ambisign_host::errors;

errors! {
    /// A log entry does not verify.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum EntryError {
        #[error("the log entry is not for this signature: {why}")]
        Body { why: &'static str } = "rekor/body", Untrusted | Rejected {
            what: "The log entry does not record this signature.",
            why: "The entry belongs to another signature, or it was changed.",
            advice: "Do not rely on it; sign again if it is yours.",
        },
        #[error("the checkpoint of the log entry does not verify: {why}")]
        Checkpoint { why: &'static str } = "rekor/checkpoint", Untrusted | Rejected {
            what: "The log's checkpoint, its signed statement about its tree, does not verify.",
            why: "It is not signed by the log in the trusted root.",
            advice: "Check that trusted root and log are of one instance.",
        },
        #[error("the log entry is not proven to be in the log: {why}")]
        Inclusion { why: &'static str } = "rekor/inclusion", Untrusted | Rejected {
            what: "It is not proven that the entry is in the log.",
            why: "The hashes of the proof do not lead to the log's root.",
            advice: "Do not rely on it; sign again if it is yours.",
        },
        #[error("the log entry is malformed: {why}")]
        Malformed { why: String } = "rekor/malformed", Untrusted | Rejected {
            what: "A log entry does not have the required form.",
            why: "It was changed in transit, or the log runs another version of Rekor.",
            advice: "Check the URL of the log and `--rekor-version`.",
        },
        #[error("the log entry was made outside the validity of the {what}")]
        OutsideValidity {
            /// `signing certificate` or the log.
            what: &'static str,
        } = "rekor/outside-validity", Untrusted | Rejected {
            what: "The entry was made while the certificate or the log was not valid.",
            why: "It was made too late, or the log is no longer in use.",
            advice: "Sign again; check the trusted root.",
        },
        #[error("the inclusion promise of the log entry does not verify")]
        Promise = "rekor/promise", Untrusted | Rejected {
            what: "The log's promise to include the entry does not verify.",
            why: "It is not signed by the log in the trusted root.",
            advice: "Check that trusted root and log are of one instance.",
        },
        #[error("the log entry comes from a log that is not in the trusted root (ID {id})")]
        UnknownLog {
            /// The ID of the log, in hexadecimal digits.
            id: String,
        } = "rekor/unknown-log", Untrusted | Rejected {
            fix: "use a current trusted root that lists this log",
            what: "The entry comes from a log that the trusted root does not list.",
            why: "Usually the trusted root and the entry belong to different instances, such as staging and production.",
            advice: "Use the trusted root of the instance that signed.",
        },
    }
}
