// SPDX-License-Identifier: Apache-2.0
//! What a verifier can ask for beyond the signer: facts about the CI job, and the evidence.

use clap::Args;

/// Claims about the CI job that signed, from the extensions of the certificate. Where `gh attestation
/// verify` has a flag for one, it has the same name and meaning.
#[derive(Args, Clone, Debug, Default)]
pub struct JobArgs {
    /// The event that started the GitHub workflow, such as `push`
    #[arg(
        long = "certificate-github-workflow-trigger",
        value_name = "EVENT",
        help_heading = "Signer"
    )]
    pub workflow_trigger: Option<String>,

    /// The commit of the GitHub workflow
    #[arg(long = "certificate-github-workflow-sha", value_name = "SHA", help_heading = "Signer")]
    pub workflow_sha: Option<String>,

    /// The name of the GitHub workflow
    #[arg(long = "certificate-github-workflow-name", value_name = "NAME", help_heading = "Signer")]
    pub workflow_name: Option<String>,

    /// The repository of the GitHub workflow, `owner/name`
    #[arg(
        long = "certificate-github-workflow-repository",
        value_name = "REPOSITORY",
        help_heading = "Signer"
    )]
    pub workflow_repository: Option<String>,

    /// The ref of the GitHub workflow, such as `refs/heads/main`
    #[arg(long = "certificate-github-workflow-ref", value_name = "REF", help_heading = "Signer")]
    pub workflow_ref: Option<String>,

    /// The repository of the sources: `owner/name` on GitHub, otherwise its URL
    #[arg(long, value_name = "REPOSITORY", help_heading = "CI job")]
    pub repo: Option<String>,

    /// The owner of that repository: a name on GitHub, otherwise its URL
    #[arg(long, value_name = "OWNER", help_heading = "CI job")]
    pub owner: Option<String>,

    /// The repository of the workflow that signed, which is another one for a reusable workflow
    #[arg(long, value_name = "REPOSITORY", help_heading = "CI job")]
    pub signer_repo: Option<String>,

    /// The workflow that signed: `[host/]owner/name/path/to/workflow.yml`, with or without `@ref`
    #[arg(long, value_name = "WORKFLOW", help_heading = "CI job")]
    pub signer_workflow: Option<String>,

    /// The commit of the workflow that signed
    #[arg(long, value_name = "SHA", help_heading = "CI job")]
    pub signer_digest: Option<String>,

    /// The commit of the sources
    #[arg(long, value_name = "SHA", help_heading = "CI job")]
    pub source_digest: Option<String>,

    /// The ref of the sources, such as `refs/heads/main`
    #[arg(long, value_name = "REF", help_heading = "CI job")]
    pub source_ref: Option<String>,

    /// Only accept jobs on runners that GitHub hosts
    #[arg(long, help_heading = "CI job")]
    pub deny_self_hosted_runners: bool,

    /// Any claim that Fulcio puts into certificates; may be repeated
    ///
    /// build-signer-uri, build-signer-digest, runner-environment, source-repository-uri,
    /// source-repository-digest, source-repository-ref, source-repository-identifier,
    /// source-repository-owner-uri, source-repository-owner-identifier, build-config-uri,
    /// build-config-digest, build-trigger, run-invocation-uri,
    /// source-repository-visibility-at-signing, deployment-environment, token-subject.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "CI job")]
    pub certificate_claim: Vec<String>,
}

/// The evidence that a signature must come with.
#[derive(Args, Clone, Debug, Default)]
pub struct EvidenceArgs {
    /// The number of transparency logs that must have an entry; each operator counts once [default: 1]
    #[arg(long, value_name = "N", help_heading = "Evidence")]
    pub min_log_entries: Option<String>,

    /// The number of timestamp authorities that must have stamped the signature; each operator counts
    /// once [default: 0]
    #[arg(long, value_name = "N", help_heading = "Evidence")]
    pub min_timestamps: Option<String>,
}
