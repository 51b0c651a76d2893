// SPDX-License-Identifier: Apache-2.0
//! The table of lies: each makes one service wrong in one way that takes a key, or a store, to do.
//!
//! All that the lie does not name stays true: an entry of another body has a good proof, a
//! certificate by another CA a good SCT. So a client that accepts one has skipped one check.

macro_rules! lies {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// One way in which one service lies. The compiler reports a new one to every test that matches on
        /// all of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Lie { $($(#[doc = $doc])+ $variant,)+ }

        impl Lie {
            /// Every lie, in the order of the services that a signer meets.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What is wrong, in one sentence.
            #[must_use]
            pub fn says(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

lies! {
    /// Fulcio certifies a key other than the requested one.
    CertificateForAnotherKey = "certificate-for-another-key",
    /// Fulcio names another subject (SAN).
    CertificateForAnotherName = "certificate-for-another-name",
    /// Fulcio names another OIDC issuer, in both extensions.
    CertificateOfAnotherIssuer = "certificate-of-another-issuer",
    /// Fulcio's certificate is signed by a CA of the same name with another key.
    CertificateByAnotherCa = "certificate-by-another-ca",
    /// Fulcio's authority may issue for addresses and hosts of another domain alone (name constraints).
    AuthorityWithNameConstraints = "authority-with-name-constraints",
    /// Fulcio's certificate ended before it was issued.
    CertificateExpired = "certificate-expired",
    /// Fulcio's certificate carries no signed certificate timestamp.
    CertificateWithoutSct = "certificate-without-sct",
    /// The signed certificate timestamp is by a log that no trusted root lists.
    SctByUnknownLog = "sct-by-unknown-log",
    /// The signed certificate timestamp is of another certificate.
    SctOfAnotherCertificate = "sct-of-another-certificate",
    /// The signed certificate timestamp is an hour older than the certificate.
    SctOfThePast = "sct-of-the-past",
    /// The timestamp answers another nonce.
    TimestampWithAnotherNonce = "timestamp-with-another-nonce",
    /// The timestamp is of other bytes.
    TimestampOfOtherData = "timestamp-of-other-data",
    /// The timestamp is by an authority of the same name with another key.
    TimestampByUnknownAuthority = "timestamp-by-unknown-authority",
    /// The timestamp is an hour old: before the certificate began.
    TimestampOutsideCertificate = "timestamp-outside-certificate",
    /// The log keeps and proves an entry with another digest than the one that was sent.
    EntryOfAnotherBody = "entry-of-another-body",
    /// The signed entry timestamp (Rekor v1) is by another key.
    PromiseByAnotherKey = "promise-by-another-key",
    /// The inclusion proof is that of another leaf.
    ProofOfAnotherLeaf = "proof-of-another-leaf",
    /// The log gives no inclusion proof.
    ProofMissing = "proof-missing",
    /// The checkpoint ends before its signature.
    CheckpointTruncated = "checkpoint-truncated",
    /// The checkpoint is signed by another key, under the log's name and key hint.
    CheckpointByAnotherKey = "checkpoint-by-another-key",
    /// The registry says 201 to every manifest and keeps none.
    RegistryKeepsNothing = "registry-keeps-nothing",
    /// The registry keeps a byte more of everything that it is sent.
    RegistryKeepsOtherBytes = "registry-keeps-other-bytes",
    /// The referrers API answers 200 with a page of HTML, and lists nothing.
    ReferrersAnswerHtml = "referrers-answer-html",
}

impl std::str::FromStr for Lie {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|lie| lie.name() == name);
        found.copied().ok_or_else(|| format!("no lie is named `{name}`; `lies` lists them"))
    }
}

/// The lies of one sandbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lies(pub(crate) Vec<Lie>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_and_read_back() {
        for lie in Lie::ALL {
            assert_eq!(lie.name().parse::<Lie>(), Ok(*lie));
            let plain: String = lie.name().split('-').collect();
            assert_eq!(plain, format!("{lie:?}").to_lowercase());
            assert!(lie.says().ends_with('.'));
        }
        assert!("white".parse::<Lie>().is_err());
    }
}
