// SPDX-License-Identifier: Apache-2.0
//! Verifies one signature, and combines the results for an image.

use ambisign_host::{Class, Explain as _, Failure, Warning};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::statement::OtherDigests;
use ambisign_sigstore::trust::TrustedRoot;
use ambisign_sigstore::verify::{self, Accepted, Policy, SignedBy};

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::budget::{Budget, FIRST, Spent};
use super::error::Error;
use super::warnings;
use crate::outcome;
use crate::outcome::from;
use crate::outcome::verification::{Entry, Facts, Finding, Layout, Signature, Verdict};
use crate::settings::Format;
use ambisign_registry::reference::Reference;
use ambisign_registry::warnings::CUT;
use ambisign_registry::{Candidate, Listing, Registry, Stored};

/// The number of signatures to fetch at the same time. Each may be as large as the longest bundle.
pub(crate) const FETCHES: usize = 8;
/// The most signatures whose reasons are reported.
const MOST_REASONS: usize = 100;

/// The requirements on every signature.
pub(crate) struct Judge {
    pub(crate) root: TrustedRoot,
    pub(crate) policy: Policy,
    pub(crate) format: Format,
}

/// The result of inspecting one candidate.
pub(super) enum Inspection {
    /// A signature.
    Signature(Finding),
    /// Something else.
    Other,
    /// It could not be read.
    Unknown(ambisign_registry::Error),
}

impl Judge {
    /// Verifies the registry's answer for one candidate.
    pub(super) fn look(
        &self,
        stored: Result<Stored, ambisign_registry::Error>,
        image: &Digest,
    ) -> Inspection {
        let (result, layout) = match stored {
            Ok(Stored::Bundle(bytes)) => {
                // The reference of an image has one digest.
                let digests = (image, &OtherDigests::default());
                (self.bundle(&bytes, digests), Layout::Bundle)
            }
            Ok(Stored::Legacy { payload, annotations }) => {
                let layer = (payload.as_slice(), &annotations);
                let result = verify::legacy(layer, &self.root, image, &self.policy);
                (result, Layout::Legacy)
            }
            Ok(Stored::Other(_)) => return Inspection::Other,
            Err(error) if error.class() == Class::Temporary => return Inspection::Unknown(error),
            Err(error) => {
                return Inspection::Signature(Finding::Rejected(Failure::for_verifier(&error)));
            }
        };
        let is_wanted = match self.format {
            Format::Any => true,
            Format::Bundle => layout == Layout::Bundle,
            Format::Legacy => layout == Layout::Legacy,
        };
        Inspection::Signature(if is_wanted {
            finding(result, layout)
        } else {
            Finding::Rejected(Failure::of(&Error::Format { wanted: self.format.name() }))
        })
    }

    pub(super) fn bundle(
        &self,
        bytes: &[u8],
        digests: (&Digest, &OtherDigests),
    ) -> Result<Accepted, verify::Error> {
        verify::verify_all_digests(bytes, &self.root, digests, &self.policy)
    }
}

pub(super) fn finding(result: Result<Accepted, verify::Error>, layout: Layout) -> Finding {
    match result {
        Ok(accepted) => Finding::Accepted(Box::new(facts(&accepted, layout))),
        Err(error) => Finding::Rejected(Failure::of(&Error::Rejected(error))),
    }
}

/// What there is at the places of one image.
pub(crate) struct ImageFindings {
    /// The verdict on the image.
    pub(crate) verdict: Verdict,
    /// Why there may be more signatures: a list or a candidate could not be read.
    pub(crate) problem: Option<Failure>,
    /// The number of inspected candidates.
    pub(crate) looked_at: usize,
    /// How many were not, although none before them is acceptable.
    pub(crate) left_out: usize,
}

/// Warns that not everything that is attached to an image was inspected.
pub(crate) fn cut(asked: &Reference, (looked_at, left_out): (usize, usize)) -> Option<Warning> {
    let message = format!(
        "{asked} has more attachments than the {looked_at} that were inspected: remove those that are \
         not needed"
    );
    let code = CUT;
    (left_out > 0).then_some(Warning { code, message })
}

