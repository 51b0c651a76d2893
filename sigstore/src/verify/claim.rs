// SPDX-License-Identifier: Apache-2.0
//! What Fulcio copies from the token of a CI job into extensions of the certificate (fulcio
//! `docs/oid-info.md`).

use crate::certificate::{SigningCertificate, claims};

/// A claim about a CI job in a certificate. The first five are GitHub's alone and deprecated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The event that started the workflow.
    WorkflowTrigger,
    /// The commit that the workflow ran for.
    WorkflowSha,
    /// The name of the workflow.
    WorkflowName,
    /// The repository, `owner/name`.
    WorkflowRepository,
    /// The ref that the workflow ran for.
    WorkflowRef,
    /// The file with the instructions that signed: of a reusable workflow, if the job is one.
    BuildSignerUri,
    /// The commit of that file.
    BuildSignerDigest,
    /// `github-hosted` or `self-hosted`.
    RunnerEnvironment,
    /// The repository of the sources.
    SourceRepositoryUri,
    /// The commit of the sources.
    SourceRepositoryDigest,
    /// The ref of the sources.
    SourceRepositoryRef,
    /// The ID of the repository, which survives a renaming.
    SourceRepositoryIdentifier,
    /// The owner of the repository.
    SourceRepositoryOwnerUri,
    /// The ID of the owner, which survives a renaming.
    SourceRepositoryOwnerIdentifier,
    /// The file with the instructions of the job at the top.
    BuildConfigUri,
    /// The commit of that file.
    BuildConfigDigest,
    /// The event that started the job.
    BuildTrigger,
    /// The run.
    RunInvocationUri,
    /// The visibility of the repository when the certificate was issued.
    SourceRepositoryVisibilityAtSigning,
    /// The environment that the job deploys to.
    DeploymentEnvironment,
    /// The subject of the token.
    TokenSubject,
}

/// All claims, with the number of the extension and the name in messages.
const TABLE: [(Claim, u32, &str); 21] = [
    (Claim::WorkflowTrigger, 2, "workflow trigger"),
    (Claim::WorkflowSha, 3, "workflow commit"),
    (Claim::WorkflowName, 4, "workflow name"),
    (Claim::WorkflowRepository, 5, "workflow repository"),
    (Claim::WorkflowRef, 6, "workflow ref"),
    (Claim::BuildSignerUri, 9, "build signer URI"),
    (Claim::BuildSignerDigest, 10, "build signer digest"),
    (Claim::RunnerEnvironment, 11, "runner environment"),
    (Claim::SourceRepositoryUri, 12, "source repository URI"),
    (Claim::SourceRepositoryDigest, 13, "source repository digest"),
    (Claim::SourceRepositoryRef, 14, "source repository ref"),
    (Claim::SourceRepositoryIdentifier, 15, "source repository identifier"),
    (Claim::SourceRepositoryOwnerUri, 16, "source repository owner URI"),
    (Claim::SourceRepositoryOwnerIdentifier, 17, "source repository owner identifier"),
    (Claim::BuildConfigUri, 18, "build config URI"),
    (Claim::BuildConfigDigest, 19, "build config digest"),
    (Claim::BuildTrigger, 20, "build trigger"),
    (Claim::RunInvocationUri, 21, "run invocation URI"),
    (Claim::SourceRepositoryVisibilityAtSigning, 22, "source repository visibility at signing"),
    (Claim::DeploymentEnvironment, 23, "deployment environment"),
    (Claim::TokenSubject, 24, "token subject"),
];

impl Claim {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        self.row().map_or("claim", |(_, name)| name)
    }

    /// The claim with this name, in lower case and with hyphens: `source-repository-uri`.
    pub fn named(text: &str) -> Option<Self> {
        let mut claims = TABLE.iter().filter(|(_, _, name)| hyphenated(name) == text);
        claims.next().map(|(claim, ..)| *claim)
    }

    /// The names that [`Claim::named`] accepts.
    pub fn names() -> impl Iterator<Item = String> {
        TABLE.iter().map(|(_, _, name)| hyphenated(name))
    }

    /// Whether the claim ties a signature to one repository or owner.
    pub fn is_of_source(self) -> bool {
        matches!(
            self,
            Self::WorkflowRepository
                | Self::SourceRepositoryUri
                | Self::SourceRepositoryIdentifier
                | Self::SourceRepositoryOwnerUri
                | Self::SourceRepositoryOwnerIdentifier
        )
    }

    /// The value of the claim in `certificate`.
    pub fn of(self, certificate: &SigningCertificate) -> Option<&str> {
        let (number, _) = self.row()?;
        claims::text(certificate.certificate(), number).ok()?
    }

    fn row(self) -> Option<(u32, &'static str)> {
        let mut rows = TABLE.iter().filter(|(claim, ..)| *claim == self);
        rows.next().map(|(_, number, name)| (*number, *name))
    }
}

fn hyphenated(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "-")
}
