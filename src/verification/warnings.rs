// SPDX-License-Identifier: Apache-2.0
//! The warnings about accepted signatures.

use ambisign_host::{Warning, codes};
use ambisign_sigstore::certificate::SigningCertificate;
use ambisign_sigstore::verify::policy::{Claim, Identity};

use crate::outcome::verification::{Finding, Verdict};

codes! {
    /// The warnings about accepted signatures.
    pub(crate) WARNINGS {
        REUSABLE_WORKFLOW = "verify/reusable-workflow" {
            what: "A reusable workflow signed, and nothing requires the repository that called it.",
            why: "The certificate's identity is the workflow's. Every repository that may call the workflow gets the same identity.",
            advice: "Require the repository that calls the workflow with `--repo` or `--owner`.",
        },
    }
}

/// The repository that called the reusable workflow of `certificate`; `None` if the job's own workflow
/// signed.
pub(super) fn caller(certificate: &SigningCertificate) -> Option<&str> {
    let signer = Claim::BuildSignerUri.of(certificate)?;
    let config = Claim::BuildConfigUri.of(certificate)?;
    Claim::SourceRepositoryUri.of(certificate).filter(|_| signer != config)
}

/// The warning that `wanted` accepts a reusable workflow for every caller.
pub(super) fn reusable_workflow(verdict: &Verdict, wanted: &Identity) -> Option<Warning> {
    if wanted.claims.iter().any(|(claim, _)| claim.is_of_source()) {
        return None;
    }
    let caller = verdict.signatures.iter().find_map(|signature| match &signature.finding {
        Finding::Accepted(facts) => facts.caller.as_deref(),
        Finding::Rejected(_) => None,
    })?;
    let message = format!(
        "{} was signed by a reusable workflow, which {caller} called; other repositories that may call it \
         get the same identity: require the caller with `--repo`",
        verdict.name()
    );
    Some(Warning { code: REUSABLE_WORKFLOW, message })
}
