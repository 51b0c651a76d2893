// SPDX-License-Identifier: Apache-2.0
//! Why a log entry proves nothing.

use ambisign_host::errors;

errors! {
    /// Why a log entry proves nothing.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum EntryError {
        /// What was logged is not what was signed.
        #[error("the log entry is not of this signature: {why}")]
        Body {
            /// What differs.
            why: &'static str,
        } = "rekor/body", Untrusted | Rejected {
            what: "The log has recorded something else than this signature.",
            why: "The entry belongs to another one, or was changed.",
            advice: "Do not rely on it; sign again if it is yours.",
        },
        /// The log did not sign the state of its tree.
        #[error("the checkpoint of the log entry does not hold: {why}")]
        Checkpoint {
            /// What is wrong.
            why: &'static str,
        } = "rekor/checkpoint", Untrusted | Rejected {
            what: "The log's statement about itself does not hold.",
            why: "Its signature is not of the log that you trust.",
            advice: "Check that trusted root and log are of one instance.",
        },
        /// The entry is not in the tree of the log.
        #[error("the log entry is not proven to be in the log: {why}")]
        Inclusion {
            /// What is wrong.
            why: &'static str,
        } = "rekor/inclusion", Untrusted | Rejected {
            what: "It is not proven that the entry is in the log.",
            why: "The hashes of the proof do not lead to the log's root.",
            advice: "Do not rely on it; sign again if it is yours.",
        },
        /// It does not have the form of a log entry.
        #[error("the log entry is malformed: {why}")]
        Malformed {
            /// What is wrong.
            why: String,
        } = "rekor/malformed", Untrusted | Rejected {
            what: "A log entry is not built as entries are.",
            why: "It was changed on its way, or the log is of another version.",
            advice: "Check the URL of the log and `--rekor-version`.",
        },
        /// The time of the entry is outside the validity of the certificate or of the log.
        #[error("the log entry was made outside the validity of the {what}")]
        OutsideValidity {
            /// Of which of the two.
            what: &'static str,
        } = "rekor/outside-validity", Untrusted | Rejected {
            what: "The entry was made when certificate or log was not valid.",
            why: "It came too late, or the log is one of the past.",
            advice: "Sign again; check the trusted root.",
        },
        /// The log did not sign the time of the entry (SET).
        #[error("the inclusion promise of the log entry does not hold")]
        Promise = "rekor/promise", Untrusted | Rejected {
            what: "The log's promise to include the entry is not its own.",
            why: "The signature is not of the log that you trust.",
            advice: "Check that trusted root and log are of one instance.",
        },
        /// The trusted root does not have the log.
        #[error("the log entry is of a log that is not in the trusted root (ID {id})")]
        UnknownLog {
            /// The ID of the log, in hexadecimal digits.
            id: String,
        } = "rekor/unknown-log", Untrusted | Rejected {
            fix: "check that the trusted root is the one of the log, and a new one",
            what: "The entry is of a log that the trusted root does not list.",
            why: "Mostly staging, production and private instances are mixed.",
            advice: "Use the trusted root of the instance that signed.",
        },
    }
}
