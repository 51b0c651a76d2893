// SPDX-License-Identifier: Apache-2.0
//! The errors of reading a bundle.

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
        #[error("the bundle is malformed: {why}")]
        Malformed { why: String } = "bundle/malformed", Untrusted | Rejected {
            what: "A bundle does not have the form of a Sigstore bundle.",
            why: "It was truncated or changed, or another program writes it differently.",
            advice: "Get the bundle from its source again.",
        },
        #[error("the bundle has the unknown media type {found:?}")]
        MediaType { found: String } = "bundle/media-type", Untrusted | Rejected {
            what: "A bundle has an unknown version.",
            why: "It is newer than this program, or it is not a bundle.",
            advice: "Use a current version of ambisign.",
        },
        #[error("the certificate chain of the bundle holds a root certificate")]
        RootCertificate = "bundle/root-certificate", Untrusted | Rejected {
            what: "A bundle contains its own root certificate.",
            why: "The verifier decides which roots to trust, not the signer, so the format forbids it.",
            advice: "Have it signed again by a tool that follows the format.",
        },
        #[error("the bundle has too many {what}, or one of them twice")]
        TooMany { what: &'static str } = "bundle/too-many", Untrusted | Rejected {
            what: "A bundle contains more log entries or timestamps than allowed, or one of them twice.",
            why: "Counting a witness twice would make one look like two.",
            advice: "Have it signed again.",
        },
    }
}

/// [`Error::Malformed`]
pub(super) fn malformed(why: impl Display) -> Error {
    Error::Malformed { why: why.to_string() }
}