/// Looks at what may be a signature of the image.
///
/// # Errors
/// The image cannot be resolved.
pub(crate) async fn image(
    (registry, asked): (&Registry<'_>, &Reference),
    judge: &Judge,
    fetches: &Semaphore,
) -> Result<ImageFindings, ambisign_registry::Error> {
    let wanted = &judge.policy.predicate_types;
    let listing = registry.signatures(asked, wanted).await?;
    Ok(places((registry, asked), listing, (judge, fetches), &FIRST).await)
}

/// The initial verdict on an artifact.
pub(super) fn about(reference: &Reference, digest: &Digest) -> Verdict {
    Verdict {
        requested: reference.to_string(),
        repository: Some(from::repository(reference)),
        digest: Some(digest.to_string()),
        ..Verdict::default()
    }
}

/// Looks at the places of `listing`, in their order.
pub(super) async fn places(
    (registry, asked): (&Registry<'_>, &Reference),
    listing: Listing,
    (judge, fetches): (&Judge, &Semaphore),
    budget: &Budget,
) -> ImageFindings {
    let look = async |place| {
        // Hold the permit until the fetched bytes are dropped.
        let _permit = fetches.acquire().await;
        let fetched = registry.fetch(asked, place).await;
        let bytes = fetched.as_ref().map_or(0, |fetched| fetched.bytes);
        let stored = fetched.map(|fetched| fetched.stored);
        (place, judge.look(stored, &listing.image), bytes)
    };
    let mut looks = stream::iter(&listing.places).map(look).buffered(FETCHES);
    let mut found = Found::default();
    let started = Instant::now();
    while let Some((place, look, bytes)) = looks.next().await {
        found.add(place, look);
        found.spent.bytes = found.spent.bytes.saturating_add(bytes);
        if budget.is_spent(&found.spent, started.elapsed()) {
            break;
        }
    }
    drop(looks);
    let problem = found.problems.iter().chain(&listing.problems).next();
    let rest = listing.places.len() - found.spent.looked_at + listing.left_out;
    let (unread, left_out) = if found.spent.is_accepted { (rest, 0) } else { (0, rest) };
    let verdict = Verdict { unread, ..about(asked, &listing.image) };
    ImageFindings {
        problem: problem.map(|error| Failure::of(error)),
        looked_at: found.spent.looked_at,
        left_out,
        verdict: found.verdict(verdict, (listing.problems, left_out)),
    }
}

/// The findings about the candidates of an image.
#[derive(Default)]
pub(super) struct Found {
    signatures: Vec<Signature>,
    others: usize,
    spent: Spent,
    /// Candidates that could not be read and may be signatures.
    problems: Vec<ambisign_registry::Error>,
}

impl Found {
    pub(super) fn add(&mut self, place: &Candidate, look: Inspection) {
        self.spent.looked_at += 1;
        match look {
            Inspection::Signature(finding) => {
                self.spent.is_accepted |= matches!(finding, Finding::Accepted(_));
                let place = place.name().to_owned();
                self.signatures.push(Signature { place, finding });
            }
            Inspection::Other => self.others += 1,
            Inspection::Unknown(error) => self.problems.push(error),
        }
    }

    /// One acceptable signature is enough, whatever else is there. Without one, a list or a place that
    /// could not be read leaves the question open, and so does what was left out.
    pub(super) fn verdict(
        self,
        mut verdict: Verdict,
        (lists, left_out): (Vec<ambisign_registry::Error>, usize),
    ) -> Verdict {
        let name = verdict.name();
        let (found, others) = (self.signatures.len(), self.others);
        verdict.signatures = self.signatures;
        if verdict.is_verified() {
            return verdict;
        }
        let mut problems: Vec<_> = self.problems.into_iter().chain(lists).collect();
        // Temporary problems come first, because running again may give a result.
        problems.sort_by_key(|error| error.class() != Class::Temporary);
        verdict.failure = Some(match problems.first() {
            Some(error) => Failure::for_verifier(error),
            None if left_out > 0 => {
                Failure::of(&Error::Unfinished { image: name, looked_at: self.spent.looked_at })
            }
            None if found == 0 => {
                let image = name;
                Failure::of(&Error::NoSignatures { image, others })
            }
            None => none_acceptable(name, &verdict.signatures),
        });
        verdict
    }
}

/// The failure with the reason of each signature.
fn none_acceptable(artifact: String, signatures: &[Signature]) -> Failure {
    let found = signatures.len();
    let mut failure = Failure::of(&Error::NoneAcceptable { artifact, found });
    let mut fix = None;
    for (number, signature) in (1..).zip(signatures).take(MOST_REASONS) {
        if let Finding::Rejected(reason) = &signature.finding {
            let mut why = reason.what.clone();
            for because in &reason.because {
                why = format!("{why}: {because}");
            }
            failure.because.push(format!("#{number} {} ({})", why, reason.code));
            // The fixes of registry errors are meant for pushing.
            if reason.class == Class::Rejected {
                fix = fix.or_else(|| reason.fix.clone());
            }
        }
    }
    let more = found.saturating_sub(MOST_REASONS);
    let more = (more > 0).then(|| format!("and {more} more"));
    failure.because.extend(more);
    failure.fix = fix.or(failure.fix);
    failure
}

fn facts(accepted: &Accepted, layout: Layout) -> Facts {
    let entries = accepted.entries().iter().map(|entry| Entry {
        version: entry.version(),
        index: entry.index(),
        tree_index: entry.tree_index(),
        log_id: hex::encode(entry.log_id()),
        time: entry.time(),
    });
    Facts {
        layout: Some(layout),
        certificate: match accepted.signed_by() {
            SignedBy::Certificate(certificate) => Some(outcome::Certificate::from(&**certificate)),
            SignedBy::Key(_) => None,
        },
        caller: match accepted.signed_by() {
            SignedBy::Certificate(certificate) => warnings::caller(certificate).map(str::to_owned),
            SignedBy::Key(_) => None,
        },
        predicate_type: accepted.predicate_type().map(str::to_owned),
        annotations: accepted.annotations().clone(),
        log: entries.collect(),
        timestamps: from::timestamps(accepted.timestamps()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Spent};
    use crate::outcome::verification::Verdict;

    #[test]
    fn what_was_left_out_leaves_the_question_open() {
        for (left_out, code) in [(0, "verify/no-signatures"), (1, "verify/unfinished")] {
            let found = Found {
                spent: Spent { looked_at: 3, ..Spent::default() },
                others: 3,
                ..Found::default()
            };
            let verdict = found.verdict(Verdict::default(), (Vec::new(), left_out));
            assert_eq!(verdict.failure.unwrap().code, code);
        }
    }
}
