// SPDX-License-Identifier: Apache-2.0
//! What a verifier asks for beyond the signer: facts about the CI job, and the evidence.

use ambisign_sigstore::verify::policy::{Claim, Match, Pattern};

use super::SettingsError;
use super::value::{Origin, Sourced, exclusive, flag};
use crate::cli::{EvidenceArgs, JobArgs};

/// Where a repository or owner without scheme is.
const GITHUB: &str = "https://github.com/";
/// More operators than this are a typing mistake.
const MOST_OPERATORS: usize = 16;

/// The required number of operators that must have seen a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Of logs with an entry.
    pub entries: usize,
    /// Of timestamp authorities.
    pub timestamps: usize,
}

/// A flag, its value, its claim, and the requirement that the value stands for.
type Row = (&'static str, Option<String>, Claim, fn(&str) -> Match);

/// The required claims.
///
/// # Errors
/// An empty value, or an unknown name of a claim.
pub(super) fn claims(args: JobArgs) -> Result<Vec<Sourced<(Claim, Match)>>, SettingsError> {
    let rows: [Row; 12] = [
        ("repo", args.repo, Claim::SourceRepositoryUri, on_github),
        ("owner", args.owner, Claim::SourceRepositoryOwnerUri, on_github),
        ("signer-repo", args.signer_repo, Claim::BuildSignerUri, of_repository),
        ("signer-workflow", args.signer_workflow, Claim::BuildSignerUri, workflow),
        ("signer-digest", args.signer_digest, Claim::BuildSignerDigest, exact),
        ("source-digest", args.source_digest, Claim::SourceRepositoryDigest, exact),
        ("source-ref", args.source_ref, Claim::SourceRepositoryRef, exact),
        (
            "certificate-github-workflow-trigger",
            args.workflow_trigger,
            Claim::WorkflowTrigger,
            exact,
        ),
        ("certificate-github-workflow-sha", args.workflow_sha, Claim::WorkflowSha, exact),
        ("certificate-github-workflow-name", args.workflow_name, Claim::WorkflowName, exact),
        (
            "certificate-github-workflow-repository",
            args.workflow_repository,
            Claim::WorkflowRepository,
            exact,
        ),
        ("certificate-github-workflow-ref", args.workflow_ref, Claim::WorkflowRef, exact),
    ];
    let mut claims = Vec::new();
    for (name, text, claim, wanted) in rows {
        let given = flag(name, text)?;
        claims.extend(
            given.map(|given| Sourced { value: (claim, wanted(&given.value)), from: given.from }),
        );
    }
    if args.deny_self_hosted_runners {
        let value = (Claim::RunnerEnvironment, exact("github-hosted"));
        claims.push(Sourced { value, from: Origin::Flag("deny-self-hosted-runners") });
    }
    for text in args.certificate_claim {
        claims.push(claim(text.split_once('='), Origin::Flag("certificate-claim"))?);
    }
    Ok(claims)
}

/// The requirement on the claim with this name, in the spelling of [`Claim::named`], and value.
///
/// # Errors
/// An empty value, or an unknown name.
pub(super) fn claim(
    named: Option<(&str, &str)>,
    from: Origin,
) -> Result<Sourced<(Claim, Match)>, SettingsError> {
    let named = named.filter(|(_, value)| !value.is_empty());
    let named = named.and_then(|(name, value)| Some((Claim::named(name)?, exact(value))));
    let given = Sourced { value: (), from };
    let value = named.ok_or_else(|| given.wrong("`NAME=VALUE` with a name that `--help` lists"))?;
    Ok(Sourced { value, from: given.from })
}

/// An exact text or an expression, at most one of the two.
pub(super) fn one(
    text: Option<Sourced<String>>,
    source: Option<Sourced<String>>,
) -> Result<Option<Sourced<Match>>, SettingsError> {
    exclusive(text.as_ref(), source.as_ref())?;
    if let Some(source) = source {
        let pattern = Pattern::new(&source.value);
        let pattern = pattern.ok_or_else(|| source.wrong("a regular expression of RE2"))?;
        return Ok(Some(Sourced { value: Match::Pattern(pattern), from: source.from }));
    }
    Ok(text.map(|text| Sourced { value: Match::Exact(text.value), from: text.from }))
}

/// The required numbers of operators.
///
/// # Errors
/// A value is not a number, zero log entries are asked for, or a flag asks for less than the numbers
/// of a policy.
pub(super) fn evidence(
    args: EvidenceArgs,
    [entries, timestamps]: [Option<usize>; 2],
) -> Result<Evidence, SettingsError> {
    Ok(Evidence {
        entries: number("min-log-entries", args.min_log_entries, (1, entries))?,
        timestamps: number("min-timestamps", args.min_timestamps, (0, timestamps))?,
    })
}

/// The number of the flag, which must not be lower than that of a policy; otherwise the policy's, or the
/// lowest that there is.
fn number(
    name: &'static str,
    text: Option<String>,
    (lowest, policy): (usize, Option<usize>),
) -> Result<usize, SettingsError> {
    let judged = |number: Option<usize>, from: Origin| {
        let number = number.filter(|number| (lowest..=MOST_OPERATORS).contains(number));
        number.ok_or_else(|| {
            Sourced { value: (), from }.wrong(match lowest {
                0 => "a number from 0 to 16",
                _ => "a number from 1 to 16",
            })
        })
    };
    let policy = policy.map(|number| judged(Some(number), Origin::Policy(name))).transpose()?;
    let flag = flag(name, text)?.map(|given| judged(given.value.parse().ok(), given.from));
    match flag.transpose()? {
        Some(number) if policy.is_some_and(|policy| number < policy) => {
            Err(SettingsError::Wider { flag: Origin::Flag(name).to_string() })
        }
        flag => Ok(flag.or(policy).unwrap_or(lowest)),
    }
}

fn exact(text: &str) -> Match {
    Match::Exact(text.to_owned())
}

fn on_github(text: &str) -> Match {
    Match::Exact(url(text))
}

/// Any workflow of a repository.
fn of_repository(text: &str) -> Match {
    Match::Prefix(format!("{}/", url(text)))
}

/// The URL of a repository or owner.
fn url(text: &str) -> String {
    if text.contains("://") { text.to_owned() } else { format!("{GITHUB}{text}") }
}

/// A workflow without a ref is accepted at every ref. A first segment with a dot is a host, because an
/// owner on GitHub has none.
fn workflow(text: &str) -> Match {
    let has_host = text.split('/').next().is_some_and(|first| first.contains('.'));
    let full = match (text.contains("://"), has_host) {
        (true, _) => text.to_owned(),
        (false, true) => format!("https://{text}"),
        (false, false) => format!("{GITHUB}{text}"),
    };
    if full.contains('@') { Match::Exact(full) } else { Match::Prefix(format!("{full}@")) }
}

#[cfg(test)]
mod tests {
    use ambisign_sigstore::verify::policy::{Claim, Match};

    use super::{claims, evidence};
    use crate::cli::{EvidenceArgs, JobArgs};

    fn one(args: JobArgs) -> (Claim, Match) {
        let mut claims = claims(args).unwrap();
        assert_eq!(claims.len(), 1);
        claims.remove(0).value
    }

    #[test]
    fn repositories_and_owners_are_urls() {
        for (text, url) in [
            ("acme/app", "https://github.com/acme/app"),
            ("https://gitlab.com/acme/app", "https://gitlab.com/acme/app"),
        ] {
            let args = JobArgs { repo: Some(text.to_owned()), ..JobArgs::default() };
            assert_eq!(one(args), (Claim::SourceRepositoryUri, Match::Exact(url.to_owned())));
        }
    }

    #[test]
    fn a_workflow_is_one_file_at_any_ref_or_at_one() {
        let workflow = |text: &str| {
            one(JobArgs { signer_workflow: Some(text.to_owned()), ..JobArgs::default() }).1
        };
        const FILE: &str = "acme/ci/.github/workflows/sign.yml";
        for (text, signer, accepted) in [
            (FILE, "https://github.com/acme/ci/.github/workflows/sign.yml@refs/heads/main", true),
            (FILE, "https://github.com/acme/ci/.github/workflows/sign.yml", false),
            (FILE, "https://github.com/acme/ci/.github/workflows/sign.yml2@refs/heads/main", false),
            (FILE, "https://github.com/acme/ciX.github/workflows/sign.yml@refs/heads/main", false),
            ("ghe.corp/a/b/c.yml", "https://ghe.corp/a/b/c.yml@refs/tags/v1", true),
            ("a/b/c.yml@refs/tags/v1", "https://github.com/a/b/c.yml@refs/tags/v1", true),
            ("a/b/c.yml@refs/tags/v1", "https://github.com/a/b/c.yml@refs/tags/v10", false),
        ] {
            assert_eq!(workflow(text).accepts(signer), accepted, "{text} {signer}");
        }
        let args = JobArgs { signer_repo: Some("acme/ci".to_owned()), ..JobArgs::default() };
        let (_, repository) = one(args);
        assert!(repository.accepts("https://github.com/acme/ci/.github/workflows/x.yml@main"));
        assert!(!repository.accepts("https://github.com/acme/ci2/.github/workflows/x.yml@main"));
    }

    #[test]
    fn names_of_claims_are_known() {
        let of =
            |text: &str| JobArgs { certificate_claim: vec![text.to_owned()], ..JobArgs::default() };
        let (claim, _) = one(of("source-repository-identifier=123"));
        assert_eq!(claim, Claim::SourceRepositoryIdentifier);
        for text in ["", "build-trigger", "build-trigger=", "build trigger=push", "x=y"] {
            assert!(claims(of(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn at_least_one_log_entry_is_needed() {
        let of = |entries: &str, timestamps: &str| {
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let args =
                EvidenceArgs { min_log_entries: text(entries), min_timestamps: text(timestamps) };
            evidence(args, [None, None])
                .ok()
                .map(|evidence| (evidence.entries, evidence.timestamps))
        };
        assert_eq!(of("", ""), Some((1, 0)));
        assert_eq!(of("2", "1"), Some((2, 1)));
        for (entries, timestamps) in [("0", ""), ("17", ""), ("x", ""), ("", "-1"), ("1.0", "")] {
            assert_eq!(of(entries, timestamps), None, "{entries} {timestamps}");
        }
    }
}
