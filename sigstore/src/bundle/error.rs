// SPDX-License-Identifier: Apache-2.0
//! Why something is not a bundle that can be verified.

use std::fmt::Display;

use ambisign_host::errors;

use crate::log::EntryError;

errors! {
    /// Why something is not a bundle that can be verified.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum Error {
        /// One of its log entries is malformed.
        #[error(transparent)]
        Entry(#[from] entry: EntryError) = of entry as Untrusted,
        /// It does not have the form of a bundle.
        #[error("the bundle is malformed: {why}")]
        Malformed {
            /// What is wrong.
            why: String,
        } = "bundle/malformed", Untrusted | Rejected {
            what: "A bundle is not built as bundles are.",
            why: "It was cut or changed on its way, or another program writes it differently.",
            advice: "Take the bundle from its source again.",
        },
        /// Its media type is not that of a known version.
        #[error("the bundle has the unknown media type {found:?}")]
        MediaType {
            /// The beginning of the media type.
            found: String,
        } = "bundle/media-type", Untrusted | Rejected {
            what: "A bundle is of a version that nobody here knows.",
            why: "It is newer than this program, or no bundle.",
            advice: "Use a current version of ambisign.",
        },
        /// It brings an anchor of its own. Nobody may bring their own proof of trust.
        #[error("the certificate chain of the bundle holds a root certificate")]
        RootCertificate = "bundle/root-certificate", Untrusted | Rejected {
            what: "A bundle brings its own root certificate along.",
            why: "Whom to believe is not for the signer to say, so the format forbids it.",
            advice: "Have it signed again by a tool that follows the format.",
        },
        /// There is too much of something, or something twice.
        #[error("the bundle has too many {what}, or one of them twice")]
        TooMany {
            /// Of what.
            what: &'static str,
        } = "bundle/too-many", Untrusted | Rejected {
            what: "A bundle holds more parts than any honest one, or one twice.",
            why: "Counting a witness twice would make one look like two.",
            advice: "Have it signed again.",
        },
    }
}

/// [`Error::Malformed`]
pub(super) fn malformed(why: impl Display) -> Error {
    Error::Malformed {
        why: why.to_string(),
    }
}
