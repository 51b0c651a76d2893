// SPDX-License-Identifier: Apache-2.0
//! Handles images that the same identity has signed before, according to `--if-signed`.
//!
//! A signature counts if a verifier would accept it: it verifies with the trusted root, has exactly the
//! identity, the issuer and the repository that this run's certificate will have, and includes at least
//! the annotations of this run.

use ambisign_host::{Failure, Warning};
use ambisign_sigstore::identity::prediction::Prediction;
use ambisign_sigstore::identity::{Identity, IdentityError};
use ambisign_sigstore::statement::SIGN;
use ambisign_sigstore::trust::Trust;
use ambisign_sigstore::verify::Policy;
use ambisign_sigstore::verify::policy::{self, Claim, Match, Signer};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::context::Context;
use super::error::Error;
use super::job::{Job, SharedDigest};
use crate::outcome::State;
use crate::outcome::event::{Event, ImageEvent, ImageId};
use crate::outcome::verification::{Facts, Finding};
use crate::settings::{Format, IdentitySettings, IfSigned};
use crate::verification::cut;
use crate::verification::{self, FETCHES, ImageFindings, Judge};
use ambisign_registry::Target;

/// Finds signatures that the identity of a run made before.
pub(crate) struct Already<'a> {
    ctx: Context<'a>,
    if_signed: IfSigned,
    judge: Judge,
    fetches: Semaphore,
}

/// Returns `jobs` without images that are already signed. The report says what happened to those.
///
/// # Errors
/// The identity is not known before the certificate is issued, but images that are already signed must
/// fail.
pub(crate) async fn skip_signed<'j>(
    ctx: Context<'_>,
    if_signed: IfSigned,
    (identity, trust): (&Identity, &Trust),
    jobs: Vec<Job<'j>>,
) -> Result<Vec<Job<'j>>, Error> {
    let known = known(identity.prediction(), &ctx.settings.identity);
    let (san, issuer) = match (if_signed, known) {
        (IfSigned::Add, _) => return Ok(jobs),
        (IfSigned::Fail, None) => return Err(IdentityError::Unpredicted.into()),
        (IfSigned::Skip, None) => {
            ctx.recorder.warn(unpredicted());
            return Ok(jobs);
        }
        (IfSigned::Fail | IfSigned::Skip, Some(known)) => known,
    };
    let signer = Signer::Identity(policy::Identity {
        san: Match::Exact(san),
        issuer: Match::Exact(issuer),
        claims: identity.repository().map(of_caller).into_iter().collect(),
    });
    let already = Already {
        ctx,
        if_signed,
        judge: Judge {
            root: trust.root().clone(),
            policy: Policy {
                predicate_types: vec![SIGN.to_owned()],
                annotations: ctx.settings.annotations.clone().into_iter().collect(),
                latest: policy::latest(ctx.host.clock.now()),
                ..Policy::of(signer)
            },
            format: Format::Any,
        },
        fetches: Semaphore::new(FETCHES),
    };
    let left = stream::iter(jobs).map(|job| already.left_of(job));
    let left = left.buffered(ctx.settings.jobs.get());
    Ok(left.filter_map(async |job| job).collect().await)
}

/// The identity and issuer that the certificate will have, if known: as predicted, or as required by the
/// user.
fn known(prediction: &Prediction, wanted: &IdentitySettings) -> Option<(String, String)> {
    match prediction {
        Prediction::Known { san, issuer } => Some((san.clone(), issuer.clone())),
        Prediction::Unknown => wanted.require_identity.clone().zip(wanted.require_issuer.clone()),
    }
}

/// The repository of the caller. All callers of a reusable workflow have the same identity in the
/// certificate and differ only in this claim.
fn of_caller(repository: &str) -> (Claim, Match) {
    (Claim::WorkflowRepository, Match::Exact(repository.to_owned()))
}

fn unpredicted() -> Warning {
    Warning {
        code: "identity/unpredicted",
        message:
            "the identity is not known before the certificate is issued, so images that it has \
                  signed are signed again: to avoid that, pass `--require-identity` and \
                  `--require-issuer`"
                .to_owned(),
    }
}

impl Already<'_> {
    async fn left_of<'j>(&self, job: Job<'j>) -> Option<Job<'j>> {
        let images = match job {
            Job::Blob(..) => return Some(job),
            Job::Image(images) => images,
        };
        let open = images.targets().map(async |(id, target)| {
            let open = self.is_open(*id, &images, target).await;
            open.then_some(*id)
        });
        let open = join_all(open).await;
        let left = images.retain(|id| open.contains(&Some(id)))?;
        Some(Job::Image(Box::new(left)))
    }

    /// Returns `true` if the image must be signed. Otherwise the report has the reason.
    async fn is_open(&self, id: ImageId, images: &SharedDigest<'_>, target: &Target) -> bool {
        let (recorder, started) = (self.ctx.recorder, Instant::now());
        let asked = (images.registry, target.reference());
        let seen = verification::image(asked, &self.judge, &self.fetches).await;
        let state = match self.signed(&seen, target) {
            Ok(None) => return true,
            Ok(Some((place, facts))) => {
                let certificate = facts.certificate.clone();
                let who = certificate.as_ref().map(|found| found.identity.clone());
                let who = who.unwrap_or_default();
                let found = ImageEvent::SignatureFound {
                    certificate,
                    timestamps: facts.timestamps.clone(),
                    place: place.to_owned(),
                    took: started.elapsed(),
                };
                recorder.record(&Event::Image(id, found));
                match self.if_signed {
                    IfSigned::Add | IfSigned::Skip => State::AlreadySigned,
                    IfSigned::Fail => {
                        State::Failed(Failure::of(&ambisign_registry::Error::Signed {
                            image: target.reference().to_string(),
                            identity: who,
                            place: place.to_owned(),
                        }))
                    }
                }
            }
            Err(failure) => State::Failed(failure),
        };
        recorder.record(&Event::Image(id, ImageEvent::Finished(state)));
        false
    }

    /// The signature by the same identity, if there is one.
    ///
    /// # Errors
    /// A list or a signature cannot be read, so the answer is unknown.
    fn signed<'s>(
        &self,
        seen: &'s Result<ImageFindings, ambisign_registry::Error>,
        target: &Target,
    ) -> Result<Option<(&'s str, &'s Facts)>, Failure> {
        let seen = seen.as_ref().map_err(|error| Failure::of(error))?;
        let accepted = seen.verdict.signatures.iter().find_map(|one| match &one.finding {
            Finding::Accepted(facts) => Some((one.place.as_str(), facts.as_ref())),
            Finding::Rejected(_) => None,
        });
        if accepted.is_some() {
            return Ok(accepted);
        }
        if let Some(problem) = &seen.problem {
            return Err(problem.clone());
        }
        if let Some(cut) = cut(target.reference(), (seen.looked_at, seen.left_out)) {
            self.ctx.recorder.warn(cut);
        }
        Ok(None)
    }
}
